"""A wire between a program and the emulator that carries so many bytes a second on each connection, in each direction, and
takes a while to carry them: what storage in a region is, and an emulator on the same machine is not.

    with SlowWire(azurite, bytes_per_second=60e6, delay_seconds=0.005) as wire:
        ... wire.blob_url, wire.queue_url, wire.connection_string ...
"""
import contextlib
import socket
import threading
import time

CHUNK_BYTES = 256 << 10


class SlowWire:
    def __init__(self, azurite, bytes_per_second, delay_seconds=0.0):
        self.azurite, self.rate, self.delay = azurite, bytes_per_second, delay_seconds
        self.listeners = []

    def __enter__(self):
        ports = [self.listen(port) for port in (self.azurite.blob_port, self.azurite.queue_port)]
        self.blob_url, self.queue_url = (f"http://127.0.0.1:{port}/{self.azurite.account}" for port in ports)
        self.connection_string = self.azurite.connection_string_for(self.blob_url, self.queue_url)
        return self

    def __exit__(self, *_):
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def listen(self, upstream_port):
        listener = socket.create_server(("127.0.0.1", 0))
        self.listeners.append(listener)
        threading.Thread(target=self.accept, args=(listener, upstream_port), daemon=True).start()
        return listener.getsockname()[1]

    def accept(self, listener, upstream_port):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self.connect, args=(near, upstream_port), daemon=True).start()

    def connect(self, near, upstream_port):
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", upstream_port)) as far:
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self.carry, args=(far, near), daemon=True)
            back.start()
            self.carry(near, far)
            back.join()

    def carry(self, source, sink):
        """What was not sent for a while pays the delay; what follows at once pays for its bytes alone."""
        buffer = memoryview(bytearray(CHUNK_BYTES))
        free_at = 0.0
        with contextlib.suppress(OSError):
            while count := source.recv_into(buffer):
                now = time.monotonic()
                if now > free_at + self.delay:
                    free_at = now + self.delay
                free_at += count / self.rate
                time.sleep(max(0.0, free_at - now))
                sink.sendall(buffer[:count])
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
