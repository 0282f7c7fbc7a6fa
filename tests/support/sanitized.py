#!/usr/bin/env python3
"""Runs a test of processes that are built with sanitizers, and fails if any of them had something to report. The test alone
may not notice: an exit status of 1 may be what it waits for, and a process that it kills at its end is asked nothing.

    sanitized.py COMMAND...
"""
import os
import pathlib
import subprocess
import sys
import tempfile

SHOWN_BYTES = 65536  # of all reports: the first says the most


def options(folder):
    """What each sanitizer reads at its start. The undefined behaviour one, beside another, writes to standard error
    whatever its log_path is, which it needs nevertheless, lest it undoes the other's: it is told to abort, which the
    address one then reports."""
    log = f"log_path={folder}/report"
    added = {"ASAN_OPTIONS": f"{log}:handle_abort=1", "UBSAN_OPTIONS": f"{log}:abort_on_error=1", "TSAN_OPTIONS": log}
    return {name: ":".join(filter(None, (os.environ.get(name), words))) for name, words in added.items()}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="dropscore-sanitizers-") as folder:
        status = subprocess.run(sys.argv[1:], env={**os.environ, **options(folder)}, check=False).returncode
        reports = sorted(pathlib.Path(folder).iterdir())
        text = "".join(path.read_text(errors="replace") for path in reports)
    if reports:
        print(f"\nsanitizers reported in {len(reports)} processes:\n{text[:SHOWN_BYTES]}", file=sys.stderr)
    return status or bool(reports)


if __name__ == "__main__":
    sys.exit(main())
