"""An image's archive unpacked, and containers of it under runc: read-only, without a right, as the image's own user.

    image = Image("dropscore.oci.tar", folder)
    container = Container(image, ["watch", ...], env={...}, mounts={"/app/models": model})

Containers are in the host's network, so that they reach the emulator on 127.0.0.1, unless given another.
"""
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

from support import written  # of tests/journey, which those that import this one put on the path

MEMORY_BYTES = 256 << 20


class Image:
    """`config` is the image's configuration, `entries` what its layers hold, `root` where they are unpacked."""

    def __init__(self, archive, folder):
        self.layout, self.root = folder / "layout", folder / "root"
        with tarfile.open(archive) as tar:
            tar.extractall(self.layout)
        manifest = json.loads(self.blob(json.loads((self.layout / "index.json").read_text())["manifests"][0]))
        self.layers = [layer["digest"] for layer in manifest["layers"]]
        self.configuration = json.loads(self.blob(manifest["config"]))
        self.config = self.configuration["config"]
        self.entries = []
        for layer in manifest["layers"]:
            with tarfile.open(self.path(layer)) as tar:
                self.entries += tar.getmembers()
                tar.extractall(self.root, numeric_owner=True)

    def path(self, descriptor):
        return self.layout / "blobs" / descriptor["digest"].replace(":", "/")

    def blob(self, descriptor):
        content = self.path(descriptor).read_bytes()
        assert hashlib.sha256(content).hexdigest() == descriptor["digest"].partition(":")[2], descriptor
        return content

    def size_bytes(self):
        return sum(entry.size for entry in self.entries)


class Container:
    """Runs until it ends by itself, or stop(), kill() or close(). The same to a test as support.Running."""

    state = tempfile.TemporaryDirectory(prefix="dropscore-runc-")
    numbers = itertools.count(1)

    def __init__(self, image, arguments=(), env=None, mounts=None, network=None, start=True):
        self.identity = f"dropscore-{os.getpid()}-{next(self.numbers)}"
        self.bundle = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-bundle-"))
        self.log = tempfile.TemporaryFile()
        (self.bundle / "config.json").write_text(json.dumps(self.specification(image, arguments, env, mounts, network)))
        self.process = None
        if start:
            self.process = self.popen("run", "--bundle", self.bundle, self.identity)

    def specification(self, image, arguments, env, mounts, network):
        """What `runc spec` proposes, less what it allows."""
        subprocess.run(["runc", "spec", "--bundle", str(self.bundle)], check=True)
        spec = json.loads((self.bundle / "config.json").read_text())
        user, group = map(int, image.config["User"].split(":"))
        settings = dict(setting.split("=", 1) for setting in image.config["Env"])
        settings.update(env or {})
        process = spec["process"]
        process.update(terminal=False, user={"uid": user, "gid": group}, cwd=image.config["WorkingDir"],
                       args=[*image.config["Entrypoint"], *(map(str, arguments) if arguments else image.config["Cmd"])],
                       env=[f"{name}={value}" for name, value in settings.items()], noNewPrivileges=True)
        process["capabilities"] = {kind: [] for kind in process["capabilities"]}
        spec["root"] = {"path": str(image.root), "readonly": True}
        spec["mounts"] += [{"destination": inside, "type": "bind", "source": str(outside), "options": ["rbind", "ro"]}
                           for inside, outside in (mounts or {}).items()]
        linux = spec["linux"]
        linux["namespaces"] = [space for space in linux["namespaces"] if space["type"] != "network"]
        if network:
            linux["namespaces"].append({"type": "network", "path": network})
        linux["resources"]["memory"] = {"limit": MEMORY_BYTES}
        return spec

    def command(self, *arguments):
        return ["runc", "--root", self.state.name, *map(str, arguments)]

    def popen(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def runc(self, *arguments, check=True):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=180, check=check).stdout

    def pid(self):
        """Of the container's first process, as the host sees it."""
        return json.loads(self.runc("state", self.identity))["pid"]

    def processes(self):
        return json.loads(self.runc("ps", "--format", "json", self.identity))

    def text(self):
        return written(self.log)

    def wait_for(self, words, seconds=180):
        end = time.monotonic() + seconds
        while words not in self.text():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.text()}"
            assert time.monotonic() < end, f"waited in vain for {words!r}: {self.text()}"
            time.sleep(0.005)
        return self

    def send(self, number):
        self.runc("kill", self.identity, int(number))

    def stop(self, number=signal.SIGTERM):
        """The container's exit code."""
        self.send(number)
        return self.process.wait(timeout=180)

    def kill(self):
        """Its first process dies as it stands, and the kernel ends the rest."""
        self.send(signal.SIGKILL)
        self.process.wait(timeout=180)

    def end(self):
        """Ends it for certain; what it said stays. In this order, so that no control group is left: a group that still has a
        process in it cannot be removed."""
        self.runc("kill", self.identity, "KILL", check=False)
        end = time.monotonic() + 180
        while self.status() not in (None, "stopped"):
            assert time.monotonic() < end, f"{self.identity} does not end"
            time.sleep(0.005)
        if self.process:
            self.process.wait(timeout=180)
        self.runc("delete", "--force", self.identity, check=False)

    def status(self):
        """As runc knows it; None where there is no such container any more."""
        state = self.runc("state", self.identity, check=False)
        return json.loads(state)["status"] if state else None

    def close(self):
        if not self.log.closed:
            self.end()
            self.log.close()
            shutil.rmtree(self.bundle, ignore_errors=True)
