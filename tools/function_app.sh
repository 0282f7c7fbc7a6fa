#!/usr/bin/env bash
# Makes the function app to deploy: build/function/ and build/function.zip. It holds the program, the loader and every
# library that the program needs, authorities' certificates and the model, so that it runs on any Linux of this
# processor, also where there is nothing else.
#   tools/function_app.sh MODEL_DIR [--event-grid] [--connection NAME] [--program FILE] [--out FOLDER]
# --event-grid: the trigger hears of blobs from Event Grid (Flex Consumption knows no other way), not by scanning.
# --connection: the setting that names the account of the blobs, where it is not the host's own, AzureWebJobsStorage.
# --program: this one, instead of a build without training in build/serving.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '5,8s/^# \?//p' "$0" >&2; exit 2; }

model= program= out=build/function source=function.json connection=AzureWebJobsStorage
while [ $# -gt 0 ]; do
  case $1 in
    --event-grid) source=function.eventgrid.json ;;
    --connection) connection=${2:?}; shift ;;
    --program) program=${2:?}; shift ;;
    --out) out=${2:?}; shift ;;
    -*) usage ;;
    *) model=$1 ;;
  esac
  shift
done
[ -n "$model" ] || usage
[[ $connection =~ ^[A-Za-z][A-Za-z0-9_]*$ ]] || { echo "--connection is a setting's name, of letters, digits and _" >&2; exit 2; }
[ -f "$model/model.json" ] || { echo "$model holds no model.json; make one with: dropscore train DATA.csv --out $model" >&2; exit 1; }

if [ -z "$program" ]; then
  cmake -S . -B build/serving -G Ninja -DCMAKE_BUILD_TYPE=Release -DDROPSCORE_TRAINING=OFF -DDROPSCORE_TESTS=OFF > /dev/null
  cmake --build build/serving --target dropscore --parallel "${JOBS:-$(nproc)}"
  program=build/serving/dropscore
fi

function=BlobTriggerConversionPrediction
rm -rf "$out" "$out.zip"
mkdir -p "$out/bin" "$out/lib" "$out/model" "$out/$function"
cp deploy/function/host.json "$out/"
sed "s/\"connection\": \"AzureWebJobsStorage\"/\"connection\": \"$connection\"/" "deploy/function/$function/$source" > "$out/$function/function.json"
cp "$model"/* "$out/model/"
install -m 755 "$program" "$out/bin/dropscore"
strip --strip-unneeded "$out/bin/dropscore"

tools/closure.sh "$program" |
  while read -r library; do install -m 755 "$(readlink -f "$library")" "$out/lib/$(basename "$library")"; done
loader=$(sed -n 's/.*"defaultExecutablePath": "\(.*\)".*/\1/p' deploy/function/host.json)
[ -x "$out/$loader" ] || { echo "$loader, which host.json starts, is not among the libraries" >&2; exit 1; }

certificates=/etc/ssl/certs/ca-certificates.crt
[ -f $certificates ] || { echo "$certificates is missing: apt-get install ca-certificates" >&2; exit 1; }
cp -L $certificates "$out/"

python3 - "$out" << 'PYTHON'
import pathlib, sys, zipfile  # which keeps the executable bits; Debian's zip is one package more
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(f"{folder}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            archive.write(path, path.relative_to(folder))
PYTHON
echo "$out and $out.zip: $(du -sh "$out" | cut -f1), zipped $(du -h "$out.zip" | cut -f1), $(find "$out/lib" -type f | wc -l) libraries"
