"""The demo on four operators: the same story, the same end, and evidence that differs in who vouches for it alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.cometbft import program as cometbft_program
from tests.engines.retold import demo_on, is_the_same_on_one_machine

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


def test_the_market_of_four_operators_is_the_market_of_one_but_for_the_proof(tmp_path: Path) -> None:
    summary, report, recording = demo_on("cometbft", tmp_path)

    assert summary["ledger"]["operators"] == 4
    assert len(report.signers) >= 3
    is_the_same_on_one_machine(recording, summary["ledger"]["state"], tmp_path)
