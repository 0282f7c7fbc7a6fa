"""A kill campaign: files come, change, move and go while `dropscore watch` is killed again and again.

Whatever the moments, in the end every file has exactly one result, byte for byte that of an undisturbed run, and nothing
else lies in the output folder. On the way, whatever is visible there is whole and right for some version of its file.

`make prove SEED=n` draws the same files, actions and pauses again; what the machine does between them is its own.
Run by tools/prove.sh; kills_test.py runs a short one in `make test`.
"""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import threading
import time
import unittest

from support import JourneyTest, Running, run, wait_until

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
WAIT_FOR_KILL_SECONDS = ((0.0, 0.06), (0.06, 0.5))  # while it starts, or while it works


class Contents:
    """What files hold: good rows, some bad rows, nothing but bad ones, no table at all. No two alike."""

    def __init__(self, rng):
        lines = run("sample", "--rows", 30_000, "--seed", rng.randrange(10**6), "--unlabelled").stdout.splitlines(True)
        self.rng, self.header, self.rows = rng, lines[0], lines[1:]

    def draw(self):
        rng = self.rng
        count = rng.choice([1, 3, 3, 40, 40, 1000, 8000])
        start = rng.randrange(len(self.rows) - count)
        rows = self.rows[start:start + count]
        kind = rng.choice(["good"] * 6 + ["some bad", "all bad", "no columns", "binary"])
        if kind == "some bad":
            rows = [row if rng.random() < 0.8 else b"," + row for row in rows]
        elif kind == "all bad":
            rows = [b"not,a,customer\n" for _ in rows]
        elif kind == "no columns":
            return b"name,city\n" + b"a,%d\n" % rng.randrange(10**9) * count
        elif kind == "binary":
            return b"PK\x03\x04\0\0" + rng.randbytes(200)
        return self.header + b"".join(rows)


