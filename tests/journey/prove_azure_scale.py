"""Two workers against one on 200 files of 50,000 rows, and a blob of 5 GB: throughput and resident memory.

The emulator is one Node process on the same machine: its share of the processors is printed beside the ratio, for it is a
limit of its own that the service would not be. A worker is a process with one scoring thread.

PROVE_BYTES sets another size than 5 GB. Needs twice that on disk. Run by tools/prove.sh.
"""
import os
import shutil
import tempfile
import time
import unittest

from azure_support import AzureTest, high_water_bytes, processor_seconds, records
from support import run, wait_until

SIZE = int(os.environ.get("PROVE_BYTES") or 5 * 10**9)
LIMIT_BYTES = 128 << 20
BLOCK_BYTES = 32 << 20
FILES, ROWS = 200, 50_000


class ProveTwoWorkers(AzureTest):
    azurite_options = {"memory_mib": 6144}  # on a disk, that would be what is measured

    def test_two_workers_against_one(self):
        sample = run("sample", "--rows", ROWS + FILES, "--unlabelled").stdout.splitlines(True)
        header, rows = sample[0], sample[1:]
        for i in range(FILES):
            self.upload(f"customers {i}.csv", header + b"".join(rows[i:i + ROWS]))
        print(flush=True)
        rates = {}
        for workers in (1, 2):
            rates[workers] = self.measure(workers)
            for name in self.blobs.list(self.results):
                self.blobs.delete(self.results, name)
        print(f"  two workers against one: {rates[2] / rates[1]:.2f} times the rows a second, on {os.cpu_count()} processors "
              "that the emulator shares", flush=True)

    def measure(self, workers):
        grid = self.grid()
        for name, info in self.blobs.list(self.container).items():
            grid.notify(self.container, name, info["etag"])
        emulator = self.azurite.processor_seconds()
        begin = time.monotonic()
        pool = [self.watch("--workers", 1, "--sweep-interval-ms", 60_000, visibility=30) for _ in range(workers)]

        wait_until(lambda: sum(self.files_done(worker) for worker in pool) >= FILES, "all files", seconds=1800, pause=0.25)
        seconds = time.monotonic() - begin
        emulator = self.azurite.processor_seconds() - emulator
        own = [processor_seconds(worker.process.pid) for worker in pool]
        peaks = [high_water_bytes(worker.process.pid) for worker in pool]
        shares = [self.files_done(worker) for worker in pool]
        for worker in pool:
            self.stop(worker)
            self.end(worker)
        documents = self.blobs.list(self.results)
        self.assertEqual(len(documents), FILES)
        self.assertEqual({info["metadata"]["processing_status"] for info in documents.values()}, {"success"})
        rate = FILES * ROWS / seconds
        print(f"  {workers} worker(s): {FILES} files of {ROWS} rows in {seconds:.1f} s, {rate:,.0f} rows/s; files {shares}, peaks "
              f"{[f'{peak / (1 << 20):.1f} MiB' for peak in peaks]}; processor seconds: workers "
              f"{[round(s, 1) for s in own]}, emulator {emulator:.1f} ({100 * emulator / seconds:.0f} % of one processor)",
              flush=True)
        for peak in peaks:
            self.assertLessEqual(peak, LIMIT_BYTES)
        return rate


class ProveLargeBlob(AzureTest):
    azurite_options = {"disk": True}

    def test_a_large_blob(self):
        free = shutil.disk_usage(tempfile.gettempdir()).free
        self.assertGreater(free, 3 * SIZE, "too little room in TMPDIR")
        sample = run("sample", "--rows", ROWS, "--unlabelled").stdout
        header, _, rows = sample.partition(b"\n")
        header += b"\n"
        count = 0

        def blocks():
            nonlocal count
            block, sent = header, 0
            while sent + len(block) + len(rows) <= SIZE:
                block += rows
                count += ROWS
                if len(block) >= BLOCK_BYTES:
                    yield block
                    sent += len(block)
                    block = b""
            if block:
                yield block
        begin = time.monotonic()
        etag = self.blobs.put_blocks(self.container, "large.csv", blocks())
        size = self.blobs.list(self.container)["large.csv"]["size"]
        print(f"\n  a blob of {size / 1e9:.2f} GB, {count} rows, uploaded in {time.monotonic() - begin:.1f} s", flush=True)
        emulator = self.azurite.processor_seconds()
        worker = self.watch("--workers", 1)
        begin = time.monotonic()
        self.grid().notify(self.container, "large.csv", etag, size)
        wait_until(lambda: self.files_done(worker), "the result", seconds=1800, pause=0.25)
        seconds = time.monotonic() - begin
        emulator = self.azurite.processor_seconds() - emulator
        peak = high_water_bytes(worker.process.pid)
        print(f"  scored in {seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s; peak {peak / (1 << 20):.1f} MiB; messages lost on the way: "
              f"{len(records(worker.text(), 'delivery_lost'))}; processor seconds: worker "
              f"{processor_seconds(worker.process.pid):.1f}, emulator {emulator:.1f}", flush=True)
        self.assertLessEqual(peak, LIMIT_BYTES)
        self.stop(worker)
        done = self.blobs.list(self.results)["large.csv.json"]
        self.assertEqual(done["metadata"]["input_etag"], etag)
        end = self.blobs.get_range(self.results, "large.csv.json", done["size"] - 400, 400).decode()
        self.assertIn(f'"total_records":{count}', end.replace(" ", ""))


if __name__ == "__main__":
    unittest.main()
