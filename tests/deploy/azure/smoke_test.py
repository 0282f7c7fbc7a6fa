"""deploy.sh's own smoke test: storage's emulator as the account, and the program as what runs in the two container apps."""
import os
import pathlib
import re
import sys
import threading
import unittest

from deploy_support import ROOT, DeployTest

sys.path[:0] = [str(ROOT / "tests/journey"), str(ROOT / "tests/azure")]
from azurite import Azurite  # noqa: E402
from support import JourneyTest, Running, free_port  # noqa: E402


class SmokeTest(DeployTest):
    """The whole run, with the emulator as the account and the program as what runs in the two container apps."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.azurite = Azurite().start()
        cls.addClassCleanup(cls.azurite.stop)
        for name in ("input-data", "output-results", "models"):
            cls.azurite.blobs.make_container(name)
        cls.azurite.queues.make("scoring")

    def setUp(self):
        super().setUp()
        self.model = JourneyTest.train(self.folder / "trained", seed=1)
        for container in ("input-data", "output-results"):  # a smoke test that failed leaves them to be looked at
            for name in self.azurite.blobs.list(container):
                self.azurite.blobs.delete(container, name)
        self.azurite.queues.drain("scoring")
        self.port = free_port()
        self.settings(api_url=f"http://127.0.0.1:{self.port}", blobs={
            "connection_string": self.azurite.connection_string, "blob_url": self.azurite.blob_url,
            "queue_url": self.azurite.queue_url, "account": self.azurite.account, "key": self.azurite.key})
        self.running = []
        self.addCleanup(lambda: [one.close() for one in self.running])

    def run_apps_once_deployed(self, api_model=None, with_worker=True):
        """What Container Apps does: API with the deployed key, and the worker."""
        self.over = threading.Event()

        def wait():
            while not self.over.wait(0.1):
                state = self.read_state()
                if state.get("all"):
                    return self.start_apps(state["api_key"], api_model or self.model, with_worker)
            return None

        thread = threading.Thread(target=wait)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.over.set)

    def read_state(self):
        try:
            return self.state()
        except ValueError:  # it is being written
            return {}

    def start_apps(self, key, model, with_worker):
        self.running.append(Running("serve", "--model", model, "--port", self.port, env={"DROPSCORE_API_KEY": key}))
        if with_worker:
            base = self.azurite.blob_url
            self.running.append(Running("watch", "--input", f"{base}/input-data", "--output", f"{base}/output-results",
                                        "--queue", "scoring", "--model", self.model,
                                        env={"DROPSCORE_CONNECTION_STRING": self.azurite.connection_string}))

    def test_three_customers_by_api_and_by_upload(self):
        self.run_apps_once_deployed()
        done = self.deployed()
        self.assertEqual(len(re.findall(r"customer \d: Will", done.stdout)), 3)
        self.assertIn("dropscore is on Azure", done.stdout)
        self.assertNotIn(self.state()["api_key"], self.everything_said(done))
        left = [blob for name in ("input-data", "output-results") for blob in self.azurite.blobs.list(name)]
        self.assertEqual(left, [])
        self.assertEqual(self.azurite.blobs.get("models", "current/model.json").body,
                         pathlib.Path(self.model, "model.json").read_bytes())

    def test_a_result_that_is_not_the_apis_answer(self):
        self.run_apps_once_deployed(api_model=JourneyTest.train(self.folder / "another", seed=2))
        done = self.deploy()
        self.assertEqual(done.returncode, 1)
        self.assertIn("the uploaded file's result is not what the API answers", done.stderr)

    def test_an_upload_that_nobody_scores(self):
        self.run_apps_once_deployed(with_worker=False)
        os.environ["SMOKE_WAIT_S"] = "3"
        self.addCleanup(os.environ.pop, "SMOKE_WAIT_S")
        done = self.deploy()
        self.assertEqual(done.returncode, 1)
        self.assertIn("no result for the uploaded file", done.stderr)
        self.assertIn("ContainerAppSystemLogs", done.stderr)


if __name__ == "__main__":
    unittest.main()
