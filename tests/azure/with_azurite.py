#!/usr/bin/env python3
"""Runs a command beside a fresh emulator: with_azurite.py [--disk] -- COMMAND...

The command finds its connection string in DROPSCORE_TEST_AZURITE. Exit code: the command's.
"""
import os
import subprocess
import sys

from azurite import Azurite


def main():
    arguments = sys.argv[1:]
    disk = arguments[:1] == ["--disk"]
    if disk:
        del arguments[0]
    if arguments[:1] == ["--"]:
        del arguments[0]
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    with Azurite(disk=disk) as azurite:
        code = subprocess.run(arguments, env={**os.environ, "DROPSCORE_TEST_AZURITE": azurite.connection_string},
                              check=False).returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
