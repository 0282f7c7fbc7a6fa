#!/usr/bin/env bash
# Installs the Debian 12 packages that a task needs; says nothing where they are all there.
#   tools/setup.sh build|test|lint|bench
set -euo pipefail

build=(g++ cmake ninja-build pkg-config ccache libboost-dev libsimdjson-dev libfmt-dev libspdlog-dev libcli11-dev
       libssl-dev libfast-float-dev libxxhash-dev libexpected-dev libhwy-dev libsvm-dev libxgboost-dev
       libcurl4-openssl-dev libpugixml-dev)
test=(python3 libgtest-dev libgmock-dev librapidcheck-dev)
lint=(clang-format clang-tidy)
bench=(libbenchmark-dev python3)

case "${1:-build}" in
  build) wanted=("${build[@]}") ;;
  test)  wanted=("${build[@]}" "${test[@]}") ;;
  lint)  wanted=("${build[@]}" "${test[@]}" "${lint[@]}") ;;
  bench) wanted=("${build[@]}" "${bench[@]}") ;;
  *) echo "usage: tools/setup.sh build|test|lint|bench" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing from Debian: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || { echo "run as root, or install sudo: packages are missing: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
