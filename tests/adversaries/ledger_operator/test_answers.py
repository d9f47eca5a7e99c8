"""An operator that answers a question falsely: what an account holds, or that there is no such record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from freehold.errors import Invalid
from freehold.ledger.proofs import checks
from freehold.ledger.proofs.checks import require_held
from freehold.ports.ledger import RecordProof
from freehold.protocol import signatures
from tests.adversaries.attack import Attack
from tests.engines.embedded import SEED, embedded
from tests.engines.notebook import add

OPERATOR = signatures.public_key(SEED)

LIES = Attack(
    by="ledger operator",
    does="tells a member that a record holds something else, or is not there",
    stopped_by="G-5: a record's value or absence is proved against the state root that the operator signed",
)


def answer(folder: Path, *, lies: bool) -> RecordProof:
    """What a member hears that asks for a counter that stands at five."""
    with embedded(folder) as ledger:
        ledger.submit_all([add("c", 1, nonce) for nonce in range(5)])
        proof = ledger.prove_record("counter/c")
    return replace(proof, value=b'{"amount":4}') if lies else proof


@LIES.without
def test_a_member_that_looks_at_no_proof_believes_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "holds", lambda *_: True)
    told = answer(tmp_path, lies=True)

    require_held(told, "counter/c", operator=OPERATOR)

    assert told.value == b'{"amount":4}'


@LIES.against
def test_a_false_value_and_a_false_absence_do_not_fit_the_signed_root(tmp_path: Path) -> None:
    told = answer(tmp_path, lies=True)

    for lie in (told, replace(told, value=None), replace(told, bucket=b"", value=None)):
        with pytest.raises(Invalid):
            require_held(lie, "counter/c", operator=OPERATOR)


@LIES.unharmed
def test_a_true_answer_is_proved(tmp_path: Path) -> None:
    assert require_held(answer(tmp_path, lies=False), "counter/c", operator=OPERATOR).size == 5
