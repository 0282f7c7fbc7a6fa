#!/usr/bin/env python3
"""Stands for `az` where deploy.sh runs: remembers what was made, refuses what could not have gone well, writes down each
call. What it is and how it shall fail stands in the folder FAKE_AZ:

  settings.json   fail_at (a call's number), fail_with (what it then says), roles_late (uploads of blobs and of code refused
                  first), version, user_type, login_server, api_url; blobs: "folder", or {"connection_string", "blob_url", "queue_url",
                  "account", "key"} of an emulator, where Debian's az does what is said of blobs
  state.json      what is there
  calls.jsonl     the words of each call
"""
import fcntl
import json
import os
import pathlib
import stat
import subprocess
import sys

FOLDER = pathlib.Path(os.environ["FAKE_AZ"])
REAL_AZ = "/usr/bin/az"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PRINCIPAL = "99999999-2222-3333-4444-555555555555"


class Refusal(Exception):
    pass


def option(words, name, default=None):
    return words[words.index(name) + 1] if name in words else default


def parameters(words):
    """As az reads them: files by @, the others as NAME=VALUE."""
    given = {}
    for at, word in enumerate(words):
        if word != "--parameters":
            continue
        for one in words[at + 1:]:
            if one.startswith("--"):
                break
            if one.startswith("@"):
                path = pathlib.Path(one[1:])
                read = json.loads(path.read_text())["parameters"]
                if "apiKey" in read and stat.S_IMODE(path.stat().st_mode) & 0o077:
                    raise Refusal("others may read the file with the key")
                given.update({name: entry["value"] for name, entry in read.items()})
            else:
                name, _, value = one.partition("=")
                given[name] = value
    return given


