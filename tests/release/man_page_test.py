"""dropscore(1): without a warning of groff's, with every option, every variable and every setting that the sources read."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import commands

SOURCES = pathlib.Path(__file__).resolve().parent.parent.parent / "src"
# A variable's name in the sources. OpenTelemetry's many are its specification's.
VARIABLE = re.compile(r'"((?:DROPSCORE|MODEL|AZURE|IDENTITY|FUNCTIONS|SSL|API)_[A-Z_]+|PORT|TMPDIR|AzureWebJobsStorage)"')


class ManPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = commands.printed("man")
        with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
            file.write(cls.page)
            file.flush()
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", file.name], capture_output=True, text=True, timeout=300,
                                  check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "TERM": "dumb"})
            cls.warnings = done.stderr
            cls.groff = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", file.name], capture_output=True, text=True, timeout=300,
                                       check=True).stderr
        cls.text = done.stdout

    def of_command(self, command):
        return re.search(rf"^   dropscore {command} .*?(?=^   dropscore|^[A-Z])", self.text, re.MULTILINE | re.DOTALL).group(0)

    def test_no_warnings(self):
        self.assertEqual(self.warnings, "")
        self.assertEqual(self.groff, "")

    def test_the_sections_of_a_manual_page(self):
        found = re.findall(r"^[A-Z][A-Z ]+$", self.text, re.MULTILINE)
        self.assertEqual(found, ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES",
                                 "EXAMPLES", "SEE ALSO"])
        self.assertRegex(self.text, r"(?m)^NAME\n       dropscore - \S")

    def test_every_exit_code(self):
        part = re.search(r"\nEXIT STATUS\n(.*?)\n[A-Z]", self.text, re.DOTALL).group(1)
        self.assertEqual(re.findall(r"(?m)^       (\d+) ", part), ["0", "1", "2", "130", "143"])

    def test_each_option_of_each_command_with_its_variable(self):
        environment = self.text[self.text.index("\nENVIRONMENT\n"):self.text.index("\nFILES\n")]
        count = 0
        for command in commands.commands():
            part = self.of_command(command)
            for option in [*commands.positionals(command), *commands.options(command)]:
                if option.name == "--help":
                    continue
                with self.subTest(command=command, option=option.name):
                    heading = rf"(?m)^       {re.escape(option.name)}{' ' if option.notation else ''}{re.escape(option.notation)}( |$)"
                    self.assertRegex(part, heading)
                    if option.environment:
                        self.assertIn(f"Environment: {option.environment}\n", part)
                        self.assertRegex(environment, rf"(?m)^       {option.environment}$")
                count += 1
        self.assertGreater(count, 80)

    def test_every_value_says_what_it_is(self):
        for command in commands.commands():
            for option in [*commands.positionals(command), *commands.options(command)]:
                with self.subTest(command=command, option=option.name):
                    self.assertNotEqual(option.notation, "TEXT", "say what it is, as ->type_name(\"FILE\"): app/cli/option_table.h")

    def test_every_option_can_be_set_by_a_variable(self):
        for command in commands.commands():
            for option in commands.options(command):
                if option.name != "--help":
                    with self.subTest(command=command, option=option.name):
                        self.assertTrue(option.environment)

    def test_every_variable_that_the_sources_read(self):
        for path in sorted(SOURCES.rglob("*.cc")):
            if "test" in path.stem:
                continue
            for name in VARIABLE.findall(path.read_text()):
                with self.subTest(file=path.name, variable=name):
                    self.assertIn(name, self.text)


if __name__ == "__main__":
    unittest.main()
