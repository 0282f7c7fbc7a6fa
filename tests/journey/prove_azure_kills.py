"""Nothing lost, nothing twice, on the emulator: workers on one queue are killed again and again while files come.

300 files, some uploaded anew later, two workers, 200 times `kill -9`; events duplicated, reordered, in every form, 5 % of
them dropped. In the end every file has exactly one result, byte for byte that of an undisturbed run over the same blobs,
and no version of a file ever had two.

`make prove SEED=n` draws the same files, events and pauses again. Run by tools/prove.sh; azure_test.py runs a short one.
"""
import collections
import os
import random
import signal
import threading
import time
import unittest

from azure_support import AzureTest, Observer, records
from prove_kills import Contents

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
STARTING_SECONDS, WORKING_SECONDS = 0.1, 0.4  # a kill comes so much after the start at most, or after that has been done
SECONDS_A_KILL = 0.25  # about what one takes; the files come meanwhile
HEALING_SECONDS = 300
SWEEPS = ("--sweep-interval-ms", 2000)  # what no event told of; a lost event waits for two


class Customer:
    """Uploads files by a plan that is drawn beforehand; Event Grid tells of them as it does."""

    def __init__(self, test, rng, count, seconds, grid):
        self.test, self.grid, self.seconds, self.failure = test, grid, seconds, None
        contents = Contents(rng)
        self.plan = []
        for i in range(count):
            name = f"{rng.choice(['', '', 'north/', 'süd/2026/'])}customers {i} +é%.csv"
            moments = sorted(rng.random() for _ in range(2 if rng.random() < 0.15 else 1))
            self.plan += [(moment, name, contents.draw()) for moment in moments]
        self.plan.sort(key=lambda step: step[0])
        self.thread = threading.Thread(target=self.act, daemon=True)

    def act(self):
        begin = time.monotonic()
        try:
            for moment, name, content in self.plan:
                time.sleep(max(0.0, begin + moment * self.seconds - time.monotonic()))
                self.test.upload(name, content, self.grid)
            self.grid.flush()
        except Exception as failure:  # shown by the test's own thread
            self.failure = failure


class Campaign(AzureTest):
    def campaign(self, files, kills, workers=2):
        print(f"\n  SEED={SEED}", flush=True)
        rng = random.Random(SEED)
        grid = self.grid(schema="any", encoding="any", duplicate=0.25, drop=0.05, reorder=10, rng=random.Random(SEED + 1))
        customer = Customer(self, rng, files, kills * SECONDS_A_KILL, grid)
        observer = Observer(self.blobs, self.results)
        pool = [self.watch(*SWEEPS) for _ in range(workers)]
        customer.thread.start()
        begin = time.monotonic()
        for _ in range(kills):
            victim = rng.randrange(workers)
            if rng.random() < 0.25:
                time.sleep(rng.uniform(0, STARTING_SECONDS))
            else:
                pool[victim].wait_for("watching")
                time.sleep(rng.uniform(0, WORKING_SECONDS))
            pool[victim].process.send_signal(signal.SIGKILL)
            self.end(pool[victim])
            pool[victim] = self.watch(*SWEEPS)
        killing = time.monotonic() - begin
        customer.thread.join()
        self.assertIsNone(customer.failure)
        begin = time.monotonic()
        self.wait_for_all(HEALING_SECONDS)
        healing = time.monotonic() - begin
        self.wait_for_empty_queue(HEALING_SECONDS)
        for worker in pool:
            self.stop(worker)
            self.end(worker)
        said = list(self.said)
        before = self.blobs.list(self.results)
        right = self.check_right()
        self.assertEqual(self.blobs.list(self.results), before, "results that were written again")
        self.assertEqual(observer.published_twice(), [])
        self.check_published_once(said)
        self.assertEqual(self.dead_letters(), [], "good files in the dead-letter queue")
        self.assertEqual(len(right), files)
        text = "\n".join(said)
        again = sum(1 for record in records(text, "file_done") if record["attempt"] > 1)
        print(f"  {files} files right in {len(customer.plan)} uploads, {kills} kills of {workers} workers in {killing:.1f} s, {again} "
              f"messages finished by another worker than the first that took them; events: "
              f"{grid.sent} sent, {grid.duplicated} of them duplicates, {grid.dropped} dropped, "
              f"{sum(r['blobs'] for r in records(text, 'events_made_up_for'))} made up for by sweeps; "
              f"{len(observer.seen)} results seen, all published once; "
              f"all there {healing:.1f} s after the last start", flush=True)

    def check_published_once(self, said):
        """By the workers' own words: who finds a result there says `already_done`, so each version is published once. The
        undisturbed run has a container of its own, and is not among them."""
        published = collections.Counter((r["blob"], r["etag"]) for text in said
                                        for r in records(text, "file_done") if r["outcome"] in ("scored", "error_document"))
        self.assertEqual([key for key, count in published.items() if count > 1], [])


class ProveAzureKills(Campaign):
    def test_300_files_and_200_kills(self):
        self.campaign(files=300, kills=200)


if __name__ == "__main__":
    unittest.main()
