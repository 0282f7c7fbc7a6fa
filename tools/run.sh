#!/usr/bin/env bash
# What `make run` does once the program is built: train, start, drop the three-customer sample, show its result, stay up.
#   tools/run.sh [DATA.csv] [TARGET] [PORT]
# Everything lies in run/ beside this folder: models, input-data, output-results. In the end this script becomes the
# program itself, so that Ctrl-C and SIGTERM reach it directly and its exit code is the answer.
set -euo pipefail

data=${1:-}
target=${2:-Conversion}
port=${3:-8000}
root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/build/release/dropscore
home=$root/run
sample=$root/tests/data/test_restart.csv
result=$home/output-results/test_restart.csv.json

refuse() {
  echo "make run: $*" >&2
  exit 2
}

listening() { (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; }

# Drops the sample once the program listens, and shows what came back.
drop_sample() {
  local up=$1
  until listening; do
    kill -0 "$up" 2> /dev/null || return 0  # it said why
    sleep 0.05
  done
  echo "Dropping $(basename "$sample") into $home/input-data ..."
  cp "$sample" "$home/input-data/.sample.writing" && mv "$home/input-data/.sample.writing" "$home/input-data/$(basename "$sample")"
  for _ in $(seq 200); do
    [ ! -e "$result" ] || break
    kill -0 "$up" 2> /dev/null || return 0
    sleep 0.05
  done
  if [ ! -e "$result" ]; then
    echo "no result after 10 s; the log above says why" >&2
    return 0
  fi
  echo "Its result, $result:"
  cat "$result"
  echo
  if grep -q '"processing_status": *"error"' "$result"; then
    echo "The sample could not be scored: a model of your own data wants your data's columns. Drop a file that has them."
  fi
  echo "Staying up on port $port; drop more files into $home/input-data, or stop with Ctrl-C."
}

[[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1 ] && [ "$port" -le 65535 ] || refuse "PORT=$port is no port; take 1 to 65535"
[ -z "$data" ] || [ -r "$data" ] || refuse "cannot read DATA=$data (seen from $PWD)"
mkdir -p "$home/input-data" "$home/output-results"
exec 9> "$home/.lock"  # the program inherits it: the folder stays taken for as long as that lives
flock --nonblock 9 || refuse "another one is up in $home; stop it first (Ctrl-C in its terminal)"
! listening || refuse "port $port of 127.0.0.1 is taken by another program; choose one, e.g. make run PORT=$((port % 65535 + 1))"

if [ -z "$data" ]; then
  data=$home/sample.csv
  echo "No DATA given: training on made-up customers (dropscore sample), which is for trying out only."
  "$program" sample --rows 8000 --seed 42 > "$data"
fi
echo "Training on $data ..."
"$program" train "$data" --target "$target" --out "$home/models" --report "$home/report.json"

# A result of an earlier run would be taken for the new one.
rm -f "$result" "$home/input-data/$(basename "$sample")"
(drop_sample $$ 9>&- &)
exec "$program" up --dir "$home" --model "$home/models" --host 127.0.0.1 --port "$port"
