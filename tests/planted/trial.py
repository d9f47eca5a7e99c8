"""Plants one bug in a copy of the product and runs the tests that should catch it.

"Caught" must never mean "was red anyway": the named tests run without any bug first, all together, and only tests that
passed there can catch something. Nor may it mean "could not be run": a bug after which a file of tests cannot even be
read is no plausible mistake, and counts as trouble. Nothing outside a temporary folder is written, and it is removed
however the trial ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.planted import witness
from tests.planted.patches import ROOT, BadPatch, Bug, plant

FOLDER_PREFIX: Final = "freehold-planted-"
_FOLDERS: Final = ("src", "tests", "docs", "bench")
_FILES: Final = ("pyproject.toml", "README.md", "Makefile")
_NAMED_SECONDS: Final = 300
_SUITE_SECONDS: Final = 3600
_SUITE: Final = ("tests", "--ignore=tests/planted", "-m", "not processes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one bug."""

    bug: Bug
    caught_by: str | None
    """The first test that failed because of it."""
    seconds: float
    trouble: str = ""
    """Why nothing can be said, or what is wrong with the patch although it was caught."""

    @property
    def is_caught(self) -> bool:
        """Whether some test of the suite catches it."""
        return self.caught_by is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What pytest said about some tests."""

    passed: frozenset[str]
    failed: tuple[str, ...]
    trouble: str
    """Why the tests could not be run, or not to their end."""


class Trials:
    """A temporary folder in which bugs are planted, one at a time."""

    def __init__(self, folder: Path, product: Path = ROOT) -> None:
        """`product` is the repository whose copies get the bugs."""
        self._folder = folder
        self.healthy = folder / "healthy"
        self._sound: dict[str, str] = {}
        """For each test that was run without any bug: why it cannot be relied on, or nothing."""
        _copy(product, self.healthy)

    def run_unpatched(self, bugs: Iterable[Bug]) -> None:
        """Runs the named tests of these bugs as long as nothing is wrong: whatever fails now can catch nothing."""
        fresh = {test for bug in bugs for test in bug.caught_by} - self._sound.keys()
        if not fresh:
            return
        # a name of nothing would keep pytest from running the others
        present = sorted(test for test in fresh if is_a_test(test, self.healthy))
        run = self._run(self.healthy, present, _NAMED_SECONDS + 10 * len(present)) if present else _NOTHING
        for test in fresh:
            self._sound[test] = run.trouble or _unsound(test, run)

    def try_out(self, bug: Bug) -> Verdict:
        """Plants one bug and tells which test caught it; first those that it names, then the whole suite."""
        began = time.monotonic()
        self.run_unpatched([bug])
        unsound = [f"{test}: {self._sound[test]}" for test in bug.caught_by if self._sound[test]]
        caught_by, trouble = None, "; ".join(unsound)
        if not unsound:
            try:
                caught_by, trouble = self._plant_and_run(bug)
            except BadPatch as bad:
                trouble = str(bad)
        return Verdict(bug=bug, caught_by=caught_by, seconds=time.monotonic() - began, trouble=trouble)

    def _plant_and_run(self, bug: Bug) -> tuple[str | None, str]:
        planted = self._folder / "planted"
        _copy(self.healthy, planted)
        try:
            plant(bug, planted)
            run = self._run(planted, [*bug.caught_by, "-x"], _NAMED_SECONDS)
            if run.trouble or run.failed:
                return (None if run.trouble else run.failed[0]), run.trouble
            run = self._run(planted, [*_SUITE, "-x"], _SUITE_SECONDS)
        finally:
            shutil.rmtree(planted, ignore_errors=True)
        if run.trouble or not run.failed:
            return None, run.trouble or "no test of the suite noticed it"
        found = run.failed[0]
        if self._run(self.healthy, [found], _NAMED_SECONDS).failed:
            return None, f"the tests that it names did not notice it, and {found} fails without it too"
        return found, "caught, but not by the tests that it names"

    def _run(self, root: Path, asked: Sequence[str], seconds: float) -> _Run:
        """Runs tests in a process group of its own, all of whose files lie in the temporary folder."""
        results, temporary = self._folder / "results.json", self._folder / "tmp"
        results.unlink(missing_ok=True)
        temporary.mkdir(exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment |= {
            "PYTHONPATH": str(root / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            # to Hypothesis this means: the same examples each time, however slow the machine is today
            "CI": "true",
            "TMPDIR": str(temporary),
            witness.RESULTS: str(results),
        }
        # plugins that a few tests do not need take longer to load than the tests take
        plugins = ["no:cacheprovider", "no:xdist", "no:hypothesispytest", witness.__name__]
        command = [sys.executable, "-m", "pytest", "-q", *(part for plugin in plugins for part in ("-p", plugin))]
        process = subprocess.Popen(
            [*command, *asked],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return _Run(passed=frozenset(), failed=(), trouble=f"the tests did not end within {seconds:.0f} seconds")
        finally:
            _end(process)
            shutil.rmtree(temporary, ignore_errors=True)
        return _understood(results, process.returncode, said)


@contextmanager
def trials(product: Path = ROOT) -> Iterator[Trials]:
    """Trials in a temporary folder that is gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True) as folder:
        yield Trials(Path(folder), product)


def is_a_test(name: str, root: Path = ROOT) -> bool:
    """Whether a name such as tests/x/test_y.py::test_z, with or without [parameters], names a test below `root`."""
    file, _, test = name.partition("::")
    place = root / file
    return place.is_file() and f"\ndef {test.partition('[')[0]}(" in place.read_text("utf-8")


_NOTHING: Final = _Run(passed=frozenset(), failed=(), trouble="")


def _copy(source: Path, target: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", ".hypothesis", "results")
    for folder in _FOLDERS:
        shutil.copytree(source / folder, target / folder, ignore=unwanted)
    for file in _FILES:
        shutil.copy2(source / file, target / file)


def _understood(results: Path, code: int, said: str) -> _Run:
    if not results.exists():
        return _Run(passed=frozenset(), failed=(), trouble=f"pytest did not run: {' '.join(said.split())[-500:]}")
    told = json.loads(results.read_text("utf-8"))
    trouble = ""
    if told["unreadable"]:
        trouble = f"{told['unreadable'][0]} cannot be read any more"
    elif code not in (0, 1):
        trouble = f"pytest ended with {code}: {' '.join(said.split())[-500:]}"
    return _Run(passed=frozenset(told["passed"]), failed=tuple(told["failed"]), trouble=trouble)


def _unsound(test: str, run: _Run) -> str:
    """Why a test that was run without any bug cannot catch one."""
    if any(_is_of(each, test) for each in run.failed):
        return "it fails without any bug"
    return "" if any(_is_of(each, test) for each in run.passed) else "there is no such test, or it was not run"


def _is_of(ran: str, test: str) -> bool:
    return ran == test or ran.partition("[")[0] == test


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a run and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
