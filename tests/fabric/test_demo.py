"""The demo on two organisations of Fabric: the same story, the same end, another proof."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.ledger.fabric.programs import VARIABLE
from tests.engines.retold import demo_on, is_the_same_on_one_machine

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]


def test_the_market_of_two_organisations_is_the_market_of_one_operator_but_for_the_proof(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")
    summary, report, recording = demo_on("fabric", tmp_path)

    assert {"Org1MSP", "Org2MSP"} < set(report.signers)
    is_the_same_on_one_machine(recording, summary["ledger"]["state"], tmp_path)
