"""What the tests of the deployment share: deploy.sh as a process, with `az` replaced, and what it did."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from registry import Registry, oci_archive

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
DEPLOY = ROOT / "deploy/azure/deploy.sh"
DEADLINE_SECONDS = 600  # generous: the machine may be busy


def deploy(*arguments, env=None, stdin=""):
    return subprocess.run([DEPLOY, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False,
                          timeout=DEADLINE_SECONDS, env={**os.environ, **(env or {})}, cwd="/")


class DeployTest(unittest.TestCase):
    """For each test: a folder, an image, a package, a model's file, a registry, and the programs that deploy.sh calls,
    each of which writes down what it is called with."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-deploy-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.registry = Registry()
        self.addCleanup(self.registry.close)
        self.fake = self.folder / "fake"
        self.fake.mkdir()
        oci_archive(self.folder / "image.tar")
        (self.folder / "function.zip").write_bytes(b"PK")
        self.model = self.folder / "model"
        self.model.mkdir()
        (self.model / "model.json").write_text("{}")
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        self.programs.joinpath("az").symlink_to(FOLDER / "fake_az.py")
        for name in ("curl", "skopeo", "openssl", "sleep"):
            self.watch_program(name)
        # skopeo speaks TLS with all but the registries that it is told not to.
        configuration = self.folder / "home/.config/containers"
        configuration.mkdir(parents=True)
        configuration.joinpath("registries.conf").write_text(
            f'[[registry]]\nlocation = "{self.registry.address}"\ninsecure = true\n')
        self.settings(blobs="folder")

    def watch_program(self, name):
        program = self.programs / name
        program.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >> "$FAKE_AZ/other_calls"\nexec {shutil.which(name)} "$@"\n')
        program.chmod(0o755)

    def settings(self, **settings):
        self.fake.joinpath("settings.json").write_text(json.dumps({"login_server": self.registry.address, **settings}))

    def deploy(self, *arguments, **keywords):
        """A run with everything given that would have to be built."""
        env = {"PATH": f"{self.programs}:{os.environ['PATH']}", "FAKE_AZ": str(self.fake), "POLL_S": "0.2",
               "ROLE_WAIT_S": "20", "SMOKE_WAIT_S": "60", "HOME": str(self.folder / "home"),
               "XDG_CONFIG_HOME": str(self.folder / "home/.config"), "TMPDIR": str(self.folder)}
        return deploy("--image-archive", self.folder / "image.tar", "--function-zip", self.folder / "function.zip",
                      "--model", self.model, *arguments, env=env, **keywords)

    def deployed(self, *arguments, **keywords):
        done = self.deploy(*arguments, **keywords)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def calls(self):
        """The words of each call of az, oldest first."""
        path = self.fake / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def state(self):
        path = self.fake / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def forget_calls(self):
        self.fake.joinpath("calls.jsonl").unlink(missing_ok=True)

    def everything_said(self, *runs):
        """What a terminal showed and what other users of the machine could have seen as arguments."""
        other = self.fake / "other_calls"
        return "\n".join([*(run.stdout + run.stderr for run in runs), json.dumps(self.calls()),
                          other.read_text() if other.exists() else ""])
