# shellcheck shell=bash
# The steps of a deployment, each of which may be done again. Sourced by deploy.sh.

login_server='' digest='' image='' api_url=''

# Older ones put a function's code where the Flex Consumption plan does not look for it.
oldest_az=2.60.0

check_tools() {
  local tool
  if [ -z "$dry_run" ]; then
    for tool in az openssl curl skopeo python3; do
      command -v $tool > /dev/null || usage "$tool is not installed"
    done
    [ "$action" != deploy ] || [ -f "$model/model.json" ] ||
      usage "$model holds no model.json; make one: dropscore train DATA.csv --out $model"
  fi
  check_login
}

check_login() {
  step "Look who is logged in" "see the message above"
  local version='' kind='' name='' given=$subscription
  capture version '' az version --query '"azure-cli"' --output tsv
  if [ -z "$dry_run" ] && [ "$(printf '%s\n' "$version" $oldest_az | sort -V | sed -n 1p)" != $oldest_az ]; then
    step_hint="install a newer one: https://aka.ms/azure-cli"
    give_up "azure-cli is $version; $oldest_az or newer is needed"
  fi
  [ -z "$subscription" ] || run az account set --subscription "$subscription"
  capture subscription "$given" az account show --query id --output tsv
  if [ "$action" = delete ] || [ -n "$operator" ]; then return 0; fi
  capture kind user az account show --query user.type --output tsv
  operator_type=User
  if [ "$kind" = user ]; then
    capture operator OPERATOR_ID az ad signed-in-user show --query id --output tsv
  else
    capture name '' az account show --query user.name --output tsv
    capture operator '' az ad sp show --id "$name" --query id --output tsv
    operator_type=ServicePrincipal
  fi
}

build() {
  step "Build the image and the function's package" "see what make said above; make image and make function work alone too"
  if [ -z "$image_archive" ]; then
    image_archive=build/image/dropscore.oci.tar
    run make image
  fi
  if [ -z "$function_zip" ]; then
    function_zip=build/function.zip
    run make function "MODEL=$model" SOURCE=event-grid CONNECTION=DataStorage
  fi
}

make_group() {
  step "Make the resource group" "see the message above"
  run az group create --name "$group" --location "$location" --output none
}

# bicep WHAT_TO_DO NAME STAGE: the template with every parameter of the command line.
bicep() {
  local secrets=$work/secrets.json
  [ -z "$dry_run" ] || secrets=SECRETS.json
  # shellcheck disable=SC2054  # commas belong to no array here
  template=(az deployment group "$1" --name "$prefix-$2" --resource-group "$group" --template-file deploy/azure/main.bicep
    --parameters "@$parameters" --parameters "@$secrets"
    --parameters "stage=$3" "location=$location" "prefix=$prefix" "suffix=$suffix" "trigger=$trigger"
    "operatorPrincipalId=$operator" "operatorPrincipalType=$operator_type" "image=$image"
    "apiKeySetOn=${api_key_set_on:-unknown}")
}

deploy_base() {
  step "Deploy all that needs no image (a few minutes)" \
    "az deployment operation group list --resource-group $group --name $prefix-base says which resource failed"
  bicep create base base
  run "${template[@]}" --output none
}

# With a token for this registry in a file, not by docker login, and not in an argument.
push_image() {
  step "Push the image" "look whether you may push to $registry (Contributor or AcrPush), and whether $image_archive is there"
  local version token=''
  version=$(< VERSION)
  capture login_server "$registry.azurecr.io" az acr show --name "$registry" --query loginServer --output tsv
  capture token '' az acr login --name "$registry" --expose-token --query accessToken --output tsv
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$login_server" \
    "$(printf '%s:%s' "$no_subscription" "$token" | base64 -w0)" > "$work/registry.json"
  local login=$work/registry.json pushed=$work/digest
  [ -z "$dry_run" ] || login=REGISTRY_LOGIN.json pushed=DIGEST
  run skopeo copy --quiet --preserve-digests --authfile "$login" --digestfile "$pushed" "oci-archive:$image_archive" \
    "docker://$login_server/dropscore:$version"
  digest=sha256:DIGEST
  [ -n "$dry_run" ] || digest=$(< "$work/digest")
  image=$login_server/dropscore@$digest
}