class FakeAz:
    def __init__(self, words, settings, state):
        self.words, self.settings, self.state = words, settings, state

    def there(self, *names):
        for name in names:
            if not self.state.get(name):
                raise Refusal(f"(ResourceNotFound) {name} is not there")

    def answer(self):
        words = self.words
        if words[0] == "storage":
            return self.storage()
        query, command = option(words, "--query", ""), " ".join(word for word in words[:4] if not word.startswith("--"))
        if command.startswith("version"):
            return self.settings.get("version", "2.64.0")
        if command.startswith("account show"):
            return {"id": SUBSCRIPTION, "user.type": self.settings.get("user_type", "user"), "user.name": "app"}[query]
        for known, does in {"account set": lambda: "", "ad signed-in-user show": lambda: "operator-id",
                            "ad sp show": lambda: "sp-id", "group create": self.make_group, "group delete": self.delete_group,
                            "deployment group create": self.deploy, "deployment group what-if": lambda: "no change",
                            "acr show": lambda: self.of("base", self.settings["login_server"]),
                            "acr login": lambda: self.of("base", "registry-token"),
                            "functionapp deployment source config-zip": self.put_code, "functionapp keys list": self.host_key,
                            "resource list": self.list_apps,
                            "resource show": self.show_app, "rest": lambda: self.of("all", self.state["api_key"]),
                            "identity show": lambda: self.of("base", PRINCIPAL), "role assignment list": self.list_roles,
                            "role assignment delete": self.delete_roles,
                            "eventgrid system-topic event-subscription list": self.other_subscription,
                            "eventgrid system-topic event-subscription delete": self.unsubscribe}.items():
            if command.startswith(known):
                return does()
        raise Refusal(f"unknown command: {command}")

    def late(self, counter):
        """Whether a role does not count yet; each asking makes it older."""
        if self.state.get(counter, 0) >= self.settings.get("roles_late", 0):
            return False
        self.state[counter] = self.state.get(counter, 0) + 1
        return True

    def of(self, what, value):
        self.there(what)
        return value

    def make_group(self):
        self.state["group"] = option(self.words, "--name")
        return ""

    def delete_group(self):
        self.there("group")
        self.state.clear()
        return ""

    def deploy(self):
        self.there("group")
        if not pathlib.Path(option(self.words, "--template-file")).exists():
            raise Refusal("no template")
        given = parameters(self.words)
        if len(given.get("apiKey", "")) < 16:
            raise Refusal("InvalidTemplate: apiKey")
        self.state.setdefault("roles", [])
        if given["trigger"] == "function" and not self.state["roles"]:
            self.state["roles"] = ["role-1", "role-2"]
        if given["stage"] == "base":
            self.state["base"] = True
            return ""
        self.there("base", "model", "code")
        if not given["image"].startswith(f"{self.settings['login_server']}/dropscore@sha256:"):
            raise Refusal("the image is not named by its digest")
        subscriptions = set(self.state.get("subscriptions", []))
        subscriptions.add("uploads-to-queue" if given["trigger"] == "worker" else "uploads-to-function")
        self.state.update({"all": True, "api_key": given["apiKey"], "api_key_set_on": given["apiKeySetOn"],
                           "image": given["image"], "parameters": given, "subscriptions": sorted(subscriptions)})
        return self.settings.get("api_url", "https://api")

    def put_code(self):
        self.there("base")
        if self.late("code_refused"):
            raise Refusal("InaccessibleStorageException: 403 (This request is not authorized to perform this operation using this permission.)")
        if not pathlib.Path(option(self.words, "--src")).exists():
            raise Refusal("no package")
        self.state["code"] = True
        return ""

    def host_key(self):
        """Its length: at first there is none, nor a host that answers."""
        self.there("code")
        asked = self.state["host_asked"] = self.state.get("host_asked", 0) + 1
        if asked == 1:
            raise Refusal("(BadRequest) Encountered an error (ServiceUnavailable) from host runtime.")
        return "0" if asked == 2 else "48"

    def list_apps(self):
        if self.state.get("group") != option(self.words, "--resource-group"):
            raise Refusal("(ResourceGroupNotFound) no such group")
        return "app-id" if self.state.get("all") else ""

    def show_app(self):
        self.there("all")
        return self.state["api_key_set_on" if "API_KEY_SET_ON" in option(self.words, "--query") else "image"]

    def list_roles(self):
        return "\n".join(self.state.get("roles", []))

    def delete_roles(self):
        at = self.words.index("--ids")
        self.state["roles"] = [role for role in self.state["roles"] if role not in self.words[at + 1:]]
        return ""

    def other_subscription(self):
        return next((name for name in self.state["subscriptions"] if name in option(self.words, "--query")), "")

    def unsubscribe(self):
        self.state["subscriptions"].remove(option(self.words, "--name"))
        return ""

    def storage(self):
        self.there("base")
        if option(self.words, "--auth-mode") != "login":
            raise Refusal("the account has no keys")
        if self.late("refused"):
            raise Refusal("You do not have the required permissions needed to perform this operation.")
        what = self.words[2]
        container, name = option(self.words, "--container-name"), option(self.words, "--name")
        if container == "models" and what == "upload":
            self.state["model"] = True
        blobs = self.settings["blobs"]
        if blobs != "folder":
            return self.in_emulator(blobs, what, container, name)
        path = FOLDER / "blobs" / container / name
        if what == "upload":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pathlib.Path(option(self.words, "--file")).read_bytes())
        return ""

    def in_emulator(self, blobs, what, container, name):
        words = list(self.words)
        for gone in ("--account-name", "--auth-mode"):
            at = words.index(gone)
            del words[at:at + 2]
        done = subprocess.run([REAL_AZ, *words, "--connection-string", blobs["connection_string"]], capture_output=True,
                              text=True, check=False, timeout=300)
        if done.returncode != 0:
            raise Refusal(done.stderr)
        if what == "upload" and container == "input-data" and "uploads-to-queue" in self.state.get("subscriptions", []):
            self.tell_of_upload(blobs, container, name)
        return done.stdout

    def tell_of_upload(self, blobs, container, name):
        """As Event Grid does once there is a subscription."""
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "azure"))
        import base64  # noqa: PLC0415  # only where there is an emulator
        from event_grid import blob_created  # noqa: PLC0415
        from shared_key import Queues  # noqa: PLC0415
        text = blob_created(blobs["blob_url"], container, name, "0x1")
        Queues(blobs["queue_url"], blobs["account"], blobs["key"]).put("scoring", base64.b64encode(text.encode()).decode())


def read(name, default):
    path = FOLDER / name
    return json.loads(path.read_text()) if path.exists() else default


def main():
    words = sys.argv[1:]
    with open(FOLDER / "calls.jsonl", "a", encoding="utf-8") as calls:
        fcntl.flock(calls, fcntl.LOCK_EX)
        calls.write(json.dumps(words) + "\n")
    settings, state = read("settings.json", {}), read("state.json", {})
    state_calls = len((FOLDER / "calls.jsonl").read_text().splitlines())
    try:
        if settings.get("fail_at") == state_calls:
            raise Refusal(settings.get("fail_with", "(InternalServerError) something went wrong"))
        print(FakeAz(words, settings, state).answer())
    except Refusal as refusal:
        print(f"ERROR: {refusal}", file=sys.stderr)
        return 1
    finally:
        (FOLDER / "state.json").write_text(json.dumps(state))
    return 0


sys.exit(main())