class Writer:
    """The customer: acts on the input folder by a plan that is drawn beforehand, and notes what each name ever held."""

    def __init__(self, folder, rng, count, seconds):
        self.folder, self.seconds = folder, seconds
        self.held = {}          # name -> every content it was given
        self.rewritten = set()  # names written in place more than once
        self.failure = None
        contents = Contents(rng)
        self.plan = []
        for i in range(count):
            name = f"{rng.choice(['', '', 'north/', 'süd/2026/'])}customers {i}.csv"
            steps = [("write", name, contents.draw(), rng.choice(["close", "slowly", "rename"]))]
            if rng.random() < 0.4:
                steps.append(("write", name, contents.draw(), rng.choice(["close", "slowly", "rename"])))
            if rng.random() < 0.15:
                steps.append(("move", name, f"moved/{i}.csv", None))
            elif rng.random() < 0.1:
                steps += [("remove", name, None, None), ("write", name, steps[-1][2], "rename")]
            self.plan += zip(sorted(rng.random() for _ in steps), steps)
        self.plan.sort(key=lambda entry: entry[0])
        self.thread = threading.Thread(target=self.act, daemon=True)

    def act(self):
        begin = time.monotonic()
        try:
            for moment, (what, name, argument, how) in self.plan:
                time.sleep(max(0.0, begin + moment * self.seconds - time.monotonic()))
                path = self.folder / name
                if what == "write":
                    self.write(path, name, argument, how)
                elif what == "move":
                    self.held.setdefault(argument, []).append(self.held[name][-1])
                    (self.folder / argument).parent.mkdir(exist_ok=True)
                    path.rename(self.folder / argument)
                else:
                    path.unlink()
        except Exception as failure:  # shown by the test's own thread
            self.failure = failure

    def write(self, path, name, content, how):
        if name in self.held and how != "rename":
            self.rewritten.add(name)
        self.held.setdefault(name, []).append(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        if how == "rename":
            hidden = path.with_name(f".{path.name}.writing")
            hidden.write_bytes(content)
            hidden.rename(path)
            return
        with open(path, "wb", buffering=0) as file:
            half = len(content) // 2 if how == "slowly" else 0
            file.write(content[:half])
            if half:
                time.sleep(0.05)
            file.write(content[half:])


class Campaign(JourneyTest):
    def results_in(self, output):
        return {p.relative_to(output).as_posix(): p for p in output.rglob("*")
                if p.is_file() and ".dropscore" not in p.relative_to(output).parts}

    def undisturbed(self, files):
        """The results of one run that nobody disturbs: name -> bytes. `files`: name -> content."""
        folder = self.folder / "undisturbed"
        for name, content in files.items():
            path = folder / "input-data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        output = folder / "output-results"
        running = self.start("watch", "--input", folder / "input-data", "--output", output, "--model", self.model)
        wait_until(lambda: len(self.results_in(output)) == len(files), "the undisturbed results")
        self.assertEqual(running.stop(), 0)
        results = {name[:-len(".json")]: path.read_bytes() for name, path in self.results_in(output).items()}
        shutil.rmtree(folder)
        return results

    def check_visible(self, writer, right):
        """Every visible result is whole, and right for a version that its file had. Returns how many are not."""
        halves = 0
        for name, path in self.results_in(self.output).items():
            blob = name[:-len(".json")]
            seen = json.loads(path.read_bytes())
            self.assertEqual(seen.pop("blob_name"), f"input-data/{blob}")
            if seen in [right[content] for content in list(writer.held[blob])]:
                continue
            # Closed, taken, and opened again between the look and the read: then the half was the file's content.
            self.assertIn(blob, writer.rewritten, f"{name} is no version's result: {str(seen)[:300]}")
            halves += 1
        return halves

    def campaign(self, files, kills):
        print(f"\nSEED={SEED}: {files} files, {kills} kills", flush=True)
        rng = random.Random(SEED)
        writer = Writer(self.input, rng, files, seconds=kills * 0.25)
        versions = {content: f"{i}.csv" for i, content in enumerate({step[2] for _, step in writer.plan if step[0] == "write"})}
        results = self.undisturbed({name: content for content, name in versions.items()})
        right = {content: json.loads(results[name]) for content, name in versions.items()}
        for document in right.values():
            del document["blob_name"]

        self.input.mkdir(parents=True)
        writer.thread.start()
        begin = time.monotonic()
        halves = finished = amid = 0
        for _ in range(kills):
            running = Running("watch", "--input", self.input, "--output", self.output, "--model", self.model)
            self.addCleanup(running.close)
            time.sleep(rng.uniform(*rng.choice(WAIT_FOR_KILL_SECONDS)))
            self.assertIsNone(running.process.poll(), running.text())
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
            finished += running.text().count(" file_done ")
            amid += any((self.output / ".dropscore" / "tmp").glob("*"))
            halves += self.check_visible(writer, right)
        killing = time.monotonic() - begin
        writer.thread.join()
        if writer.failure:
            raise writer.failure

        final = {p.relative_to(self.input).as_posix(): p.read_bytes() for p in self.input.rglob("*") if p.is_file()}
        expected = self.undisturbed(final)
        running = self.watch().wait_for("watching")  # a stop that comes before would end it as any young process

        def wrong():
            seen = self.results_in(self.output)
            return [name for name, content in expected.items()
                    if f"{name}.json" not in seen or seen[f"{name}.json"].read_bytes() != content]
        begin = time.monotonic()
        try:
            wait_until(lambda: not wrong(), "every file's right result")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; wrong: {wrong()[:10]}; log: {running.text()[-3000:]}") from None
        healing = time.monotonic() - begin
        self.assertEqual(running.stop(), 0, running.text())
        self.assertEqual(wrong(), [])

        gone = {name for name in writer.held if name not in final}
        stray = set(self.results_in(self.output)) - {f"{name}.json" for name in set(final) | gone}
        self.assertEqual(stray, set(), "files in the output folder that are nobody's result")
        self.assertEqual(self.check_visible(writer, right), 0)
        self.assertEqual(list((self.output / ".dropscore" / "tmp").glob("*")), [])
        changed = [name for name, content in final.items() if (self.input / name).read_bytes() != content]
        self.assertEqual(changed, [], "the input folder is only read")
        print(f"  {len(final)} files right, {len(writer.plan)} actions, {kills} kills in {killing:.1f} s, {amid} of them amid a "
              f"result ({finished} results finished between them, {halves} of half a file that was rewritten in place), "
              f"all results there {healing:.2f} s after the last start", flush=True)


class ProveKills(Campaign):
    def test_a_hundred_files_and_sixty_kills(self):
        self.campaign(files=100, kills=60)


class ProveStop(JourneyTest):
    """SIGTERM while work is under way: it is finished, and the program ends with 0."""

    def up(self):
        running = self.start("up", "--dir", self.folder, "--model", self.model, "--port", 0).wait_for("dropscore is up")
        return running, int(running.text().split("http://127.0.0.1:")[1].split("/")[0])

    def test_a_stream_under_way_is_answered(self):
        rows = 400_000
        body = run("sample", "--rows", rows, "--unlabelled").stdout
        running, port = self.up()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        third = len(body) // 3

        def send_rest():
            connection.sock.sendall(body[:third])
            running.process.send_signal(signal.SIGTERM)
            for at in range(third, len(body), 1 << 20):
                connection.sock.sendall(body[at:at + (1 << 20)])
                time.sleep(0.01)
        sender = threading.Thread(target=send_rest)
        sender.start()
        document = json.loads(connection.getresponse().read())
        sender.join()
        connection.close()
        self.assertEqual(document["summary"]["total_records"], rows)
        self.assertEqual(running.process.wait(timeout=60), 0, running.text())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def test_a_file_under_way_gets_its_result(self):
        rows = 400_000
        content = run("sample", "--rows", rows, "--unlabelled").stdout
        running, _ = self.up()
        (self.input / "big.csv").write_bytes(content)
        wait_until(lambda: list((self.output / ".dropscore" / "tmp").glob("*")), "the file to be under way")
        self.assertFalse(self.result_path("big.csv").exists())
        self.assertEqual(running.stop(), 0, running.text())
        document = json.loads(self.result_path("big.csv").read_bytes())
        self.assertEqual(document["predictions"]["summary"]["total_records"], rows)
        self.assertEqual(list((self.output / ".dropscore" / "tmp").glob("*")), [])


if __name__ == "__main__":
    unittest.main()
