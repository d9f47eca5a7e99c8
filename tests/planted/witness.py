"""A plugin of pytest for the run that should catch a bug: whose code was tested, and which tests failed.

The product is installed as editable, so the copy with the bug could silently be passed over for the source it was
copied from, and every bug would count as missed. So the run stops at once if `freehold` is not the copy's.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

import freehold

RESULTS: Final = "FREEHOLD_PLANTED_RESULTS"
"""The variable that names the file for the results."""

_passed: list[str] = []
_failed: list[str] = []
_unreadable: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Refuses to test any other code than the copy's."""
    source = config.rootpath.resolve() / "src"
    found = Path(freehold.__file__).resolve()
    if not found.is_relative_to(source):
        raise pytest.UsageError(f"freehold is imported from {found}, not from the copy in {source}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remembers a file of tests that could not even be read."""
    if report.failed:
        _unreadable.append(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers how a test ended."""
    if report.failed and report.nodeid not in _failed:
        _failed.append(report.nodeid)
    elif report.passed and report.when == "call":
        _passed.append(report.nodeid)


def pytest_sessionfinish() -> None:
    """Tells it all to whoever started the run."""
    told = {"freehold": freehold.__file__, "passed": _passed, "failed": _failed, "unreadable": _unreadable}
    Path(os.environ[RESULTS]).write_text(json.dumps(told), "utf-8")
