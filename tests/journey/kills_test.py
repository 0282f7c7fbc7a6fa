"""The kill campaign of prove_kills.py in short; `make prove` runs the long one."""
import unittest

from prove_kills import Campaign


class KillsTest(Campaign):
    def test_ten_files_and_six_kills(self):
        self.campaign(files=10, kills=6)


if __name__ == "__main__":
    unittest.main()
