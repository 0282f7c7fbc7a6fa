#!/usr/bin/env bash
# Proves that a bare Debian 12 is enough: in a fresh minbase system with only git and make, clones this checkout's last
# commit, then does `make run` (until the result is shown, then Ctrl-C) and `make test`. As root; about 20 minutes.
#   tools/prove_bare.sh [--keep] [run] [test] [arm64]      without a part: run and test; --keep leaves the system for a look
# arm64: compiles the program and its unit tests for arm64 and runs these under qemu's emulation; half an hour more.
# Packages come from wherever this machine's own apt gets them. JOBS=n, PORT=n as for make; LIMIT_MINUTES for each part.
# CCACHE_DIR=FOLDER lets the compiler's cache outlive the system, for a second run.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm
port=${PORT:-18080}
jobs=${JOBS:-2}
limit=${LIMIT_MINUTES:-60}m

# --- Inside the new system ------------------------------------------------------------------------------------------

phase() {  # phase NAME COMMAND...: runs it, says how long it took
  local name=$1
  shift
  echo "== $name"
  TIMEFORMAT="== $name: %R s, of CPU %U s + %S s for the system"
  time timeout "$limit" "$@"
}

prove_run() {
  local log=/tmp/run.log group status=0
  set -m  # a group of its own, so that the signal comes to all of it, as from a terminal
  make run PORT="$port" JOBS="$jobs" > "$log" 2>&1 &
  group=$!
  set +m
  until grep -q 'Staying up' "$log"; do
    kill -0 "$group" 2> /dev/null || { tail -n 60 "$log"; echo "make run ended early" >&2; return 1; }
    sleep 1
  done
  tail -n 50 "$log"
  kill -INT -- "-$group"
  wait "$group" || status=$?
  echo "make run after Ctrl-C: exit $status"
  [ "$status" -eq 0 ] || [ "$status" -eq 130 ]
  if pgrep_dropscore; then echo "a process of the program is left over" >&2; return 1; fi
}

pgrep_dropscore() { grep -lsx dropscore /proc/[0-9]*/comm; }

# What asks the kernel about the process sees the emulator's there: ProcessStats. The emulator is no faster than one core in ten.
prove_arm64() {
  tools/setup.sh unit arm64
  cmake -S . -B build/arm64 -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE=cmake/Processor.cmake -DDROPSCORE_ARCH=arm64
  cmake --build build/arm64 --parallel "$jobs"
  [[ $(readelf --file-header build/arm64/dropscore) == *AArch64* ]]
  ctest --test-dir build/arm64 --parallel "$jobs" --output-on-failure --tests-regex '[.]' --exclude-regex ProcessStats
}

inside() {
  export DEBIAN_FRONTEND=noninteractive
  phase "git and make" bash -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends git make > /dev/null'
  echo "packages installed: $(dpkg-query -W | wc -l)"
  git -c advice.detachedHead=false clone -q /tmp/checkout.bundle "/root/drop score"  # a space on purpose
  cd "/root/drop score"
  export -f prove_run prove_arm64 pgrep_dropscore
  export port jobs
  for part in "$@"; do
    case $part in
      run) phase "make run" bash -euo pipefail -c prove_run ;;
      test) phase "make test" make test JOBS="$jobs" ;;
      arm64) phase "arm64" bash -euo pipefail -c prove_arm64 ;;
    esac
  done
  ! command -v ccache > /dev/null || ccache --show-stats
}

# --- In a namespace of its own: mounts and processes end with it ------------------------------------------------------

enter() {
  local system=$1
  shift
  mount --bind "$system" "$system"  # a mount of its own, without which no container's root can take its place
  mount -t proc proc "$system/proc"
  mount --rbind /sys "$system/sys"
  mount --rbind /dev "$system/dev"
  if [ -n "${CCACHE_DIR:-}" ]; then
    mkdir -p "$CCACHE_DIR" "$system/root/.cache/ccache"
    mount --bind "$CCACHE_DIR" "$system/root/.cache/ccache"
  fi
  local keep=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PORT="$port" JOBS="$jobs" LIMIT_MINUTES="${limit%m}")
  local name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || keep+=("$name=${!name}")
  done
  [ ! -e "$system/tmp/extra-ca.crt" ] || keep+=(NODE_EXTRA_CA_CERTS=/tmp/extra-ca.crt)
  exec chroot "$system" env -i "${keep[@]}" bash /tmp/prove_bare.sh --inside "$@"
}

# --- Outside ----------------------------------------------------------------------------------------------------------

make_system() {
  local system=$1 mirror more=()
  mirror=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' | awk -v suite=$suite '$1 == suite && !n++ {print $2}')
  [ -n "$mirror" ] || { echo "apt on this machine knows no mirror of $suite; run apt-get update" >&2; exit 1; }
  [[ $mirror != https:* ]] || more=(--include=ca-certificates)
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy="$proxy"
  debootstrap --variant=minbase "${more[@]}" $suite "$system" "$mirror" > "$system.log" 2>&1 || { tail "$system.log" >&2; exit 1; }
  rm -rf "$system/etc/apt/sources.list" "$system/etc/apt/sources.list.d"
  local part
  for part in sources.list sources.list.d apt.conf.d auth.conf.d keyrings trusted.gpg trusted.gpg.d; do
    [ ! -e "/etc/apt/$part" ] || cp -aT "/etc/apt/$part" "$system/etc/apt/$part"
  done
  cp -L /etc/resolv.conf /etc/hosts "$system/etc/"
  git -C "$root" bundle create -q "$system/tmp/checkout.bundle" HEAD
  cp "$root/tools/prove_bare.sh" "$system/tmp/"
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || cp -L "$NODE_EXTRA_CA_CERTS" "$system/tmp/extra-ca.crt"  # npm's way out, where it needs one
}

main() {
  local keep=false parts=() folder status=0
  while [ $# -gt 0 ]; do
    case $1 in
      --keep) keep=true ;;
      run|test|arm64) parts+=("$1") ;;
      *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift
  done
  [ ${#parts[@]} -gt 0 ] || parts=(run test)
  [ "$(id -u)" -eq 0 ] || { echo "run as root: a system of its own is made" >&2; exit 1; }
  command -v debootstrap > /dev/null || { echo "apt-get install debootstrap first" >&2; exit 1; }
  folder=$(mktemp -d /var/tmp/dropscore-bare.XXXXXX)
  echo "== a bare $suite in $folder/system, commit $(git -C "$root" rev-parse --short HEAD)"
  if make_system "$folder/system"; then
    unshare --mount --pid --fork --kill-child --propagation private "$0" --enter "$folder/system" "${parts[@]}" || status=$?
  else
    status=1
  fi
  if $keep; then
    echo "left in $folder"
  elif grep -q " $folder/" /proc/self/mounts; then
    echo "something is still mounted in $folder; nothing removed" >&2
    status=1
  else
    rm -rf --one-file-system "$folder"
  fi
  [ $status -eq 0 ] && echo "== a bare Debian 12 is enough" || echo "== failed ($status)" >&2
  exit $status
}

case ${1:-} in
  --enter) shift; enter "$@" ;;
  --inside) shift; inside "$@" ;;
  *) main "$@" ;;
esac
