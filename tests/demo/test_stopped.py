"""A demo that is stopped, by Ctrl-C, by a service manager or by `kill -9`, leaves no process and nothing half made."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demo.test_market import demo, members_of

pytestmark = pytest.mark.processes

SEED = int(os.environ.get("FREEHOLD_TEST_STOPS", "1"))
MOMENTS = int(os.environ.get("FREEHOLD_TEST_MOMENTS", "3"))
LINES_OF_THE_STORY = 12


def small(folder: Path) -> subprocess.Popen[str]:
    """A demo that is over soon."""
    chance = random.Random(1)
    table = folder / "table.csv"
    # three classes can be split into three subsets, which need fewer cloud owners than four
    rows = [f"{number + chance.gauss(0, 1):.2f},{'abc'[number % 3]}" for number in range(240)]
    table.write_text("\n".join(("size,kind", *rows)) + "\n")
    options = ("--data", str(table), "--target", "kind", "--map", "identity", "--subsets", "3", "--cheat", "none")
    (folder / "work").mkdir()
    return demo(folder / "work" / "demo-out", *options)


def comes_to(process: subprocess.Popen[str], line: int) -> None:
    """Waits until the demo has told so many lines of its story."""
    assert process.stderr is not None
    for _ in range(line):
        process.stderr.readline()


def alive(folder: Path, seconds: float) -> set[int]:
    """Whoever still lives below the folder after a while."""
    patience = time.monotonic() + seconds
    while (left := members_of(folder)) and time.monotonic() < patience:
        time.sleep(0.05)
    return set(left)


def ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)


def ctrl_c_twice(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)


def is_asked_to_end(process: subprocess.Popen[str]) -> None:
    process.terminate()


def loses_its_terminal(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_demo_that_is_stopped_at_any_moment_leaves_nothing(tmp_path: Path, moment: int) -> None:
    chance = random.Random(f"{SEED}/{moment}")
    line, delay = chance.randint(1, LINES_OF_THE_STORY), chance.choice((0.0, chance.random()))
    stop: Callable[[subprocess.Popen[str]], None] = (ctrl_c, is_asked_to_end, loses_its_terminal)[moment % 3]
    process = small(tmp_path)
    comes_to(process, line)
    time.sleep(delay)
    stop(process)
    said, errors = process.communicate(timeout=30)
    told = f"{stop.__name__} after line {line} and {delay:.2f} s: {errors}"
    assert process.returncode == 130, told
    assert said == "", told
    assert "nothing of it is left behind" in errors
    assert "Traceback" not in errors
    assert alive(tmp_path, 0.0) == set(), told
    assert list((tmp_path / "work").iterdir()) == [], told


@pytest.mark.parametrize("stop", [ctrl_c, is_asked_to_end])
@pytest.mark.parametrize("delay", [0.15, 0.5, 1.0])
def test_a_demo_that_is_stopped_while_it_still_starts_leaves_nothing(
    tmp_path: Path, delay: float, stop: Callable[[subprocess.Popen[str]], None]
) -> None:
    process = small(tmp_path)
    time.sleep(delay)
    stop(process)
    said, errors = process.communicate(timeout=30)
    # before the program itself runs, only the signal can say what ended it
    assert process.returncode in (130, -signal.SIGINT, -signal.SIGTERM), errors
    assert said == ""
    assert alive(tmp_path, 0.0) == set()
    assert list((tmp_path / "work").iterdir()) == [], errors


def test_whoever_presses_ctrl_c_twice_waits_for_nobody_and_no_process_is_left(tmp_path: Path) -> None:
    process = small(tmp_path)
    comes_to(process, 4)
    ctrl_c_twice(process)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert alive(tmp_path, 8.0) == set()
    assert not (tmp_path / "work" / "demo-out").exists()


def test_a_demo_that_is_killed_takes_its_processes_with_it_and_is_not_taken_for_finished(tmp_path: Path) -> None:
    process = small(tmp_path)
    comes_to(process, 4)
    assert len(members_of(tmp_path)) > 10
    process.kill()
    process.communicate(timeout=30)
    assert alive(tmp_path, 8.0) == set()
    assert not (tmp_path / "work" / "demo-out").exists()
