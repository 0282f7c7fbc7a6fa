"""A client of Blob and Queue Storage in the standard library alone: the tests' own eyes, independent of the program's client
and of Microsoft's.

Shared Key as Microsoft's "Authorize with Shared Key" describes it. Thread-safe: each thread has a connection of its own.
"""
import base64
import datetime
import email.utils
import hashlib
import hmac
import http.client
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as xml

VERSION = "2021-12-02"
TIMEOUT_SECONDS = 120
SIGNED = ("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
          "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range")


class Refused(Exception):
    def __init__(self, method, path, answer):
        super().__init__(f"{method} {path}: {answer.status} {answer.headers.get('x-ms-error-code')}")
        self.status, self.code = answer.status, answer.headers.get("x-ms-error-code")


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def etag(self):
        return self.headers["ETag"].strip('"')

    @property
    def metadata(self):
        return {name[len("x-ms-meta-"):].lower(): value for name, value in self.headers.items()
                if name.lower().startswith("x-ms-meta-")}


class Service:
    """One service of one account: `url` is http://HOST:PORT/ACCOUNT, `key` its base64 key."""

    def __init__(self, url, account, key):
        parts = urllib.parse.urlsplit(url)
        self.url, self.address, self.base = url, parts.netloc, parts.path
        self.account, self.key = account, base64.b64decode(key)
        self.local = threading.local()
        self.connections = []  # every thread's, for close()

    def signature(self, method, path, query, headers):
        wanted = {name.lower(): value for name, value in headers.items()}
        if wanted.get("content-length") == "0":
            wanted["content-length"] = ""
        text = "\n".join([method, *(wanted.get(name, "") for name in SIGNED)]) + "\n"
        text += "".join(f"{name}:{wanted[name].strip()}\n" for name in sorted(wanted) if name.startswith("x-ms-"))
        text += f"/{self.account}{path}" + "".join(f"\n{name}:{query[name]}" for name in sorted(query))
        return base64.b64encode(hmac.new(self.key, text.encode(), hashlib.sha256).digest()).decode()

    def request(self, method, path, query=None, headers=None, body=b"", expect=None):
        """One request, sent a second time only where an idle connection had been closed. `expect`: statuses, else Refused."""
        path = self.base + urllib.parse.quote(path)
        query = {name: str(value) for name, value in (query or {}).items()}
        target = path + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else "")
        headers = {"x-ms-date": email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc), usegmt=True),
                   "x-ms-version": VERSION, "x-ms-client-request-id": str(uuid.uuid4()),
                   "Content-Length": str(len(body)), **(headers or {})}
        headers["Authorization"] = f"SharedKey {self.account}:{self.signature(method, path, query, headers)}"
        answer = self.send(method, target, headers, body)
        if expect is not None and answer.status not in expect:
            raise Refused(method, path, answer)
        return answer

    def send(self, method, target, headers, body):
        while True:
            connection = getattr(self.local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self.local.connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_SECONDS)
                self.connections.append(connection)
            try:
                connection.request(method, target, body=body, headers=headers)
                response = connection.getresponse()
                answer = Answer(response, response.read())
                if response.will_close:
                    self.drop()
                return answer
            except (ConnectionError, http.client.HTTPException):
                self.drop()
                if fresh:
                    raise

    def sas(self, services="bq", kinds="sco", permissions="rwdlacup", hours=1):
        """An account SAS, as a query without '?'."""
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        ends = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = "\n".join([self.account, permissions, services, kinds, "", ends, "", "", VERSION, "", ""])
        signature = base64.b64encode(hmac.new(self.key, text.encode(), hashlib.sha256).digest()).decode()
        return urllib.parse.urlencode({"sv": VERSION, "ss": services, "srt": kinds, "sp": permissions, "se": ends,
                                       "sig": signature})

    def drop(self):
        """Closes this thread's connection; the next request makes another."""
        connection, self.local.connection = self.local.connection, None
        self.connections.remove(connection)
        connection.close()

    def close(self):
        """Closes every thread's connection. Nothing may be under way."""
        for connection in self.connections:
            connection.close()
        self.connections.clear()
        self.local = threading.local()


def metadata_headers(metadata):
    return {f"x-ms-meta-{name}": value for name, value in (metadata or {}).items()}


