"""`dropscore serve` as the original's clients call it."""
import json
import socket
import unittest

from support import CUSTOMERS, DEADLINE_SECONDS, JourneyTest, request, run, wait_until

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


def record():
    names, values = (line.decode().split(",") for line in CUSTOMERS.splitlines()[:2])
    return {name: float(value) if value.replace(".", "", 1).isdigit() else value for name, value in zip(names, values)}


class ServeTest(JourneyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from support import Running
        cls.running = Running("serve", "--model", cls.model, "--port", 0)
        cls.addClassCleanup(cls.running.close)
        cls.running.wait_for("port=")
        cls.port = int(cls.running.text().split("port=")[1].split()[0])

    def ask(self, method, path, body=None, headers=None):
        return request(self.port, method, path, body, headers)

    def test_health(self):
        status, headers, body = self.ask("GET", "/health")
        self.assertEqual(status, 200)
        answer = json.loads(body)
        self.assertEqual((answer["status"], answer["model"], answer["features"]), ("healthy", "SVM", 16))

    def test_the_three_json_bodies_and_raw_csv_agree(self):
        expected = json.loads(run("score", "-", "--model", self.model, "--precision", "double", stdin=CUSTOMERS).stdout)
        bodies = [
            (json.dumps({"csv_data": CUSTOMERS.decode()}), JSON, 3),
            (CUSTOMERS, CSV, 3),
            (json.dumps([record()]), JSON, 1),
            (json.dumps(record()), JSON, 1),
        ]
        for body, headers, count in bodies:
            status, _, answer = self.ask("POST", "/predict", body, headers)
            self.assertEqual(status, 200, answer)
            document = json.loads(answer)
            self.assertTrue(document["success"])
            self.assertEqual(document["summary"]["total_records"], count)
            for got, want in zip(document["predictions"], expected["predictions"]):
                self.assertEqual(got["prediction"], want["prediction"])
                self.assertAlmostEqual(got["probability_conversion"], want["probability_conversion"], delta=1e-5)

    def test_csv_answers(self):
        status, headers, body = self.ask("POST", "/predict", CUSTOMERS, {**CSV, "Accept": "text/csv"})
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/csv"))
        self.assertEqual(len(body.splitlines()), 4)

    def test_refusals_are_problem_documents(self):
        cases = [
            ("GET", "/nothing", None, {}, 404),
            ("GET", "/predict", None, {}, 405),
            ("POST", "/predict", b"{", JSON, 400),
            ("POST", "/predict", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            ("POST", "/predict", CUSTOMERS, {**CSV, "Accept": "image/png"}, 406),
            ("POST", "/predict", b'{"Age": "old"}', JSON, 422),
            ("POST", "/predict", b"Age\nold\n", CSV, 422),
        ]
        for method, path, body, headers, expected in cases:
            status, answer_headers, answer = self.ask(method, path, body, headers)
            self.assertEqual(status, expected, (method, path, answer))
            self.assertEqual(answer_headers["Content-Type"], "application/problem+json")
            problem = json.loads(answer)
            self.assertFalse(problem["success"])
            self.assertEqual(problem["status"], expected)
            self.assertTrue(problem["title"])

    def test_the_log_counts_rows_of_every_kind_of_body(self):
        good, bad = record(), {**record(), "Age": "old"}
        columns = CUSTOMERS.splitlines()[0]
        broken = CUSTOMERS + b"," * columns.count(b",") + b"\n"
        cases = [
            (json.dumps(good), JSON, 1, 0),
            (json.dumps([good, bad, good]), JSON, 2, 1),
            (json.dumps([good] * 400 + [bad]), JSON, 400, 1),  # over 64 KiB, and so not scored where it was read
            (json.dumps(bad), JSON, 0, 1),
            ("{}", JSON, 0, 1),
            (json.dumps({"csv_data": broken.decode()}), JSON, 3, 1),
            (broken, CSV, 3, 1),
        ]
        for number, (body, headers, rows, rejected) in enumerate(cases):
            name = f"counted-{number}"
            self.ask("POST", "/predict", body, {**headers, "X-Request-Id": name})
            def line():
                return next((line for line in self.running.text().splitlines() if f"request_id={name}" in line), None)
            self.assertRegex(wait_until(line, "the request's line"), rf" rows={rows} rejected={rejected} ", name)

    def test_a_long_file_is_streamed(self):
        sample = run("sample", "--rows", 20_000, "--unlabelled").stdout
        status, headers, body = self.ask("POST", "/predict", sample, CSV)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["summary"]["total_records"], 20_000)
        self.assertEqual(headers["Transfer-Encoding"], "chunked")


FIRST = "first-secret-0123456789abcdef"
SECOND = "second-secret-0123456789abcdef"


class KeyTest(JourneyTest):
    """Who may ask, on a server that listens beyond this machine."""

    def serve(self, *more, env=None):
        running = self.start("serve", "--model", self.model, "--host", "0.0.0.0", "--port", 0, *more, env=env)
        running.wait_for("port=")
        return running, int(running.text().split("port=")[1].split()[0])

    def predict(self, port, headers):
        return request(port, "POST", "/predict", json.dumps(record()), {**JSON, **headers})

    def status(self, port, key):
        return self.predict(port, {"X-API-Key": key})[0]

    def test_a_key_by_either_header(self):
        running, port = self.serve(env={"DROPSCORE_API_KEY": f"{FIRST}, {SECOND}"})
        self.assertEqual(request(port, "GET", "/health")[0], 200)
        status, headers, body = self.predict(port, {})
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.assertFalse(json.loads(body)["success"])
        for key in (FIRST, SECOND):
            self.assertEqual(self.status(port, key), 200)
            self.assertEqual(self.predict(port, {"Authorization": f"Bearer {key}"})[0], 200)
        self.assertEqual(self.status(port, "wrong-secret-0123456789abcdef"), 401)
        self.assertEqual(running.stop(), 0)
        self.assertNotIn("secret", running.text())
        self.assertNotIn("open_to_everybody", running.text())

    def test_a_large_body_without_a_key_is_refused_before_it_is_sent(self):
        _, port = self.serve(env={"DROPSCORE_API_KEY": FIRST})
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                               b"Content-Length: 10000000000\r\n\r\n")
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 401 "))

    def test_keys_of_a_file_change_without_a_restart(self):
        keys = self.folder / "keys"

        def put(text):
            """At once, so that what is said of it can be counted."""
            (self.folder / "next").write_text(text)
            (self.folder / "next").rename(keys)
        put(f"{FIRST}\n")
        running, port = self.serve("--api-key-file", keys, "--log-level", "debug")
        self.assertEqual((self.status(port, FIRST), self.status(port, SECOND)), (200, 401))
        put(f"{FIRST}\n{SECOND}\n")
        wait_until(lambda: self.status(port, SECOND) == 200, "the new key to be valid")
        self.assertEqual(self.status(port, FIRST), 200)
        put(f"{SECOND}\n")
        wait_until(lambda: self.status(port, FIRST) == 401, "the old key to have ended")
        put("short\n")
        running.wait_for("api_keys_kept")
        self.assertEqual(self.status(port, SECOND), 200, "a file that holds no key changes nothing")
        keys.unlink()
        wait_until(lambda: running.text().count("api_keys_kept") == 2, "the missing file to be said")
        self.assertEqual(self.status(port, SECOND), 200)
        self.assertNotIn("secret", running.text())
        self.assertNotIn("short", running.text())

    def test_beyond_this_machine_only_with_a_key_or_said_aloud(self):
        for arguments in (["serve", "--model", self.model], ["up", "--dir", self.folder, "--model", self.model]):
            done = run(*arguments, "--host", "0.0.0.0", "--port", 0)
            self.assertEqual(done.returncode, 2)
            for mend in ("DROPSCORE_API_KEY", "127.0.0.1", "--insecure-open"):
                self.assertIn(mend, done.stderr.decode())
        running, port = self.serve("--insecure-open")
        self.assertEqual(self.predict(port, {})[0], 200)
        running.wait_for("open_to_everybody")

    def test_help_and_errors_never_show_a_key(self):
        for command in ("serve", "up", "watch", "function"):
            done = run(command, "--help", env={"DROPSCORE_API_KEY": FIRST})
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"DROPSCORE_API_KEY", done.stdout)
            self.assertNotIn(b"secret", done.stdout)
        for key in ("secret", "secret with spaces in it", "secret-" * 30):
            done = run("serve", "--model", self.model, "--port", 0, env={"DROPSCORE_API_KEY": key})
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"openssl rand", done.stderr)
            self.assertNotIn(b"secret", done.stderr)


if __name__ == "__main__":
    unittest.main()
