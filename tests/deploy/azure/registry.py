"""An image registry that takes one push, with a user and a password, and what is pushed: enough for skopeo to push to.

The API: the OCI distribution specification, "Pushing"."""
import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading
import uuid

USER, PASSWORD = "00000000-0000-0000-0000-000000000000", "registry-token"  # as `az acr login --expose-token` has it


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def oci_archive(path):
    """A small image as an OCI archive."""
    blobs = {}

    def blob(content, media_type):
        digest = digest_of(content)
        blobs[digest.partition(":")[2]] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    layer_file = io.BytesIO()
    with tarfile.open(fileobj=layer_file, mode="w") as layer:
        layer.addfile(tarfile.TarInfo("hello"))
    layer = layer_file.getvalue()
    config = {"architecture": "amd64", "os": "linux", "config": {},
              "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]}}
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(layer, "application/vnd.oci.image.layer.v1.tar")]}).encode(), "application/vnd.oci.image.manifest.v1+json")
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
             "index.json": json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode(),
             **{f"blobs/sha256/{digest}": content for digest, content in blobs.items()}}
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def handle_request(self):
        registry, path, body = self.server.registry, self.path.partition("?")[0], self.body()
        login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != login:
            self.answer(401, {"WWW-Authenticate": 'Basic realm="registry"'})
        elif path == "/v2/":
            self.answer(200)
        elif self.command in ("HEAD", "GET"):
            self.answer(200 if path.rsplit("/", 1)[1] in registry.blobs else 404)
        elif self.command in ("POST", "PATCH"):
            place = f"/v2/dropscore/blobs/uploads/{uuid.uuid4()}" if self.command == "POST" else path
            registry.uploads[place] = registry.uploads.get(place, b"") + body
            self.answer(202, {"Location": place, "Range": "0-0"})
        elif "/blobs/uploads/" in path:
            registry.blobs.add(digest_of(registry.uploads.pop(path, b"") + body))
            self.answer(201)
        else:
            manifest = json.loads(body)
            whole = all(part["digest"] in registry.blobs for part in [manifest["config"], *manifest["layers"]])
            if whole:
                registry.manifests[path.rsplit("/", 1)[1]] = digest_of(body)
            self.answer(201 if whole else 400)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = handle_request


class Registry:
    """manifests: digests by tag."""

    def __init__(self):
        self.blobs, self.uploads, self.manifests = set(), {}, {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.registry = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
