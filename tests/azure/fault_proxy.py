"""A bad network and a busy service between a program and the emulator: HTTP/1.1, seeded, counted.

    with FaultProxy(azurite, seed=7, rate=0.3) as proxy:
        ... proxy.connection_string, proxy.blob_url, proxy.queue_url ...
    proxy.counts, proxy.tries, proxy.hasty

Signatures stay good: Shared Key covers path and headers, not the host. `rate` of the requests suffer one of KINDS:

  reset_request    the connection is reset when a random count of the request's bytes has come; nothing is forwarded
  reset_response   reset after a random count of the answer's bytes
  truncate         the answer's body ends early, with an orderly close
  stall            a pause before the answer, or in the midst of its body
  busy             429, 500 or 503, with one of RETRY_AFTER; nothing is forwarded
  lost_answer      forwarded and done, but answered with 500 or 503, or reset without an answer
  change           where a blob is being read and `changer` is given: half of it comes, changer(container, name) puts another
                   version in its place, then the connection is reset
"""
import asyncio
import collections
import datetime
import random
import socket
import struct
import threading
import time
import urllib.parse

KINDS = {"reset_request": 3, "reset_response": 3, "truncate": 3, "stall": 2, "busy": 6, "lost_answer": 3, "change": 2}
RETRY_AFTER = ("none", "seconds", "imf-fixdate", "rfc850", "asctime", "retry-after-ms", "x-ms-retry-after-ms", "unreadable")
STALL_SECONDS = (0.1, 1.5)
PIECE_BYTES = 64 << 10
IDLE_SECONDS = 2.0  # the emulator closes what idles for 5
CLOCK_SECONDS = 0.02  # how much earlier than asked is still in time: clocks and rounding
AT_ONCE_SECONDS = 0.3  # the shortest wait of a policy is longer
BUSY = b'<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>Made busy by a test.</Message></Error>'


