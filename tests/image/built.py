"""The image that the tests are about: made once, by tools/image.sh --here, or named by DROPSCORE_IMAGE."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from container import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
image = None  # from setUpModule() on


def setUpModule():
    """For each module of tests to take over: makes and unpacks the image, or says why containers cannot run here."""
    global image
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root may run containers")
    if not os.access("/sys/fs/cgroup", os.W_OK):
        raise unittest.SkipTest("no control groups can be made here: this is itself a container without privileges")
    if image is None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-image-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        image = Image(os.environ.get("DROPSCORE_IMAGE") or make_image(ROOT / "build/image/test.oci.tar"), folder)


def make_image(archive, *options):
    done = subprocess.run([ROOT / "tools/image.sh", "--here", "--out", archive, *options], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    print(f"\n  {done.stdout.decode().strip()}", flush=True)
    return archive
