"""50 bad files among 500: each gets an error document that says what to mend, every good one its result, and the good ones'
throughput falls by less than 5 %.

Bad: empty, binary, wrong columns, 0 rows, a gigabyte in a single line, deleted before it was read.

Throughput is measured so: all blobs and events are there; a worker starts; the time from its first file to its last good
one, by its own log. Once without the bad ones and once with them among the others, at random places, in turn, three times;
the medians are compared. A bad file costs some requests, as many as a good one, and the reading of what has to be read; how
much that is beside the good ones depends on how much these hold. Here: 20,000 rows, 2 MB. What one costs is printed.

Run by tools/prove.sh; azure_test.py runs a short one without the gigabyte.
"""
import datetime
import json
import os
import random
import statistics
import time
import unittest

from azure_support import AzureTest, processor_seconds, records
from support import CUSTOMERS, run, wait_until

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
GIGABYTE = 10**9
BLOCK_BYTES = 8 << 20
# What the error document has to say, for the customer to know what to mend.
SAYS = {
    "empty": "empty",
    "binary": "CSV",
    "columns": "column",
    "no rows": "no rows",
    "one line": "header",
    "deleted": "deleted",
}


def single_line(size):
    """Blocks of a file of that size without an end of line."""
    block = b"abc,defg" * (BLOCK_BYTES // 8)
    for at in range(0, size, BLOCK_BYTES):
        yield block[:min(BLOCK_BYTES, size - at)]


def moment(record):
    return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()


class Poison(AzureTest):
    def make_good(self, count, rows):
        """Good files, no two alike."""
        sample = run("sample", "--rows", rows + count, "--seed", SEED, "--unlabelled").stdout.splitlines(True)
        header, rest = sample[0], sample[1:]
        return {f"good {i}.csv": header + b"".join(rest[i:i + rows]) for i in range(count)}

    def upload_bad(self, count, kinds):
        """Uploads bad files of each kind in turn; name -> (kind, ETag). A gigabyte: once, or more often where there are
        kinds of it enough."""
        header = CUSTOMERS.splitlines(True)[0]
        bad = {}
        for i in range(count):
            kind = kinds[i % len(kinds)]
            name = f"bad {i} {kind}.csv"
            if kind == "one line":
                bad[name] = kind, self.blobs.put_blocks(self.container, name, single_line(GIGABYTE))
                kinds = [other for other in kinds if other != kind]
                continue
            content = {"empty": b"", "binary": b"PK\x03\x04\0\0" + bytes(range(256)) * 4, "no rows": header,
                       "columns": b"name,city\n" + b"a,%d\n" % i * 1000, "deleted": CUSTOMERS}[kind]
            bad[name] = kind, self.blobs.put(self.container, name, content)
            if kind == "deleted":
                self.blobs.delete(self.container, name)
        return bad

    def one_run(self, good, bad, rng, *more):
        """Events of both, shuffled; a worker until all is done. Seconds from the first file to the last good one."""
        grid = self.grid()
        etags = {name: info["etag"] for name, info in self.blobs.list(self.container).items()}
        etags.update({name: etag for name, (_, etag) in bad.items()})
        names = [*good, *bad]
        rng.shuffle(names)
        for name in names:
            grid.notify(self.container, name, etags[name])
        spent = self.azurite.processor_seconds()
        worker = self.watch("--sweep-interval-ms", 60_000)

        wait_until(lambda: self.files_done(worker) >= len(names), "all files", seconds=600, pause=0.25)
        self.spent.append(processor_seconds(worker.process.pid) + self.azurite.processor_seconds() - spent)
        self.stop(worker)
        said = records(worker.text(), "file_done")
        started = min(moment(record) - record["duration_ms"] / 1000 for record in said)
        ended = max(moment(record) for record in said if record["blob"] in good)
        self.end(worker)
        return ended - started

    def check_results(self, good, bad):
        for name in good:
            document = json.loads(self.blobs.get(self.results, f"{name}.json").body)
            self.assertEqual(document["processing_status"], "success", name)
            self.assertEqual(document["predictions"]["summary"]["total_records"], good[name].count(b"\n") - 1, name)
        for name, (kind, _) in bad.items():
            answer = self.blobs.get(self.results, f"{name}.json")
            document = json.loads(answer.body)
            self.assertEqual(document["processing_status"], "error", name)
            self.assertEqual(document["blob_name"], f"{self.container}/{name}")
            self.assertIn(SAYS[kind], document["error"], name)
            self.assertEqual(answer.metadata["processing_status"], "error")

    def clear_results(self):
        for name in self.blobs.list(self.results):
            self.blobs.delete(self.results, name)

    def campaign(self, good_count, bad_count, rows, kinds, rounds):
        print(f"\n  SEED={SEED}", flush=True)
        rng = random.Random(SEED)
        good = self.make_good(good_count, rows)
        for name, content in good.items():
            self.upload(name, content)
        seconds = {"without": [], "with": []}
        self.spent = []  # processor seconds of worker and emulator, run by run
        bad = {}
        for turn in range(rounds):
            seconds["without"].append(self.one_run(good, {}, rng))
            self.clear_results()
            bad = self.upload_bad(bad_count, kinds)
            seconds["with"].append(self.one_run(good, bad, rng))
            if turn + 1 == rounds:
                break
            self.clear_results()
            for name in bad:
                self.blobs.delete(self.container, name)
        self.check_results(good, bad)
        kind_counts = {kind: sum(1 for k, _ in bad.values() if k == kind) for kind in kinds}
        without, among = (statistics.median(seconds[key]) for key in ("without", "with"))
        fall = 1 - without / among
        good_cost, bad_cost = without / good_count, (among - without) / bad_count
        print(f"  {good_count} good files of {rows} rows, {bad_count} bad ones {kind_counts}: error documents and results right; "
              f"until the last good one {without:.2f} s without, {among:.2f} s with the bad ones (medians of {rounds}; "
              f"{[round(s, 2) for s in seconds['without']]}, {[round(s, 2) for s in seconds['with']]}): "
              f"throughput of the good ones falls by {100 * fall:.1f} %; a good file "
              f"costs {1000 * good_cost:.0f} ms, a bad one {1000 * bad_cost:.0f} ms; processor seconds of worker and emulator "
              f"{[round(s, 1) for s in self.spent[::2]]} without, {[round(s, 1) for s in self.spent[1::2]]} with", flush=True)
        return fall


class ProveAzurePoison(Poison):
    azurite_options = {"disk": True}

    def test_50_bad_among_500(self):
        fall = self.campaign(good_count=450, bad_count=50, rows=20_000, kinds=list(SAYS), rounds=3)
        self.assertLess(fall, 0.05)


if __name__ == "__main__":
    unittest.main()
