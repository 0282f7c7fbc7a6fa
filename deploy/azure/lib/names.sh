# shellcheck shell=bash
# Every name, made as main.bicep makes it, and the list of what a deployment makes. Sourced by deploy.sh.
# A test compares the list with the Bicep files, both ways.

no_subscription=00000000-0000-0000-0000-000000000000

choose_names() {
  if [ -n "$dry_run" ] && [ -z "$subscription" ] && [ -z "$suffix" ]; then
    echo "Names end in a code that depends on the subscription; --subscription ID shows yours."
    subscription=$no_subscription
  fi
  local both="$subscription/$group"
  [ -n "$suffix" ] || suffix=$(printf '%s' "${both,,}" | sha256sum | cut -c1-6)
  registry=$prefix$suffix
  data_account=${prefix}data$suffix
  host_account=${prefix}host$suffix
  function_app=$prefix-function-$suffix
  topic=$prefix-uploads
  api_app=$prefix-api
  uploads=uploads-to-$([ "$trigger" = worker ] && echo queue || echo function)
  other_uploads=uploads-to-$([ "$trigger" = worker ] && echo function || echo queue)
}

parameter() { python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["parameters"].get(sys.argv[2], {}).get("value", ""))' "$parameters" "$1"; }

# grants WHO SCOPE ROLE...
grants() {
  local role
  for role in "${@:3}"; do echo "Microsoft.Authorization/roleAssignments|$role: $1 on $2"; done
}

resources() {
  local data=$data_account containers=Microsoft.Storage/storageAccounts/blobServices/containers
  local queues=Microsoft.Storage/storageAccounts/queueServices/queues
  cat << LIST
Microsoft.Resources/resourceGroups|$group
Microsoft.ManagedIdentity/userAssignedIdentities|$prefix-api-identity
Microsoft.ManagedIdentity/userAssignedIdentities|$prefix-worker-identity
Microsoft.ManagedIdentity/userAssignedIdentities|$prefix-function-identity
Microsoft.OperationalInsights/workspaces|$prefix-logs
Microsoft.Insights/components|$prefix-insights
Microsoft.ContainerRegistry/registries|$registry
Microsoft.Storage/storageAccounts|$data
Microsoft.Storage/storageAccounts/blobServices|$data/default
$containers|$data/default/input-data
$containers|$data/default/output-results
$containers|$data/default/models
$containers|$data/default/dead-letters
Microsoft.Storage/storageAccounts/queueServices|$data/default
$queues|$data/default/scoring
$queues|$data/default/scoring-poison
Microsoft.Storage/storageAccounts/managementPolicies|$data/default
Microsoft.EventGrid/systemTopics|$topic
Microsoft.EventGrid/systemTopics/eventSubscriptions|$topic/$uploads
Microsoft.Storage/storageAccounts|$host_account
Microsoft.Storage/storageAccounts/blobServices|$host_account/default
$containers|$host_account/default/app-package
Microsoft.Web/serverfarms|$prefix-plan
Microsoft.Web/sites|$function_app
Microsoft.Web/sites/basicPublishingCredentialsPolicies|$function_app/ftp
Microsoft.Web/sites/basicPublishingCredentialsPolicies|$function_app/scm
Microsoft.App/managedEnvironments|$prefix-environment
Microsoft.App/containerApps|$api_app
Microsoft.App/containerApps|$prefix-worker
Microsoft.Insights/diagnosticSettings|to-workspace of $registry
Microsoft.Insights/diagnosticSettings|to-workspace of $data/default
Microsoft.Insights/diagnosticSettings|to-workspace of $topic
Microsoft.Insights/diagnosticSettings|to-workspace of $prefix-environment
LIST
  if [ -n "$(parameter alertEmail)" ]; then
    cat << LIST
Microsoft.Insights/actionGroups|$prefix-mail
Microsoft.Insights/scheduledQueryRules|$prefix-file-set-aside
Microsoft.Insights/metricAlerts|$prefix-event-dead-lettered
LIST
  fi
  grants "$prefix-api-identity" "$registry" acrPull
  grants "$prefix-api-identity" "$data/default/models" storageBlobDataReader
  grants "$prefix-worker-identity" "$registry" acrPull
  grants "$prefix-worker-identity" "$data/default/models" storageBlobDataReader
  grants "$prefix-worker-identity" "$data/default/input-data" storageBlobDataReader
  grants "$prefix-worker-identity" "$data/default/output-results" storageBlobDataContributor
  grants "$prefix-worker-identity" "$data/default/scoring" storageQueueDataContributor
  grants "$prefix-worker-identity" "$data/default/scoring-poison" storageQueueDataMessageSender
  grants "$prefix-function-identity" "$host_account" storageBlobDataOwner storageQueueDataContributor
  grants "$prefix-function-identity" "$prefix-insights" monitoringMetricsPublisher
  if [ "$trigger" = function ]; then
    grants "$prefix-function-identity" "$data" storageBlobDataOwner storageQueueDataContributor
  fi
  grants "$topic" "$data/default/scoring" storageQueueDataMessageSender
  grants "$topic" "$data/default/dead-letters" storageBlobDataContributor
  grants operator "$data/default/models" storageBlobDataContributor
  grants operator "$data/default/input-data" storageBlobDataContributor
  grants operator "$data/default/output-results" storageBlobDataContributor
}

print_resources() {
  [ -n "$dry_run" ] || return 0
  echo
  echo "Resources (type, name), all in resource group $group, $location:"
  resources | while IFS='|' read -r type name; do printf '  %-62s %s\n' "$type" "$name"; done
}
