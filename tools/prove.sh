#!/usr/bin/env bash
# The long proofs, on the program in build/release: kill campaigns, stops amid work, gigabyte files; the same on Azure's
# emulator, and faults of network and service; the image built from source and run (as root), for this processor and for
# arm64 (tools/setup.sh prove). An hour and a half, and 20 GB in TMPDIR
# (all but azure_scale: 6 GB). SEED=n repeats a campaign; without it one is drawn, and printed.
#   tools/prove.sh [kills] [memory] [learning] [azure_kills] [azure_faults] [azure_poison] [azure_scale] [image] [image_arm64]
#                                                                                                   without any: all
set -euo pipefail
cd "$(dirname "$0")/.."

export DROPSCORE_PROGRAM=${DROPSCORE_PROGRAM:-$PWD/build/release/dropscore} PYTHONDONTWRITEBYTECODE=1
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
export SEED
[ -x "$DROPSCORE_PROGRAM" ] || { echo "no program at $DROPSCORE_PROGRAM: make build" >&2; exit 2; }
export DROPSCORE_TRANSFER=${DROPSCORE_TRANSFER:-$PWD/build/release/transfer}  # make prove builds it; azure_faults runs it

proofs=("$@")
[ ${#proofs[@]} -gt 0 ] || proofs=(kills memory learning azure_kills azure_faults azure_poison azure_scale image image_arm64)
needed_gb=6
[[ " ${proofs[*]} " != *" azure_scale "* ]] || needed_gb=20
free_kib=$(df --output=avail -k "${TMPDIR:-/tmp}" | tail -n 1)
[ "$free_kib" -ge $((needed_gb * 1000000)) ] ||
  { echo "${TMPDIR:-/tmp} has less than $needed_gb GB free; name another folder: TMPDIR=..." >&2; exit 2; }
failed=()
for proof in "${proofs[@]}"; do
  [ -f "tests/journey/prove_$proof.py" ] || { echo "there is no proof called $proof" >&2; exit 2; }
  echo "== $proof (SEED=$SEED)"
  python3 "tests/journey/prove_$proof.py" -v || failed+=("$proof")
done
[ ${#failed[@]} -eq 0 ] || { echo "not proven: ${failed[*]}; to repeat: make prove SEED=$SEED" >&2; exit 1; }
echo "== proven: ${proofs[*]} (SEED=$SEED)"
