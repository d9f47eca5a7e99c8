"""G-2: kill -9 at random moments under load: what was acknowledged is there, whatever else is."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freehold.ledger.replay import Replay
from tests.engines.embedded import embedded
from tests.engines.notebook import Notebook, note
from tests.ledger.loaded import TEXT

LEDGERS = 3
KILLS = 10
"""Of each ledger, one after the other: most kills meet a ledger that was killed before."""
LONGEST = 0.12
"""Seconds of load after the first acknowledgement."""


def killed_under_load(folder: Path, chance: random.Random) -> dict[str, tuple[int, int]]:
    """Runs the writing process for a while, kills it; what it was told: name to position and height."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.loaded", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(chance.random() * LONGEST)
    process.kill()
    rest, _ = process.communicate(timeout=10)
    lines = (first + rest).splitlines()
    assert lines, "the process died before it wrote anything"
    return {name: (int(position), int(height)) for name, position, height in (line.split() for line in lines)}


@pytest.mark.parametrize("seed", range(LEDGERS))
def test_every_acknowledged_action_survives_kill_9(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    acknowledged: dict[str, tuple[int, int]] = {}

    for _ in range(KILLS):
        acknowledged |= killed_under_load(tmp_path, chance)

    with embedded(tmp_path) as ledger:
        for name, (position, height) in acknowledged.items():
            accepted = ledger.resolve(note(name, TEXT))
            assert accepted is not None, f"{name} was acknowledged and is lost"
            assert (accepted.position, accepted.height) == (position, height)
        info = ledger.info()
        # What was on its way at a kill is there or not, but never half: the blocks replay to the state, all of it.
        replay = Replay(Notebook(), bytes.fromhex(info.operator))
        for block in ledger.export(0, info.height):
            replay.apply(block)
        assert {key: value.hex() for key, value in replay.state.scan("")} == ledger.evaluate("state", {})
        assert info.size == len(ledger.evaluate("notes", {})) >= len(acknowledged)
