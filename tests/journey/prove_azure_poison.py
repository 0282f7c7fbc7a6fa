"""50 bad files among 500: each gets an error document that says what to mend, every good one its result, and the good ones'
throughput falls by less than 5 %.

Bad: empty, binary, wrong columns, 0 rows, a gigabyte in a single line, deleted before it was read.

Throughput is measured so: all blobs and events are there, in blocks of 45 good files of 20,000 rows (2 MB); every other block
has 5 bad ones among them, at random places. A worker goes through all of them, and a block lasts from the last file of the one
before it to its own last file, by the worker's log. Two neighbours, one with bad files and one without, are a pair, in random
order; the median over all pairs counts, since the emulator and its disk are a quarter faster or slower from one run to the
next. What a file of each kind took a thread of the worker is printed too.

Run by tools/prove.sh; azure_test.py runs a short one without the gigabyte.
"""
import collections
import datetime
import json
import os
import random
import statistics
import time
import unittest

from azure_support import AzureTest, records
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

    def one_run(self, blocks):
        """Events of all blocks' files in their order; a worker until all is done. The seconds that each block took, and the
        worker's records of files."""
        grid = self.grid()
        for block in blocks:
            for name, etag in block.items():
                grid.notify(self.container, name, etag)
        worker = self.watch("--sweep-interval-ms", 60_000)
        wait_until(lambda: self.files_done(worker) >= sum(map(len, blocks)), "all files", seconds=600, pause=0.25)
        self.stop(worker)
        said = records(worker.text(), "file_done")
        self.end(worker)
        done = {record["blob"]: moment(record) for record in said}
        ends = [min(moment(record) - record["duration_ms"] / 1000 for record in said)]
        ends += [max(done[name] for name in block) for block in blocks]
        return [end - before for before, end in zip(ends, ends[1:])], said

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

    def campaign(self, pairs, good_count, bad_count, rows, kinds, rounds):
        """`good_count` good files a block, and `bad_count` bad ones in one of each pair. By how much of itself the throughput
        of the good ones falls where bad ones are among them."""
        print(f"\n  SEED={SEED}", flush=True)
        rng = random.Random(SEED)
        good = self.make_good(2 * pairs * good_count, rows)
        good_etags = {name: self.upload(name, content) for name, content in good.items()}
        ratios = []
        took = collections.defaultdict(list)  # milliseconds of a thread, by kind
        bad = {}
        for turn in range(rounds):
            bad = self.upload_bad(pairs * bad_count, kinds)
            rest_good, rest_bad = list(good), list(bad)
            blocks, mixed = [], []
            for which in range(2 * pairs):
                if which % 2 == 0:
                    mixed.append(which + rng.randrange(2))
                names = [rest_good.pop() for _ in range(good_count)]
                names += [rest_bad.pop() for _ in range(bad_count if which == mixed[-1] else 0)]
                rng.shuffle(names)
                blocks.append({name: bad[name][1] if name in bad else good_etags[name] for name in names})
            seconds, said = self.one_run(blocks)
            ratios += [seconds[at ^ 1] / seconds[at] for at in mixed]
            for record in said:
                took[bad[record["blob"]][0] if record["blob"] in bad else "good"].append(record["duration_ms"])
            if turn + 1 == rounds:
                break
            self.clear_results()
            for name in bad:
                self.blobs.delete(self.container, name)
        self.check_results(good, bad)
        fall = 1 - statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
        each = ", ".join(f"{kind} {statistics.median(ms):.0f}" for kind, ms in sorted(took.items()))
        print(f"  {len(good)} good files of {rows} rows, {len(bad)} bad ones: error documents and results right; the good ones' "
              f"throughput falls by {100 * fall:.1f} % (median of {len(ratios)} pairs of blocks, half of them between "
              f"{100 * (1 - high):.1f} % and {100 * (1 - low):.1f} %); a file took a thread, in ms: {each}", flush=True)
        return fall


class ProveAzurePoison(Poison):
    azurite_options = {"disk": True}

    def test_50_bad_among_500(self):
        fall = self.campaign(pairs=10, good_count=45, bad_count=5, rows=20_000, kinds=list(SAYS), rounds=6)
        self.assertLess(fall, 0.05)


if __name__ == "__main__":
    unittest.main()
