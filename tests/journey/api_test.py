"""Files scored through an API elsewhere: `watch --api`, against `dropscore serve` and against a server that speaks as the
original does."""
import http.server
import json
import re
import threading
import unittest

import support


class OriginalApi(http.server.BaseHTTPRequestHandler):
    """POST /predict takes {"csv_data": ...} as JSON and nothing else; a file of "busy" is refused twice before it."""
    seen = []
    busy = 0

    def do_GET(self):
        self.answer(200, {"status": "healthy", "model": "SVM", "features": 16})

    def do_POST(self):
        body = self.read_chunks()
        if self.headers["Content-Type"] != "application/json":
            return self.answer(415, {"success": False, "error": "send JSON"})
        csv = json.loads(body)["csv_data"]
        type(self).seen.append(csv)
        if "busy" in csv and type(self).busy < 2:
            type(self).busy += 1
            return self.answer(503, {"success": False, "error": "busy"})
        if "bad" in csv:
            return self.answer(400, {"success": False, "error": "the file is bad"})
        self.answer(200, {"predictions": [{"record_id": 0, "prediction": 1}], "success": True,
                          "summary": {"total_records": 1, "predicted_conversions": 1, "conversion_rate": 1.0}})

    def read_chunks(self):
        assert self.headers["Transfer-Encoding"] == "chunked"
        body = b""
        while (size := int(self.rfile.readline(), 16)) > 0:
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, document):
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *unused):
        pass


class ApiTest(support.JourneyTest):
    def watch_api(self, url, *more):
        running = self.start("watch", "--input", self.input, "--output", self.output, "--api", url, *more)
        return running.wait_for("watching")

    def start_original(self):
        OriginalApi.seen, OriginalApi.busy = [], 0
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OriginalApi)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def start_ours(self):
        serving = self.start("serve", "--model", self.model, "--port", "0").wait_for("serving")
        port = re.search(r"port=(\d+)", serving.text())[1]
        return f"http://127.0.0.1:{port}"

    def test_ours_gives_the_same_document_as_the_model_in_process(self):
        self.input.mkdir()
        many = support.run("sample", "--rows", 20_000, "--seed", 5).stdout
        (self.input / "a.csv").write_bytes(support.CUSTOMERS)
        (self.input / "many.csv").write_bytes(many)
        self.watch_api(self.start_ours())
        self.assertEqual(self.result("a.csv")["predictions"]["summary"]["total_records"], 3)
        self.result("many.csv")
        by_api = {name: self.result_path(name).read_bytes() for name in ("a.csv", "many.csv")}
        here = self.folder / "in-process"
        self.start("watch", "--input", self.input, "--output", here, "--model", self.model)
        for name, content in by_api.items():
            path = here / f"{name}.json"
            support.wait_until(path.exists, path)
            self.assertEqual(path.read_bytes(), content)

    def test_our_api_names_what_to_mend(self):
        self.input.mkdir()
        (self.input / "bad.csv").write_text("Age\n5\n")
        self.watch_api(self.start_ours())
        document = self.result("bad.csv")
        self.assertEqual(document["processing_status"], "error")
        self.assertIn("missing", document["error"])

    def test_the_original_is_sent_json(self):
        self.input.mkdir()
        text = 'a,b\n"x ""y"" \\ \t",1\r\nbusy é,2\n'
        (self.input / "a.csv").write_bytes(text.encode())
        (self.input / "bad.csv").write_text("a,b\nbad,1\n")
        self.watch_api(self.start_original())
        self.assertEqual(self.result("a.csv")["predictions"]["summary"]["total_records"], 1)
        self.assertEqual(self.result("bad.csv")["error"], "the file is bad")
        self.assertIn(text, OriginalApi.seen, "what arrived is what was in the file")

    def test_an_api_that_is_away_is_waited_for_and_the_file_then_set_aside(self):
        self.input.mkdir()
        (self.input / "a.csv").write_bytes(support.CUSTOMERS)
        running = self.watch_api("http://127.0.0.1:9", "--api-key", "a-secret-key")
        document = self.result("a.csv")
        self.assertIn("tried 5 times", document["error"])
        self.assertNotIn("127.0.0.1", json.dumps(document), "the customer learns no addresses")
        self.assertNotIn("a-secret-key", running.text())

    def test_the_key_goes_with_every_file(self):
        self.input.mkdir()
        (self.input / "a.csv").write_bytes(support.CUSTOMERS)
        keys = {"DROPSCORE_API_KEY": "new-0123456789abcdef,old-0123456789abcdef"}  # one setting for both, while it changes
        serving = self.start("serve", "--model", self.model, "--port", 0, env=keys).wait_for("port=")
        port = serving.text().split("port=")[1].split()[0]
        self.start("watch", "--input", self.input, "--output", self.output, "--api", f"http://127.0.0.1:{port}", env=keys)
        self.assertEqual(self.result("a.csv")["processing_status"], "success")

    def test_one_of_model_and_api_is_asked_for(self):
        done = support.run("watch", "--input", self.input, "--output", self.output)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--model MODEL_DIR or --api URL", done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
