"""A demo on an engine of several operators, and its story told again to the engine of one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from freehold.agents.auditor.evidence import Recording, parse
from freehold.agents.auditor.verify import Report, verify
from freehold.contract.host import Contract
from freehold.ledger import blocks
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ports.ledger import Accepted
from tests.engines.embedded import SEED


def demo_on(engine: str, folder: Path) -> tuple[dict[str, Any], Report, Recording]:
    """Runs the demo of two rounds; its summary, what its evidence shows, and the history in it."""
    out = folder / "out"
    command = [sys.executable, "-m", "freehold", "demo", "--engine", engine, "--rounds", "2"]
    done = subprocess.run(
        [*command, "--out", str(out), "--format", "json", "--quiet"],
        env={**os.environ, "FREEHOLD_HOME": str(folder / "home"), "FREEHOLD_CONFIG": str(folder / "config.toml")},
        capture_output=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["weights_equal_plaintext"]
    assert set(summary["cheaters"]["blamed"]) == set(summary["cheaters"]["planted"])
    file = (out / "evidence.json").read_bytes()
    return summary, verify(file, network=summary["ledger"]["network"]), parse(file).recording


def is_the_same_on_one_machine(recording: Recording, state: str, folder: Path) -> None:
    """Action by action and at the same times, one machine's engine records the same: results, log, and final state."""
    now = [0]
    ledger = EmbeddedLedger.open(folder / "ledger.sqlite", Contract(recording.network), SEED, lambda: now[0])
    for block in recording.blocks:
        now[0] = blocks.parse_header(block.header).time
        assert all(isinstance(each, Accepted) for each in ledger.submit_all(block.actions))
    retold = [each for at in range(0, ledger.info().height, 100) for each in ledger.export(at, 100)]
    ledger.close()
    assert [pair for block in retold for pair in zip(block.actions, block.results, strict=True)] == [
        pair for block in recording.blocks for pair in zip(block.actions, block.results, strict=True)
    ]
    last = blocks.parse_header(retold[-1].header)
    assert last.state == state
    assert last.root == blocks.parse_header(recording.blocks[-1].header).root
