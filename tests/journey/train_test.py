"""`dropscore train` and `inspect` as a user runs them."""
import json
import signal
import time
import unittest

from support import JourneyTest, run, run_as_nobody


class TrainTest(JourneyTest):
    def sample(self, rows=400, seed=3):
        path = self.folder / f"{seed}.csv"
        path.write_bytes(run("sample", "--rows", rows, "--seed", seed).stdout)
        return path

    def test_report_and_document(self):
        report = self.folder / "report.json"
        done = run("train", self.sample(), "--out", self.folder / "m", "--report", report, "--models", "svm", "--set",
                   "svm.C=3")
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
        self.assertIn(b"## Limits of use", shown.stdout)
        self.assertTrue((self.folder / "m" / "MODEL_CARD.md").exists())

    def test_the_default_tries_every_model_and_warns_of_none_that_is_better_than_saying_yes(self):
        report = self.folder / "report.json"
        done = run("train", self.sample(800), "--out", self.folder / "m", "--report", report)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, b"", "quiet when piped")
        document = json.loads(report.read_text())
        self.assertEqual({c["model"] for c in document["candidates"]},
                         {"additive", "boosted", "forest", "svm", "logistic", "constant"})
        losses = [c["cross_validated"]["log_loss"] for c in document["candidates"]]
        self.assertEqual(losses, sorted(losses))
        for candidate in document["candidates"]:
            self.assertEqual(sum(candidate["holdout"]["confusion"].values()), 160)
            low, high = candidate["holdout"]["intervals_95"]["log_loss"]
            self.assertLessEqual(low, candidate["holdout"]["log_loss"])
            self.assertGreaterEqual(high, candidate["holdout"]["log_loss"])

    def test_evaluate_gives_the_training_reports_figures_on_the_same_rows(self):
        report, figures = self.folder / "report.json", self.folder / "figures.json"
        held = self.sample(300, seed=4)
        run("train", self.sample(), "--out", self.folder / "m", "--models", "additive", "--holdout", held, "--report", report)
        done = run("evaluate", held, "--model", self.folder / "m", "--report", figures)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(figures.read_text())["evaluation"],
                         json.loads(report.read_text())["candidates"][0]["holdout"])

    def test_thresholds_by_purpose(self):
        thresholds = {}
        for rule in ("mcc", "f1", "accuracy", "recall>=0.9", "0.25", "profit:value=60,cost=4"):
            report = self.folder / "report.json"
            done = run("train", self.sample(), "--out", self.folder / "m", "--models", "logistic", "--threshold", rule,
                       "--report", report)
            self.assertEqual(done.returncode, 0, done.stderr)
            candidate = json.loads(report.read_text())["candidates"][0]
            thresholds[rule] = candidate["decision"]["threshold"]
            if rule.startswith("recall"):
                self.assertGreaterEqual(candidate["cross_validated"]["recall"], 0.9)
        self.assertEqual(thresholds["0.25"], 0.25)
        self.assertAlmostEqual(thresholds["profit:value=60,cost=4"], 4 / 60)

    def test_interrupted_training_leaves_no_model(self):
        data = self.sample(8000)
        running = self.start("train", data, "--out", self.folder / "m", "--search", "full")
        time.sleep(0.5)
        self.assertEqual(running.stop(signal.SIGINT), -signal.SIGINT)
        self.assertIn("stopped", running.text())
        self.assertFalse((self.folder / "m").exists())

    def test_a_folder_that_may_not_be_written_in_is_told_before_the_data_is_read(self):
        self.class_folder.chmod(0o755)
        self.folder.chmod(0o777)
        closed = self.folder / "closed"
        closed.mkdir(mode=0o555)
        absent = self.folder / "absent.csv"
        for out, report, lacks in ((closed, None, closed), (closed / "to" / "make", None, closed),
                                   (self.folder / "m", closed / "report.json", closed),
                                   (self.folder / "m", closed / "to" / "make" / "report.json", closed)):
            done = run_as_nobody("train", absent, "--out", out, *(["--report", report] if report else []))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"lacks the right to write in {lacks} ".encode(), done.stderr)
        for judge in (("train", absent, "--out", self.folder / "m"), ("evaluate", absent, "--model", self.folder / "m")):
            done = run(*judge, "--report", closed)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"Is a directory", done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [closed])

    def test_folders_made_for_a_training_that_fails_are_taken_away(self):
        kept = self.folder / "kept"
        kept.mkdir()
        report = self.folder / "also" / "new" / "report.json"
        done = run("train", self.folder / "absent.csv", "--out", kept / "a" / "b", "--report", report)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"absent.csv", done.stderr)
        self.assertEqual(list(self.folder.rglob("*")), [kept])
        done = run("train", self.sample(), "--models", "constant", "--out", kept / "a" / "b", "--report", report)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(p.name for p in (kept / "a" / "b").iterdir()), ["MODEL_CARD.md", "model.json"])
        self.assertEqual(list(report.parent.iterdir()), [report])

    def test_the_same_twice_and_on_any_number_of_threads(self):
        data = self.sample()
        documents = set()  # they hold the figures of every model that was tried
        for threads in (["--threads", 1], ["--threads", 2], ["--threads", 5], ["--threads", 0], []):
            done = run("train", data, "--out", self.folder / "m", *threads)
            self.assertEqual(done.returncode, 0, done.stderr)
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
        done = run("train", data, "--out", self.folder / "m", "--models", "additive,svm")
        self.assertEqual(done.returncode, 0, done.stderr)
        scored = json.loads(run("score", data, "--model", self.folder / "m").stdout)
        self.assertEqual(scored["summary"]["total_records"], 400)


if __name__ == "__main__":
    unittest.main()
