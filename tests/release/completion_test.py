"""The completions, in the shells themselves: bash, zsh and fish."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import commands

PATHS = ["customers.csv", "models/", "my data/"]  # lie where the shells complete


class CompletionTest(unittest.TestCase):
    shell = None

    @classmethod
    def setUpClass(cls):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-completion-"))
        cls.addClassCleanup(shutil.rmtree, scratch)
        cls.folder = scratch / "here"
        cls.folder.mkdir()
        cls.script = scratch / "script"
        cls.script.write_text(commands.printed("completion", cls.shell))
        for path in PATHS:
            (cls.folder / path).mkdir() if path.endswith("/") else (cls.folder / path).touch()

    def run_shell(self, *arguments, **keywords):
        done = subprocess.run(arguments, cwd=self.folder, capture_output=True, text=True, timeout=300, check=True, **keywords)
        self.assertEqual(done.stderr, "")
        return done.stdout


class Shared:
    """What holds in every shell that can be asked what it offers behind a line."""

    def test_parses(self):
        self.run_shell(self.shell, "-n", str(self.script))

    def test_commands(self):
        self.assertEqual(sorted(self.offered("dropscore ")), sorted(commands.commands()))
        self.assertEqual(self.offered("dropscore ins"), ["inspect"])

    def test_each_option_of_each_command(self):
        count = 0
        for command in commands.commands():
            offered = self.offered(f"dropscore {command} --")
            for option in commands.options(command):
                with self.subTest(command=command, option=option.name):
                    self.assertIn(option.name, offered)
                count += 1
            self.assertIn("--log-level", offered)
        self.assertGreater(count, 80)

    def test_words(self):
        self.assertEqual(sorted(self.offered("dropscore score --format ")), ["csv", "json"])
        self.assertEqual(self.offered("dropscore --log-level w"), ["warning"])
        self.assertEqual(self.offered("dropscore score --log-level w"), ["warning"])
        self.assertEqual(sorted(self.offered("dropscore completion ")), ["bash", "fish", "zsh"])

    def test_files_and_folders(self):
        self.assertEqual(sorted(self.offered("dropscore score ")), sorted(PATHS))
        self.assertEqual(self.offered("dropscore score --model mod"), ["models/"])
        self.assertNotIn("customers.csv", self.offered("dropscore score --model "))
        self.assertEqual(self.offered("dropscore train customers.csv --report cus"), ["customers.csv"])

    def test_words_or_a_file(self):
        self.assertIn("none", self.offered("dropscore train --holdout "))
        self.assertIn("customers.csv", self.offered("dropscore train --holdout "))

    def test_several_between_commas(self):
        self.assertEqual(self.offered("dropscore train --models bo"), ["boosted"])
        self.assertEqual(self.offered("dropscore train --models svm,lo"), ["svm,logistic"])

    def test_a_number_is_not_completed(self):
        self.assertEqual(self.offered("dropscore serve --port "), [])

    def test_a_value_is_not_taken_for_a_command(self):
        self.assertIn("--rows", self.offered("dropscore --log-level debug sample --"))


class Bash(Shared, CompletionTest):
    shell = "bash"

    # What readline does with a line, in the little that the function sees of it; compopt works only under readline.
    DRIVER = r"""
        source "$1"
        compopt() { :; }
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _dropscore
        for found in "${COMPREPLY[@]}"; do if [[ -d $found ]]; then echo "$found/"; else echo "$found"; fi; done
    """

    def offered(self, line):
        words = [part for word in line.split(" ") for part in (re.findall(r"[=:]+|[^=:]+", word) or [""])]
        return self.run_shell("bash", "--norc", "-c", self.DRIVER, "bash", str(self.script), *words).splitlines()

    def test_with_an_equals_sign(self):
        self.assertEqual(sorted(self.offered("dropscore score --format=")), ["csv", "json"])
        self.assertEqual(self.offered("dropscore score --format=j"), ["json"])
        self.assertEqual(self.offered("dropscore --log-level=debug sc"), ["score"])

    def test_behind_a_url(self):
        self.assertEqual(self.offered("dropscore watch --input https://a.example/in --trig"), ["--trigger"])
        self.assertEqual(self.offered("dropscore watch --input https://a"), [])

    def test_on_a_terminal(self):
        with Terminal(["bash", "--norc", "--noprofile", "-i"], self.folder) as terminal:
            terminal.type(f"source {self.script}; bind 'set enable-bracketed-paste off'; PS1='go''>'\r", "go>")
            terminal.type("dropscore ev\t", "evaluate ")
            terminal.type("cus\t", "customers.csv ")
            terminal.type("--model my\t", r"--model my\ data/")


class Fish(Shared, CompletionTest):
    shell = "fish"

    def offered(self, line):
        quoted = line.replace("'", "\\'")
        lines = self.run_shell("fish", "--no-config", "-c", f"source {self.script}; complete -C '{quoted}'").splitlines()
        return [line.split("\t")[0] for line in lines]


class Zsh(CompletionTest):
    """zsh offers on a terminal only."""
    shell = "zsh"

    def terminal(self):
        terminal = Terminal(["zsh", "-f", "-i"], self.folder)
        self.addCleanup(terminal.close)
        terminal.type(f"autoload -U compinit; compinit -u -D; source {self.script}; "
                      "LISTMAX=1000; PROMPT='go''>'\r", "go>")
        return terminal

    def test_parses(self):
        self.run_shell("zsh", "-n", str(self.script))

    def test_as_a_file_of_fpath(self):
        """As the package installs it: found by its first line, run at the first TAB."""
        functions = self.script.parent / "functions"
        functions.mkdir()
        (functions / "_dropscore").write_text(self.script.read_text())
        terminal = Terminal(["zsh", "-f", "-i"], self.folder)
        self.addCleanup(terminal.close)
        terminal.type(f"fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; PROMPT='go''>'\r", "go>")
        terminal.type("dropscore ev\t", "evaluate ")

    def test_commands_words_and_paths(self):
        terminal = self.terminal()
        terminal.type("dropscore ev\t", "evaluate ")
        terminal.type("cus\t", "customers.csv ")
        terminal.type("--model my\t", r"my\ data/")
        terminal.type("\x15dropscore score --format j\t", "json ")
        terminal.type("\x15dropscore --log-level w\t", "warning ")
        terminal.type("\x15dropscore train --models svm,lo\t", "svm,logistic")
        terminal.type("\x15dropscore train --holdout no\t", "none ")
        terminal.type("\x15dropscore completion f\t", "fish ")

    def test_each_option_of_each_command(self):
        terminal = self.terminal()
        for command in commands.commands():
            offered = terminal.type(f"\x15dropscore {command} --\t", f"go>dropscore {command} --")  # again below the list
            for option in commands.options(command):
                with self.subTest(command=command, option=option.name):
                    self.assertIn(option.name, offered)


class Terminal:
    """An interactive shell on a pseudo-terminal that is wide enough for nothing to wrap."""

    def __init__(self, arguments, folder):
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(arguments[0], arguments, {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "COLUMNS": "200",
                                                 "LINES": "1000", "PS1": "", "LC_ALL": "C.UTF-8"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def type(self, keys, until, seconds=120):
        """Types, and reads what appears until it holds `until`."""
        os.write(self.master, keys.encode())
        seen, end = "", time.monotonic() + seconds
        while until not in seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"waited {seconds} s for {until!r}: {seen!r}"
            seen += os.read(self.master, 65536).decode(errors="replace").replace("\r", "")
        return seen

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.master)


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Bash, Fish, Zsh))


if __name__ == "__main__":
    unittest.main()
