"""`dropscore score` as a user runs it."""
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

from support import CUSTOMERS, JourneyTest, PROGRAM, run, wait_until

HEADER = ("CustomerID,Age,Gender,Income,CampaignChannel,CampaignType,AdSpend,ClickThroughRate,ConversionRate,WebsiteVisits,"
          "PagesPerVisit,TimeOnSite,SocialShares,EmailOpens,EmailClicks,PreviousPurchases,LoyaltyPoints,AdvertisingPlatform,"
          "AdvertisingTool")


def bad_rows(good):
    """The ten kinds of bad row, each made from a good one: (kind, bytes, column or None)."""
    cells = good.split(b",")

    def with_age(value):
        return b",".join([cells[0], value, *cells[2:]])

    return [
        ("text", with_age(b"forty"), "Age"),
        ("empty", with_age(b""), "Age"),
        ("category", b",".join([*cells[:4], b"Pigeon", *cells[5:]]), "CampaignChannel"),
        ("few", b",".join(cells[:7]), "ClickThroughRate"),
        ("nan", with_age(b"NaN"), "Age"),
        ("overflow", with_age(b"1e999"), "Age"),
        ("nul", with_age(b"4\x000"), "Age"),
        ("hexadecimal", with_age(b"0x28"), "Age"),
        ("long", with_age(b"4" * (1 << 20)), "Age"),
    ]


