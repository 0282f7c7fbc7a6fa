#!/usr/bin/env bash
# What `make run` does once the program is built: train, start, drop the three-customer sample, show its result, stay up.
#   tools/run.sh [DATA.csv] [TARGET] [PORT]
set -euo pipefail

data=${1:-}
target=${2:-Conversion}
port=${3:-8000}
root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/build/release/dropscore
home=$root/run
sample=$root/tests/data/test_restart.csv

mkdir -p "$home"
if [ -z "$data" ]; then
  data=$home/sample.csv
  echo "No DATA given: training on made-up customers (dropscore sample), which is for trying out only."
  "$program" sample --rows 8000 --seed 42 > "$data"
fi
echo "Training on $data ..."
"$program" train "$data" --target "$target" --out "$home/models" --report "$home/report.json"

# A result of an earlier run would be taken for the new one.
mkdir -p "$home/input-data" "$home/output-results"
result=$home/output-results/test_restart.csv.json
rm -f "$result" "$home/input-data/test_restart.csv"

"$program" up --dir "$home" --port "$port" &
up=$!
trap 'kill -TERM $up 2>/dev/null || true' INT TERM
for _ in $(seq 100); do
  kill -0 $up 2>/dev/null || { wait $up; exit $?; }
  if curl -sf "http://127.0.0.1:$port/health" > /dev/null; then break; fi
  sleep 0.05
done

echo "Dropping $(basename "$sample") into $home/input-data ..."
cp "$sample" "$home/input-data/"
for _ in $(seq 200); do
  [ -s "$result" ] && break
  sleep 0.05
done
if [ -s "$result" ]; then
  echo "Its result, $result:"
  cat "$result"
  echo "Staying up; drop more files, or stop with Ctrl-C."
else
  echo "no result after 10 s; the log above says why" >&2
fi
status=0
wait $up || status=$?
# A trapped signal ends the first wait; the second one waits for the program's own, graceful end.
if kill -0 $up 2>/dev/null; then wait $up || status=$?; else wait $up 2>/dev/null && status=0 || true; fi
exit $status
