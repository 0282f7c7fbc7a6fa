"""`dropscore train` and `inspect` as a user runs them."""
import json
import unittest

from support import JourneyTest, run


class TrainTest(JourneyTest):
    def sample(self, rows=400, seed=3):
        path = self.folder / f"{seed}.csv"
        path.write_bytes(run("sample", "--rows", rows, "--seed", seed).stdout)
        return path

    def test_report_and_document(self):
        report = self.folder / "report.json"
        done = run("train", self.sample(), "--out", self.folder / "m", "--report", report, "--set", "svm.C=3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"held out", done.stdout)
        document = json.loads(report.read_text())
        candidate = document["candidates"][0]
        self.assertEqual(candidate["parameters"]["C"], "3")
        self.assertEqual(sum(candidate["holdout"]["confusion"].values()), 80)
        self.assertEqual(len(candidate["support_vectors"]), 2)
        self.assertEqual([c["name"] for c in document["data"]["dropped_columns"]],
                         ["CustomerID", "AdvertisingPlatform", "AdvertisingTool"])
        model = json.loads((self.folder / "m" / "model.json").read_text())
        self.assertEqual(model["format"], "dropscore-model")
        self.assertIn(document["model_version"], model["checksum"])
        shown = run("inspect", self.folder / "m")
        self.assertEqual(shown.returncode, 0)
        self.assertIn(document["model_version"].encode(), shown.stdout)
        self.assertIn(b"CampaignChannel", shown.stdout)

    def test_the_same_twice_and_with_one_thread_or_two(self):
        data = self.sample()
        documents = set()
        for threads in (1, 2, 2):
            run("train", data, "--out", self.folder / "m", "--threads", threads)
            documents.add((self.folder / "m" / "model.json").read_bytes())
        self.assertEqual(len(documents), 1)

    def test_usage_errors(self):
        data = self.sample()
        for wrong in (["--models", "oracle"], ["--set", "svm.Q=1"], ["--set", "C=1"], ["--threshold", "best"],
                      ["--calibration", "magic"], ["--holdout", "sklearn:x"], ["--unknown", "maybe"]):
            done = run("train", data, "--out", self.folder / "m", *wrong)
            self.assertEqual(done.returncode, 2, (wrong, done.stderr))
            self.assertFalse((self.folder / "m").exists())

    def test_tables_that_cannot_be_learned_from(self):
        done = run("train", self.sample(), "--out", self.folder / "m", "--target", "Convertion")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'nearest is "Conversion"', done.stderr)
        constant = self.folder / "constant.csv"
        constant.write_bytes(b"a,Conversion\n" + b"1,1\n2,1\n" * 30)
        self.assertEqual(run("train", constant, "--out", self.folder / "m").returncode, 1)

    def test_missing_values_and_other_labels(self):
        lines = run("sample", "--rows", 400, "--seed", 9).stdout.decode().splitlines()
        rows = [line.split(",") for line in lines]
        for i, row in enumerate(rows[1:]):
            row[-1] = "yes" if row[-1] == "1" else "no"
            if i % 7 == 0:
                row[3] = ""
        data = self.folder / "gaps.csv"
        data.write_text("\n".join(",".join(row) for row in rows) + "\n")
        done = run("train", data, "--out", self.folder / "m")
        self.assertEqual(done.returncode, 0, done.stderr)
        scored = json.loads(run("score", data, "--model", self.folder / "m").stdout)
        self.assertEqual(scored["summary"]["total_records"], 400)


if __name__ == "__main__":
    unittest.main()
