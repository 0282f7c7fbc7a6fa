#!/usr/bin/env bash
# Installs what a task needs: Debian 12 packages and, for the tests, Azure's emulator and clients from npm. Says nothing
# where it is all there.
#   tools/setup.sh build|serving|package|test|azure|image|prove|lint|bench
#   tools/setup.sh serving|unit ARCH
# azure: what the Azure tests need beside the program; image: what builds and runs the image. Both are part of test.
# serving: what a build without training needs, in the image's build stage. unit: the whole program and its unit tests.
# prove: test, and what runs another processor's programs (380 MB).
# ARCH, amd64 or arm64: to compile for that one. Where it is not this machine's own, its libraries are installed beside the
# others: meant for an image's build stage, or another system of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=(cmake ninja-build pkg-config)
headers=(libcli11-dev libfast-float-dev libexpected-dev)  # the same for every processor
libraries=(libboost-dev libsimdjson-dev libfmt-dev libspdlog-dev libssl-dev libxxhash-dev libhwy-dev
           libcurl4-openssl-dev libpugixml-dev prometheus-cpp-dev)
training=(libsvm-dev libxgboost-dev)
unit=(libgtest-dev libgmock-dev librapidcheck-dev)
root=(ca-certificates python3 binutils)  # tools/image_root.sh; a compiler for another processor brings no readelf
build=(g++ ccache "${tools[@]}" "${headers[@]}" "${libraries[@]}" "${training[@]}")
deb=(dpkg-dev git)
# man, zsh and fish read the manual page and the completions: 15 MB. lintian and debootstrap try the package: 45 MB.
test=(python3 "${unit[@]}" man-db zsh fish "${deb[@]}" lintian debootstrap)
# azure-cli brings 90 packages, 1.5 GB, two minutes: the real `az storage blob upload` is what the tests upload with.
azure=(python3 ca-certificates azure-cli)
command -v node > /dev/null || azure+=(nodejs)
command -v npm > /dev/null || azure+=(npm)
# deploy/azure/deploy.sh: what it calls, beside azure-cli, and what reads it. The manifests are built by kubectl's kustomize.
deploy=(curl openssl skopeo shellcheck python3-yaml)
command -v kubectl > /dev/null || deploy+=(kubernetes-client)
# Builds without Docker or a registry; runc runs the image in its test.
image=(buildah runc debootstrap ca-certificates python3)
lint=(clang-format clang-tidy)
# The peers: scikit-learn, pandas and the original's API, LIBSVM's own program, and wrk to ask the APIs.
bench=(libbenchmark-dev python3 python3-sklearn python3-pandas python3-flask gunicorn libsvm-tools wrk)
command -v node > /dev/null || bench+=(nodejs)
command -v npm > /dev/null || bench+=(npm)

task=${1:-build} arch=${2:-$(dpkg --print-architecture)}
compiler=g++
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  case "$task $arch" in
    "serving arm64"|"unit arm64") compiler=g++-aarch64-linux-gnu ;;
    "serving amd64"|"unit amd64") compiler=g++-x86-64-linux-gnu ;;
    *) echo "for another processor, amd64 or arm64, only serving and unit are to be had" >&2; exit 2 ;;
  esac
  dpkg --print-foreign-architectures | grep -qx "$arch" || dpkg --add-architecture "$arch"
  libraries=("${libraries[@]/%/:$arch}") training=("${training[@]/%/:$arch}") unit=("${unit[@]/%/:$arch}" qemu-user-static)
fi
case "$task" in
  build) wanted=("${build[@]}") ;;
  serving) wanted=("$compiler" "${tools[@]}" "${headers[@]}" "${libraries[@]}" "${root[@]}") ;;
  unit) wanted=("$compiler" "${tools[@]}" "${headers[@]}" "${libraries[@]}" "${training[@]}" "${unit[@]}" python3 binutils) ;;
  package) wanted=("${build[@]}" "${deb[@]}") ;;
  image) wanted=("${image[@]}") ;;
  test)  wanted=("${build[@]}" "${test[@]}" "${azure[@]}" "${deploy[@]}" "${image[@]}") ;;
  prove) wanted=("${build[@]}" "${test[@]}" "${azure[@]}" "${deploy[@]}" "${image[@]}" qemu-user-static) ;;
  azure) wanted=("${azure[@]}") ;;
  lint)  wanted=("${build[@]}" "${test[@]}" "${lint[@]}") ;;
  bench) wanted=("${build[@]}" "${bench[@]}") ;;
  *) echo "usage: tools/setup.sh build|serving|unit|package|test|azure|image|prove|lint|bench [ARCH]" >&2; exit 2 ;;
esac

install_packages() {
  local package missing=() as_root=()
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing from Debian: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || { echo "run as root, or install sudo: packages are missing: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# npm writes node_modules/.package-lock.json last of all, so that a broken installation is made again.
install_from_npm() {  # install_from_npm FOLDER WHAT
  local installed=$1/node_modules/.package-lock.json
  [ ! "$installed" -nt "$1/package-lock.json" ] || return 0
  echo "installing from npm: $2 ($1)"
  (cd "$1" && npm ci --ignore-scripts --loglevel=error > /dev/null)
}

# A peer among others: where npm has none, bench/run.py says so and goes on.
install_onnxruntime() {
  local installed=bench/node_modules/.package-lock.json
  [ ! "$installed" -nt bench/package-lock.json ] || return 0
  echo "installing from npm: onnxruntime-node (bench)"
  (cd bench && ONNXRUNTIME_NODE_INSTALL=skip npm ci --ignore-scripts --loglevel=error > /dev/null) ||
    echo "onnxruntime-node could not be installed; the benchmarks go on without it" >&2
}

# Out of Debian's package, which would start a server of its own: 19 MB to fetch, 46 MB on the disk.
install_promtool() {
  local tool=build/tools/promtool folder
  [ ! -x "$tool" ] || return 0
  echo "taking promtool out of Debian's prometheus (build/tools)"
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root prometheus)
  mkdir -p build/tools
  dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C build/tools --strip-components=3 ./usr/bin/promtool
  rm -r "$folder"
}

install_packages
case "$task" in
  test|azure|prove) install_from_npm tests/azure "azurite and the clients of Azure Storage" ;;&
  test|prove)
    install_from_npm tests/image "the schema of CycloneDX"
    install_from_npm tests/deploy/azure "a grammar of Bicep"
    install_from_npm tests/deploy/kubernetes "the schemas of Kubernetes, KEDA and the Gateway API"
    install_from_npm tests/telemetry "OpenTelemetry's code for its protocol"
    install_promtool ;;
  bench) install_onnxruntime ;;
esac
