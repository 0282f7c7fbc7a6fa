#!/usr/bin/env bash
# The Debian package of a built program: the same bytes twice, nothing for lintian to say, and its life in a bare Debian 12:
# installed, upgraded, its journey as the service's user, its unit checked, removed without a trace. As root, or with sudo.
#   tests/package/package_test.sh PROGRAM CACHE_FOLDER
# The cache keeps the bare system and the packages that are installed in it, so that the next run is quick. Packages come
# from wherever this machine's own apt gets them.
set -euo pipefail

suite=bookworm
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
refuse() { echo "package_test: $*" >&2; exit 1; }

# --- Inside the bare system -------------------------------------------------------------------------------------------

install() { apt-get install -y -qq --no-install-recommends "$@" > /tmp/apt.log 2>&1 || { cat /tmp/apt.log >&2; refuse "apt-get install $*"; }; }
mode_of() { stat -c '%U:%G %a' "$1"; }
expect() { [ "$1" = "$2" ] || refuse "expected '$2', got '$1'${3:+: $3}"; }

# The command that the unit runs, as nearly as it goes without systemd: its user, its settings, nothing else. Takes the
# place of the shell that calls it.
as_the_service() {
  exec setpriv --reuid=dropscore --regid=dropscore --init-groups --no-new-privs --bounding-set=-all env -i PATH=/usr/bin:/bin \
    DROPSCORE_COMMAND=up DROPSCORE_DIR=/var/lib/dropscore sh -c \
    "umask 0027; set -a; $(cat /etc/dropscore/dropscore.conf)
     cd /var/lib/dropscore; exec dropscore \$DROPSCORE_COMMAND"
}

try_upgrade() {
  step "an older version, with settings and a model of its user's"
  install /tmp/older.deb
  expect "$(dpkg-query -W -f '${Version}' dropscore)" 0.1.0
  echo DROPSCORE_PORT=18123 >> /etc/dropscore/dropscore.conf
  mode_of /etc/dropscore/dropscore.conf > /tmp/mode
  dropscore sample --rows 600 --seed 1 > /tmp/customers.csv
  dropscore train /tmp/customers.csv --out /var/lib/dropscore/models --models svm > /dev/null
  step "upgraded"
  install "$1"
  expect "$(dpkg-query -W -f '${Version}' dropscore)" "$version"
  expect "$(tail -n 1 /etc/dropscore/dropscore.conf)" DROPSCORE_PORT=18123 "settings survive an upgrade"
  expect "$(mode_of /etc/dropscore/dropscore.conf)" "root:root 640"
  [ -s /var/lib/dropscore/models/model.json ] || refuse "the model did not survive the upgrade"
}

try_program() {
  step "by hand: --version, sample, train, score, the manual page"
  [[ $(dropscore --version) == "dropscore $version (commit "* ]] || refuse "$(dropscore --version)"
  cd "$(mktemp -d)"
  dropscore sample --rows 600 > customers.csv
  dropscore train customers.csv --out model --models svm > /dev/null
  dropscore score customers.csv --model model --output scored.csv
  expect "$(wc -l < scored.csv)" 601
  gzip -t /usr/share/man/man1/dropscore.1.gz
  # Not through grep -q: it closes the pipe at its first match, and a zcat that still writes then fails the whole pipe.
  [[ $(zcat /usr/share/man/man1/dropscore.1.gz) == *$'\n.TH DROPSCORE 1'* ]] || refuse "no manual page"
  bash -c 'source /usr/share/bash-completion/completions/dropscore && complete -p dropscore' > /dev/null
  [ -s /usr/share/zsh/vendor-completions/_dropscore ] && [ -s /usr/share/fish/vendor_completions.d/dropscore.fish ]
  cd /
}

try_service() {
  step "as the service: a file dropped, its result"
  expect "$(mode_of /var/lib/dropscore)" "dropscore:dropscore 750"
  expect "$(mode_of /var/lib/dropscore/input-data)" "dropscore:dropscore 2770"
  as_the_service > /tmp/service.log 2>&1 &
  local service=$! result=/var/lib/dropscore/output-results/new.csv.json
  until grep -q "dropscore is up" /tmp/service.log; do
    kill -0 $service 2> /dev/null || { cat /tmp/service.log >&2; refuse "the service ended"; }
    sleep 0.1
  done
  (: < /dev/tcp/127.0.0.1/18123) || refuse "the port of dropscore.conf is not listened on"
  cp /tmp/customers.csv /var/lib/dropscore/input-data/new.csv
  for _ in $(seq 300); do [ ! -e $result ] || break; sleep 0.1; done
  grep -q '"processing_status": *"success"' $result || { cat /tmp/service.log >&2; refuse "no result at $result"; }
  expect "$(mode_of $result)" "dropscore:dropscore 640" "the group reads results, others do not"
  kill -TERM $service
  wait $service || refuse "the service ended with $?"
}

try_unit() {
  step "with systemd: the unit"
  install systemd
  systemd-analyze verify --man=no /lib/systemd/system/dropscore.service
  systemd-analyze security --offline=yes --threshold=15 dropscore.service | tail -n 1
  [ "$(systemctl is-enabled dropscore.service || true)" = disabled ] || refuse "enabled without being asked"
  systemctl enable -q dropscore.service
  install --reinstall "$1"
  expect "$(systemctl is-enabled dropscore.service)" enabled "an upgrade leaves it enabled"
}

