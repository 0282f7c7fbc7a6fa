#!/usr/bin/env bash
# Formatting and static analysis of every source; fails on the first kind of finding.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t sources < <(git ls-files 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc' 'bench/*.cc')
clang-format --dry-run --Werror "${sources[@]}"
python3 tools/check_rooms.py
[ -f build/release/compile_commands.json ] || cmake --preset release
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.cc$' | grep -v '_test\.cc$\|_bench\.cc$\|^tests/\|^bench/')
printf '%s\0' "${units[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy -p build/release --quiet --warnings-as-errors='*'
