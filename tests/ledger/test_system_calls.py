"""G-2: whichever system call fails, once or from then on, and whichever the process dies in, what was said is true.

`python -m tests.ledger calls` tries all of them; here are some of each kind.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.engines.embedded import embedded
from tests.engines.notebook import note
from tests.ledger import system_calls
from tests.ledger.recorder import NOTES, TEXT
from tests.ledger.system_calls import Trial, every_trial, run, strace_works

needs_strace = pytest.mark.skipif(
    not strace_works(), reason="strace is not installed here, or may not follow processes"
)


@needs_strace
def test_some_of_every_kind_of_fault_lose_nothing_and_end_in_words() -> None:
    trials = every_trial()
    assert {"pwrite64", "fdatasync", "openat"} <= {trial.call for trial in trials}

    for trial in trials[7::61]:
        assert run(trial).wrong == "", str(trial)


@needs_strace
@pytest.mark.parametrize("fault", ["EIO once", "ENOSPC from then on"])
def test_a_fault_is_met_and_not_merely_asked_for(fault: str) -> None:
    outcome = run(Trial(call="fdatasync", number=3, fault=fault))

    assert outcome.wrong == ""
    assert outcome.acknowledged < NOTES


def test_a_lost_acknowledgement_would_be_noticed(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        kept, lost = (ledger.submit(note(name, TEXT)) for name in ("n0", "n1"))
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("DELETE FROM blocks WHERE height = 2")

    wrong = list(system_calls._wrong_ledger(tmp_path, {"n0": kept.position, "n1": lost.position}))

    assert [said for said in wrong if "n1 was acknowledged" in said]
    assert not [said for said in wrong if "n0" in said]
