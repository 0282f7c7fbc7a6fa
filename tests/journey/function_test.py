"""`dropscore function` as the Functions host calls it: with a store of its own, and with the host's output binding."""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import unittest
import uuid

from functions_host import (BAD, FUNCTION, Function, FunctionTest, clean_environment, document_of, envelope, pieces_of,
                            uri_of)
from support import CUSTOMERS, DEADLINE_SECONDS, PROGRAM, own_memory_is_measured, request, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "azure"))
import azurite  # noqa: E402


class BindingTest(FunctionTest):
    """No setting names an account: the payload is scored, the host writes the result."""

    def test_an_invocation(self):
        function = self.function("--model", self.model)
        self.assertEqual(request(function.port, "GET", "/")[0], 200)
        for name, blob in (("test_restart.csv", "test_restart.csv"), ("dir/caf%C3%A9%20x.csv", "dir/café x.csv")):
            status, answer = function.invoke(uri_of(name), CUSTOMERS)
            self.assertEqual(status, 200, answer)
            document = document_of(answer)
            self.assertEqual(document["blob_name"], f"input-data/{blob}")
            self.assertEqual(document["processing_status"], "success")
            self.assertEqual(document["predictions"], self.expected())
            self.assertEqual(len(document["input_etag"]), 32)
            self.assertIsNone(answer["ReturnValue"])
            self.assertIn("3 rows scored, 0 rejected", answer["Logs"][0])
        self.assertEqual(function.stop(), 0)
        self.assertEqual(function.stderr(), "")  # where every line would be an error
        self.assertIn("outcome=scored", function.stdout())

    def test_sixteen_at_a_time(self):
        function = self.function("--model", self.model)
        files = {f"{i}.csv": run("sample", "--rows", 100 + i, "--seed", i, "--unlabelled").stdout for i in range(16)}
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            names = [f"{i % 16}.csv" for i in range(128)]
            answers = list(pool.map(lambda name: function.invoke(uri_of(name), files[name]), names))
        documents = {}
        for name, (status, answer) in zip(names, answers):
            self.assertEqual(status, 200)
            document = document_of(answer)
            self.assertEqual(document["blob_name"], f"input-data/{name}")
            self.assertEqual(document["predictions"]["summary"]["total_records"], 100 + int(name[:-4]))
            self.assertEqual(documents.setdefault(name, document), document)

    def test_what_is_wrong(self):
        function = self.function("--model", self.model, "--max-payload-bytes", 100_000)
        for content, words in ((BAD, "column"), (b"", "empty"), (b"\0\1\2", "CSV"), (b"x" * 100_001, "100000 bytes")):
            status, answer = function.invoke(uri_of("bad.csv"), content)
            self.assertEqual(status, 200, answer)  # a failed invocation's outputs are not written
            document = document_of(answer)
            self.assertEqual(document["processing_status"], "error")
            self.assertIn(words, document["error"])
        for pieces, status in ((iter([b"{"]), 400), (pieces_of(envelope(uri_of("a.csv"), "no base64!")), 400),
                               (pieces_of(envelope("nonsense", "")), 400)):
            got, headers, _ = function.post(pieces)
            self.assertEqual(got, status)
            self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(request(function.port, "GET", f"/{FUNCTION}")[0], 405)
        self.assertEqual(function.post(iter([b"{}"]), "/Other")[0], 404)
        self.assertEqual(function.invoke(uri_of("a.csv"), CUSTOMERS)[0], 200)

    def test_it_does_not_start_without_what_it_needs(self):
        for arguments, env, code, words in (
                (("--model", self.folder), {}, 2, "model.json"),
                (("--model", self.model, "--function-output", "store"), {}, 2, "AzureWebJobsStorage"),
                (("--model", self.model), {"AzureWebJobsStorage": "AccountKey=c2VjcmV0"}, 2, "AzureWebJobsStorage")):
            done = subprocess.run([PROGRAM, "function", *map(str, arguments)], env=clean_environment(env), capture_output=True,
                                  timeout=DEADLINE_SECONDS, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(words, done.stderr.decode())
            self.assertNotIn("c2VjcmV0", done.stderr.decode())

    def test_the_model_lies_beside_host_json(self):
        (self.folder / "model").symlink_to(self.model)
        for env, cwd in (({}, self.folder), ({"FUNCTIONS_APP_ROOT_PATH": str(self.folder)}, "/")):
            function = Function(env=env, cwd=cwd)
            self.addCleanup(function.close)
            self.assertEqual(function.ready().invoke(uri_of("a.csv"), CUSTOMERS)[0], 200)

    def test_through_an_api(self):
        api = self.start("serve", "--model", self.model, "--port", 0)
        api.wait_for("port=")
        port = int(api.text().split("port=")[1].split()[0])
        function = self.function(env={"API_ENDPOINT": f"http://127.0.0.1:{port}"})
        status, answer = function.invoke(uri_of("test_restart.csv"), CUSTOMERS)
        self.assertEqual(status, 200, answer)
        document = document_of(answer)
        self.assertEqual(document["blob_name"], "input-data/test_restart.csv")
        self.assertEqual(document["predictions"], self.expected())
        status, answer = function.invoke(uri_of("bad.csv"), BAD)
        self.assertEqual(document_of(answer)["processing_status"], "error")
        api.stop()
        status, answer = function.invoke(uri_of("test_restart.csv"), CUSTOMERS)
        self.assertEqual(status, 503, answer)  # so that the host tries again
        self.assertNotIn("Outputs", answer)
        self.assertIn("invocation_failed", function.stderr())


@unittest.skipUnless(azurite.PROGRAM.exists(), "azurite is not installed: tools/setup.sh azure")
class StoreTest(FunctionTest):
    """AzureWebJobsStorage names an account: blobs are read and results written by the function itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.azurite = azurite.Azurite().start()
        cls.addClassCleanup(cls.azurite.stop)
        cls.addClassCleanup(cls.azurite.blobs.close)
        cls.azurite.blobs.make_container("input-data")

    def setUp(self):
        super().setUp()
        self.results = f"results-{uuid.uuid4()}"
        self.blobs = self.azurite.blobs

    def start_function(self, *arguments, **keywords):
        return self.function("--model", self.model, "--output-container", self.results, *arguments,
                             env={"AzureWebJobsStorage": self.azurite.connection_string}, **keywords)

    def uri(self, name):
        return f"{self.azurite.blob_url}/input-data/{name}"

    def test_the_result_and_its_key(self):
        function = self.start_function()
        etag = self.blobs.put("input-data", "dir/test restart.csv", CUSTOMERS)
        status, answer = function.invoke(self.uri("dir/test%20restart.csv"), b"the store's content counts, not this")
        self.assertEqual((status, answer["Outputs"]), (200, {}), answer)
        result = self.blobs.get(self.results, "dir/test restart.csv.json")
        document = json.loads(result.body)
        self.assertEqual(document["predictions"], self.expected())
        self.assertEqual(document["input_etag"], etag)
        self.assertEqual(result.metadata["input_etag"], etag)
        self.assertEqual(result.headers["Content-Type"].split(";")[0], "application/json")
        # Delivered again, and again by sixteen at a time: nothing is written.
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for status, answer in pool.map(lambda _: function.invoke(self.uri("dir/test%20restart.csv"), b""), range(32)):
                self.assertEqual(status, 200, answer)
                self.assertIn("already_done", answer["Logs"][0])
        self.assertEqual(self.blobs.head(self.results, "dir/test restart.csv.json").etag, result.etag)
        self.assertEqual(function.stop(), 0)
        self.assertEqual(function.stderr(), "")
        self.assertNotIn(self.azurite.key, function.stdout())

    def test_a_file_to_mend_becomes_poison_and_a_mended_one_a_result(self):
        function = self.start_function()
        self.blobs.put("input-data", "mend.csv", BAD)
        for _ in range(5):
            status, answer = function.invoke(self.uri("mend.csv"), BAD)
            self.assertEqual(status, 500, answer)
        document = json.loads(self.blobs.get(self.results, "mend.csv.json").body)
        self.assertEqual(document["processing_status"], "error")
        self.blobs.put("input-data", "mend.csv", CUSTOMERS)
        self.assertEqual(function.invoke(self.uri("mend.csv"), CUSTOMERS)[0], 200)
        self.assertEqual(json.loads(self.blobs.get(self.results, "mend.csv.json").body)["processing_status"], "success")

    def test_through_an_api(self):
        api = self.start("serve", "--model", self.model, "--port", 0)
        api.wait_for("port=")
        port = int(api.text().split("port=")[1].split()[0])
        function = self.function("--output-container", self.results, env={
            "AzureWebJobsStorage": self.azurite.connection_string, "API_ENDPOINT": f"http://127.0.0.1:{port}/"})
        etag = self.blobs.put("input-data", "by-api.csv", CUSTOMERS)
        status, answer = function.invoke(self.uri("by-api.csv"), CUSTOMERS)
        self.assertEqual((status, answer["Outputs"]), (200, {}), answer)
        result = self.blobs.get(self.results, "by-api.csv.json")
        self.assertEqual(json.loads(result.body)["predictions"], self.expected())
        self.assertEqual(result.metadata["input_etag"], etag)

    def test_a_blob_that_is_gone(self):
        function = self.start_function()
        status, answer = function.invoke(self.uri("gone.csv"), CUSTOMERS)
        self.assertEqual(status, 200, answer)
        self.assertIn("gone", answer["Logs"][0])
        self.assertIsNone(self.blobs.head(self.results, "gone.csv.json"))

    def test_another_account_is_refused(self):
        function = self.start_function()
        status, answer = function.invoke(uri_of("a.csv"), CUSTOMERS)
        self.assertEqual(status, 500, answer)
        self.assertIn("acct", answer["error"])

    def test_a_large_blob_needs_little_memory(self):
        function = self.start_function()
        csv = run("sample", "--rows", 100_000, "--unlabelled").stdout
        self.blobs.put("input-data", "large.csv", csv)
        front, back = envelope(self.uri("large.csv"), "PAYLOAD").encode().split(b"PAYLOAD")

        def body():  # of a blob of 300 MB
            yield front
            for _ in range(400):
                yield b"QUFB" * 250_000
            yield back
        status, _, answer = function.post(body())
        self.assertEqual(status, 200, answer)
        summary = json.loads(self.blobs.get(self.results, "large.csv.json").body)["predictions"]["summary"]
        self.assertEqual(summary["total_records"], 100_000)
        if own_memory_is_measured():
            self.assertLess(function.peak_mib(), 128)

    def test_long_payloads_of_the_binding_go_through_the_store(self):
        function = self.start_function("--function-output", "binding", "--max-payload-bytes", 10_000)
        self.blobs.put("input-data", "short.csv", CUSTOMERS)
        _, answer = function.invoke(self.uri("short.csv"), CUSTOMERS)
        self.assertEqual(document_of(answer)["predictions"], self.expected())
        self.assertIsNone(self.blobs.head(self.results, "short.csv.json"))
        csv = run("sample", "--rows", 1000, "--unlabelled").stdout
        self.blobs.put("input-data", "long.csv", csv)
        status, answer = function.invoke(self.uri("long.csv"), csv)
        self.assertEqual((status, answer["Outputs"]), (200, {}))
        self.assertEqual(json.loads(self.blobs.get(self.results, "long.csv.json").body)["predictions"], self.expected(csv))


if __name__ == "__main__":
    unittest.main()
