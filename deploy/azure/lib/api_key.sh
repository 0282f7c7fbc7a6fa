# shellcheck shell=bash
# The API's key: the one in use, a given or a new one. It is written into a file of the work folder and nowhere else: not
# on the terminal, and in no command's arguments, which every user of a machine can read. Sourced by deploy.sh.

apps_api=2025-01-01  # of Microsoft.App/containerApps, as in modules/apps.bicep
api_key='' api_key_set_on=''

app_id() { echo "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.App/containerApps/$api_app"; }

key_in_use() {
  local id=''
  capture id "$(app_id)" az resource list --resource-group "$group" --resource-type Microsoft.App/containerApps \
    --query "[?name=='$api_app'].id | [0]" --output tsv
  [ -n "$id" ] || return 0
  capture api_key '' az rest --method post --url "$(app_id)/listSecrets?api-version=$apps_api" \
    --query "value[?name=='api-key'].value | [0]" --output tsv
  capture api_key_set_on '' az resource show --ids "$(app_id)" --api-version $apps_api \
    --query "properties.template.containers[0].env[?name=='API_KEY_SET_ON'].value | [0]" --output tsv
  capture image '' az resource show --ids "$(app_id)" --api-version $apps_api \
    --query 'properties.template.containers[0].image' --output tsv
}

new_key() { openssl rand -hex 24; }

# Of keys separated by commas the newest is the first.
find_api_key() {
  step "Find or make the API's key" "look whether openssl is installed, and whether $api_app can be read"
  key_in_use
  if [ -n "$dry_run" ]; then
    echo "    openssl rand -hex 24    # where $api_app has no key yet; into a file that only you can read"
    return 0
  fi
  local before=$api_key
  if [ -n "$api_key_file" ]; then
    if [ "$api_key_file" = - ]; then IFS= read -r api_key || true; else IFS= read -r api_key < "$api_key_file" || true; fi
  elif [ -z "$api_key" ]; then
    api_key=$(new_key)
  elif [ -n "$new_api_key" ]; then
    api_key=$(new_key),${api_key%%,*}
  fi
  [ -z "$drop_old_api_keys" ] || api_key=${api_key%%,*}
  local one='[A-Za-z0-9._~+/=-]{16,128}'
  [[ $api_key =~ ^$one(,$one)*$ ]] ||
    usage "a key has 16 to 128 letters, digits and ._~+/=-; several are separated by commas"
  if [ "$api_key" != "$before" ] || [ -z "$api_key_set_on" ]; then api_key_set_on=$(date -u +%Y-%m-%dT%H:%M:%SZ); fi
  printf '{"parameters": {"apiKey": {"value": "%s"}}}\n' "$api_key" > "$work/secrets.json"
  printf 'X-API-Key: %s\n' "${api_key%%,*}" > "$work/key-header"
}
