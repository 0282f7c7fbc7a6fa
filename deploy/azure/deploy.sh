#!/usr/bin/env bash
# Puts dropscore on Azure, whole, and tries it. --help says how; README.md what comes of it.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/../.."

# shellcheck source=deploy/azure/lib/run.sh
. deploy/azure/lib/run.sh
# shellcheck source=deploy/azure/lib/names.sh
. deploy/azure/lib/names.sh
# shellcheck source=deploy/azure/lib/api_key.sh
. deploy/azure/lib/api_key.sh
# shellcheck source=deploy/azure/lib/steps.sh
. deploy/azure/lib/steps.sh
# shellcheck source=deploy/azure/lib/smoke.sh
. deploy/azure/lib/smoke.sh

help() {
  cat << 'TEXT'
Puts dropscore on Azure: builds the image, makes every resource in one resource group, pushes the image, publishes the
model, deploys, and tries it with three customers. Say it again after any change, or after a failure: what is there
already stays, and is brought up to date.

  az login
  deploy/azure/deploy.sh --dry-run                 every command and every resource, without Azure
  deploy/azure/deploy.sh --model run/models

What to deploy
  --model FOLDER            made by `dropscore train` (default: run/models)
  --trigger worker|function who scores uploads (default: worker)
  --image-archive FILE      an OCI archive to push, instead of what `make image` builds
  --function-zip FILE       a package, instead of what `make function` builds

Where
  --resource-group NAME     (default: dropscore)
  --location REGION         (default: switzerlandnorth)
  --subscription ID         (default: the one that `az account show` names)
  --prefix NAME             begins every name, 3 to 11 small letters and digits (default: dropscore)
  --suffix TEXT             ends names that are unique in all of Azure, 4 to 8 small letters and digits (default: from
                            subscription and group)

How
  --parameters FILE         more settings (default: deploy/azure/main.parameters.json)
  --operator OBJECT_ID      who may upload models and runs the smoke test (default: who is logged in)
  --api-key-file FILE       the API's key; - reads it from standard input (default: the one in use, or a new one)
  --new-api-key             make a new key; the one before it stays good until --drop-old-api-keys
  --drop-old-api-keys       only the newest key stays good
  --no-smoke-test

Instead of deploying
  --dry-run                 print what would be done; needs neither az nor a login
  --what-if                 let Azure say what would change; the resource group must be there
  --delete                  remove the resource group with everything in it, customers' data too; asks first
  --yes                     --delete does not ask

The key is kept as a secret of the API's container app and is printed nowhere; the last lines of a deployment say how to
read it. Exit codes: 0 done, 1 failed, 2 usage.
TEXT
}

usage() { echo "deploy.sh: $1; --help explains" >&2; exit 2; }

# A path as whoever gave it meant it: from where they stood.
from_here() { case $1 in /*|-) echo "$1" ;; *) echo "$here/$1" ;; esac; }

model=run/models trigger=worker image_archive='' function_zip=''
group=dropscore location=switzerlandnorth subscription='' prefix=dropscore suffix=''
parameters=deploy/azure/main.parameters.json operator='' operator_type=''
api_key_file='' new_api_key='' drop_old_api_keys='' smoke_test=1 action=deploy yes=''

while [ $# -gt 0 ]; do
  case $1 in
    --model|--trigger|--image-archive|--function-zip|--resource-group|--location|--subscription|--prefix|--suffix|\
    --parameters|--operator|--api-key-file)
      if [ $# -lt 2 ] || [ -z "$2" ]; then usage "$1 wants a value"; fi ;;&
    --model) model=$(from_here "$2"); shift ;;
    --trigger) trigger=$2; shift ;;
    --image-archive) image_archive=$(from_here "$2"); shift ;;
    --function-zip) function_zip=$(from_here "$2"); shift ;;
    --resource-group) group=$2; shift ;;
    --location) location=$2; shift ;;
    --subscription) subscription=$2; shift ;;
    --prefix) prefix=$2; shift ;;
    --suffix) suffix=$2; shift ;;
    --parameters) parameters=$(from_here "$2"); shift ;;
    --operator) operator=$2; shift ;;
    --api-key-file) api_key_file=$(from_here "$2"); shift ;;
    --new-api-key) new_api_key=1 ;;
    --drop-old-api-keys) drop_old_api_keys=1 ;;
    --no-smoke-test) smoke_test='' ;;
    --dry-run) dry_run=1 ;;
    --what-if) action=what-if ;;
    --delete) action=delete ;;
    --yes) yes=1 ;;
    -h|--help) help; exit 0 ;;
    *) usage "$1 is no option" ;;
  esac
  shift
done

case $trigger in worker|function) ;; *) usage "--trigger is worker or function, not $trigger" ;; esac
[[ $prefix =~ ^[a-z][a-z0-9]{2,10}$ ]] || usage "--prefix has 3 to 11 small letters and digits, a letter first"
[[ -z $suffix || $suffix =~ ^[a-z0-9]{4,8}$ ]] || usage "--suffix has 4 to 8 small letters and digits"
[[ $group =~ ^[A-Za-z0-9_().-]{1,90}$ ]] || usage "--resource-group has letters, digits and _().-"
[ -z "$new_api_key" ] || [ -z "$api_key_file" ] || usage "--new-api-key makes a key, --api-key-file brings one: choose"
[ -f "$parameters" ] || usage "--parameters: there is no file $parameters"

case $action in
  deploy)
    begin 10
    check_tools
    choose_names
    print_resources
    build
    make_group
    find_api_key
    deploy_base
    push_image
    publish_model
    deploy_function
    deploy_apps
    if [ -n "$smoke_test" ]; then smoke; fi
    summary
    ;;
  what-if) begin 3; check_tools; choose_names; find_api_key; what_if ;;
  delete) begin 2; check_tools; delete_group ;;
esac
