"""Runs a module of CPython's test suite, which Debian packages, and leaves in $RESULTS a
file for each test: how it ended.

    python.py MODULE
"""

import os
import sys
import unittest


class Result(unittest.TextTestResult):
    def note(self, test: unittest.TestCase, outcome: str) -> None:
        name = test.id().replace("/", "%")[-200:]
        with open(os.path.join(os.environ["RESULTS"], name), "a", encoding="utf-8") as file:
            file.write(outcome + "\n")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, f"error: {err[0].__name__}: {err[1]}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, f"failure: {err[1]}")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, f"failure of {subtest}: {err[0].__name__}: {err[1]}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "failed as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "succeeded unexpectedly")


# Processes that a test starts import this file too.
if __name__ == "__main__":
    tests = unittest.defaultTestLoader.loadTestsFromName(f"test.{sys.argv[1]}")
    unittest.TextTestRunner(resultclass=Result, verbosity=2).run(tests)
