"""A collector of OpenTelemetry for tests: takes what is POSTed to it and reads it with code that was generated from the
published schema (tests/telemetry)."""
import http.server
import json
import pathlib
import subprocess
import threading

READER = pathlib.Path(__file__).resolve().parent.parent / "telemetry" / "otlp.mjs"


class Collector:
    """`answers`: statuses to give before 200, in order. A status of None holds the request until close()."""

    def __init__(self, answers=()):
        self.answers = list(answers)
        self.requests = []  # (path, headers, body)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.take(self.path, dict(self.headers.items()), body)
                if status is None:
                    collector.closing.wait()
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                if status == 503:
                    self.send_header("Retry-After", "0")
                self.end_headers()

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, headers, body):
        with self.lock:
            self.requests.append((path, headers, body))
            return self.answers.pop(0) if self.answers else 200

    def environment(self, service, **more):
        """Of a process that exports here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_SERVICE_NAME": service, "OTEL_BSP_SCHEDULE_DELAY": "50", **more}

    def spans(self):
        """All that came, each with its service."""
        found = []
        with self.lock:
            bodies = [body for _, _, body in self.requests]
        for body in bodies:
            done = subprocess.run(["node", READER], input=body, capture_output=True, timeout=300, check=False)
            assert done.returncode == 0, done.stderr.decode()
            for of_resource in json.loads(done.stdout):
                found += [{**span, "service": of_resource["resource"]["service.name"]} for span in of_resource["spans"]]
        return found

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