class ScoreTest(JourneyTest):
    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def test_json_on_standard_output(self):
        done = run("score", self.write("in.csv", CUSTOMERS), "--model", self.model)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertTrue(answer["success"])
        self.assertEqual([p["record_id"] for p in answer["predictions"]], [0, 1, 2])
        self.assertEqual(answer["summary"]["total_records"], 3)
        for prediction in answer["predictions"]:
            self.assertEqual(prediction["prediction_label"], "Will Convert" if prediction["prediction"] else "Will Not Convert")
            p = prediction["probability_conversion"]
            self.assertEqual(prediction["confidence"], max(p, 1 - p))

    def test_the_bytes_do_not_depend_on_the_number_of_threads(self):
        rows = run("sample", "--rows", 20000, "--seed", 5).stdout
        path = self.write("in.csv", rows.replace(b",Female,", b",\"Fe\nmale\",", 50).replace(b",Email,", b",Pigeon,", 70))
        scored = set()
        for form in ("json", "csv"):
            answers = {run("score", path, "--model", self.model, "--format", form, "--threads", n).stdout for n in (1, 2, 3)}
            self.assertEqual(len(answers), 1)
            scored.add(answers.pop().count(b"Convert"))
        self.assertEqual(len(scored), 1)
        self.assertTrue(19880 <= scored.pop() <= 19930)  # a row may be spoilt twice

    def test_standard_input_and_csv(self):
        done = run("score", "-", "--model", self.model, "--format", "csv", stdin=CUSTOMERS)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(len(lines), 4)
        self.assertTrue(lines[0].startswith("Age,Gender,"))
        self.assertTrue(lines[0].endswith(",prediction,prediction_label,probability_conversion,confidence,row_status"))
        self.assertTrue(lines[1].startswith("35,Male,75000,"))
        self.assertTrue(lines[1].endswith(",ok"))

    def test_an_output_file_appears_whole(self):
        out = self.folder / "out.csv"
        done = run("score", self.write("in.csv", CUSTOMERS), "--model", self.model, "--output", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(out.read_text().splitlines()), 4)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["in.csv", "out.csv"])

    def test_columns_in_any_order_extra_columns_and_a_german_excel(self):
        rows = [line.split(b",") for line in CUSTOMERS.split()] if b"Social" not in CUSTOMERS else [
            line.split(b",") for line in CUSTOMERS.splitlines()]
        turned = b"\r\n".join(b";".join([*reversed(row), "Zoë".encode()]) for row in rows)
        german = b"\xef\xbb\xbf" + turned.replace(b".", b",").replace("Zoë".encode(), b"Note", 1) + b"\r\n"
        plain = json.loads(run("score", self.write("a.csv", CUSTOMERS), "--model", self.model).stdout)
        done = run("score", self.write("b.csv", german), "--model", self.model)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["predictions"], plain["predictions"])

    def test_ten_thousand_rows_with_a_hundred_bad_ones_of_ten_kinds(self):
        lines = run("sample", "--rows", 10_000, "--seed", 5, "--unlabelled").stdout.splitlines()
        header, rows = lines[0], lines[1:]
        expected = {}
        spot = 0
        for repeat in range(11):
            for kind, row, column in bad_rows(rows[spot + 37]):
                spot += 97
                if len(expected) == 99:
                    break
                rows[spot] = row
                expected[spot + 2] = (kind, column)
        rows[-1] = b'9,"41,Female'
        expected[len(rows) + 1] = ("quote", "Age")
        self.assertEqual(len(expected), 100)
        done = run("score", self.write("in.csv", b"\n".join([header, *rows]) + b"\n"), "--model", self.model)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual({e["row"]: e["column"] for e in answer["errors"]}, {row: c for row, (_, c) in expected.items()})
        self.assertEqual(len(answer["errors"]), 100)
        reasons = {}
        for error in answer["errors"]:
            self.assertLessEqual(len(error["value"]), 64)
            reasons.setdefault(expected[error["row"]][0], set()).add(error["reason"])
        self.assertEqual({kind: len(texts) for kind, texts in reasons.items()}, {kind: 1 for kind in reasons})
        self.assertEqual(len(reasons), 10)
        scored = {p["record_id"] for p in answer["predictions"]}
        self.assertEqual(scored, set(range(10_000)) - {row - 2 for row in expected})
        self.assertEqual(answer["summary"]["total_records"], 9_900)
        self.assertEqual(answer["summary"]["rejected_records"], 100)

    def test_none_scored_is_an_error_document_and_exit_1(self):
        for options in ([], ["--output", self.folder / "out.json"]):
            done = run("score", self.write("in.csv", HEADER.encode() + b"\n1,x\n"), "--model", self.model, *options)
            self.assertEqual(done.returncode, 1)
            text = done.stdout if not options else (self.folder / "out.json").read_bytes()
            document = json.loads(text)
            self.assertFalse(document["success"])
            self.assertEqual(document["errors"][0]["row"], 2)
            self.assertIn(b"line 2", done.stderr)

    def test_a_refusal_never_bears_the_name_of_a_table(self):
        good, bad = self.write("good.csv", CUSTOMERS), self.write("bad.csv", HEADER.encode() + b"\n1,x\n")
        out, refused = self.folder / "out.csv", self.folder / "out.csv.error.json"
        done = run("score", bad, "--model", self.model, "--output", out)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"line 2", done.stderr)
        self.assertIn(str(refused).encode(), done.stderr)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.csv", "good.csv", "out.csv.error.json"])
        document = json.loads(refused.read_bytes())
        self.assertFalse(document["success"])
        self.assertEqual(document["errors"][0]["row"], 2)
        self.assertEqual(run("score", good, "--model", self.model, "--output", out).returncode, 0)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.csv", "good.csv", "out.csv"])
        scored = out.read_bytes()
        self.assertEqual(run("score", bad, "--model", self.model, "--output", out).returncode, 1)
        self.assertEqual(out.read_bytes(), scored)
        self.assertEqual(run("score", good, "--model", self.model, "--output", out, "--format", "json").returncode, 0)
        self.assertFalse(refused.exists())

    def test_an_output_that_ends_in_csv_is_one_in_any_case(self):
        done = run("score", self.write("IN.CSV", CUSTOMERS), "--model", self.model, "--output", self.folder / "OUT.CSV")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "OUT.CSV").read_bytes().startswith(CUSTOMERS.splitlines()[0] + b","))

    def test_a_refusal_of_csv_leaves_standard_output_empty(self):
        done = run("score", "-", "--model", self.model, "--format", "csv", stdin=HEADER.encode() + b"\n1,x\n")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"line 2", done.stderr)
        self.assertIn(b"--format json", done.stderr)

    def test_errors_say_what_to_mend(self):
        for content, words in (
            (CUSTOMERS.replace(b"AdSpend", b"Ad Spend"), b'"AdSpend" is missing'),
            (b"PK\x03\x04rest of a workbook", b"save it as CSV"),
            (b"", b"empty"),
            (HEADER.encode() + b"\n", b"put one row for each customer below the header"),
            (b"\x00\x01\x02binary\x00\n", b"not text"),
        ):
            done = run("score", self.write("in.csv", content), "--model", self.model)
            self.assertEqual(done.returncode, 1, content)
            self.assertIn(words.lower(), done.stderr.lower())
            self.assertFalse(json.loads(done.stdout)["success"])

    def test_max_errors_truncates_and_counts(self):
        rows = b"\n".join([HEADER.encode()] + [b"x"] * 50) + b"\n" + run("sample", "--rows", 1, "--unlabelled").stdout.splitlines()[1]
        done = run("score", self.write("in.csv", rows), "--model", self.model, "--max-errors", 10)
        answer = json.loads(done.stdout)
        self.assertEqual(len(answer["errors"]), 10)
        self.assertTrue(answer["errors_truncated"])
        self.assertEqual(sum(answer["errors_by_reason"].values()), 50)

    def test_exit_codes(self):
        self.assertEqual(run("score", "absent.csv", "--model", self.model).returncode, 1)
        self.assertEqual(run("score", self.write("in.csv", CUSTOMERS), "--model", self.folder / "none").returncode, 2)
        self.assertEqual(run("score", "a.csv", "--modle", self.model).returncode, 2)
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("serv").returncode, 2)
        self.assertEqual(run("--help").returncode, 0)
        for command in ("train", "score", "serve", "watch", "up", "evaluate", "inspect", "sample"):
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"xample" if command != "inspect" else b"MODEL_DIR", done.stdout)
        for command in ("function",):
            self.assertEqual(run(command).returncode, 2)

    def test_a_count_is_never_negative(self):
        for arguments in (["sample", "--rows", "-1"], ["sample", "--seed=-1"], ["sample", "--rows", "9" * 30],
                          ["score", "a.csv", "--model", self.model, "--max-errors", "-1"],
                          ["score", "a.csv", "--model", self.model, "--max-row-bytes", "-18446744073709551615"],
                          ["evaluate", "a.csv", "--model", self.model, "--seed", "-1"],
                          ["train", "a.csv", "--out", self.folder / "m", "--seed", "-1"],
                          ["function", "--port", "0", "--max-payload-bytes", "-1"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertRegex(done.stderr, rb"^dropscore: --[a-z-]+: -?\d+ is (negative|too great)")
        self.assertEqual(run("sample", env={"DROPSCORE_ROWS": "-1"}).returncode, 2)

    def test_a_full_disk_behind_standard_output_is_told(self):
        path = self.write("in.csv", run("sample", "--rows", 200).stdout)
        for arguments in (["inspect", self.model], ["inspect", self.model, "--json"], ["evaluate", path, "--model", self.model],
                          ["score", path, "--model", self.model], ["sample"], ["man"], ["--help"], ["serve", "--help"],
                          ["--version"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, timeout=300,
                                      check=False)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(b"No space left on device", done.stderr, arguments)

    def test_a_stop_signal_ends_it_as_a_shell_expects(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            waiting = subprocess.Popen([PROGRAM, "score", "-", "--model", self.model], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            status = pathlib.Path(f"/proc/{waiting.pid}/status")
            wait_until(lambda: int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16) >> (number - 1) & 1,
                       "a program that catches signals")
            waiting.send_signal(number)
            waiting.wait(timeout=60)  # its input stays open meanwhile
            _, told = waiting.communicate()
            self.assertEqual(waiting.returncode, -number)  # for a shell 130 or 143, and a loop ends with it
            self.assertIn(b"stopped", told)

    def test_a_mistyped_word_is_named_and_the_right_one_beside_it(self):
        for arguments, said in (
            (["serv"], b"unknown command 'serv'; did you mean 'serve'?"),
            (["serve", "--modle", self.model], b"unknown option '--modle'; did you mean '--model'?"),
            (["score", "a.csv", "--model", self.model, "--outptu", "b.csv"], b"unknown option '--outptu'; did you mean '--output'?"),
            (["inspect", self.model, "more"], b"'more' is one argument too many; `dropscore inspect --help`"),
        ):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertTrue(done.stderr.startswith(b"dropscore: " + said), done.stderr)

    def test_help_and_version_asked_for_in_other_programs_words(self):
        for arguments, meant in ((["help"], b"--help"), (["help", "serve"], b"serve --help"), (["help", "train"], b"train --help"),
                                 (["serve", "help"], b"serve --help"), (["version"], b"--version"), (["-v"], b"--version"),
                                 (["-V"], b"--version")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(b"did you mean `dropscore " + meant + b"`?", done.stderr)

    def test_a_command_line_that_is_refused_is_an_event_where_the_log_is_json(self):
        wrong = self.write("wrong.toml", b"nonsense = 1\n")
        for arguments, said in (
            ([], "which command?"),
            (["serv"], "unknown command 'serv'"),
            (["function"], "--port is required"),
            (["serve"], "--model is required"),
            (["serve", "--modle", "m"], "unknown option '--modle'"),
            (["serve", "--model", "m", "--port", "x"], "--port: Value x"),
            (["--config", wrong, "sample"], "--config: not understood: nonsense"),
            (["--config", self.folder / "none.toml", "sample"], "none.toml was not readable"),
            (["serve", "--log-level", "loud", "--model", "m"], "--log-level: loud"),
        ):
            option = [*arguments, "--log-format", "json"]
            for given, env in ((arguments, {"DROPSCORE_LOG_FORMAT": "json"}), (option, {}),
                               (option, {"DROPSCORE_LOG_FORMAT": "text"})):
                done = run(*given, env=env)
                self.assertEqual((done.returncode, done.stdout), (2, b""), given)
                event = json.loads(done.stderr)  # one line, and nothing else
                self.assertEqual((event["level"], event["event"], event["exit_code"]), ("error", "failed", 2))
                self.assertIn(said, event["error"])
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(b"dropscore: "), done.stderr)
            self.assertIn(said.encode(), done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_a_wrong_value_is_blamed_on_where_it_stands(self):
        config = self.write("wrong.toml", b'[serve]\nport = "x"\n')
        serve = ["serve", "--model", "m"]
        for arguments, env, said in (
            ([*serve, "--port", "x"], {}, b"dropscore: --port: Value x not in range"),
            ([*serve, "--port=x"], {"DROPSCORE_PORT": "y"}, b"dropscore: --port: Value x not in range"),
            (serve, {"DROPSCORE_PORT": "x"}, b"dropscore: DROPSCORE_PORT: --port: Value x not in range"),
            (["--config", config, *serve], {"DROPSCORE_PORT": "1"}, b"dropscore: --config: --port: Value x not in range"),
            (serve, {"DROPSCORE_LOG_FORMAT": "xml"}, b"dropscore: DROPSCORE_LOG_FORMAT: --log-format: xml not in {text,json}"),
        ):
            done = run(*arguments, env=env)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(said), done.stderr)

    def test_remarks_are_events_where_the_log_is_json(self):
        spoilt = CUSTOMERS.decode().replace("Male", "", 1)
        path = self.write("utf16.csv", b"\xff\xfe" + spoilt.encode("utf-16-le"))
        done = run("score", path, "--model", self.model, "--log-format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        note, rejected = map(json.loads, done.stderr.splitlines())
        self.assertEqual((note["event"], note["note"]), ("input_note", "read as UTF-16LE"))
        self.assertEqual((rejected["event"], rejected["rows"], rejected["rejected"]), ("rows_rejected", 2, 1))
        done = run("score", path, "--model", self.model)
        self.assertEqual(done.stderr, b"dropscore: note: read as UTF-16LE\n"
                                      b"dropscore: 2 rows scored, 1 rejected; \"errors\" say why\n")

    def test_options_from_the_environment_and_a_file(self):
        path = self.write("in.csv", CUSTOMERS)
        self.assertEqual(run("score", path, env={"DROPSCORE_MODEL": str(self.model)}).returncode, 0)
        self.assertEqual(run("score", path, env={"MODEL_DIR": str(self.model)}).returncode, 0)
        config = self.write("dropscore.toml", f'[score]\nmodel = "{self.model}"\nformat = "csv"\n'.encode())
        done = run("--config", config, "score", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(b"Age,"))
        done = run("score", path, env={"DROPSCORE_CONFIG": str(config)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(b"Age,"))
        other = self.write("other.toml", f'[score]\nmodel = "{self.model}"\n'.encode())
        self.assertTrue(run("score", path, "--config", other, env={"DROPSCORE_CONFIG": str(config)}).stdout.startswith(b"{"))
        done = run("score", path, "--model", self.model, env={"DROPSCORE_CONFIG": str(self.folder / "none.toml")})
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"none.toml was not readable", done.stderr)

    def test_a_file_of_options_that_is_not_understood_is_refused(self):
        path = self.write("in.csv", CUSTOMERS)
        for text, blamed in ((b'[score]\nmodle = "x"', b"score.modle"), (b"[scroe]\nthreads = 1", b"scroe"),
                             (b"nonsense = 1", b"nonsense"), (b"[score\nthreads = 1", b"[score"),
                             (b'[score]\nlog-format = "json"', b"score.log-format")):
            done = run("--config", self.write("wrong.toml", text + b"\n"), "score", path, "--model", self.model)
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(blamed, done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_the_last_word_is_json_where_the_log_is(self):
        done = run("--log-format", "json", "score", self.write("in.csv", CUSTOMERS), "--model", self.folder / "none")
        last = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual((last["event"], last["level"], last["exit_code"]), ("failed", "error", 2))

    def test_a_damaged_model_is_refused(self):
        copy = self.folder / "damaged"
        copy.mkdir()
        text = (self.model / "model.json").read_bytes()
        copy.joinpath("model.json").write_bytes(text.replace(b'"rho"', b'"rhp"', 1))
        done = run("score", self.write("in.csv", CUSTOMERS), "--model", copy)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"checksum", done.stderr)


if __name__ == "__main__":
    unittest.main()
