#!/usr/bin/env bash
# Makes the image's root folder from a build of the program: the stage `root` of deploy/Dockerfile runs it, and so does
# the test of the image. What lies in it is told in docs/image.md.
#   tools/image_root.sh BUILD_FOLDER OUT        [SOURCE_DATE_EPOCH: the time that the bill of materials states]
# Runs on Debian: packages, licences and versions are what dpkg knows of the libraries that the program is linked with.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:?usage: tools/image_root.sh BUILD_FOLDER OUT} out=${2:?usage: tools/image_root.sh BUILD_FOLDER OUT}
umask 022

rm -rf "$out"
install -d "$out"/{app/bin,app/models,etc/ssl/certs,proc,sys,dev,var/lib/dpkg/status.d}
install -d -m 1777 "$out/tmp"
install -m 755 "$build/dropscore" "$out/app/bin/dropscore"
"$(sed -n 's/^CMAKE_STRIP:FILEPATH=//p' "$build/CMakeCache.txt")" --strip-unneeded "$out/app/bin/dropscore"  # the one for its processor
install -m 644 LICENSE "$out/app/LICENSE"

# The loader stands where the program names it; the libraries in the folder where Debian's loader looks by itself.
tools/closure.sh "$build/dropscore" | while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$out$library"
done

# Names, users and authorities. glibc 2.36 has the lookups `files` and `dns` in libc itself.
printf 'root:x:0:0:root:/:/sbin/nologin\ndropscore:x:10001:10001:dropscore:/:/sbin/nologin\n' > "$out/etc/passwd"
printf 'root:x:0:\ndropscore:x:10001:\n' > "$out/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\n' > "$out/etc/nsswitch.conf"
install -m 644 "$(readlink -f /etc/os-release)" "$out/etc/os-release"
certificates=/etc/ssl/certs/ca-certificates.crt
[ -f $certificates ] || { echo "$certificates is missing: apt-get install ca-certificates" >&2; exit 1; }
install -m 644 $certificates "$out$certificates"

# Licences, what a scanner for vulnerabilities looks for, and the bill of materials.
python3 tools/sbom.py "$build" "$out"
