"""A gigabyte through every door in under 64 MiB: good rows, bad rows of every kind, no rows at all.

Each case prints its peak resident memory (the kernel's own count), its time and its rate, and checks what came out.
PROVE_BYTES sets another size than 1 GB. Run by tools/prove.sh, not by `make test`: it takes minutes and 3 GB of disk.
"""
import http.client
import os
import subprocess
import sys
import threading
import time
import unittest

from support import PROGRAM, JourneyTest, run

SIZE = int(os.environ.get("PROVE_BYTES") or 10**9)
LIMIT_BYTES = 64 << 20
CASE_SECONDS = 600  # a busy machine's; an idle one takes 10

# A process's peak is counted from before its exec, when it was still a copy of this one: so a small process starts it.
# That one takes 14 MiB itself: a figure near it means that or less.
MEASURE = """
import os, subprocess, sys, threading, time
begin = time.monotonic()
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
watchdog = threading.Timer(float(sys.argv[1]), process.kill)
watchdog.daemon = True
watchdog.start()
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, time.monotonic() - begin)
"""


def high_water_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def head(path, count=400):
    with open(path, "rb") as file:
        return file.read(count).decode(errors="replace")


def tail(path, count=400):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - count))
        return file.read().decode(errors="replace")


class ProveMemory(JourneyTest):
    @classmethod
    def train(cls, folder, seed):
        """A model so small that the reading is what takes the time."""
        data = folder.parent / "train.csv"
        data.write_bytes(run("sample", "--rows", 200, "--seed", seed).stdout)
        done = run("train", data, "--out", folder, "--models", "svm")
        assert done.returncode == 0, done.stderr
        return folder

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sample = run("sample", "--rows", 50_000, "--unlabelled").stdout.splitlines(True)
        cls.header, cls.rows = sample[0], sample[1:]
        cls.good = cls.class_folder / "good.csv"
        cls.good_rows = cls.repeat(cls.good, cls.header, cls.rows)
        print(f"\nfiles of {SIZE / 1e9:.2f} GB, {cls.good_rows} good rows; the limit is {LIMIT_BYTES >> 20} MiB", flush=True)

    @staticmethod
    def repeat(path, header, rows):
        """Writes the header and the rows, over and over, until SIZE; returns the number of rows."""
        block = b"".join(rows)
        times = max(1, (SIZE - len(header)) // len(block))
        with open(path, "wb") as file:
            file.write(header)
            for _ in range(times):
                file.write(block)
        return times * len(rows)

    def report(self, what, size, peak, seconds):
        print(f"  {what:<58} {peak / (1 << 20):6.1f} MiB {seconds:7.1f} s {size / 1e6 / seconds:7.0f} MB/s", flush=True)
        self.assertGreater(peak, 0)
        self.assertLess(peak, LIMIT_BYTES, what)

    def score(self, what, path, *arguments, output=None, expect=0, stdin=False):
        """Runs `dropscore score` on the file under measure; returns the end of its answer and of its words."""
        said = self.folder / "stderr"
        source = open(path, "rb") if stdin else subprocess.DEVNULL
        command = [PROGRAM, "score", "-" if stdin else path, "--model", self.model, *arguments]
        if output:
            command += ["--output", output]
        with open(said, "wb") as errors:
            done = subprocess.run([sys.executable, "-c", MEASURE, str(CASE_SECONDS), *map(str, command)], stdin=source,
                                  stdout=subprocess.PIPE, stderr=errors, check=True)
        if stdin:
            source.close()
        code, peak_kib, seconds = done.stdout.split()
        self.report(what, os.path.getsize(path), int(peak_kib) << 10, float(seconds))
        self.assertEqual(int(code), expect, tail(said))
        answer = ""
        if output:
            answer = head(output) + tail(output)
            output.unlink()
        return answer, tail(said)

    def bad_file(self, rows):
        path = self.folder / "bad.csv"
        self.addCleanup(path.unlink, missing_ok=True)
        self.repeat(path, self.header, rows)
        return path

    def raw_file(self, begin, block, size=SIZE):
        path = self.folder / "raw.csv"
        self.addCleanup(path.unlink, missing_ok=True)
        with open(path, "wb") as file:
            file.write(begin)
            for _ in range(size // len(block)):
                file.write(block)
        return path

    def check_all_refused(self, what, path, says="none of the"):
        answer, said = self.score(f"{what} -> JSON, file", path, output=self.folder / "answer.json", expect=1)
        self.assertIn('"success": false', answer)
        self.assertIn(says, said)
        _, said = self.score(f"{what} -> CSV, /dev/null", path, "--format", "csv", expect=1)
        self.assertIn(says, said)

    # Good rows.

    def test_good_json(self):
        self.score("good rows -> JSON, /dev/null", self.good)
        answer, _ = self.score("good rows -> JSON, file", self.good, output=self.folder / "answer.json")
        self.assertIn(f'"total_records":{self.good_rows}', answer.replace(" ", ""))

    def test_good_csv(self):
        self.score("good rows -> CSV, /dev/null", self.good, "--format", "csv")
        answer, _ = self.score("good rows, standard input -> CSV, file", self.good, "--format", "csv",
                               output=self.folder / "answer.csv", stdin=True)
        last = answer.splitlines()[-1].encode()
        self.assertTrue(last.startswith(self.rows[-1].strip()), last)

    def test_half_of_the_rows_bad(self):
        rows = [row if i % 2 else b"," + row for i, row in enumerate(self.rows)]
        answer, _ = self.score("every other row bad -> JSON, file", self.bad_file(rows), output=self.folder / "answer.json")
        self.assertIn('"errors_truncated":true', answer.replace(" ", ""))

    # Nothing but bad rows.

    def test_every_row_bad(self):
        cells = [row.rstrip(b"\n").split(b",") for row in self.rows]
        kinds = [
            lambda row, i: b",".join(row[:3]),                                  # too few cells
            lambda row, i: b",".join([*row, b"more", b"cells"]),                # too many
            lambda row, i: b",".join([row[0], b"old %d" % i, *row[2:]]),        # no number, each another
            lambda row, i: b",".join([*row[:2], b"gender %d" % i, *row[3:]]),   # unknown category, each another
            lambda row, i: b"," * (len(row) - 1),                               # empty cells
            lambda row, i: b",".join([row[0], b"\xff\xfe\x00%d" % i, *row[2:]]),  # not text
            lambda row, i: b",".join([row[0], b"9" * 400, *row[2:]]),           # overflow
            lambda row, i: b'"' + b",".join(row),                               # a quote that the next such row closes
        ]
        rows = [kinds[i % len(kinds)](row, i) + b"\n" for i, row in enumerate(cells)]
        self.check_all_refused("bad rows of eight kinds", self.bad_file(rows))

    def test_a_single_line(self):
        self.check_all_refused("one line after the header", self.raw_file(self.header, b"abc,defg" * 10_000))

    def test_an_unclosed_quote(self):
        self.check_all_refused("an unclosed quote", self.raw_file(self.header + b'"', b"abc,def\n" * 10_000))

    # Stranger still, a quarter of the size.

    def test_no_header(self):
        self.check_all_refused("one line, no header", self.raw_file(b"", b"abc,defg" * 10_000, SIZE // 4),
                               says="The header")

    def test_blank_lines(self):
        self.check_all_refused("blank lines", self.raw_file(self.header, b"\n" * 100_000, SIZE // 4), says="no rows")

    def test_short_rows(self):
        self.check_all_refused("rows of one byte", self.raw_file(self.header, b"x\n" * 50_000, SIZE // 4))

    def test_commas(self):
        self.check_all_refused("rows of 500,000 empty cells",
                               self.raw_file(self.header, b"," * 499_999 + b"\n", SIZE // 4))

    def test_quotes(self):
        self.check_all_refused("nothing but quotes", self.raw_file(self.header, b'"' * 99_999 + b"\n", SIZE // 4))

    def test_zeros(self):
        self.check_all_refused("zero bytes after the header", self.raw_file(self.header, bytes(100_000), SIZE // 4))

    # The other doors.

    def test_dropped(self):
        running = self.watch().wait_for("watching")
        begin = time.monotonic()
        os.link(self.good, self.input / ".good.writing")
        (self.input / ".good.writing").rename(self.input / "good.csv")
        end = begin + CASE_SECONDS
        while not self.result_path("good.csv").exists() and time.monotonic() < end:
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        self.report("good rows, dropped: drop -> result (read twice: ETag)", SIZE, high_water_bytes(running.process.pid), seconds)
        self.assertEqual(running.stop(), 0, running.text())
        self.assertIn(f'"total_records":{self.good_rows}', tail(self.result_path("good.csv")).replace(" ", ""))
        self.result_path("good.csv").unlink()

    def test_posted(self):
        running = self.start("serve", "--model", self.model, "--port", 0).wait_for("port=")
        port = int(running.text().split("port=")[1].split()[0])
        begin = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CASE_SECONDS)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Content-Length", str(os.path.getsize(self.good)))
        connection.endheaders()

        def send():
            with open(self.good, "rb") as file:
                connection.sock.sendfile(file)
        sender = threading.Thread(target=send, daemon=True)  # the answer comes while the question goes
        sender.start()
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        end = b""
        while block := answer.read(1 << 20):
            end = (end + block)[-400:]
        sender.join()
        connection.close()
        seconds = time.monotonic() - begin
        self.report("good rows, POST /predict", SIZE, high_water_bytes(running.process.pid), seconds)
        self.assertIn(f'"total_records":{self.good_rows}', end.decode().replace(" ", ""))
        self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    unittest.main()
