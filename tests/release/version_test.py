"""`dropscore --version`, and how a build finds out its commit (cmake/Commit.cmake)."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ["DROPSCORE_PROGRAM"]
VERSION = (ROOT / "VERSION").read_text().strip()


class Version(unittest.TestCase):
    def test_one_line_that_a_script_can_take_apart(self):
        done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=300, check=True)
        self.assertEqual(done.stderr, "")
        self.assertRegex(done.stdout, r"\Adropscore \d+\.\d+\.\d+ \(commit [0-9A-Za-z.+_-]+, \w+, \w+(, [^()\n]+)?\)\n\Z")
        self.assertEqual(done.stdout.split()[1], VERSION)

    def test_the_changelog_knows_the_version_or_something_unreleased(self):
        headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        self.assertTrue(headings[0] == "Unreleased" or headings[0].startswith(VERSION + " "), headings[0])


class Commit(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="dropscore commit-"))  # a space on purpose
        self.addCleanup(shutil.rmtree, self.root)
        self.source = self.root / "commit.cc"

    def git(self, *arguments):
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments], cwd=self.root, text=True,
                              capture_output=True, timeout=300, check=True).stdout.strip()

    def make_checkout(self):
        (self.root / "file").write_text("one")
        self.git("init", "-q")
        self.git("add", "file")
        self.git("commit", "-q", "-m", "first")
        return self.git("rev-parse", "HEAD")[:12]

    def find(self, given="", environment=""):
        """What a build would name: given by -D, by the environment, or found."""
        subprocess.run(["cmake", "-D", f"SOURCE={self.source}", "-D", f"ROOT={self.root}", "-D", f"DROPSCORE_COMMIT={given}",
                        "-P", ROOT / "cmake/Commit.cmake"], capture_output=True, timeout=300, check=True,
                       env={**os.environ, "DROPSCORE_COMMIT": environment})
        return re.search(r'commit = "(.*)";', self.source.read_text()).group(1)

    def test_twelve_digits_and_a_mark_for_changes(self):
        digits = self.make_checkout()
        self.assertEqual(self.find(), digits)
        (self.root / "file").write_text("two")
        self.assertEqual(self.find(), digits + "+changes")

    def test_a_tag_does_not_take_the_place_of_the_commit(self):
        digits = self.make_checkout()
        self.git("tag", "-a", "-m", "release", "v1.0.0")
        self.assertEqual(self.find(), digits)

    def test_nothing_is_compiled_again_while_the_commit_stays(self):
        self.make_checkout()
        self.find()
        os.utime(self.source, (1, 1))
        self.find()
        self.assertEqual(self.source.stat().st_mtime, 1)

    def test_without_a_checkout(self):
        self.assertEqual(self.find(), "unknown")
        self.assertEqual(self.find(environment="0123456789ab"), "0123456789ab")
        self.assertEqual(self.find(given="v1.2.3", environment="0123456789ab"), "v1.2.3")

    def test_the_checkout_around_an_unpacked_tarball_is_not_its_own(self):
        self.make_checkout()
        self.root = self.root / "unpacked"
        self.root.mkdir()
        self.assertEqual(self.find(), "unknown")

    def test_what_would_spoil_the_source_is_refused(self):
        with self.assertRaises(subprocess.CalledProcessError):
            self.find(given='"; system("id')


if __name__ == "__main__":
    unittest.main()
