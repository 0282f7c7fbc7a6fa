"""A bad network and a busy service between the program and the emulator: no wrong row, and no more tries than the policy's.

Two campaigns through fault_proxy.py, which resets connections at random bytes, truncates, stalls, answers 429, 500 and 503
with every form of Retry-After, loses answers, and puts another version in place of a blob that is being read:

- the store alone (tests/azure/transfer.cc): 1,000 uploads and 1,000 downloads, every byte checked;
- the journey: workers score 1,000 files, with queue and blobs both behind the proxy; every result is byte for byte that of
  an undisturbed run over the same blobs.

`make prove SEED=n` draws the same faults; which request meets which depends on the machine. Run by tools/prove.sh;
azure_test.py runs a short one.
"""
import collections
import json
import os
import random
import subprocess
import threading
import time
import unittest

from azure_support import AzureTest, records
from fault_proxy import FaultProxy
from prove_kills import Contents

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
RATE = 0.3
MAX_TRIES = 4  # net/retry.h
VISIBILITY_SECONDS = 10  # an answer that was lost hides its messages for so long; renewals meet stalls, too
GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mixed(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def transfer_content(seed, index, version, size):
    """What tests/azure/transfer.cc holds for right."""
    state, words = mixed(mixed(mixed(seed) ^ index) ^ version), []
    for _ in range(-(-size // 8)):
        state = (state + GOLDEN) & MASK
        words.append(mixed(state).to_bytes(8, "little"))
    return b"".join(words)[:size]


class Faults(AzureTest):
    def check_policy(self, proxy):
        tries = collections.Counter(proxy.tries.values())
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(proxy.counts.items()) if kind != "requests")
        print(f"    {proxy.counts['requests']} requests; suffered: {kinds}\n"
              f"    tries of an operation -> how many had so many: {dict(sorted(tries.items()))}", flush=True)
        self.assertEqual(proxy.failures, [])
        self.assertEqual(proxy.hasty, [], "requests that came again before they were asked to")
        self.assertLessEqual(max(tries), MAX_TRIES)

    def transfers(self, count, threads=16):
        print(f"\n  SEED={SEED}", flush=True)
        changes = collections.Counter()
        lock = threading.Lock()

        def changer(container, name):
            with lock:  # two changes of one blob come one after the other
                before = self.blobs.head(container, name)
                version = int(before.metadata["version"]) + 1
                index = int(name.rpartition("/")[2])
                content = transfer_content(SEED, index, version, int(before.headers["Content-Length"]))
                self.blobs.put(container, name, content, metadata={"version": str(version)})
                changes[name] += 1

        with FaultProxy(self.azurite, SEED, RATE, changer=changer) as proxy:
            begin = time.monotonic()
            done = subprocess.run(
                [os.environ["DROPSCORE_TRANSFER"], "both", "--url", f"{proxy.blob_url}/{self.container}",
                 "--direct-url", f"{self.azurite.blob_url}/{self.container}", "--count", str(count), "--seed", str(SEED),
                 "--threads", str(threads)],
                env={**os.environ, "DROPSCORE_CONNECTION_STRING": proxy.connection_string,
                     "AZURE_STORAGE_CONNECTION_STRING": self.azurite.connection_string},
                capture_output=True, text=True, timeout=1800, check=False)
            seconds = time.monotonic() - begin
        self.said.append(done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = json.loads(done.stdout)
        self.assertEqual((counts["uploads"], counts["downloads"], counts["wrong"], counts["failed"]), (count, count, 0, 0))
        print(f"  {count} uploads and {count} downloads in {seconds:.1f} s, every byte right; {counts['retries']} retries, "
              f"{counts['try_later']} operations given up and done again, {sum(changes.values())} blobs changed amid a read, "
              f"{counts['changed']} downloads told so", flush=True)
        self.check_policy(proxy)

    def journey(self, files, workers=2, threads=8):
        print(f"\n  SEED={SEED}", flush=True)
        rng = random.Random(SEED)
        contents = Contents(rng)
        grid = self.grid(schema="any", encoding="any", duplicate=0.1, rng=random.Random(SEED + 1))
        lock = threading.Lock()
        changed = collections.Counter()

        def changer(container, name):
            with lock:
                if container == self.container and changed[name] < 2:
                    changed[name] += 1
                    self.upload(name, contents.draw(), grid)

        for i in range(files):
            self.upload(f"customers {i}.csv", contents.draw(), grid)
        grid.flush()
        with FaultProxy(self.azurite, SEED, RATE, changer=changer) as proxy:
            begin = time.monotonic()
            pool = [self.watch("--workers", threads, through=proxy, visibility=VISIBILITY_SECONDS) for _ in range(workers)]
            self.wait_for_all(1800)
            seconds = time.monotonic() - begin
            self.wait_for_empty_queue(600)
            for worker in pool:
                self.stop(worker)
                self.end(worker)
        said = "\n".join(self.said)
        before = self.blobs.list(self.results)
        self.check_right()
        self.assertEqual(self.blobs.list(self.results), before, "results that were written again")
        self.assertEqual(self.dead_letters(), [], "good files in the dead-letter queue")
        outcomes = collections.Counter(record["outcome"] for record in records(said, "file_done"))
        print(f"  {files} files right in {seconds:.1f} s: {dict(outcomes)}; {sum(changed.values())} changed amid a read, "
              f"{len(records(said, 'file_failed'))} attempts failed and were made again", flush=True)
        self.check_policy(proxy)


class ProveAzureFaults(Faults):
    def test_1000_uploads_and_1000_downloads(self):
        self.transfers(1000)

    def test_1000_files_scored(self):
        self.journey(1000)


if __name__ == "__main__":
    unittest.main()
