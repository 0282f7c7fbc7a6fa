#!/usr/bin/env python3
"""Holds the sources against the table of rooms in ARCHITECTURE.md's order.

Without arguments: fails on an #include that goes from a room to one that it may not import.
With --built DIR: fails on a *_test.cc that no target of the build in DIR compiles.
"""
import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src"

# room -> the rooms that it may include. app/ is held to its parts below.
ALLOWED = {
    "base": set(),
    "telemetry": {"base"},
    "net": {"base", "telemetry"},
    "azure": {"base", "telemetry", "net"},
    "store": {"base", "telemetry", "net", "azure"},
    "event": {"base", "telemetry", "net", "azure", "store"},
    "table": {"base"},
    "schema": {"base", "table"},
    "features": {"base", "table", "schema"},
    "model": {"base", "schema", "features"},
    "metrics": {"base"},
    "learn": {"base", "schema", "features", "model", "metrics"},
    "result": {"base", "table", "model", "metrics"},
    "job": {"base", "telemetry", "net", "store", "event", "table", "schema", "features", "model", "metrics", "learn", "result"},
    "app/cli": {"base", "telemetry", "job", "net", "azure", "store", "event", "model", "app/http", "app/function",
                "app/operations", "app/webhook", "app/worker"},
    "app/function": {"base", "telemetry", "job", "net", "azure", "store", "event", "app/http"},
    "app/operations": {"base", "telemetry", "app/http"},
    "app/webhook": {"base", "telemetry", "event", "app/http"},
    "app/http": {"base", "telemetry", "job"},
    "app/worker": {"base", "telemetry", "job", "store", "event", "model"},
}
# Serving must not link learning: only the training half of job/ may include it.
LEARN_ONLY_FROM = re.compile(r"^src/(learn/|job/(train_|candidate))")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def room_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "app" else parts[0]


def is_test(path):
    """Tests may put together whatever they need."""
    return path.stem.endswith(("_test", "_bench")) or "test" in path.stem.split("_")


def forbidden_includes():
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        inside = path.relative_to(SOURCES).as_posix()
        room = room_of(inside)
        if room not in ALLOWED:
            yield f"src/{inside}: {room} is no room of the table"
            continue
        if is_test(path):
            continue
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            other = room_of(included)
            if other != room and other not in ALLOWED[room]:
                yield f'src/{inside}: includes "{included}", but {room} may import only {sorted(ALLOWED[room])}'
            elif other == "learn" and not LEARN_ONLY_FROM.match(f"src/{inside}"):
                yield f'src/{inside}: includes "{included}", but only training may import learn'


def unbuilt_tests(build):
    compiled = {pathlib.Path(entry["file"]).resolve() for entry in json.loads((build / "compile_commands.json").read_text())}
    for folder in (SOURCES, ROOT / "tests"):
        for path in sorted(folder.rglob("*_test.cc")):
            if path.resolve() not in compiled:
                yield f"{path.relative_to(ROOT).as_posix()}: no target builds it"
    listed = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("CMakeLists.txt"))
    for path in sorted((ROOT / "tests").rglob("*_test.py")):
        if path.stem not in listed and path.name not in listed:
            yield f"{path.relative_to(ROOT).as_posix()}: no CMakeLists.txt in tests/ runs it"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--built", type=pathlib.Path, help="a configured build folder")
    arguments = parser.parse_args()
    faults = list(unbuilt_tests(arguments.built)) if arguments.built else list(forbidden_includes())
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
