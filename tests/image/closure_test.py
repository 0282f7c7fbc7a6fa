"""tools/closure.sh: what it finds is what the loader finds, and it finds another processor's libraries without running any."""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ["DROPSCORE_PROGRAM"]
AARCH64 = 183  # e_machine, of two bytes at 18: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html


def closure(program):
    return subprocess.run([ROOT / "tools/closure.sh", program], capture_output=True, text=True, check=False)


class ClosureTest(unittest.TestCase):
    def test_it_is_the_loaders_own(self):
        found = closure(PROGRAM)
        self.assertEqual(found.returncode, 0, found.stderr)
        said = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
        by_loader = {word for line in said.splitlines() for word in line.split() if word.startswith("/")}
        self.assertEqual({os.path.realpath(name) for name in found.stdout.split()}, {os.path.realpath(name) for name in by_loader})
        self.assertEqual(len(found.stdout.split()), len(by_loader))


class OfAnotherProcessorTest(unittest.TestCase):
    """A program that needs liba, which needs libb, which needs the loader: of this machine's compiler, their processor's number
    changed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dropscore-closure-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.libraries = self.folder / "usr/lib/aarch64-linux-gnu"
        self.libraries.mkdir(parents=True)
        self.loader = self.folder / "ld-linux-aarch64.so.1"  # a link, as Debian's /lib is
        self.loader.symlink_to(self.libraries / "ld-linux-aarch64.so.1")
        self.link("ld-linux-aarch64.so.1", "-shared")
        self.link("libb.so.2", "-shared", "-l:ld-linux-aarch64.so.1")
        self.link("liba.so.1", "-shared", "-l:libb.so.2")
        self.program = self.link("program", f"-Wl,--dynamic-linker={self.loader}", "-Wl,--entry=0", "-l:liba.so.1")
        for file in self.libraries.iterdir():
            content = bytearray(file.read_bytes())
            content[18:20] = AARCH64.to_bytes(2, "little")
            file.write_bytes(content)

    def link(self, name, *options):
        file = self.libraries / name
        subprocess.run(["g++", "-nostdlib", "-x", "c", "/dev/null", "-x", "none", "-o", file, f"-Wl,-soname,{name}", "-Wl,--no-as-needed",
                        f"-L{self.libraries}", f"-Wl,-rpath-link,{self.libraries}", *options], check=True)
        return file

    def test_libraries_lie_beside_its_loader(self):
        found = closure(self.program)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertEqual(found.stdout.split(), [str(self.libraries / "liba.so.1"), str(self.libraries / "libb.so.2"), str(self.loader)])

    def test_one_that_is_missing_is_named(self):
        (self.libraries / "libb.so.2").unlink()
        found = closure(self.program)
        self.assertEqual((found.returncode, found.stdout), (1, ""))
        self.assertIn("missing: libb.so.2", found.stderr)

    def test_so_is_its_loader(self):
        self.loader.unlink()
        found = closure(self.program)
        self.assertEqual((found.returncode, found.stdout), (1, ""))
        self.assertIn("missing: the loader", found.stderr)


if __name__ == "__main__":
    unittest.main()
