"""Azure's storage emulator as a child process: free ports, an account of its own, ended for certain.

    with Azurite() as azurite:                    # in memory; Azurite(disk=True) for what is larger than memory
        azurite.blobs.make_container("input-data")
        ... azurite.connection_string, azurite.blob_url, azurite.queue_url ...

Needs `npm ci` in this folder (tools/setup.sh azure).
"""
import base64
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from shared_key import Blobs, Queues

FOLDER = pathlib.Path(__file__).resolve().parent
PROGRAM = FOLDER / "node_modules/azurite/dist/src/azurite.js"
START_SECONDS = 60  # generous: a busy machine's; an idle one takes 2
PR_SET_PDEATHSIG = 1


def end_with_parent():
    """In the child: the kernel kills it when the thread that started it ends, however that comes about."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def processor_seconds(pid):
    """What a process has used so far, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Azurite:
    """Start it from a thread that outlives it: it dies with that one."""

    def __init__(self, disk=False, account="dropscoretest", memory_mib=4096, access_log=False):
        self.account, self.disk, self.memory_mib, self.access_log = account, disk, memory_mib, access_log
        self.key = base64.b64encode(os.urandom(64)).decode()
        self.folder = self.process = self.log = self.blobs = self.queues = None

    def start(self):
        if not PROGRAM.exists():
            raise RuntimeError("azurite is not installed: tools/setup.sh azure")
        self.folder = tempfile.mkdtemp(prefix="dropscore-azurite-")
        where = ["--location", self.folder] if self.disk else ["--inMemoryPersistence", "--extentMemoryLimit", str(self.memory_mib)]
        # A file, not a pipe: a full pipe would stop the emulator.
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            ["node", str(PROGRAM), *where, *([] if self.access_log else ["--silent"]), "--skipApiVersionCheck", "--disableTelemetry", "--disableProductStyleUrl",
             "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"],
            cwd=self.folder, env={**os.environ, "AZURITE_ACCOUNTS": f"{self.account}:{self.key}"}, start_new_session=True,
            preexec_fn=end_with_parent, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.find_ports()
        except BaseException:
            self.stop()
            raise
        self.blob_url = f"http://127.0.0.1:{self.blob_port}/{self.account}"
        self.queue_url = f"http://127.0.0.1:{self.queue_port}/{self.account}"
        self.connection_string = self.connection_string_for(self.blob_url, self.queue_url)
        self.blobs = Blobs(self.blob_url, self.account, self.key)
        self.queues = Queues(self.queue_url, self.account, self.key)
        return self

    def connection_string_for(self, blob_url, queue_url):
        """The same account seen through other addresses: those of a proxy."""
        return (f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
                f"BlobEndpoint={blob_url};QueueEndpoint={queue_url};")

    def find_ports(self):
        """The system chose them; azurite prints them once it listens."""
        end = time.monotonic() + START_SECONDS
        while True:
            text = self.text()
            ports = dict(re.findall(r"(Blob|Queue) service is successfully listening at http://127\.0\.0\.1:(\d+)", text))
            if len(ports) == 2:
                self.blob_port, self.queue_port = int(ports["Blob"]), int(ports["Queue"])
                return
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"azurite did not start: {text}")
            time.sleep(0.02)

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def stop(self):
        for client in (self.blobs, self.queues):
            if client is not None:
                client.close()
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it was gone already
            self.process.wait()
        if self.log is not None:
            self.log.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = self.process = self.log = None

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
