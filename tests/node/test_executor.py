"""The program that operators run, and the second process that it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freehold.cli.exits import UNAVAILABLE
from freehold.ledger.remote import RemoteLedger
from freehold.node.runtime import found_network
from tests.engines.notebook import NETWORK


@pytest.fixture
def network(tmp_path: Path) -> Path:
    found_network(tmp_path / "market", NETWORK)
    return tmp_path / "market"


@contextmanager
def started(network: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The node of a network, and where it answers; killed at the end if it still runs."""
    command = [sys.executable, "-m", "freehold", "node", "--network", str(network), "--port", "0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def height(url: str) -> int:
    ledger = RemoteLedger(url)
    try:
        return ledger.info().height
    finally:
        ledger.close()


def executor_of(process: subprocess.Popen[str]) -> int:
    """The one child of a node."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds children by the process file system of Linux")
def test_a_node_whose_executor_is_killed_ends_and_says_so(network: Path) -> None:
    with started(network) as (process, url):
        assert height(url) == 0
        os.kill(executor_of(process), signal.SIGKILL)

        _, said = process.communicate(timeout=20)

    assert process.returncode == UNAVAILABLE
    assert "executor has ended" in said


def test_a_node_starts_again_at_once_where_another_was_killed(network: Path) -> None:
    with started(network) as (process, _):
        process.kill()
        with started(network) as (again, url):
            assert height(url) == 0
            again.send_signal(signal.SIGINT)
            assert again.wait(20) == 0


def test_ctrl_c_which_reaches_both_processes_ends_both_in_order(network: Path) -> None:
    command = [sys.executable, "-m", "freehold", "node", "--network", str(network), "--port", "0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert height(url) == 0
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
