#!/usr/bin/env bash
# The long proofs, on the program in build/release: kill campaigns, stops amid work, gigabyte files. Some minutes, and
# 3 GB in TMPDIR. SEED=n repeats a campaign; without it one is drawn, and printed.
#   tools/prove.sh [kills] [memory] [learning]      without any: all
set -euo pipefail
cd "$(dirname "$0")/.."

export DROPSCORE_PROGRAM=${DROPSCORE_PROGRAM:-$PWD/build/release/dropscore} PYTHONDONTWRITEBYTECODE=1
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
export SEED
[ -x "$DROPSCORE_PROGRAM" ] || { echo "no program at $DROPSCORE_PROGRAM: make build" >&2; exit 2; }
free_kib=$(df --output=avail -k "${TMPDIR:-/tmp}" | tail -n 1)
[ "$free_kib" -ge 4000000 ] || { echo "${TMPDIR:-/tmp} has less than 4 GB free; name another folder: TMPDIR=..." >&2; exit 2; }

proofs=("$@")
[ ${#proofs[@]} -gt 0 ] || proofs=(kills memory learning)
failed=()
for proof in "${proofs[@]}"; do
  [ -f "tests/journey/prove_$proof.py" ] || { echo "there is no proof called $proof" >&2; exit 2; }
  echo "== $proof (SEED=$SEED)"
  python3 "tests/journey/prove_$proof.py" -v || failed+=("$proof")
done
[ ${#failed[@]} -eq 0 ] || { echo "not proven: ${failed[*]}; to repeat: make prove SEED=$SEED" >&2; exit 1; }
echo "== proven: ${proofs[*]} (SEED=$SEED)"