publish_model() {
  step "Publish the model" "look whether container models of $data_account can be reached from here"
  run_once_allowed az storage blob upload --account-name "$data_account" --auth-mode login --container-name models \
    --name current/model.json --file "$model/model.json" --content-type application/json --overwrite --no-progress \
    --output none
}

deploy_function() {
  step "Deploy the function's code" "give the same command again; the app's log is in the portal, under $function_app"
  run_once_allowed az functionapp deployment source config-zip --resource-group "$group" --name "$function_app" --src "$function_zip" \
    --output none
  [ "$trigger" = worker ] || wait_for_host_key
}

# The subscription needs the key that the host makes for its blob extension, once it has seen the code. Only its length is asked.
wait_for_host_key() {
  local until=$((SECONDS + role_wait_s)) ask=(az functionapp keys list --resource-group "$group" --name "$function_app"
    --query "length(systemKeys.blobs_extension || '')" --output tsv)
  if [ -n "$dry_run" ]; then run "${ask[@]}"; return 0; fi
  until "${ask[@]}" > "$work/out" 2> "$work/err" < /dev/null && [ "$(< "$work/out")" != 0 ]; do
    [ $SECONDS -lt $until ] || give_up "the host of $function_app has made no key blobs_extension"
    sleep "$poll_s"
  done
}

# The other trigger's subscription goes only once this one's is there: for a moment both may score a file, never neither.
deploy_apps() {
  step "Deploy API, worker and event subscription (a few minutes)" \
    "az deployment operation group list --resource-group $group --name $prefix-all says which resource failed"
  bicep create all all
  capture api_url "https://$api_app.ENVIRONMENT.$location.azurecontainerapps.io" \
    "${template[@]}" --query properties.outputs.apiUrl.value --output tsv
  local other=''
  capture other "$other_uploads" az eventgrid system-topic event-subscription list --resource-group "$group" \
    --system-topic-name "$topic" --query "[?name=='$other_uploads'].name | [0]" --output tsv
  [ -z "$other" ] || run az eventgrid system-topic event-subscription delete --resource-group "$group" \
    --system-topic-name "$topic" --name "$other_uploads" --yes
  [ "$trigger" = function ] || take_function_roles
}

# What --trigger function gave to the function, and a deployment does not take away by itself.
take_function_roles() {
  local id='' roles='' account
  account=/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.Storage/storageAccounts/$data_account
  capture id PRINCIPAL_ID az identity show --resource-group "$group" --name "$prefix-function-identity" --query principalId \
    --output tsv
  capture roles ROLE_ID az role assignment list --assignee "$id" --scope "$account" --query '[].id' --output tsv
  # shellcheck disable=SC2086  # one word for each role
  [ -z "$roles" ] || run az role assignment delete --ids $roles
}

what_if() {
  step "Ask Azure what would change" "the resource group must be there: az group create --name $group --location $location"
  [ -n "$image" ] || image=$registry.azurecr.io/dropscore:not-there-yet
  bicep what-if what-if all
  run "${template[@]}"
  [ -n "$dry_run" ] || cat "$work/out"
}

delete_group() {
  step "Delete resource group $group, with customers' data, models and logs" "see the message above"
  run az resource list --resource-group "$group" --query '[].[type, name]' --output tsv
  [ -n "$dry_run" ] || cat "$work/out"
  if [ -z "$yes" ] && [ -z "$dry_run" ]; then
    local answer=''
    read -r -p "All of this goes, for good. Type the group's name to go on: " answer || true
    [ "$answer" = "$group" ] || { echo "Nothing was deleted."; exit 1; }
  fi
  run az group delete --name "$group" --yes
}

summary() {
  [ -n "$dry_run" ] && return 0
  cat << TEXT

dropscore is on Azure.
  API       $api_url/predict, with the header X-API-Key; $api_url/health needs none
  uploads   https://$data_account.blob.core.windows.net/input-data, scored by the $trigger
  results   https://$data_account.blob.core.windows.net/output-results
The key:
  az rest --method post --url '$(app_id)/listSecrets?api-version=$apps_api' --query 'value[0].value' --output tsv
A file to score:
  az storage blob upload --account-name $data_account --auth-mode login --container-name input-data --file customers.csv --name customers.csv
TEXT
}
