#!/usr/bin/env bash
# Runs every benchmark that `make bench` built, writes their JSON beside them, and prints one table.
# Exits 1 where one fails, or where its answer is wrong, or where a limit is not held. MIN_SECONDS=n for each micro-benchmark.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/bench
[ -x "$build/dropscore" ] || { echo "no program in $build: make bench" >&2; exit 2; }
failed=()

shopt -s nullglob
micro=()
for bench in "$build"/*_bench; do
  rm -f "$bench.json"
  echo "running $(basename "$bench") ..." >&2
  "$bench" --benchmark_min_time="${MIN_SECONDS:-0.2}" --benchmark_format=console --benchmark_out_format=json \
    --benchmark_out="$bench.json" > "$bench.log" 2>&1 || { cat "$bench.log" >&2; failed+=("$(basename "$bench")"); }
  [ ! -s "$bench.json" ] || micro+=("$bench.json")
done

echo "dropping files ..." >&2
rm -f "$build/drop_latency.json"
python3 bench/drop_latency.py --program "$build/dropscore" --out "$build/drop_latency.json" > /dev/null || failed+=(drop_latency)

python3 - "$build/drop_latency.json" "${micro[@]}" <<'TABLE' || failed+=(a benchmark said so)
"""Prints the table; fails where a benchmark reports an error."""
import json
import pathlib
import sys

drops, *micro = map(pathlib.Path, sys.argv[1:])
wrong = False
print(f"\n{'':<44}{'time':>12}  {'':<24}")
if drops.exists():
    report = json.loads(drops.read_text())
    for how in ("close", "rename"):
        figures = report[how]
        print(f"{'drop by ' + how + ' -> result, median':<44}{figures['median_ms']:>9.2f} ms"
              f"  p90 {figures['p90_ms']:.2f} ms, max {figures['max_ms']:.2f} ms, limit {report['limit_ms']} ms")
for path in micro:
    for run in json.loads(path.read_text())["benchmarks"]:
        name = f"{path.name.removesuffix('_bench.json')}/{run['name']}"
        if run.get("error_occurred"):
            wrong = True
            print(f"{name:<44}{'FAILED':>12}  {run['error_message']}")
            continue
        rates = []
        if "bytes_per_second" in run:
            rates.append(f"{run['bytes_per_second'] / 1e6:.0f} MB/s")
        if "items_per_second" in run:
            rates.append(f"{run['items_per_second']:.0f} items/s")
        print(f"{name:<44}{run['real_time']:>9.2f} {run['time_unit']}  {', '.join(rates)}")
sys.exit(wrong)
TABLE

[ ${#failed[@]} -eq 0 ] || { echo "not good: ${failed[*]}" >&2; exit 1; }
