#!/usr/bin/env bash
# Makes the Debian package of a built program: build/package/dropscore_VERSION_ARCHITECTURE.deb. The same program gives
# the same bytes: times are the commit's (SOURCE_DATE_EPOCH, where that is set), owners are root, order is dpkg-deb's own.
#   tools/package.sh [--program FILE] [--out FOLDER]      without: build/release/dropscore, build/package
# What is installed where, and the maintainer's scripts, lies in deploy/debian/; manual page and completions come from the
# program itself.
set -euo pipefail
cd "$(dirname "$0")/.."

program=build/release/dropscore out=build/package
while [ $# -gt 0 ]; do
  case $1 in
    --program) program=${2:?}; shift ;;
    --out) out=${2:?}; shift ;;
    *) sed -n '4s/^# *//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ -x "$program" ] || { echo "no program at $program: make build" >&2; exit 1; }

version=$(cat VERSION)
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
unset "${!DROPSCORE_@}"  # the page shows defaults, not this machine's settings
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
put() { install -D -m "$1" "$2" "$root/$3"; }
put_text() { mkdir -p "$(dirname "$root/$1")" && cat > "$root/$1"; }

put 755 "$program" usr/bin/dropscore
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/dropscore"
"$program" man | gzip -9n | put_text usr/share/man/man1/dropscore.1.gz
"$program" completion bash | put_text usr/share/bash-completion/completions/dropscore
"$program" completion zsh | put_text usr/share/zsh/vendor-completions/_dropscore
"$program" completion fish | put_text usr/share/fish/vendor_completions.d/dropscore.fish
put 644 deploy/debian/dropscore.service lib/systemd/system/dropscore.service
put 644 deploy/debian/dropscore.sysusers usr/lib/sysusers.d/dropscore.conf
put 640 deploy/debian/dropscore.conf etc/dropscore/dropscore.conf
put 644 deploy/debian/copyright usr/share/doc/dropscore/copyright
put 644 deploy/debian/README.Debian usr/share/doc/dropscore/README.Debian
put 644 README.md usr/share/doc/dropscore/README.md
gzip -9nc CHANGELOG.md | put_text usr/share/doc/dropscore/changelog.gz
(git ls-files docs 2> /dev/null || find docs -type f) | while read -r page; do put 644 "$page" "usr/share/doc/dropscore/$page"; done
put 644 deploy/debian/lintian-overrides usr/share/lintian/overrides/dropscore

# dpkg-shlibdeps wants a source package's control file around it.
mkdir -p "$work/source/debian" "$root/DEBIAN"
printf 'Source: dropscore\n\nPackage: dropscore\nArchitecture: any\n' > "$work/source/debian/control"
depends=$(cd "$work/source" && dpkg-shlibdeps -O -e"$root/usr/bin/dropscore" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "dpkg-shlibdeps found no libraries" >&2; exit 1; }
size_kib=$(du -k --apparent-size -s --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@INSTALLED_SIZE@/$size_kib/; s/@DEPENDS@/$depends/" \
  deploy/debian/control.in > "$root/DEBIAN/control"
echo /etc/dropscore/dropscore.conf > "$root/DEBIAN/conffiles"
install -m 755 -t "$root/DEBIAN" deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm
(cd "$root" && find etc lib usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$work/md5sums"
install -m 644 "$work/md5sums" "$root/DEBIAN/md5sums"

find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
package=$out/dropscore_${version}_$architecture.deb
dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$root" "$package" > /dev/null  # one thread: as many blocks everywhere
echo "$package: $(du -h "$package" | cut -f1), installed $(du -h --apparent-size "$root/usr/bin/dropscore" | cut -f1) of it the program"
