# shellcheck shell=bash
# Three customers, by the API and by an upload, and both answers compared. Sourced by deploy.sh.

smoke_file=tests/data/test_restart.csv
smoke_wait_s=${SMOKE_WAIT_S:-300}

# ask STATUS ARGUMENT...: curl, until it answers with that status: at first there may be no replica, or the one before.
ask() {
  local wanted=$1 status='' until=$((SECONDS + smoke_wait_s))
  shift
  if [ -n "$dry_run" ]; then run curl --silent "$@"; return 0; fi
  while :; do
    status=$(curl --silent --max-time 30 --output "$work/answer" --write-out '%{http_code}' "$@") || true
    [ "$status" != "$wanted" ] || return 0
    [ $SECONDS -lt $until ] || break
    sleep "$poll_s"
  done
  give_up "$api_url answered ${status/000/nothing} where $wanted was awaited"
}

smoke() {
  step "Try it: three customers by the API and by an upload (a minute or two)" \
    "the logs say why: az monitor log-analytics query on $prefix-logs, table ContainerAppConsoleLogs and ContainerAppSystemLogs"
  local header="@$work/key-header" name result=$work/result.json
  name=smoke-test-$(date -u +%Y%m%d%H%M%S)-$RANDOM.csv
  [ -z "$dry_run" ] || header=@KEY_HEADER result=RESULT.json name=smoke-test-TIME.csv
  ask 200 "$api_url/health"
  ask 401 --header 'Content-Type: text/csv' --data-binary "@$smoke_file" "$api_url/predict"
  ask 200 --header "$header" --header 'Content-Type: text/csv' --data-binary "@$smoke_file" "$api_url/predict"
  run_once_allowed az storage blob upload --account-name "$data_account" --auth-mode login --container-name input-data \
    --name "$name" --file $smoke_file --no-progress --output none
  wait_for_result "$name.json" "$result"
  if [ -z "$dry_run" ]; then
    compare_answers "$work/answer" "$result" || give_up "the uploaded file's result is not what the API answers"
  fi
  local container
  for container in input-data output-results; do
    [ $container = input-data ] || name=$name.json
    run az storage blob delete --account-name "$data_account" --auth-mode login --container-name $container --name "$name" \
      --output none
  done
}

wait_for_result() {
  local fetch=(az storage blob download --account-name "$data_account" --auth-mode login --container-name output-results
    --name "$1" --file "$2" --no-progress --output none) until=$((SECONDS + smoke_wait_s))
  if [ -n "$dry_run" ]; then run "${fetch[@]}"; return 0; fi
  until "${fetch[@]}" > "$work/out" 2> "$work/err" < /dev/null; do
    [ $SECONDS -lt $until ] || give_up "no result for the uploaded file after $smoke_wait_s s"
    sleep "$poll_s"
  done
}

# compare_answers API_ANSWER RESULT_DOCUMENT
compare_answers() {
  python3 - "$@" << 'PYTHON'
import json, sys
answer, result = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
what = result["processing_status"]
if what != "success":
    sys.exit(f"    the file's result: {what}: {result.get('error')}")
said, written = answer["predictions"], result["predictions"]["predictions"]
if said != written or len(said) != 3:
    sys.exit(f"    the API said {said}, the result says {written}")
for one in said:
    print(f"    customer {one['record_id']}: {one['prediction_label']}, {one['probability_conversion']}")
PYTHON
}
