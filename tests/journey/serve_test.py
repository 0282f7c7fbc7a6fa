"""`dropscore serve` as the original's clients call it."""
import json
import unittest

from support import CUSTOMERS, JourneyTest, request, run

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

    def test_a_long_file_is_streamed(self):
        sample = run("sample", "--rows", 20_000, "--unlabelled").stdout
        status, headers, body = self.ask("POST", "/predict", sample, CSV)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["summary"]["total_records"], 20_000)
        self.assertEqual(headers["Transfer-Encoding"], "chunked")


if __name__ == "__main__":
    unittest.main()
