"""What the journeys on Azure's emulator share: the emulator, containers and a queue for each test, workers, results."""
import base64
import itertools
import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "azure"))

from azurite import Azurite, processor_seconds  # noqa: E402,F401
from event_grid import EventGrid  # noqa: E402
from shared_key import Refused  # noqa: E402
from support import JourneyTest, Running, wait_until  # noqa: E402

VISIBILITY_SECONDS = 2  # small: a killed worker's files come back so much later


def high_water_bytes(pid):
    """A process's peak resident memory, the kernel's own count."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the kernel tells no peak")


def records(text, what):
    """The records of that name in a JSON log; the last line of a killed process may be half a one."""
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("event") == what:
            found.append(record)
    return found


class AzureTest(JourneyTest):
    """One emulator for all tests of a class; containers and a queue of its own for each."""

    azurite_options = {}
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.azurite = Azurite(**cls.azurite_options).start()
        cls.addClassCleanup(cls.azurite.stop)
        cls.blobs, cls.queues = cls.azurite.blobs, cls.azurite.queues

    def setUp(self):
        super().setUp()
        number = next(self.numbers)
        self.use(f"input-data-{number}", f"output-results-{number}", f"scoring-work-{number}")
        self.said = []  # what every process of the program has said, once it has ended
        self.secrets = [self.azurite.key]
        self.addCleanup(self.check_nothing_secret_was_said)  # runs last: cleanups run backwards

    def use(self, container, results, queue):
        self.container, self.results, self.queue = container, results, queue
        self.blobs.make_container(container)
        self.blobs.make_container(results)
        self.queues.make(queue)

    def start(self, *arguments, **keywords):
        running = Running(*arguments, **keywords)
        self.addCleanup(self.end, running)
        return running

    def stop(self, running):
        """In order, once it has started: what ends it before that is the signal itself."""
        running.wait_for("dropscore is up" if "up" in running.process.args else "watching")
        self.assertEqual(running.stop(), 0, running.text())

    def end(self, running):
        """Ends it for certain and keeps what it said."""
        if running.log.closed:
            return
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        self.said.append(running.text())
        running.close()

    def check_nothing_secret_was_said(self):
        for text in self.said:
            for secret in [*self.secrets, "sig=", "SharedKey ", "Bearer "]:
                self.assertNotIn(secret, text)

    def credentials(self, through=None):
        return {"DROPSCORE_CONNECTION_STRING": (through or self.azurite).connection_string}

    def watch_arguments(self, *more, through=None, queue=True, results=None, visibility=VISIBILITY_SECONDS):
        base = (through or self.azurite).blob_url
        trigger = ["--queue", self.queue, "--visibility-s", visibility] if queue else []
        return ["watch", "--input", f"{base}/{self.container}", "--output", f"{base}/{results or self.results}",
                "--model", self.model, "--log-format", "json", *trigger, *more]

    def watch(self, *more, env=None, through=None, **keywords):
        return self.start(*self.watch_arguments(*more, through=through, **keywords),
                          env={**self.credentials(through), **(env or {})})

    def files_done(self, worker):
        """How many files a worker has finished; it must be there still."""
        self.assertIsNone(worker.process.poll(), worker.text()[-1000:])
        return len(records(worker.text(), "file_done"))

    def grid(self, **options):
        return EventGrid(self.azurite, self.queue, **options)

    def upload(self, name, content, grid=None):
        etag = self.blobs.put(self.container, name, content)
        if grid:
            grid.notify(self.container, name, etag, len(content))
        return etag

    def result_answer(self, name, etag=None):
        """The result's blob once it is there, and of that version of its input where one is named."""
        def there():
            found = self.blobs.head(self.results, f"{name}.json")
            return found and (etag is None or found.metadata["input_etag"] == etag)
        wait_until(there, f"a result of {name}")
        return self.blobs.get(self.results, f"{name}.json")

    def result(self, name, etag=None):
        return json.loads(self.result_answer(name, etag).body)

    def contents(self, container):
        return {name: self.blobs.get(container, name).body for name in self.blobs.list(container)}

    def unfinished(self):
        """Inputs without a result of their present version."""
        results = self.blobs.list(self.results)
        return sorted(name for name, info in self.blobs.list(self.container).items()
                      if results.get(f"{name}.json", {"metadata": {}})["metadata"].get("input_etag") != info["etag"])

    def wait_for_all(self, seconds):
        wait_until(lambda: not self.unfinished(), "a result of every file", seconds, pause=0.2)

    def wait_for_empty_queue(self, seconds):
        wait_until(lambda: self.queues.length(self.queue) == 0, "an empty queue", seconds, pause=0.2)

    def dead_letters(self):
        """At most 32 of them, decoded."""
        poison = f"{self.queue}-poison"
        if self.queues.length(poison) is None:
            return []
        return [base64.b64decode(message["MessageText"]).decode() for message in self.queues.peek(poison)]

    def undisturbed(self):
        """The results of a run that nobody disturbs, over the present inputs: name -> bytes."""
        calm = f"{self.results}-undisturbed"
        self.blobs.make_container(calm)
        running = self.watch(queue=False, results=calm)
        inputs = self.blobs.list(self.container)
        wait_until(lambda: len(self.blobs.list(calm)) == len(inputs), "the undisturbed run",
                   seconds=600, pause=0.2)
        self.stop(running)
        self.end(running)
        return self.contents(calm)

    def check_right(self):
        """Every input has one result, byte for byte that of an undisturbed run, and nothing else lies there."""
        right = self.undisturbed()
        found = self.contents(self.results)
        self.assertEqual(sorted(set(found) ^ set(right)), [], "results that are missing, or nobody's")
        wrong = {name: (found[name][:400], right[name][:400]) for name in right if found[name] != right[name]}
        self.assertFalse(wrong, f"results that are wrong: as found, and as they should be: {wrong}")
        return right


class Observer:
    """Lists the results again and again: how often was a result of one version of an input published?"""

    def __init__(self, blobs, container):
        self.blobs, self.container = blobs, container
        self.seen = {}  # (result, input's ETag) -> result ETags
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stopping.wait(0.2):
                for name, info in self.blobs.list(self.container).items():
                    self.seen.setdefault((name, info["metadata"].get("input_etag")), set()).add(info["etag"])
        except Exception as failure:  # shown by the test's own thread
            self.failure = failure

    def published_twice(self):
        self.stopping.set()
        self.thread.join()
        if self.failure:
            raise self.failure
        return [key for key, etags in self.seen.items() if len(etags) > 1]
