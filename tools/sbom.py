#!/usr/bin/env python3
"""Finishes an image's root folder: licences, package records, and the bill of materials of what lies in it.

    tools/sbom.py BUILD_FOLDER ROOT

Writes into ROOT, for each Debian package that a file in it or a header compiled into the program comes from:
  usr/share/doc/PACKAGE/copyright     its licences, and the common ones that these point to
  var/lib/dpkg/status.d/PACKAGE       dpkg's record, for files alone: scanners for vulnerabilities read these
and app/sbom.cdx.json, CycloneDX 1.6: every file with its SHA-256 under the package that it comes from, and which package
needs which. The format: https://cyclonedx.org/docs/1.6/json/

SOURCE_DATE_EPOCH (seconds) is the time that it states, COMMIT the commit. Equal inputs give equal bytes.
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
import uuid

PROGRAM = "app/bin/dropscore"
SBOM = "app/sbom.cdx.json"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"  # made by ca-certificates when it is installed, so dpkg does not know it
KERNEL_HEADERS = "linux-libc-dev"  # constants, no code; for another processor it is linux-libc-dev-ARCH-cross


def output_of(*command, check=True):
    return subprocess.run(command, capture_output=True, text=True, check=check).stdout


def names_of(path):
    """How dpkg may know a file: by its real path, and by the one from before /lib became a part of /usr."""
    real = os.path.realpath(path)
    return [real, real.removeprefix("/usr")]


def owners(paths):
    """path -> Debian package, for those that one owns; with its processor (libc6:arm64), where it may stand beside another's."""
    known = {}
    for line in output_of("dpkg-query", "--search", *{name for path in paths for name in names_of(path)}, check=False).splitlines():
        package, _, name = line.partition(": ")
        if not package.startswith("diversion by"):
            known[name] = package.split(",")[0]
    return {path: known[name] for path in paths for name in names_of(path) if name in known}


def described(packages):
    """Package, as owners() names it -> its fields."""
    fields = ("binary:Package", "Package", "Architecture", "Version", "source:Package", "source:Version")
    pattern = "\t".join(f"${{{field}}}" for field in fields) + "\n"
    lines = output_of("dpkg-query", "--show", f"--showformat={pattern}", *packages).splitlines()
    return {row[0]: dict(zip(fields, row)) for row in (line.split("\t") for line in lines)}


def compiled_headers(build):
    """The system's headers that the program was compiled with, by the build's own record."""
    return sorted(set(re.findall(r"^\s+(/usr/\S+)$", output_of("ninja", "-C", str(build), "-t", "deps"), re.MULTILINE)))


def keep_licences(root, package):
    """Copies a package's copyright file and the common licences that it names; the licences' short names."""
    source = pathlib.Path(f"/usr/share/doc/{package}/copyright")
    text = source.read_text(encoding="utf-8", errors="replace")
    target = root / source.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    for name in set(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text)):
        common = pathlib.Path("/usr/share/common-licenses") / name
        if common.exists():
            (root / "usr/share/common-licenses").mkdir(exist_ok=True)
            shutil.copyfile(common, root / "usr/share/common-licenses" / name)  # its target, where it is a link
    names = sorted(set(re.findall(r"^License: *(\S.*?)\s*$", text, re.MULTILINE)))
    return [{"license": {"name": name}} for name in names or [f"see /usr/share/doc/{package}/copyright"]]


def licences_of(root, fields):
    if fields["source:Package"].startswith("boost"):  # asks for no notice in programs; its file has two megabytes
        return [{"license": {"id": "BSL-1.0"}}]
    return keep_licences(root, fields["Package"])


def file_component(root, name):
    digest = hashlib.sha256((root / name).read_bytes()).hexdigest()
    return {"type": "file", "bom-ref": f"file:/{name}", "name": f"/{name}", "hashes": [{"alg": "SHA-256", "content": digest}]}


def needed(path):
    """The libraries that a program or a library asks the loader for."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "--dynamic", "--wide", str(path)))


def package_component(root, fields, files, compiled):
    name, version = fields["Package"], fields["Version"]
    purl = f"pkg:deb/debian/{urllib.parse.quote(name)}@{urllib.parse.quote(version)}?arch={fields['Architecture']}&distro=debian-12"
    component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                 "licenses": licences_of(root, fields),
                 "properties": [{"name": "dropscore:source", "value": f"{fields['source:Package']} {fields['source:Version']}"},
                                {"name": "dropscore:use", "value": "headers compiled into the program" if compiled else "files"}]}
    if files:
        component["components"] = [file_component(root, file) for file in files]
    return component


def main(build, root):
    present = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    owned = {name.removeprefix("/"): package for name, package in owners([f"/{name}" for name in present]).items()}
    owned[CERTIFICATES] = "ca-certificates"
    unknown = [name for name in present if ".so" in name and name not in owned]
    if unknown:
        sys.exit(f"no Debian package owns {', '.join(unknown)}")

    fields = described(set(owned.values()))
    for package in fields:
        (root / f"var/lib/dpkg/status.d/{fields[package]['Package']}").write_text(output_of("dpkg-query", "--status", package), encoding="utf-8")
    # Headers of a library that is in the image by itself are no second one.
    with_files = {entry["source:Package"] for entry in fields.values()}
    headers = described(set(owners(compiled_headers(build)).values()))
    compiled = {name: entry for name, entry in headers.items()
                if entry["source:Package"] not in with_files and not entry["Package"].startswith(KERNEL_HEADERS)}

    packages = {}
    for name, entry in sorted({**fields, **compiled}.items()):
        packages[name] = package_component(root, entry, [file for file in present if owned.get(file) == name], name in compiled)

    version = pathlib.Path("VERSION").read_text(encoding="ascii").strip()
    own = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and str(path.relative_to(root)) not in owned)
    program = {"type": "application", "bom-ref": "dropscore", "name": "dropscore", "version": version,
               "licenses": [{"license": {"id": "Apache-2.0"}}], "components": [file_component(root, name) for name in own]}

    provider = {pathlib.Path(name).name: packages[package]["bom-ref"] for name, package in owned.items()}
    depends = {"dropscore": {provider[library] for library in needed(root / PROGRAM)}
                            | {packages[name]["bom-ref"] for name in compiled} | {packages["ca-certificates"]["bom-ref"]}}
    for name, package in owned.items():
        depends.setdefault(provider[pathlib.Path(name).name], set())
        if ".so" in name:
            depends[packages[package]["bom-ref"]] |= {provider[library] for library in needed(root / name)} - {packages[package]["bom-ref"]}

    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp())
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "tools/sbom.py", "version": version}]},
            "component": {"type": "container", "bom-ref": "image", "name": "dropscore", "version": version,
                          "properties": [{"name": "dropscore:commit", "value": os.environ.get("COMMIT") or "unknown"}]}},
        "components": [program, *packages.values()],
        "dependencies": [{"ref": "image", "dependsOn": ["dropscore"]}] +
                        [{"ref": name, "dependsOn": sorted(others)} for name, others in sorted(depends.items())]}
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))}"
    (root / SBOM).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: tools/sbom.py BUILD_FOLDER ROOT")
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
