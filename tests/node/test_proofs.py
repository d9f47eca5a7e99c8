"""Proofs that a member takes home from a node, and what it finds out about a node that lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.ledger.proofs.checks import require_growth, require_held, require_recorded
from freehold.ledger.remote import RemoteLedger
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.engines.embedded import SEED, embedded, front
from tests.engines.notebook import NETWORK, add, note

ID = network_id(NETWORK)
OPERATOR = signatures.public_key(SEED)
ACTIONS = [add("c", 1, nonce) for nonce in range(11)]


@dataclass(frozen=True)
class Served:
    """A node with some actions, and what a member sees of it."""

    ledger: RemoteLedger
    url: str

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.ledger.info().checkpoint, network_id=ID, operator=OPERATOR)


@pytest.fixture(params=["one process", "two processes"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    opened = embedded if request.param == "one process" else front
    with opened(tmp_path) as engine, serving(engine, FolderStore(tmp_path / "objects")) as url:
        engine.submit_all(ACTIONS[:4])
        engine.submit_all(ACTIONS[4:10])
        ledger = RemoteLedger(url)
        try:
            yield Served(ledger, url)
        finally:
            ledger.close()


def test_every_recorded_action_is_proved_against_the_signed_checkpoint(node: Served) -> None:
    for action in ACTIONS[:10]:
        proof = node.ledger.prove_action(action)
        assert require_recorded(proof, action, network_id=ID, operator=OPERATOR) == node.checkpoint()


def test_what_is_not_recorded_has_no_proof(node: Served) -> None:
    with pytest.raises(Unavailable, match="not recorded"):
        node.ledger.prove_action(ACTIONS[10])


def test_a_false_word_in_a_proof_of_an_action_is_found(node: Served) -> None:
    proof = node.ledger.prove_action(ACTIONS[3])
    moved = replace(proof.accepted, position=2)
    renamed = replace(proof.accepted, id="d")
    lies = (
        replace(proof, accepted=moved),
        replace(proof, accepted=renamed),
        replace(proof, size=9),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, bytes(32))),
        replace(proof, checkpoint=proof.checkpoint.replace("\n10\n", "\n11\n")),
    )
    for lie in lies:
        with pytest.raises(Invalid):
            require_recorded(lie, ACTIONS[3], network_id=ID, operator=OPERATOR)
    with pytest.raises(Invalid):
        require_recorded(proof, ACTIONS[4], network_id=ID, operator=OPERATOR)
    with pytest.raises(Invalid):
        require_recorded(proof, ACTIONS[3], network_id=ID, operator=b"\x05" * 32)


def test_a_ledger_that_grew_proves_it_and_one_that_was_rewritten_cannot(node: Served) -> None:
    old = node.checkpoint()
    node.ledger.submit(ACTIONS[10])
    new = node.checkpoint()
    path = node.ledger.prove_growth(old.size, new.size)

    require_growth(path, old, new)
    with pytest.raises(Invalid, match="does not begin"):
        require_growth(path, replace(old, root=bytes(32)), new)
    with pytest.raises(Invalid, match="does not begin"):
        require_growth(path[:-1], old, new)
    with pytest.raises(Invalid, match="there is no proof"):
        node.ledger.prove_growth(3, 99)


def test_what_a_record_holds_and_that_there_is_none_is_proved_against_the_newest_block(node: Served) -> None:
    held = node.ledger.prove_record("counter/c")
    assert held.value == b'{"amount":10}'
    assert require_held(held, "counter/c", operator=OPERATOR).size == 10

    absent = node.ledger.prove_record("counter/d")
    assert absent.value is None
    require_held(absent, "counter/d", operator=OPERATOR)

    for lie in (replace(held, value=b'{"amount":9}'), replace(held, value=None), replace(held, bucket=b"")):
        with pytest.raises(Invalid):
            require_held(lie, "counter/c", operator=OPERATOR)
    with pytest.raises(Invalid):
        require_held(replace(absent, value=b"{}"), "counter/d", operator=OPERATOR)
    with pytest.raises(Invalid):
        require_held(held, "counter/c", operator=b"\x05" * 32)


def test_before_the_first_block_there_is_nothing_to_prove(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        with pytest.raises(Unavailable):
            ledger.prove_record("counter/c")
        with pytest.raises(Unavailable):
            ledger.prove_action(bytes(32))
        with pytest.raises(Invalid):
            ledger.prove_growth(0, 0)


@pytest.mark.parametrize(
    "path", ["actions/zz", "growth?old=-1&new=2", "growth?old=1&new=99999", "records/Kind/../x", "records/a"]
)
def test_a_question_that_makes_no_sense_is_refused(node: Served, path: str) -> None:
    assert httpx.get(f"{node.url}/proofs/{path}").status_code in (400, 404)


def test_proofs_stay_small(node: Served) -> None:
    node.ledger.submit(note("long", "x" * 5_000))

    assert len(httpx.get(f"{node.url}/proofs/records/note/long").content) < 12_000
