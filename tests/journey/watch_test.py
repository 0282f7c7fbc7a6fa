"""The journey itself: files dropped in a folder, results beside them, whatever happens meanwhile."""
import json
import os
import signal
import socket
import time
import unittest

from support import CUSTOMERS, JourneyTest, run, run_as_nobody, wait_until


class WatchTest(JourneyTest):
    def drop(self, name, content=CUSTOMERS):
        path = self.input / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.writing")
        hidden.write_bytes(content)
        hidden.rename(path)
        return path

    def test_a_dropped_file_comes_back(self):
        self.watch().wait_for("watching")
        self.drop("customers.csv")
        document = self.result("customers.csv")
        self.assertEqual(document["blob_name"], "input-data/customers.csv")
        self.assertEqual(document["processing_status"], "success")
        self.assertEqual(document["predictions"]["summary"]["total_records"], 3)

    def test_a_folder_that_it_makes_is_named(self):
        self.input.mkdir()
        worker = self.watch()
        worker.wait_for("watching")
        self.assertIn(f"folder_made folder={self.output}", worker.text())
        self.assertNotIn(f"folder_made folder={self.input}", worker.text())

    def test_files_that_lay_there_before_and_in_subfolders(self):
        self.drop("before.csv")
        self.watch().wait_for("watching")
        self.assertEqual(self.result("before.csv")["processing_status"], "success")
        self.drop("2026/november/late comers é.csv")
        self.assertEqual(self.result("2026/november/late comers é.csv")["blob_name"],
                         "input-data/2026/november/late comers é.csv")

    def test_a_file_is_taken_only_once_its_writer_has_closed_it(self):
        self.watch("--sweep-interval-ms", 50).wait_for("watching")
        with open(self.input / "slow.csv", "wb") as slow:
            slow.write(CUSTOMERS[:200])
            slow.flush()
            self.drop("quick.csv")
            self.result("quick.csv")
            time.sleep(0.5)  # several sweeps
            self.assertFalse(self.result_path("slow.csv").exists())
            slow.write(CUSTOMERS[200:])
        self.assertEqual(self.result("slow.csv")["predictions"]["summary"]["total_records"], 3)

    def test_ignored_names(self):
        self.watch("--sweep-interval-ms", 50).wait_for("watching")
        for name in (".hidden.csv", "~lock.csv", "a.tmp", "a.part"):
            (self.input / name).write_bytes(CUSTOMERS)
        self.drop("last.csv")
        self.result("last.csv")
        time.sleep(0.2)
        self.assertEqual([p.name for p in self.output.glob("*.json")], ["last.csv.json"])

    def test_bad_files_get_error_documents_and_good_ones_their_results(self):
        self.watch().wait_for("watching")
        self.drop("book.xlsx", b"PK\x03\x04...")
        self.drop("empty.csv", b"")
        self.drop("good.csv")
        self.assertEqual(self.result("good.csv")["processing_status"], "success")
        for name in ("book.xlsx", "empty.csv"):
            document = self.result(name)
            self.assertEqual(document["processing_status"], "error")
            self.assertEqual(document["blob_name"], f"input-data/{name}")
            self.assertTrue(document["error"])

    def test_a_folder_without_the_right_to_it_is_told_at_the_start(self):
        self.class_folder.chmod(0o755)
        self.folder.chmod(0o755)
        prepared = self.output / ".dropscore"
        prepared.mkdir(parents=True)
        self.input.mkdir()
        watch = ["watch", "--input", self.input, "--output", self.output, "--model", self.model]
        up = ["up", "--dir", self.folder, "--model", self.model, "--port", 0]
        for input_mode, output_mode, prepared_mode, lacks in (
            (0o755, 0o555, 0o777, f"write in {self.output} "),
            (0o755, 0o777, 0o555, f"write in {prepared} "),
            (0o333, 0o777, 0o777, f"read {self.input}/ "),
            (0o666, 0o777, 0o777, f"enter {self.input} "),
        ):
            for folder, mode in ((self.input, input_mode), (self.output, output_mode), (prepared, prepared_mode)):
                folder.chmod(mode)
            for command in (watch, up):
                done = run_as_nobody(*command)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(f"lacks the right to {lacks}".encode(), done.stderr)
                self.assertNotIn(b"set_aside_failed", done.stderr)
        for folder in (self.input, self.output, prepared):
            folder.chmod(0o755)
        elsewhere = self.folder / "closed"
        elsewhere.mkdir(mode=0o555)
        done = run_as_nobody("watch", "--input", self.input, "--output", elsewhere / "out", "--model", self.model)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"lacks the right to write in {elsewhere} ".encode(), done.stderr)
        self.assertEqual([*self.output.iterdir(), *prepared.iterdir(), *elsewhere.iterdir()], [prepared], "no probe is left")

    def test_a_changed_file_gets_a_new_result_and_the_old_content_the_old_bytes(self):
        self.watch().wait_for("watching")
        self.drop("a.csv")
        self.result("a.csv")
        first = self.result_path("a.csv").read_bytes()
        self.drop("a.csv", b"\n".join(CUSTOMERS.splitlines()[:2]) + b"\n")
        wait_until(lambda: self.result_path("a.csv").read_bytes() != first, "a new result")
        self.assertEqual(self.result("a.csv")["predictions"]["summary"]["total_records"], 1)
        self.drop("a.csv")
        wait_until(lambda: self.result_path("a.csv").read_bytes() == first, "the first result again, byte for byte")

    def test_a_restart_scores_what_came_meanwhile_and_nothing_twice(self):
        running = self.watch().wait_for("watching")
        self.drop("a.csv")
        self.result("a.csv")
        self.assertEqual(running.stop(), 0)
        before = self.result_path("a.csv").stat()
        self.drop("b.csv")
        again = self.watch().wait_for("watching")
        self.result("b.csv")
        again.wait_for("blob=b.csv")
        self.assertNotIn("blob=a.csv", again.text())
        after = self.result_path("a.csv").stat()
        self.assertEqual((before.st_mtime_ns, before.st_ino), (after.st_mtime_ns, after.st_ino))

    def test_a_new_model_rescores_only_when_asked(self):
        running = self.watch().wait_for("watching")
        self.drop("a.csv")
        self.result("a.csv")
        running.stop()
        first = self.result_path("a.csv").read_bytes()
        other = self.train(self.folder / "other", seed=2)
        running = self.start("watch", "--input", self.input, "--output", self.output, "--model", other).wait_for("watching")
        self.drop("b.csv")
        self.result("b.csv")
        self.assertEqual(self.result_path("a.csv").read_bytes(), first)
        running.stop()
        self.start("watch", "--input", self.input, "--output", self.output, "--model", other, "--rescore")
        wait_until(lambda: self.result_path("a.csv").read_bytes() != first, "a result of the new model")

    def test_a_killed_worker_loses_nothing_and_leaves_no_rubbish(self):
        sample = run("sample", "--rows", 20_000, "--unlabelled").stdout
        undisturbed = self.folder / "once.json"
        (self.folder / "big.csv").write_bytes(sample)
        run("score", self.folder / "big.csv", "--model", self.model, "--output", undisturbed)
        for attempt in range(4):
            running = self.watch().wait_for("watching")
            if attempt == 0:
                self.drop("big.csv", sample)
            time.sleep(0.05 * (attempt + 1))
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            if self.result_path("big.csv").exists():
                json.loads(self.result_path("big.csv").read_text())  # whole or not at all
        self.watch().wait_for("watching")
        document = self.result("big.csv")
        self.assertEqual(document["predictions"], json.loads(undisturbed.read_text()))
        shown = [p.relative_to(self.output).as_posix() for p in self.output.rglob("*") if ".dropscore" not in p.parts]
        self.assertEqual(shown, ["big.csv.json"])
        self.assertEqual(list((self.output / ".dropscore" / "tmp").glob("*")), [])

    def test_a_second_stop_signal_ends_it_at_once_and_leaves_what_a_kill_would(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # an API that takes requests and never answers
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            running = self.start("watch", "--input", self.input, "--output", self.output, "--api", url, "--drain-s", 3600)
            running.wait_for("watching")
            self.drop("a.csv", CUSTOMERS)
            held, _ = silent.accept()
            self.addCleanup(held.close)
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("stopping")
            begin = time.monotonic()
            self.assertEqual(running.stop(signal.SIGINT), 128 + signal.SIGINT)
            self.assertLess(time.monotonic() - begin, 30)
        self.assertFalse(self.result_path("a.csv").exists())
        self.watch()
        self.assertEqual(self.result("a.csv")["processing_status"], "success")

    def test_equal_or_nested_folders_are_a_usage_error(self):
        for output in (self.input, self.input / "results", self.input.parent):
            done = run("watch", "--input", self.input, "--output", output, "--model", self.model)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(b"the same or one lies in the other", done.stderr)

    def test_logs_hold_no_customers_data(self):
        running = self.watch("--log-format", "json").wait_for("watching")
        self.drop("a.csv", CUSTOMERS + b"secretvalue,Male,1,Email,Retention,1,1,1,1,1,1,1,1,1,1,1\n")
        self.result("a.csv")
        running.wait_for('"file_done"')
        running.stop()
        for line in running.text().splitlines():
            self.assertIn("time", json.loads(line))
        self.assertNotIn("secretvalue", running.text())
        self.assertNotIn("75000", running.text())


class UpTest(JourneyTest):
    def test_api_and_trigger_in_one_process_and_a_graceful_end(self):
        running = self.start("up", "--dir", self.folder, "--model", self.model, "--port", 0).wait_for("dropscore is up")
        (self.input / "a.csv").write_bytes(CUSTOMERS)
        self.assertEqual(self.result("a.csv")["processing_status"], "success")
        self.assertEqual(running.stop(signal.SIGINT), 0)

    def test_a_second_stop_signal_does_not_wait(self):
        for started, command in (("dropscore is up", ["up", "--dir", self.folder]), (" serving ", ["serve"])):
            running = self.start(*command, "--model", self.model, "--port", 0, "--stop-delay-s", 3600)
            running.wait_for(started)
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("stopping")
            running.process.send_signal(signal.SIGHUP)  # no wish to end it: a model may be published at any time
            self.assertEqual(running.stop(), 128 + signal.SIGTERM)

    def test_a_taken_port_is_named(self):
        running = self.start("up", "--dir", self.folder, "--model", self.model, "--port", 0).wait_for("dropscore is up")
        port = running.text().split("http://127.0.0.1:")[1].split("/")[0]
        done = run("serve", "--model", self.model, "--port", port)
        self.assertEqual(done.returncode, 1)  # whoever has it may leave it
        self.assertIn(port.encode(), done.stderr)

    def test_a_taken_port_is_found_before_any_file_is_scored(self):
        self.input.mkdir()
        for i in range(20):
            (self.input / f"{i}.csv").write_bytes(CUSTOMERS)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("up", "--dir", self.folder, "--model", self.model, "--port", taken.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(b"file_done", done.stderr)
        self.assertEqual(list(self.output.glob("*.json")), [])

    def test_without_a_model_it_says_how_to_get_one(self):
        done = run("up", "--dir", self.folder, "--port", 0)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"dropscore train", done.stderr)


if __name__ == "__main__":
    unittest.main()