try_removal() {
  step "removed, then purged"
  apt-get remove -y -qq dropscore > /dev/null
  [ ! -e /usr/bin/dropscore ] && [ ! -e /lib/systemd/system/dropscore.service ] || refuse "removal left the program"
  [ -s /etc/dropscore/dropscore.conf ] && [ -s /var/lib/dropscore/models/model.json ] || refuse "removal took settings or data"
  apt-get purge -y -qq dropscore > /dev/null
  local left
  left=$(find / -xdev \( -path /proc -o -path /tmp -o -path /dev \) -prune -o -name '*dropscore*' -print)
  [ -z "$left" ] || refuse "purging left: $left"
}

inside() {
  export DEBIAN_FRONTEND=noninteractive
  version=$(dpkg-deb -f /tmp/package.deb Version)
  apt-get update -qq
  dpkg-query -W systemd > /dev/null 2>&1 && refuse "the system is not bare"
  try_upgrade /tmp/package.deb
  try_program
  try_service
  try_unit /tmp/package.deb
  try_removal
}

# --- In a namespace of its own: mounts and processes end with it -------------------------------------------------------

enter() {
  local system=$1 cache=$2 name keep=()
  mount -t proc proc "$system/proc"
  mount --rbind /dev "$system/dev"
  mount --bind "$cache/archives" "$system/var/cache/apt/archives"
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || keep+=("$name=${!name}")
  done
  exec chroot "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "${keep[@]}" bash /tmp/package_test.sh --inside
}

# --- Outside ------------------------------------------------------------------------------------------------------------

# A minbase system as a tar file in the cache: made once.
make_bare() {
  local cache=$1 folder=$2/bare mirror proxy= more=()
  [ ! -s "$cache/$suite.tar" ] || return 0
  step "a bare $suite (once; kept in $cache)"
  mirror=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' | awk -v suite=$suite '$1 == suite && !n++ {print $2}')
  [ -n "$mirror" ] || refuse "apt on this machine knows no mirror of $suite; run apt-get update"
  [[ $mirror != https:* ]] || more=(--include=ca-certificates)
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy="$proxy"
  debootstrap --variant=minbase "${more[@]}" $suite "$folder" "$mirror" > "$folder.log" 2>&1 || { tail "$folder.log" >&2; exit 1; }
  rm -rf "$folder/var/cache/apt/archives"/*.deb
  tar -C "$folder" --one-file-system -cf "$cache/$suite.tar.new" .
  mv "$cache/$suite.tar.new" "$cache/$suite.tar"
}

fill_system() {
  local system=$1 cache=$2 part
  mkdir "$system"
  tar -C "$system" -xf "$cache/$suite.tar"
  rm -rf "$system/etc/apt/sources.list" "$system/etc/apt/sources.list.d"
  for part in sources.list sources.list.d apt.conf.d auth.conf.d keyrings trusted.gpg trusted.gpg.d; do
    [ ! -e "/etc/apt/$part" ] || cp -aT "/etc/apt/$part" "$system/etc/apt/$part"
  done
  rm -f "$system"/etc/apt/apt.conf.d/docker-*  # a container's apt throws packages away
  echo 'Binary::apt-get::APT::Keep-Downloaded-Packages "true"; APT::Sandbox::User "root";' > "$system/etc/apt/apt.conf.d/zz-keep"
  cp -L /etc/resolv.conf /etc/hosts "$system/etc/"
  cp "${BASH_SOURCE[0]}" "$system/tmp/package_test.sh"
}

make_packages() {
  local program=$1 folder=$2
  step "the package, twice"
  "$here/tools/package.sh" --program "$program" --out "$folder/one"
  (umask 077; TMPDIR=$folder LC_ALL=C.UTF-8 TZ=Asia/Tokyo DROPSCORE_PORT=1 "$here/tools/package.sh" --program "$program" --out "$folder/two" > /dev/null)
  cmp "$folder"/one/*.deb "$folder"/two/*.deb || refuse "the same commit made two different packages"
  step "lintian"
  lintian --fail-on error,warning "$folder"/one/*.deb 2> >(grep -v "root privileges" >&2)
  cp "$folder"/one/*.deb "$folder/package.deb"
  dpkg-deb -R "$folder/package.deb" "$folder/older"
  sed -i 's/^Version: .*/Version: 0.1.0/' "$folder/older/DEBIAN/control"
  dpkg-deb --root-owner-group -Zgzip --build "$folder/older" "$folder/older.deb" > /dev/null
}

clean_up() {
  local status=$? folder=$1
  if grep -q " $folder/" /proc/self/mounts; then
    echo "package_test: something is still mounted in $folder; nothing removed" >&2
  else
    rm -rf --one-file-system "$folder"
  fi
  [ $status -eq 0 ] || [ $status -eq 77 ] || echo "package_test: failed" >&2
}

main() {
  [ $# -eq 2 ] || refuse "usage: package_test.sh PROGRAM CACHE_FOLDER"
  [ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=http_proxy,https_proxy,no_proxy "$0" "$@"
  local program cache folder
  program=$(realpath "$1")
  mkdir -p "$2/archives/partial"
  cache=$(realpath "$2")
  folder=$(mktemp -d /var/tmp/dropscore-package.XXXXXX)
  trap "clean_up '$folder'" EXIT
  make_packages "$program" "$folder"
  if ! unshare --mount --pid --fork true; then
    step "skipped here: this machine lets nobody mount, and a bare system needs that"
    exit 77
  fi
  make_bare "$cache" "$folder"
  fill_system "$folder/system" "$cache"
  cp "$folder/package.deb" "$folder/older.deb" "$folder/system/tmp/"
  unshare --mount --pid --fork --kill-child --propagation private "$0" --enter "$folder/system" "$cache"
  step "done"
}

case ${1:-} in
  --enter) shift; enter "$@" ;;
  --inside) inside ;;
  *) main "$@" ;;
esac
