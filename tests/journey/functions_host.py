"""The Functions host, which does not run here: its requests are made as its source and a captured one say
(docs/azure-function.md), chunked, with its headers and its encodings. For the function's tests."""
import base64
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import uuid

from support import CUSTOMERS, DEADLINE_SECONDS, PROGRAM, JourneyTest, run, wait_until, written

FUNCTION = "BlobTriggerConversionPrediction"
SETTINGS = ("SSL_CERT_", "DROPSCORE_", "AZURE_", "AzureWebJobsStorage", "API_ENDPOINT", "MODEL_DIR", "PORT", "FUNCTIONS_")
BAD = b"Age\nold\n"


def clean_environment(more):
    """This process's, without whatever may be set for other uses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "FUNCTIONS_CUSTOMHANDLER_PORT": "0", **more}


class Function:
    """The custom handler as the host has it: standard output and standard error apart."""

    def __init__(self, *arguments, env=None, command=None, **keywords):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(command or [PROGRAM, "function", *map(str, arguments)],
                                        stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
                                        env=clean_environment(env or {}), **keywords)

    def stdout(self):
        return written(self.out)

    def stderr(self):
        return written(self.err)

    def ready(self):
        def seen():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.stdout()}{self.stderr()}")
            return re.search(r"function_ready port=(\d+)", self.stdout())
        self.port = int(wait_until(seen, "the function to be ready")[1])
        return self

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.err.close()

    def post(self, pieces, path=f"/{FUNCTION}"):
        """One invocation, in chunks of any length: the host never says how long it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request("POST", path, body=pieces, encode_chunked=True, headers={
                "Content-Type": "application/json; charset=utf-8", "Transfer-Encoding": "chunked",
                "X-Azure-Functions-InvocationId": str(uuid.uuid4()), "X-Azure-Functions-HostVersion": "4.1036.2.2",
                "User-Agent": "Azure-Functions-Host/4.1036.2.2"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def invoke(self, uri, content):
        status, headers, body = self.post(pieces_of(envelope(uri, base64.b64encode(content).decode())))
        assert headers["Content-Type"] == "application/json", headers  # or the host fails the invocation
        return status, json.loads(body)


def pieces_of(text, piece=8192):
    data = text.encode()
    return (data[at:at + piece] for at in range(0, len(data), piece))


def twice(value):
    """As the host writes what is no bytes and no object: JSON in a JSON string."""
    return json.dumps(value)


def envelope(uri, payload):
    name = uri.partition("/input-data/")[2]
    return json.dumps({
        "Data": {"inputBlob": payload},
        "Metadata": {
            "Uri": twice(uri),
            "Properties": {"LastModified": "2026-05-31T13:28:51+00:00",
                           "CreatedOn": "2026-05-31T13:18:04+00:00", "Metadata": {}, "BlobType": 0,
                           "LeaseDuration": 0, "LeaseState": 0, "LeaseStatus": 1, "ContentLength": 10,
                           "ContentType": "text/csv", "ETag": {}, "ContentHash": "SK/c+G9WfXJNIQ3lT17FkA==",
                           "ContentEncoding": None, "AcceptRanges": "bytes", "IsServerEncrypted": True, "AccessTier": "Hot",
                           "AccessTierInferred": True, "VersionId": None, "TagCount": 0},
            "Metadata": {},
            "name": twice(name),
            "sys": {"MethodName": FUNCTION, "UtcNow": "2026-05-31T13:55:02.1264382Z",
                    "RandGuid": "ca44fda7-c95b-4128-9b3f-fa21ba23644a"}}})


def uri_of(name):
    return f"https://acct.blob.core.windows.net/input-data/{name}"


def document_of(answer):
    """What the host's output binding would write."""
    return json.loads(base64.b64decode(answer["Outputs"]["outputBlob"], validate=True))


class FunctionTest(JourneyTest):
    def function(self, *arguments, **keywords):
        function = Function(*arguments, **keywords)
        self.addCleanup(function.close)
        return function.ready()

    def expected(self, csv=CUSTOMERS):
        return json.loads(run("score", "-", "--model", self.model, stdin=csv).stdout)
