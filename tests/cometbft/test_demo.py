"""The demo on four operators: the same story, the same end, and evidence that differs in who vouches for it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.agents.auditor.evidence import parse
from freehold.agents.auditor.verify import verify
from freehold.contract.host import Contract
from freehold.ledger import blocks
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ports.ledger import Accepted
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import SEED

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


def test_the_market_of_four_operators_is_the_market_of_one_but_for_the_proof(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "freehold", "demo", "--engine", "cometbft", "--rounds", "2"]
    done = subprocess.run(
        [*command, "--out", str(out), "--format", "json", "--quiet"],
        env={**os.environ, "FREEHOLD_HOME": str(tmp_path / "home"), "FREEHOLD_CONFIG": str(tmp_path / "config.toml")},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["ledger"]["operators"] == 4
    assert summary["weights_equal_plaintext"]
    assert set(summary["cheaters"]["blamed"]) == set(summary["cheaters"]["planted"])
    file = (out / "evidence.json").read_bytes()
    report = verify(file, network=summary["ledger"]["network"])
    assert len(report.signers) >= 3

    # Told again, action by action and at the same times, one machine's engine records the same.
    recording, now = parse(file).recording, [0]
    ledger = EmbeddedLedger.open(tmp_path / "ledger.sqlite", Contract(recording.network), SEED, lambda: now[0])
    for block in recording.blocks:
        now[0] = blocks.parse_header(block.header).time
        assert all(isinstance(each, Accepted) for each in ledger.submit_all(block.actions))
    retold = [each for at in range(0, ledger.info().height, 100) for each in ledger.export(at, 100)]
    ledger.close()
    assert [pair for block in retold for pair in zip(block.actions, block.results, strict=True)] == [
        pair for block in recording.blocks for pair in zip(block.actions, block.results, strict=True)
    ]
    last = blocks.parse_header(retold[-1].header)
    assert last.state == summary["ledger"]["state"]
    assert last.root == blocks.parse_header(recording.blocks[-1].header).root
