"""The function app as it is deployed (tools/function_app.sh), in an otherwise empty root folder."""
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import threading
import time
import unittest

from functions_host import FUNCTION, Function, FunctionTest, document_of, uri_of
from support import CUSTOMERS, PROGRAM, request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/azure"))
import azurite  # noqa: E402


class StorageOverTls(http.server.BaseHTTPRequestHandler):
    """Blob Storage without a blob, for whoever brings the token; and, without TLS, the endpoint that hands tokens out."""
    protocol_version = "HTTP/1.1"
    token = "token-of-the-identity"

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked_well = "resource=https" in self.path and self.headers["X-IDENTITY-HEADER"] == "secret-header"
        self.answer(200 if asked_well else 400, json.dumps(
            {"access_token": self.token, "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}).encode())

    def do_PUT(self):
        self.answer(201 if self.known() else 401)

    def do_HEAD(self):
        self.answer(404 if self.known() else 401)

    def known(self):
        return self.headers["Authorization"] == f"Bearer {self.token}"

    def log_message(self, *_):
        pass


def serve(test, certificate=None):
    """A StorageOverTls on a port of its own, until the test ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StorageOverTls)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_address[1]


class PackageTest(FunctionTest):
    """The folder that is deployed, in a root folder with nothing else: no shell, no library, no /proc."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.package = cls.class_folder / "app"
        done = subprocess.run([ROOT / "tools/function_app.sh", cls.model, "--program", PROGRAM, "--out", cls.package],
                              capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr

    def in_empty_root(self, folder, env):
        description = json.loads((folder / "host.json").read_text())["customHandler"]["description"]

        def enter():
            os.chroot(folder)
            os.chdir("/")
        command = ["/" + description["defaultExecutablePath"], *description["arguments"]]
        function = Function(command=command, env=env, preexec_fn=enter)
        self.addCleanup(function.close)
        return function.ready()

    def test_what_is_in_it(self):
        for source in ("function.json", "function.eventgrid.json"):
            shipped = json.loads((ROOT / "deploy/function" / FUNCTION / source).read_text())
            trigger, output = shipped["bindings"]
            self.assertEqual((trigger["name"], trigger["path"]), ("inputBlob", "input-data/{name}"))
            self.assertEqual((output["name"], output["path"]), ("outputBlob", "output-results/{name}.json"))
            self.assertEqual({binding["connection"] for binding in shipped["bindings"]}, {"AzureWebJobsStorage"})
            self.assertNotIn("dataType", output)  # with one, the host would not decode base64
        self.assertEqual([path.name for path in (self.package / FUNCTION).iterdir()], ["function.json"])
        self.assertTrue((self.package / "ca-certificates.crt").read_text().startswith("-----BEGIN"))
        self.assertTrue(pathlib.Path(f"{self.package}.zip").exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root may change its root folder")
    def test_it_runs_where_there_is_nothing_else(self):
        function = self.in_empty_root(self.package, {})
        self.assertEqual(request(function.port, "GET", "/")[0], 200)
        status, answer = function.invoke(uri_of("test_restart.csv"), CUSTOMERS)
        self.assertEqual(status, 200, answer)
        self.assertEqual(document_of(answer)["predictions"], self.expected())
        self.assertEqual(function.stop(), 0)
        self.assertEqual(function.stderr(), "")

    @unittest.skipUnless(os.geteuid() == 0, "only root may change its root folder")
    @unittest.skipUnless(azurite.PROGRAM.exists(), "azurite is not installed: tools/setup.sh azure")
    def test_it_reaches_storage_from_there(self):
        with azurite.Azurite() as emulator:
            emulator.blobs.make_container("input-data")
            emulator.blobs.put("input-data", "a.csv", CUSTOMERS)
            function = self.in_empty_root(self.package, {"AzureWebJobsStorage": emulator.connection_string})
            status, answer = function.invoke(f"{emulator.blob_url}/input-data/a.csv", b"")
            self.assertEqual(status, 200, answer)
            document = json.loads(emulator.blobs.get("output-results", "a.csv.json").body)
            self.assertEqual(document["predictions"], self.expected())
            emulator.blobs.close()

    @unittest.skipUnless(os.geteuid() == 0, "only root may change its root folder")
    def test_it_trusts_the_authorities_that_it_brings_and_uses_its_identity(self):
        package = shutil.copytree(self.package, self.folder / "app")
        certificate = self.folder / "certificate.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                               "-subj", "/CN=storage", "-addext", "subjectAltName=IP:127.0.0.1",
                               "-keyout", certificate, "-out", self.folder / "authority"],
                              capture_output=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        authority = (self.folder / "authority").read_text()
        certificate.write_text(certificate.read_text() + authority)
        with open(package / "ca-certificates.crt", "a", encoding="ascii") as authorities:
            authorities.write(authority)
        storage = f"https://127.0.0.1:{serve(self, certificate)}/acct"
        settings = {"AzureWebJobsStorage__blobServiceUri": storage, "AzureWebJobsStorage__credential": "managedidentity",
                    "IDENTITY_ENDPOINT": f"http://127.0.0.1:{serve(self)}/token", "IDENTITY_HEADER": "secret-header"}
        function = self.in_empty_root(package, settings)
        status, answer = function.invoke(f"{storage}/input-data/a.csv", b"")
        self.assertEqual(status, 200, answer)
        self.assertIn("gone", answer["Logs"][0])
        for text in (function.stdout(), function.stderr()):
            self.assertNotIn(StorageOverTls.token, text)
            self.assertNotIn("secret-header", text)


if __name__ == "__main__":
    unittest.main()
