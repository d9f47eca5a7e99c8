"""Somebody between a member and its node: it answers in the node's place."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.embedded.strict import Strict, open_strict
from freehold.objects import remote
from freehold.objects.remote import RemoteStore
from freehold.ports.ledger import Accepted, Ledger
from tests.adversaries.attack import Attack
from tests.engines.embedded import SEED, clock
from tests.engines.notebook import Notebook, add
from tests.node.test_hostile_node import answering, http

SWAPS = Attack(
    by="network",
    does="answers a request for an object with other bytes, or with half of them",
    stopped_by="V-2: an object's name is its hash, and whoever reads it computes it again",
)
LOSES = Attack(
    by="network",
    does="loses the answer, so that a member does not know what became of its action and sends it again",
    stopped_by="V-5: a recorded action sent again is refused, and its digest tells what became of it",
)
WANTED = b"what was asked for"
NAME = sha256(WANTED).hexdigest()


def fetched(answer: bytes) -> bytes:
    """What a member holds in its hands that asked for an object."""
    with answering(http(answer)) as url:
        store = RemoteStore(url)
        try:
            return store.get(NAME, largest=100)
        finally:
            store.close()


@SWAPS.without
def test_where_nobody_hashes_what_arrives_the_network_decides_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "check", lambda *_: None)

    assert fetched(b"other bytes") == b"other bytes"
    assert fetched(WANTED[:5]) == WANTED[:5]


@SWAPS.against
def test_other_bytes_are_refused() -> None:
    for answer in (b"other bytes", WANTED[:5], WANTED + b"!", b""):
        with pytest.raises(Invalid, match="not what the name"):
            fetched(answer)


@SWAPS.unharmed
def test_the_object_itself_arrives_as_before() -> None:
    assert fetched(WANTED) == WANTED


def adds(ledger: Ledger, wish: int, *, asks: bool) -> Accepted:
    """A member that wants to add one. It asks what became of its action, or makes another for each lost answer."""
    for attempt in range(200):
        action = add("c", 1, wish if asks else 1_000 * wish + attempt)
        try:
            return ledger.submit(action)
        except Unavailable:
            if asks and (known := ledger.resolve(action)) is not None:
                return known
    raise TimeoutError("two hundred attempts were not enough")


def thirty_wishes(folder: Path, *, asks: bool) -> int:
    """Thirty additions of one over a network that loses every second answer; what the counter says then."""
    ledger = open_strict(folder / "ledger.sqlite", Notebook(), SEED, clock, Strict(seed=3, unknown=0.5, conflicts=0.0))
    try:
        for wish in range(30):
            adds(ledger, wish, asks=asks)
        return int(ledger.evaluate("counter", {"name": "c"}))
    finally:
        ledger.close()


@LOSES.without
def test_whoever_makes_another_action_for_each_lost_answer_says_things_twice(tmp_path: Path) -> None:
    assert thirty_wishes(tmp_path, asks=False) > 30


@LOSES.against
def test_whoever_asks_and_sends_the_same_bytes_again_says_everything_once(tmp_path: Path) -> None:
    assert thirty_wishes(tmp_path, asks=True) == 30


@LOSES.unharmed
def test_every_wish_is_recorded_although_half_of_the_answers_are_lost(tmp_path: Path) -> None:
    ledger = open_strict(
        tmp_path / "ledger.sqlite", Notebook(), SEED, clock, Strict(seed=4, unknown=0.5, conflicts=0.0)
    )
    try:
        accepted = [adds(ledger, wish, asks=True) for wish in range(30)]
        assert len({each.position for each in accepted}) == 30
        assert all(ledger.resolve(add("c", 1, wish)) == each for wish, each in enumerate(accepted))
    finally:
        ledger.close()