class Head:
    """The first lines of a request or an answer."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw.decode("latin-1").split("\r\n")
        self.first = lines[0].split(" ", 2)
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}

    @property
    def length(self):
        return int(self.headers.get("content-length", 0))

    @property
    def chunked(self):
        return "chunked" in self.headers.get("transfer-encoding", "")


async def read_head(reader):
    """None where the other side closed between two messages."""
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None


async def pieces(reader, head, has_body=True):
    """The body as it travels, chunk framing kept."""
    if not has_body:
        return
    if head.chunked:
        while True:
            line = await reader.readuntil(b"\r\n")
            rest = int(line.split(b";")[0], 16) + 2
            yield line + await reader.readexactly(rest)
            if rest == 2:
                return
    left = head.length
    while left:
        piece = await reader.read(min(left, PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


class Reset(Exception):
    pass


class FaultProxy:
    """rate: of all requests, 0 to 1. kinds: name -> weight. changer: called in a thread of its own. max_faults: of one
    request with its repetitions, so that patience can be told from luck; None: no limit. stall_seconds: from, to.

    counts: kind (and more) -> how often; tries: x-ms-client-request-id -> how often it came; hasty: descriptions of
    requests that came again before the time that they had been asked to wait.

    A kept connection may have been closed by the other side for being idle, so every HTTP client sends a GET or HEAD again at
    once where one is reset without a byte of an answer (RFC 9112, 9.3.1). That is no try of a retry policy, and counted apart,
    as "sent again at once".
    """

    def __init__(self, azurite, seed, rate=0.3, kinds=None, changer=None, max_faults=None, stall_seconds=STALL_SECONDS):
        self.azurite, self.rate, self.changer, self.max_faults = azurite, rate, changer, max_faults
        self.stall_seconds = stall_seconds
        self.kinds = dict(kinds or KINDS)
        if changer is None:
            self.kinds.pop("change", None)
        self.rng = random.Random(seed)
        self.counts, self.tries, self.suffered = collections.Counter(), collections.Counter(), collections.Counter()
        self.not_before, self.hasty, self.failures = {}, [], []
        self.lost_on_kept = {}  # request id -> when its kept connection was reset without an answer
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.tasks = set()

    def __enter__(self):
        self.thread.start()
        self.servers = [self.call(self.listen(port)) for port in (self.azurite.blob_port, self.azurite.queue_port)]
        blob, queue = (server.sockets[0].getsockname()[1] for server in self.servers)
        self.blob_url = f"http://127.0.0.1:{blob}/{self.azurite.account}"
        self.queue_url = f"http://127.0.0.1:{queue}/{self.azurite.account}"
        self.connection_string = self.azurite.connection_string_for(self.blob_url, self.queue_url)
        return self

    def __exit__(self, *_):
        self.call(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def listen(self, upstream_port):
        return await asyncio.start_server(lambda r, w: self.serve(r, w, upstream_port), "127.0.0.1", 0, limit=1 << 20)

    async def close(self):
        for server in self.servers:
            server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def serve(self, reader, writer, upstream_port):
        task = asyncio.current_task()
        self.tasks.add(task)
        exchange = Connection(self, reader, writer, upstream_port)
        kept, request = False, None
        try:
            while request := await read_head(reader):
                exchange.answered = False
                await exchange.one(request)
                kept = True
        except Reset:
            if kept and not exchange.answered and request.first[0] in ("GET", "HEAD"):
                self.lost_on_kept[request.headers.get("x-ms-client-request-id")] = time.monotonic()
            exchange.reset()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the program went away, or the proxy does
        except Exception as failure:  # shown by the test
            self.failures.append(repr(failure))
        finally:
            self.tasks.discard(task)
            exchange.close()

    def draw(self, request):
        """What this request is to suffer; also counts it as a try, and looks at whether it waited as it was asked to."""
        identity = request.headers.get("x-ms-client-request-id")
        self.counts["requests"] += 1
        lost_at = self.lost_on_kept.pop(identity, None)
        if lost_at and time.monotonic() - lost_at < AT_ONCE_SECONDS:
            self.counts["sent again at once"] += 1
        elif identity:
            self.tries[identity] += 1
            asked = self.not_before.pop(identity, None)
            if asked and time.time() < asked[0] - CLOCK_SECONDS:
                self.hasty.append(f"{request.first[0]}: {asked[0] - time.time():.3f} s early, {asked[1]}")
        if self.rng.random() >= self.rate:
            return None
        if self.max_faults is not None and self.suffered[identity] >= self.max_faults:
            return None
        kind = self.rng.choices(list(self.kinds), list(self.kinds.values()))[0]
        if kind == "change" and not self.is_download(request):
            return None
        self.suffered[identity] += 1
        self.counts[kind] += 1
        return kind

    @staticmethod
    def is_download(request):
        path, _, query = request.first[1].partition("?")
        return request.first[0] == "GET" and path.count("/") >= 3 and "comp=" not in query and not path.endswith("/messages")

    def busy_answer(self, request):
        status = self.rng.choice((429, 500, 503))
        form = self.rng.choice(RETRY_AFTER)
        now = time.time()
        milliseconds = self.rng.randrange(1, 1500)
        date = datetime.datetime.fromtimestamp(int(now) + self.rng.randrange(0, 3), datetime.timezone.utc)
        asked, line = {
            "none": (None, ""),
            "seconds": (now + milliseconds // 1000, f"Retry-After: {milliseconds // 1000}"),
            "imf-fixdate": (date.timestamp(), f"Retry-After: {date:%a, %d %b %Y %H:%M:%S} GMT"),
            "rfc850": (date.timestamp(), f"Retry-After: {date:%A, %d-%b-%y %H:%M:%S} GMT"),
            "asctime": (date.timestamp(), f"Retry-After: {date:%a %b} {date.day:2} {date:%H:%M:%S %Y}"),
            "retry-after-ms": (now + milliseconds / 1000, f"retry-after-ms: {milliseconds}"),
            "x-ms-retry-after-ms": (now + milliseconds / 1000, f"x-ms-retry-after-ms: {milliseconds}"),
            "unreadable": (None, "Retry-After: soon"),
        }[form]
        self.counts[f"busy {status}"] += 1
        self.counts[f"Retry-After {form}"] += 1
        if asked and request.headers.get("x-ms-client-request-id"):
            self.not_before[request.headers["x-ms-client-request-id"]] = (asked, line)
        return self.refusal(request, status, line)

    @staticmethod
    def refusal(request, status, line=""):
        body = b"" if request.first[0] == "HEAD" else BUSY
        lines = [f"HTTP/1.1 {status} Made busy by a test", "x-ms-error-code: ServerBusy", "Content-Type: application/xml",
                 f"Content-Length: {len(body)}"] + ([line] if line else [])
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One connection of the program's, and the one behind it."""

    def __init__(self, proxy, reader, writer, upstream_port):
        self.proxy, self.reader, self.writer, self.upstream_port = proxy, reader, writer, upstream_port
        self.upstream = None
        self.used = 0.0
        self.answered = False  # a byte of an answer to the present request was sent

    async def one(self, request):
        rng, kind = self.proxy.rng, self.proxy.draw(request)
        if kind == "reset_request":
            await self.take(request, rng.randrange(len(request.raw) + request.length))
            raise Reset
        if kind == "busy":
            await self.take(request, len(request.raw) + request.length)
            self.writer.write(self.proxy.busy_answer(request))
            await self.writer.drain()
            return
        answer, body = await self.forward(request)
        if kind == "lost_answer":
            async for _ in body:
                pass
            if rng.random() < 0.5:
                raise Reset
            self.writer.write(self.proxy.refusal(request, rng.choice((500, 503))))
            await self.writer.drain()
            return
        await self.give(request, answer, body, kind)

    async def take(self, request, count):
        """Reads on until `count` bytes of the request have come."""
        left = count - len(request.raw)
        while left > 0:
            left -= len(await self.reader.read(min(left, PIECE_BYTES))) or left

    async def forward(self, request):
        """Sends the request on; the answer's head and body."""
        if self.upstream is not None and time.monotonic() - self.used > IDLE_SECONDS:
            self.upstream[1].close()
            self.upstream = None
        if self.upstream is None:
            self.upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=1 << 20)
        reader, writer = self.upstream
        writer.write(request.raw)
        async for piece in pieces(self.reader, request):
            writer.write(piece)
            await writer.drain()
        answer = await read_head(reader)
        if answer is None:
            raise ConnectionResetError("the emulator closed")
        self.used = time.monotonic()
        has_body = request.first[0] != "HEAD" and answer.first[1] not in ("204", "304")
        return answer, pieces(reader, answer, has_body)

    async def give(self, request, answer, body, kind):
        """Passes the answer on, as far as `kind` lets it."""
        rng, total = self.proxy.rng, len(answer.raw) + answer.length
        if kind == "change" and answer.first[1] not in ("200", "206"):
            kind = "reset_response"
        at = None  # the byte at which something happens
        if kind == "stall":
            at = rng.choice((0, rng.randrange(total)))
        elif kind == "reset_response":
            at = rng.randrange(total)
        elif kind == "truncate":
            at = len(answer.raw) + rng.randrange(max(answer.length, 1))
        elif kind == "change":
            at = len(answer.raw) + answer.length // 2
        async for piece in prefixed(answer.raw, body):
            if at is not None and len(piece) > at:
                self.writer.write(piece[:at])
                self.answered = self.answered or at > 0
                await self.writer.drain()
                await self.happen(request, kind)
                piece = piece[at:]
                at = None
            elif at is not None:
                at -= len(piece)
            self.writer.write(piece)
            self.answered = True
            await self.writer.drain()
        if at is not None and kind != "stall":  # an answer of unknown or no length
            await self.happen(request, kind)
        if answer.headers.get("connection", "").lower() == "close":
            raise ConnectionResetError

    async def happen(self, request, kind):
        if kind == "stall":
            await asyncio.sleep(self.proxy.rng.uniform(*self.proxy.stall_seconds))
            return
        if kind == "change":
            _, container, name = urllib.parse.unquote(request.first[1].partition("?")[0])[1:].split("/", 2)
            await self.proxy.loop.run_in_executor(None, self.proxy.changer, container, name)
        await asyncio.sleep(0.01)  # lets what was written arrive
        if kind == "truncate":
            raise ConnectionResetError  # closed in order by close()
        raise Reset

    def reset(self):
        """With lingering off, closing sends RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        for connection in (self.writer, self.upstream and self.upstream[1]):
            if connection:
                connection.close()


async def prefixed(first, rest):
    yield first
    async for piece in rest:
        yield piece
