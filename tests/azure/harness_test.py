"""The tests' own tools, before anything is concluded from them: the emulator's end, the client and Microsoft's agree, each
fault of the proxy is the fault that it says."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from azurite import Azurite
from event_grid import EventGrid
from fault_proxy import FaultProxy
from shared_key import Blobs, Refused

FOLDER = pathlib.Path(__file__).resolve().parent
NAME = "dir/a b é+%&'.csv"
CONTENT = bytes(range(256)) * 400
START_AND_TELL = "from azurite import Azurite; import time; a = Azurite().start(); print(a.process.pid, a.folder, flush=True); time.sleep(60)"


def alive(pid):
    try:
        return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


class HarnessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azurite = Azurite().start()
        cls.addClassCleanup(cls.azurite.stop)
        cls.azurite.blobs.make_container("input-data")

    def test_the_emulator_dies_with_whoever_started_it(self):
        starter = subprocess.Popen([sys.executable, "-c", START_AND_TELL], cwd=FOLDER, stdout=subprocess.PIPE, text=True)
        pid, _, folder = starter.stdout.readline().partition(" ")
        self.assertTrue(alive(int(pid)))
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        starter.stdout.close()
        end = time.monotonic() + 10
        while alive(int(pid)) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(alive(int(pid)))
        pathlib.Path(folder.strip(), "log").unlink()
        pathlib.Path(folder.strip()).rmdir()

    def official(self, *arguments):
        done = subprocess.run(["node", "official.mjs", *map(str, arguments)], cwd=FOLDER, capture_output=True, check=True,
                              env={**os.environ, "AZURE_STORAGE_CONNECTION_STRING": self.azurite.connection_string}, timeout=60)
        return json.loads(done.stdout)

    def test_the_clients_agree(self):
        etag = self.azurite.blobs.put("input-data", NAME, b"a,b\n1,2\n", metadata={"modelversion": "m1"})
        read = self.official("read", "input-data", NAME)
        self.assertEqual(read, {"etag": f'"{etag}"', "contentType": "text/csv", "metadata": {"modelversion": "m1"},
                                "text": "a,b\n1,2\n"})
        with tempfile.NamedTemporaryFile() as file:
            file.write(CONTENT)
            file.flush()
            etag = self.official("upload", "input-data", NAME, file.name)["etag"]
        found = self.azurite.blobs.get("input-data", NAME)
        self.assertEqual((found.body, found.etag), (CONTENT, etag.strip('"')))
        self.assertEqual(self.azurite.blobs.list("input-data", "dir/")[NAME]["size"], len(CONTENT))
        self.azurite.blobs.put_blocks("input-data", "blocks", [CONTENT, b"end"])
        self.assertEqual(self.azurite.blobs.get_range("input-data", "blocks", len(CONTENT) - 1, 3), b"\xffen")

    def test_events(self):
        self.azurite.queues.make("events")
        grid = EventGrid(self.azurite, "events", duplicate=0.5, drop=0.3, reorder=5)
        names = [f"{i}.csv" for i in range(30)]
        for name in names:
            grid.notify("input-data", name, "0x1", 3)
        grid.flush()
        told = [json.loads(text)["data"]["url"].rpartition("/")[2] for text in self.official_texts("events", grid.sent)]
        self.assertEqual(len(told), 30 - grid.dropped + grid.duplicated)
        self.assertEqual(len(set(told)), 30 - grid.dropped)
        self.assertNotEqual(told, sorted(told, key=names.index))

    def official_texts(self, queue, count):
        texts = []
        while len(texts) < count:
            texts += self.official("peek", queue)
            self.drop_visible(queue)
        return texts

    def drop_visible(self, queue):
        for message in self.azurite.queues.get(queue, 32, 60):
            self.azurite.queues.remove(queue, message)

    def suffer(self, kind, method="get", changer=None):
        """What one request meets when all meet `kind`."""
        self.azurite.blobs.put("input-data", "blob", CONTENT)
        with FaultProxy(self.azurite, seed=1, rate=1.0, kinds={kind: 1}, changer=changer) as proxy:
            blobs = Blobs(proxy.blob_url, self.azurite.account, self.azurite.key)
            self.addCleanup(blobs.close)
            try:
                answer = blobs.put("input-data", "blob", b"new") if method == "put" else blobs.get("input-data", "blob")
            except (ConnectionError, http.client.HTTPException, Refused) as error:
                answer = error
        self.assertEqual(proxy.failures, [])
        self.assertEqual(proxy.counts[kind], proxy.counts["requests"])
        return answer

    def test_faults(self):
        self.assertIsInstance(self.suffer("reset_request"), ConnectionError)
        self.assertIsInstance(self.suffer("reset_response"), (ConnectionError, http.client.HTTPException))
        self.assertIsInstance(self.suffer("truncate"), http.client.IncompleteRead)
        self.assertEqual(self.suffer("stall").body, CONTENT)
        self.assertIn(self.suffer("busy").status, (429, 500, 503))

    def test_a_busy_service_does_nothing_and_a_lost_answer_hides_something_done(self):
        self.suffer("busy", "put")
        self.assertEqual(self.azurite.blobs.get("input-data", "blob").body, CONTENT)
        self.assertIsInstance(self.suffer("lost_answer", "put"), (ConnectionError, Refused))
        self.assertEqual(self.azurite.blobs.get("input-data", "blob").body, b"new")

    def test_a_change_amid_a_read(self):
        def change(container, name):
            self.azurite.blobs.put(container, name, b"another")
        self.assertIsInstance(self.suffer("change", changer=change), (ConnectionError, http.client.HTTPException))
        self.assertEqual(self.azurite.blobs.get("input-data", "blob").body, b"another")


if __name__ == "__main__":
    unittest.main()
