"""The image from nothing but the sources, as `make image` makes it: built, then put through every test of the image.

BASE=NAME builds in an image from a registry; without, in a Debian 12 made by debootstrap. As root, half an hour, and on
a machine that is left alone: a start is timed by the clock.
"""
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class ProveImage(unittest.TestCase):
    def test_built_from_source_and_run(self):
        archive = ROOT / "build/image/dropscore.oci.tar"
        begin = time.monotonic()
        subprocess.run([ROOT / "tools/image.sh", "--out", archive], check=True)
        print(f"\n  built in {time.monotonic() - begin:.0f} s", flush=True)
        subprocess.run([sys.executable, ROOT / "tests/image/image_test.py", "-v"], check=True,
                       env={**os.environ, "DROPSCORE_IMAGE": str(archive), "DROPSCORE_BY_THE_CLOCK": "1"})


if __name__ == "__main__":
    unittest.main()
