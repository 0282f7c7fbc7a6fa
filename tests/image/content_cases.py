"""What lies in the image, and what its bill of materials says of it: a part of image_test."""
import hashlib
import json
import pathlib
import stat
import subprocess
import unittest

import built
from built import setUpModule  # noqa: F401

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_BYTES = 30 << 20  # the original: about 650 MB
SBOM = "app/sbom.cdx.json"


def files_of(entries):
    return {entry.name.removeprefix("./"): entry for entry in entries if entry.isreg()}


class ContentTest(unittest.TestCase):
    def test_it_is_small(self):
        print(f"\n  unpacked: {built.image.size_bytes() / 2**20:.1f} MiB, {len(files_of(built.image.entries))} files", flush=True)
        self.assertLessEqual(built.image.size_bytes(), LIMIT_BYTES)

    def test_how_it_starts(self):
        config = built.image.config
        self.assertEqual(config["User"], "10001:10001")
        self.assertEqual((config["Entrypoint"], config["Cmd"]), (["/app/bin/dropscore"], ["serve"]))
        self.assertEqual(sorted(config["ExposedPorts"]), ["8000/tcp", "9100/tcp"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertEqual(dict(setting.split("=", 1) for setting in config["Env"]), {
            "MODEL_DIR": "/app/models", "PORT": "8000", "DROPSCORE_HOST": "0.0.0.0", "DROPSCORE_OPS_HOST": "0.0.0.0",
            "DROPSCORE_OPS_PORT": "9100", "DROPSCORE_LOG_FORMAT": "json",
            "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", "PATH": "/app/bin"})

    def test_labels(self):
        labels = {name.removeprefix("org.opencontainers.image."): value for name, value in built.image.config["Labels"].items()}
        self.assertEqual(sorted(labels), ["created", "description", "documentation", "licenses", "revision", "source",
                                          "title", "version"])
        self.assertEqual(labels["version"], (built.ROOT / "VERSION").read_text().strip())
        self.assertEqual((labels["title"], labels["licenses"]), ("dropscore", "Apache-2.0"))
        self.assertEqual(labels["created"], built.image.configuration["created"])
        self.assertRegex(labels["revision"], r"^([0-9a-f]{12}(\+changes)?|unknown)$")
        self.assertTrue((built.ROOT / labels["documentation"]).exists())

    def test_nothing_in_it_gives_rights(self):
        for entry in built.image.entries:
            name = f"/{entry.name.removeprefix('./')}".rstrip("/")
            self.assertEqual((entry.uid, entry.gid), (0, 0), name)
            self.assertTrue(entry.isreg() or entry.isdir(), f"{name} is neither a file nor a folder")
            if name == "/tmp":
                self.assertEqual(stat.S_IMODE(entry.mode), 0o1777)
                continue
            self.assertFalse(entry.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH), name)
            self.assertTrue(entry.mode & stat.S_IROTH, f"{name} cannot be read by the image's user")

    def test_the_program_is_all_that_can_be_run(self):
        programs = [name for name, entry in files_of(built.image.entries).items() if entry.mode & 0o111 and ".so" not in name]
        self.assertEqual(programs, ["app/bin/dropscore"])
        for name, entry in files_of(built.image.entries).items():
            if entry.mode & 0o111:
                self.assertEqual((built.image.root / name).read_bytes()[:4], b"\x7fELF", name)

    def test_the_slot_for_a_model_is_empty(self):
        self.assertEqual(list((built.image.root / "app/models").iterdir()), [])


class BillOfMaterialsTest(unittest.TestCase):
    def setUp(self):
        self.text = (built.image.root / SBOM).read_text()
        self.document = json.loads(self.text)

    def validate(self, text):
        return subprocess.run(["node", HERE / "validate_sbom.mjs"], input=text.encode(), capture_output=True, check=False)

    def test_it_holds_to_the_published_schema(self):
        done = self.validate(self.text)
        self.assertEqual(done.returncode, 0, done.stderr)
        spoiled = {**self.document, "components": [{"type": "librarian", "name": "x"}]}
        self.assertNotEqual(self.validate(json.dumps(spoiled)).returncode, 0, "the schema is not looked at")

    def test_it_names_every_file_and_no_other(self):
        named = {}
        for component in self.document["components"]:
            for file in component.get("components", []):
                self.assertNotIn(file["name"], named)
                named[file["name"]] = file["hashes"][0]["content"]
        found = {f"/{name}": hashlib.sha256((built.image.root / name).read_bytes()).hexdigest()
                 for name in files_of(built.image.entries) if name != SBOM}
        self.assertEqual(named, found)

    def test_each_library_comes_from_a_package_with_its_licence(self):
        libraries = 0
        for component in self.document["components"]:
            if component["type"] != "library":
                self.assertEqual(component["bom-ref"], "dropscore")
                continue
            self.assertTrue(component["version"])
            self.assertTrue(component["purl"].startswith("pkg:deb/debian/"))
            self.assertTrue(component["licenses"])
            files = [file["name"] for file in component.get("components", [])]
            if files:
                libraries += sum(".so" in file for file in files)
                record = (built.image.root / "var/lib/dpkg/status.d" / component["name"]).read_text()
                self.assertIn(f"\nVersion: {component['version']}\n", record)
                self.assertTrue((built.image.root / "usr/share/doc" / component["name"] / "copyright").exists())
        self.assertEqual(libraries, sum(".so" in name for name in files_of(built.image.entries)))
        self.assertGreater(libraries, 10)

    def test_what_needs_what_is_named(self):
        known = {component["bom-ref"] for component in self.document["components"]} | {"image"}
        needs = {entry["ref"]: entry["dependsOn"] for entry in self.document["dependencies"]}
        for ref, others in needs.items():
            self.assertLessEqual({ref, *others}, known)
        reached, look_at = set(), ["image"]
        while look_at:
            ref = look_at.pop()
            if ref not in reached:
                reached.add(ref)
                look_at += needs.get(ref, [])
        self.assertEqual({ref for ref in known - reached if "/base-files@" not in ref}, set(), "nothing needs these")
