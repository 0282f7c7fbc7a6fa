"""Event Grid for the emulator, which raises no events of its own: the message that it would put on a storage queue when a
blob is there, and what it is allowed to do with it: say it twice, late, out of order. Or, as it must not, not at all.

Forms: learn.microsoft.com/azure/event-grid, "event-schema-blob-storage" and "cloud-event-schema".
"""
import base64
import datetime
import json
import random
import threading
import urllib.parse
import uuid

RESOURCE = ("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/"
            "storageAccounts/{}")
SCHEMAS = ("cloud", "grid", "grid-array")


def blob_created(blob_url, container, name, etag, size=0, schema="cloud", api="PutBlob", trace=None):
    """The event's JSON. `blob_url`: the account's, http://HOST:PORT/ACCOUNT. "grid-array" is the Event Grid schema as a
    webhook gets it, an array of one. `trace`: the attributes of CloudEvents' distributed tracing extension."""
    account = blob_url.rstrip("/").rsplit("/", 1)[-1]
    topic = RESOURCE.format(account)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    subject = f"/blobServices/default/containers/{container}/blobs/{name}"
    data = {"api": api, "clientRequestId": str(uuid.uuid4()), "requestId": str(uuid.uuid4()), "eTag": etag,
            "contentType": "text/csv", "contentLength": size, "blobType": "BlockBlob",
            "url": f"{blob_url}/{container}/{urllib.parse.quote(name)}", "sequencer": "00000000000004420000000000028963",
            "storageDiagnostics": {"batchId": str(uuid.uuid4())}}
    if schema == "cloud":
        return json.dumps({"specversion": "1.0", "type": "Microsoft.Storage.BlobCreated", "source": topic,
                           "id": str(uuid.uuid4()), "time": now, "subject": subject, "data": data, **(trace or {})})
    event = {"topic": topic, "subject": subject, "eventType": "Microsoft.Storage.BlobCreated", "eventTime": now,
             "id": str(uuid.uuid4()), "data": data, "dataVersion": "", "metadataVersion": "1"}
    return json.dumps([event] if schema == "grid-array" else event)


class EventGrid:
    """Puts events into `queue`. Safe to share among threads.

    schema: one of SCHEMAS, or "any"; encoding: "base64" (what Event Grid does), "plain", or "any".
    duplicate, drop: how often, 0 to 1. reorder: how many events it may hold back to let later ones pass; flush() sends those.
    """

    def __init__(self, azurite, queue, schema="cloud", encoding="base64", duplicate=0.0, drop=0.0, reorder=0, rng=None):
        self.azurite, self.queue, self.schema, self.encoding = azurite, queue, schema, encoding
        self.duplicate, self.drop, self.reorder = duplicate, drop, reorder
        self.rng = rng or random.Random(0)
        self.lock = threading.Lock()
        self.held = []
        self.sent = self.dropped = self.duplicated = 0

    def message(self, container, name, etag, size=0):
        schema = self.rng.choice(SCHEMAS) if self.schema == "any" else self.schema
        encoding = self.rng.choice(("base64", "plain")) if self.encoding == "any" else self.encoding
        text = blob_created(self.azurite.blob_url, container, name, etag, size, schema)
        return base64.b64encode(text.encode()).decode() if encoding == "base64" else text

    def notify(self, container, name, etag, size=0):
        with self.lock:
            if self.rng.random() < self.drop:
                self.dropped += 1
                return
            text = self.message(container, name, etag, size)
            copies = 1
            while copies < 4 and self.rng.random() < self.duplicate:
                copies += 1
            self.duplicated += copies - 1
            self.held += [text] * copies
            self.release(self.reorder)

    def release(self, keep):
        while len(self.held) > keep:
            at = self.rng.randrange(len(self.held)) if self.reorder else 0
            self.azurite.queues.put(self.queue, self.held.pop(at))
            self.sent += 1

    def flush(self):
        with self.lock:
            self.release(0)
