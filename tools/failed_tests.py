#!/usr/bin/env python3
"""Prints the end of what each failed test said. ctest says it too, but where it happened, hundreds of tests up; a log that
is cut keeps its end.

    tools/failed_tests.py JUNIT_FILE [LINES]
"""
import sys
import xml.etree.ElementTree as ElementTree


def main() -> int:
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
        if case.get("status") != "fail":
            continue
        said = (case.findtext("system-out") or "(nothing)").rstrip().splitlines()
        print(f"\n--- {case.get('name')}, after {float(case.get('time')):.1f} s; its last {min(lines, len(said))} lines:")
        print("\n".join(said[-lines:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