class Blobs(Service):
    def make_container(self, container):
        return self.request("PUT", f"/{container}", {"restype": "container"}, expect=(201, 409))

    def put(self, container, name, content, content_type="text/csv", metadata=None, headers=None):
        """Put Blob; the new ETag."""
        return self.request("PUT", f"/{container}/{name}",
                            headers={"x-ms-blob-type": "BlockBlob", "Content-Type": content_type,
                                     **metadata_headers(metadata), **(headers or {})},
                            body=content, expect=(201,)).etag

    def put_blocks(self, container, name, blocks, content_type="text/csv"):
        """Put Block for each, then Put Block List; the new ETag. Holds one block at a time."""
        ids = []
        for block in blocks:
            ids.append(base64.b64encode(b"%08d" % len(ids)).decode())
            self.request("PUT", f"/{container}/{name}", {"comp": "block", "blockid": ids[-1]},
                         {"Content-Type": "application/octet-stream"}, block, expect=(201,))
        body = "<BlockList>" + "".join(f"<Latest>{i}</Latest>" for i in ids) + "</BlockList>"
        return self.request("PUT", f"/{container}/{name}", {"comp": "blocklist"},
                            {"Content-Type": "application/xml", "x-ms-blob-content-type": content_type},
                            body.encode(), expect=(201,)).etag

    def get(self, container, name):
        """The blob; Refused with status 404 where there is none."""
        return self.request("GET", f"/{container}/{name}", expect=(200,))

    def get_range(self, container, name, begin, count):
        return self.request("GET", f"/{container}/{name}", headers={"x-ms-range": f"bytes={begin}-{begin + count - 1}"},
                            expect=(206,)).body

    def head(self, container, name):
        """Its properties, or None where there is no such blob."""
        answer = self.request("HEAD", f"/{container}/{name}", expect=(200, 404))
        return answer if answer.status == 200 else None

    def delete(self, container, name):
        self.request("DELETE", f"/{container}/{name}", expect=(202, 404))

    def list(self, container, prefix=""):
        """name -> {"etag", "size", "metadata"} of every blob."""
        found, marker = {}, ""
        while True:
            query = {"restype": "container", "comp": "list", "include": "metadata", "prefix": prefix}
            if marker:
                query["marker"] = marker
            tree = xml.fromstring(self.request("GET", f"/{container}", query, expect=(200,)).body)
            for blob in tree.iter("Blob"):
                properties = blob.find("Properties")
                found[blob.findtext("Name")] = {
                    "etag": (properties.findtext("Etag") or properties.findtext("ETag")).strip('"'),
                    "size": int(properties.findtext("Content-Length")),
                    "metadata": {item.tag.lower(): item.text for item in blob.find("Metadata") or ()}}
            marker = tree.findtext("NextMarker")
            if not marker:
                return found


class Queues(Service):
    def make(self, queue):
        self.request("PUT", f"/{queue}", expect=(201, 204))

    def put(self, queue, text):
        """Stores `text` as it is: encode it first where base64 is wanted."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self.request("POST", f"/{queue}/messages", {"messagettl": "-1"}, {"Content-Type": "application/xml"},
                     f"<QueueMessage><MessageText>{escaped}</MessageText></QueueMessage>".encode(), expect=(201,))

    def messages(self, queue, query):
        tree = xml.fromstring(self.request("GET", f"/{queue}/messages", query, expect=(200,)).body)
        return [{field.tag: field.text or "" for field in message} for message in tree.iter("QueueMessage")]

    def get(self, queue, count=1, visibility_seconds=30):
        return self.messages(queue, {"numofmessages": count, "visibilitytimeout": visibility_seconds})

    def peek(self, queue, count=32):
        return self.messages(queue, {"numofmessages": count, "peekonly": "true"})

    def remove(self, queue, message):
        self.request("DELETE", f"/{queue}/messages/{message['MessageId']}", {"popreceipt": message["PopReceipt"]},
                     expect=(204, 404))

    def length(self, queue):
        """Messages, hidden ones too; None where there is no such queue."""
        answer = self.request("GET", f"/{queue}", {"comp": "metadata"}, expect=(200, 404))
        return int(answer.headers["x-ms-approximate-messages-count"]) if answer.status == 200 else None

    def drain(self, queue):
        """Takes and removes all visible messages; their texts."""
        texts = []
        while batch := self.get(queue, 32):
            for message in batch:
                texts.append(message["MessageText"])
                self.remove(queue, message)
        return texts
