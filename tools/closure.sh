#!/usr/bin/env bash
# What a program needs to start where nothing is installed: its loader and its shared libraries, one path a line, each
# under the name that the loader asks for. Fails where one is missing.
#   tools/closure.sh PROGRAM
set -euo pipefail
program=${1:?usage: tools/closure.sh PROGRAM}

# ldd prints "libx.so.1 => /path (0x...)", and the loader, which is named in the program itself, as "/path (0x...)".
ldd "$program" | awk '/not found/ {print "missing: " $1 > "/dev/stderr"; exit 1} $2 == "=>" {print $3} $1 ~ "^/" {print $1}'
