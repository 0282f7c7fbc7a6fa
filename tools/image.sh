#!/usr/bin/env bash
# Builds deploy/Dockerfile with buildah, where neither Docker nor a registry is to be had, and leaves the image as an
# archive that docker, podman, skopeo and containerd load. As root.
#   tools/image.sh [--model FOLDER] [--platform linux/ARCH] [--here] [--out FILE]
# --model: bakes that model in, at /app/models.
# --platform: for linux/amd64 or linux/arm64; without, this machine's own. Compiled here, by a compiler for that one.
# --here: packs the program that this machine builds in build/serving, with its libraries, instead of building it in the
#   image's own build stage: for tests, on Debian 12 alone.
# BASE=NAME: the image to build in, pulled from its registry. Without: Debian 12's minimal system, made by debootstrap from
#   wherever this machine's apt gets its packages, and kept in build/image/base.tar (remove it to have it made anew).
# --out: without it, build/image/dropscore.oci.tar, or dropscore-ARCH.oci.tar for another processor than this machine's.
# Beside the archive: FILE.cdx.json, the bill of materials, also found in the image.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '4,12s/^# \?//p' "$0" >&2; exit 2; }
fail() { echo "$1" >&2; exit 1; }

own_arch=$(dpkg --print-architecture)
model= here=false out= arch=$own_arch
while [ $# -gt 0 ]; do
  case $1 in
    --model) model=${2:?}; shift ;;
    --platform) arch=${2:?}; arch=${arch#linux/}; shift ;;
    --here) here=true ;;
    --out) out=${2:?}; shift ;;
    *) usage ;;
  esac
  shift
done
[ -z "$model" ] || [ -f "$model/model.json" ] || fail "$model holds no model.json; make one with: dropscore train DATA.csv --out $model"
[[ $arch =~ ^(amd64|arm64)$ ]] || fail "there is an image for linux/amd64 and linux/arm64, not for $arch"
! $here || [ "$arch" = "$own_arch" ] || fail "--here packs what this machine runs, linux/$own_arch"
[ -n "$out" ] || { [ "$arch" = "$own_arch" ] && out=build/image/dropscore.oci.tar || out=build/image/dropscore-$arch.oci.tar; }
[ "$(id -u)" -eq 0 ] || fail "run as root: an image holds files of root's; or use docker build -f deploy/Dockerfile ."
command -v buildah > /dev/null || fail "buildah is missing: apt-get install buildah"

work=build/image
mkdir -p "$work" "$(dirname "$out")"
scratch=$(mktemp -d "$PWD/$work/work.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
images=(buildah --root "$scratch/storage" --runroot "$scratch/run" --storage-driver vfs)

# A base that looks like debian:bookworm-slim to the Dockerfile: the same system, made from the same packages.
make_base() {
  local system=$scratch/base sources mirror proxy=
  command -v debootstrap > /dev/null || fail "debootstrap is missing: apt-get install debootstrap; or name an image to pull: BASE=..."
  # Debian's own parts alone: this machine may know other sources besides.
  sources=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' |
            awk '$1 ~ /^bookworm(-updates|-security)?$/ && !seen[$1]++ {print "deb " $2 " " $1 " main"}')
  mirror=$(awk '$3 == "bookworm" {print $2}' <<< "$sources")
  [ -n "$mirror" ] || fail "apt on this machine knows no mirror of bookworm; run apt-get update, or name an image to pull: BASE=..."
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy="$proxy"
  echo "making a minimal Debian 12 to build in"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$system" "$mirror" > "$work/debootstrap.log" 2>&1 ||
    { tail "$work/debootstrap.log" >&2; exit 1; }
  printf '%s\n' "$sources" > "$system/etc/apt/sources.list"
  [ -z "$proxy" ] || printf 'Acquire::http::Proxy "%s";\n' "$proxy" > "$system/etc/apt/apt.conf.d/proxy"
  rm -rf "$system"/var/cache/apt/archives/*.deb "$system"/var/lib/apt/lists/*
  tar -C "$system" -cf "$work/base.tar.part" . && mv "$work/base.tar.part" "$work/base.tar"
  rm -rf --one-file-system "$system"
}

load_base() {
  [ -f "$work/base.tar" ] || make_base
  local container
  container=$("${images[@]}" from scratch)
  "${images[@]}" add --quiet "$container" "$work/base.tar" / > /dev/null
  "${images[@]}" commit --quiet --rm "$container" docker.io/library/debian:bookworm-slim > /dev/null 2>&1
}

# The same words as the program's own (cmake/Commit.cmake).
commit=$(git --no-optional-locks describe --always '--exclude=*' --abbrev=12 --dirty=+changes 2> /dev/null || echo unknown)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
source=$(git remote get-url origin 2> /dev/null | grep '^https://[^@]*$' || true)
version=$(cat VERSION)
# Docker tells a Dockerfile the builder's platform; this buildah has to be told.
options=(--platform "linux/$arch" --build-arg "BUILDPLATFORM=linux/$own_arch"
         --isolation chroot --timestamp "$epoch" --identity-label=false --file deploy/Dockerfile --tag "dropscore:$version"
         --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" --build-arg "SOURCE_DATE_EPOCH=$epoch"
         --build-arg "CREATED=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" --build-arg "SOURCE=$source")

if $here; then
  cmake -S . -B build/serving -G Ninja -DCMAKE_BUILD_TYPE=Release -DDROPSCORE_TRAINING=OFF -DDROPSCORE_TESTS=OFF > /dev/null
  cmake --build build/serving --target dropscore --parallel "${JOBS:-$(nproc)}" > /dev/null
  COMMIT=$commit SOURCE_DATE_EPOCH=$epoch tools/image_root.sh build/serving "$scratch/root"
  options+=(--build-context "root=$scratch/root" --pull-never)
elif [ -n "${BASE:-}" ]; then
  options+=(--build-arg "BASE=$BASE")
else
  load_base
  options+=(--pull-never)
fi
if [ -n "$model" ]; then
  cp -RL "$model" "$scratch/model"
  chmod -R u=rwX,go=rX "$scratch/model"
  options+=(--build-context "model=$scratch/model")
fi

"${images[@]}" build "${options[@]}" . > "$out.log" 2>&1 || { tail -n 40 "$out.log" >&2; fail "the build failed; all of it: $out.log"; }
rm -f "$out.part"
"${images[@]}" push --quiet "dropscore:$version" "oci-archive:$out.part:dropscore:$version" > /dev/null
container=$("${images[@]}" from --arch "$arch" --pull-never "dropscore:$version")
root=$("${images[@]}" mount "$container")
cp "$root/app/sbom.cdx.json" "$out.cdx.json"
mv "$out.part" "$out"
echo "$out: $(du -h "$out" | cut -f1); unpacked $(du -sb "$root" | awk '{printf "%.1f MiB", $1 / 1048576}'); dropscore:$version, linux/$arch, commit $commit"
