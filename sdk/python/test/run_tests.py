"""Runs the tests of the package, and prints a line of JSON for each, as the runner of the cases does.

A test's name is the first line of its docstring. `python -m unittest discover test` runs them, too.
"""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any


class ReportingResult(unittest.TestResult):
    """Prints the outcome of each test."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._print(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._print(test, "failed", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._print(test, "failed", self.errors[-1][1])

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._print(test, "skipped", reason)

    def _print(self, test: unittest.TestCase, status: str, reason: str | None = None) -> None:
        name = test.shortDescription() or test.id()
        details = {} if reason is None else {"reason": reason}
        print(json.dumps({"name": name, "status": status, **details}), flush=True)


if __name__ == "__main__":
    folder = Path(__file__).parent
    suite = unittest.defaultTestLoader.discover(str(folder), top_level_dir=str(folder))
    sys.exit(0 if suite.run(ReportingResult()).wasSuccessful() else 1)
