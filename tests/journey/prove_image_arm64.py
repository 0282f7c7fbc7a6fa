"""The image for arm64, as `make image PLATFORM=linux/arm64` makes it on a machine of another processor: built from nothing but the
sources, looked through as amd64's is, and run by qemu's emulation of arm64: what it scores is what this machine's program scores.

DROPSCORE_IMAGE=FILE tries one that is built already. As root, half an hour.
"""
import csv
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/image"))

from container import Image  # noqa: E402
from support import JourneyTest, run  # noqa: E402

EMULATOR = shutil.which("qemu-aarch64-static")
AARCH64 = 183  # e_machine
MODELS = {"additive": [], "boosted": [], "forest": [], "logistic": [], "svm": ["--set", "svm.kernel=rbf"]}
ROWS = 2000
# Sums run in another order there, and single precision rounds: probabilities, as (relative, absolute) differences.
NEAR = {"double": 1e-12, "auto": 1e-6}


def probabilities(text):
    return [float(row["probability_conversion"]) for row in csv.DictReader(text.decode().splitlines())]


class ProveImageArm64(JourneyTest):
    @classmethod
    def train(cls, folder, seed):
        """One of each kind."""
        folder.mkdir()
        data = folder.parent / "train.csv"
        data.write_bytes(run("sample", "--rows", 1000, "--seed", seed).stdout)
        for name, options in MODELS.items():
            done = run("train", data, "--out", folder / name, "--models", name, *options)
            assert done.returncode == 0, done.stderr
        return folder

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if EMULATOR is None:
            raise RuntimeError("qemu-aarch64-static is missing: tools/setup.sh prove")
        archive = os.environ.get("DROPSCORE_IMAGE")
        if not archive:
            archive = ROOT / "build/image/dropscore-arm64.oci.tar"
            begin = time.monotonic()
            subprocess.run([ROOT / "tools/image.sh", "--platform", "linux/arm64", "--out", archive], check=True)
            print(f"\n  built in {time.monotonic() - begin:.0f} s", flush=True)
        cls.archive, cls.image = archive, Image(archive, cls.class_folder)
        shutil.copy(EMULATOR, cls.image.root / "emulator")
        shutil.copytree(cls.model, cls.image.root / "models")

    def emulated(self, *arguments, stdin=b""):
        """The image's program in the image's root, where there is nothing of this machine's but the emulator."""
        return subprocess.run(["chroot", self.image.root, "/emulator", "/app/bin/dropscore", *map(str, arguments)], input=stdin,
                              capture_output=True, timeout=600, check=False)

    def test_content(self):
        subprocess.run([sys.executable, ROOT / "tests/image/image_test.py", "-v", "ContentTest", "BillOfMaterialsTest"], check=True,
                       env={**os.environ, "DROPSCORE_IMAGE": str(self.archive)})

    def test_all_of_it_is_arm64(self):
        self.assertEqual((self.image.configuration["os"], self.image.configuration["architecture"]), ("linux", "arm64"))
        machines = {}
        for entry in self.image.entries:
            if entry.isreg():
                head = (self.image.root / entry.name).read_bytes()[:20]
                if head[:4] == b"\x7fELF":
                    machines[entry.name] = int.from_bytes(head[18:20], "little")
        self.assertGreater(len(machines), 20)
        self.assertEqual(set(machines.values()), {AARCH64}, machines)

    def test_it_runs(self):
        done = self.emulated("--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"aarch64", done.stdout)
        print(f"\n  {done.stdout.decode().strip()}", flush=True)

    def test_it_scores_as_this_machine_does(self):
        rows = run("sample", "--rows", ROWS, "--seed", 2, "--unlabelled").stdout
        self.assertEqual(self.emulated("sample", "--rows", ROWS, "--seed", 2, "--unlabelled").stdout, rows)
        for name in MODELS:
            for precision, near in NEAR.items():
                with self.subTest(model=name, precision=precision):
                    options = ("-", "--format", "csv", "--precision", precision)
                    here = run("score", *options, "--model", self.model / name, stdin=rows)
                    there = self.emulated("score", *options, "--model", f"/models/{name}", stdin=rows)
                    self.assertEqual((here.returncode, there.returncode), (0, 0), there.stderr)
                    expected, found = probabilities(here.stdout), probabilities(there.stdout)
                    self.assertEqual((len(expected), len(found)), (ROWS, ROWS))
                    worst = max(abs(a - b) for a, b in zip(expected, found))
                    equal = sum(a == b for a, b in zip(expected, found))
                    print(f"\n  {name}, {precision}: {equal} of {ROWS} to the last bit, the others within {worst:.1e}", end="", flush=True)
                    self.assertLessEqual(worst, near)


if __name__ == "__main__":
    unittest.main()
