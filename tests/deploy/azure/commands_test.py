"""deploy.sh as a program to read: its commands, as azure-cli's own parser reads them; shellcheck; help and usage."""
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest

from deploy_support import FOLDER, ROOT, deploy


def commands(*arguments):
    """Every command of a dry run, as words."""
    done = deploy("--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return [shlex.split(line, comments=True) for line in done.stdout.splitlines() if line.startswith("    ")]


class CommandsTest(unittest.TestCase):
    def test_azure_cli_reads_every_command(self):
        """Debian's azure-cli 2.45, which has each of them; what newer ones add is not used."""
        said = [*commands("--subscription", "11111111-2222-3333-4444-555555555555"), *commands("--trigger", "function"),
                *commands("--what-if"), *commands("--delete")]
        wanted = sorted({tuple(words[1:]) for words in said if words[0] == "az"})
        self.assertGreater(len(wanted), 20)
        wrong = [("group", "create", "--nothing", "x"), ("containerapp", "show")]  # so that a parser that takes all is seen
        done = subprocess.run(["/usr/bin/python3", FOLDER / "az_parse.py"], input=json.dumps([*wanted, *wrong]), text=True,
                              capture_output=True, check=False, timeout=300, cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stderr)
        faults = json.loads(done.stdout)
        self.assertTrue(all(faults[len(wanted):]))
        self.assertEqual([(words, fault) for words, fault in zip(wanted, faults) if fault], [])

    def test_other_commands_are_those_that_the_script_asks_for(self):
        self.assertEqual({words[0] for words in commands()}, {"az", "make", "openssl", "skopeo", "curl"})

    def test_what_it_makes_is_made_by_the_makefile(self):
        targets = {words[1] for words in commands() if words[0] == "make"}
        self.assertEqual(targets, {"image", "function"})
        makefile = (ROOT / "Makefile").read_text()
        for target in targets:
            self.assertRegex(makefile, rf"(?m)^{target}:")

    def test_the_dry_run_needs_no_azure(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("bash", "dirname", "mktemp", "rm", "sha256sum", "cut", "python3", "cat", "base64", "date"):
                os.symlink(subprocess.run(["which", program], capture_output=True, text=True, check=True).stdout.strip(),
                           os.path.join(folder, program))
            done = deploy("--dry-run", env={"PATH": folder, "HOME": folder})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("az deployment group create", done.stdout)

    def test_the_dry_run_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(deploy("--dry-run", env={"TMPDIR": folder}).returncode, 0)
            self.assertEqual(os.listdir(folder), [])

    def test_names_depend_on_subscription_and_group(self):
        def registry(*arguments):
            return re.search(r"registries\s+(\S+)", deploy("--dry-run", *arguments).stdout)[1]
        one = registry("--subscription", "11111111-2222-3333-4444-555555555555")
        self.assertEqual(one, registry("--subscription", "11111111-2222-3333-4444-555555555555"))
        self.assertNotEqual(one, registry("--subscription", "21111111-2222-3333-4444-555555555555"))
        self.assertNotEqual(one, registry("--subscription", "11111111-2222-3333-4444-555555555555", "--resource-group", "b"))
        self.assertEqual(registry("--suffix", "mine99", "--prefix", "abc"), "abcmine99")

    def test_shellcheck_has_nothing_to_say(self):
        done = subprocess.run(["shellcheck", "--external-sources", "--source-path=.", "deploy/azure/deploy.sh"], cwd=ROOT,
                              capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_help_names_every_option(self):
        said = deploy("--help")
        self.assertEqual(said.returncode, 0)
        script = (ROOT / "deploy/azure/deploy.sh").read_text()
        options = set(re.findall(r"^ +(--[a-z-]+)\)", script, re.M))
        self.assertGreater(len(options), 15)
        for option in options:
            self.assertIn(option, said.stdout)

    def test_usage_errors_say_what_to_mend(self):
        for words, what in ((["--nonsense"], "--nonsense"), (["--model"], "wants a value"), (["--trigger", "cron"], "worker or function"),
                            (["--prefix", "UPPER"], "small letters"), (["--suffix", "x"], "4 to 8"),
                            (["--parameters", "/nowhere.json"], "/nowhere.json"), (["--resource-group", "a b"], "--resource-group"),
                            (["--new-api-key", "--api-key-file", "x"], "choose")):
            done = deploy(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(what, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
