#!/usr/bin/env bash
# What a program needs to start where nothing is installed: its shared libraries, each under the name that the loader asks
# for, and the loader, one path a line. Fails where one is missing.
#   tools/closure.sh PROGRAM
# Read from the files themselves, not asked of the loader, so that the program may be another processor's than this machine's.
set -euo pipefail
program=${1:?usage: tools/closure.sh PROGRAM}

loader=$(readelf --program-headers --wide "$program" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
[ -e "$loader" ] || { echo "missing: the loader of $program, ${loader:-which names none}" >&2; exit 1; }
folder=$(dirname "$(realpath "$loader")")  # Debian's for this processor, where its loader looks by itself

declare -A seen=(["$(basename "$loader")"]=1)
files=("$program")
for ((i = 0; i < ${#files[@]}; i++)); do
  for name in $(readelf --dynamic --wide "${files[i]}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [ -z "${seen[$name]:-}" ] || continue
    seen[$name]=1
    [ -e "$folder/$name" ] || { echo "missing: $name, which ${files[i]} needs, in $folder" >&2; exit 1; }
    files+=("$folder/$name")
  done
done
printf '%s\n' "${files[@]:1}" "$loader"
