"""The two processes of a node: what members are told when either of them is killed, full, or cannot start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.errors import Broken, Refused, Unavailable
from freehold.ledger.embedded.front import FrontLedger
from freehold.ledger.embedded.writer import WAITING_LARGEST
from freehold.ports.ledger import Accepted
from tests.engines.embedded import embedded, front, start_front
from tests.engines.notebook import add, note


def wait_until(done: Callable[[], bool], seconds: float = 10.0) -> None:
    """Looks again and again."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def executor_of(ledger: FrontLedger) -> subprocess.Popen[bytes]:
    return ledger._process


def test_answers_come_in_the_order_of_the_actions_whatever_shares_a_block(tmp_path: Path) -> None:
    with front(tmp_path) as ledger:
        lots = [[add("c", 1, 100 * lot + nonce) for nonce in range(100)] for lot in range(15)]
        futures = [ledger.enqueue(lot) for lot in lots]
        answers = [answer for future in futures for answer in future.result()]

        assert [each.position for each in answers if isinstance(each, Accepted)] == list(range(1_500))
        assert ledger.info().height < 15
        assert ledger.evaluate("counter", {"name": "c"}) == 1_500


def test_a_refusal_stands_at_its_place_between_what_is_accepted(tmp_path: Path) -> None:
    def no_seven(action: bytes) -> None:
        if b'"nonce":7' in action:
            raise Refused("malformed", "seven")

    program = [sys.executable, "-m", "tests.engines.executor", str(tmp_path)]
    ledger = FrontLedger.start(tmp_path / "ledger.sqlite", program, check=no_seven)
    try:
        answers = ledger.submit_all([add("c", 1, 1), add("c", 1, 7), add("c", 1, 1), add("c", 1, 2)])
        assert [type(answer).__name__ for answer in answers] == ["Accepted", "Refused", "Refused", "Accepted"]
        assert [type(answer).__name__ for answer in ledger.submit_all([add("c", 1, 7)])] == ["Refused"]
        assert ledger.submit_all([]) == []
        assert ledger.info().size == 2
    finally:
        ledger.close()


def test_who_comes_when_too_many_wait_is_told_to_come_back(tmp_path: Path) -> None:
    with front(tmp_path) as ledger:
        os.kill(executor_of(ledger).pid, signal.SIGSTOP)
        try:
            waiting = ledger.enqueue([add("c", 1, nonce) for nonce in range(WAITING_LARGEST)])
            with pytest.raises(Unavailable, match="busy") as caught:
                ledger.enqueue([add("c", 1, WAITING_LARGEST)])
            assert caught.value.retry_after
        finally:
            os.kill(executor_of(ledger).pid, signal.SIGCONT)

        assert len(waiting.result()) == WAITING_LARGEST
        assert ledger.submit(add("c", 1, WAITING_LARGEST)).position == WAITING_LARGEST


def test_a_killed_executor_leaves_outcomes_unknown_reads_going_and_nothing_lost(tmp_path: Path) -> None:
    ledger = start_front(tmp_path)
    try:
        kept = ledger.submit(note("kept", "text"))
        os.kill(executor_of(ledger).pid, signal.SIGSTOP)
        future = ledger.enqueue([note("unknown", "text")])
        executor_of(ledger).kill()

        (answer,) = future.result()
        assert isinstance(answer, Unavailable)
        assert "outcome unknown" in answer.now
        with pytest.raises(Unavailable, match="executor has ended"):
            ledger.submit(note("later", "text"))
        with pytest.raises(Unavailable, match="executor has ended"):
            ledger.info()
        assert ledger.resolve(note("kept", "text")) == kept
        assert len(ledger.export(0, 10)) == 1
        assert [event.name for event in ledger.events(0).events] == ["note-written"]
    finally:
        ledger.close()

    with front(tmp_path) as again:
        assert again.resolve(note("kept", "text")) == kept
        assert again.resolve(note("later", "text")) is None


def test_an_executor_ends_by_itself_when_its_front_is_killed(tmp_path: Path) -> None:
    story = f"""
from pathlib import Path
from tests.engines.embedded import start_front
from tests.engines.notebook import note
ledger = start_front(Path({str(tmp_path)!r}))
ledger.submit(note("kept", "text"))
print(ledger._process.pid, flush=True)
import time
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", story], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        executor = int(process.stdout.readline())
        process.kill()

    wait_until(lambda: not _lives(executor))
    with embedded(tmp_path) as ledger:
        assert ledger.info().size == 1


def test_what_was_sent_before_the_end_is_recorded_and_nothing_after_it(tmp_path: Path) -> None:
    ledger = start_front(tmp_path)
    futures = [ledger.enqueue([add("c", 1, nonce)]) for nonce in range(500)]
    ledger.close()

    assert all(isinstance(answer, Accepted) for future in futures for answer in future.result())
    with pytest.raises(Unavailable, match="closed"):
        ledger.enqueue([add("c", 1, 500)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.sqlite", "ledger.sqlite-lock"]
    with embedded(tmp_path) as again:
        assert again.info().size == 500


def test_the_trouble_of_an_executor_that_cannot_open_reaches_who_started_it(tmp_path: Path) -> None:
    with embedded(tmp_path), pytest.raises(Unavailable, match="another process has the ledger"):
        start_front(tmp_path)
    with pytest.raises(Broken, match="did not start"):
        FrontLedger.start(tmp_path / "ledger.sqlite", [sys.executable, "-c", "pass"])


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # In a container nobody may take in the dead: a zombie does not live.
    return not Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].startswith(" Z")
