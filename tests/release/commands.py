"""The commands and options as --help shows them: what the manual page and the completions are held against."""
import dataclasses
import os
import re
import subprocess

PROGRAM = os.environ["DROPSCORE_PROGRAM"]


@dataclasses.dataclass
class Option:
    name: str
    notation: str  # of its value; empty: a flag
    text: str  # help and notes, in one line

    @property
    def environment(self):
        found = re.search(r"env (\w+)\)$", self.text)
        return found.group(1) if found else None


def printed(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300, check=True)
    assert done.stderr == "", done.stderr
    return done.stdout


def sections(text):
    """Heading -> its entries, each with the lines that belong to it joined."""
    found, heading = {}, None
    for line in text.splitlines():
        if re.match(r"\w+:$", line):
            heading = found.setdefault(line[:-1], [])
        elif not line.strip():
            heading = None
        elif heading is not None and re.match(r"  \S", line):
            heading.append(line.strip())
        elif heading is not None:
            heading[-1] += "  " + line.strip()
    return found


def entry(line):
    left, text = re.split(r"  +", line, maxsplit=1)
    names, _, notation = re.match(r"((?:-\w, )?(?:--[\w-]+|\w+))( (.*))?", left).groups()
    return Option(names.split(", ")[-1], notation or "", re.sub(" +", " ", text))


def options(*command):
    return [entry(line) for line in sections(printed(*command, "--help")).get("Options", [])]


def positionals(command):
    return [entry(line) for line in sections(printed(command, "--help")).get("Positionals", [])]


def commands():
    return [line.split()[0] for line in sections(printed("--help"))["Subcommands"]]
