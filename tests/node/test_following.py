"""V-6: whoever was cut off catches up and proves it, and a follower keeps what shows that its operator lied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import Broken, Invalid, Unavailable
from freehold.ledger.embedded.copy import CopiedLedger
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.remote import RemoteLedger
from freehold.node.following import NOTE, Following
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Block
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.engines.embedded import SEED, clock, embedded
from tests.engines.notebook import NETWORK, Notebook, add, note
from tests.node.test_witnessing import until

ID, OPERATOR = network_id(NETWORK), signatures.public_key(SEED)


@dataclass
class Copy:
    """A follower whose steps a test takes one by one."""

    ledger: CopiedLedger
    following: Following
    said: list[str] = field(default_factory=list)


@contextmanager
def copy(folder: Path, leader: Any) -> Iterator[Copy]:
    folder.mkdir(exist_ok=True)
    ledger = CopiedLedger.begin(folder / "ledger.sqlite", Notebook(), OPERATOR, clock, "http://leader")
    said: list[str] = []
    following = Following(leader, ledger, folder, network_id=ID, operator=OPERATOR, told=said.append)
    try:
        yield Copy(ledger, following, said)
    finally:
        following.close()
        ledger.close()


@pytest.fixture
def leader(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    (tmp_path / "leader").mkdir()
    with embedded(tmp_path / "leader") as ledger:
        for number in range(3):
            ledger.submit_all([note(f"n{number}", "text"), add("c", number, number)])
        yield ledger


def proof(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("contradiction-*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_copy_holds_what_its_leader_holds_and_answers_like_it(leader: EmbeddedLedger, tmp_path: Path) -> None:
    with copy(tmp_path / "copy", leader) as follower:
        assert follower.following.step()
        assert not follower.following.step()
        leader.submit(note("later", "text"))
        assert follower.following.step()

        assert follower.ledger.info().checkpoint == leader.info().checkpoint
        assert follower.ledger.evaluate("state", {}) == leader.evaluate("state", {})
        assert follower.ledger.events(0) == leader.events(0)
        assert list(follower.ledger.export(0, 100)) == list(leader.export(0, 100))
        assert follower.ledger.resolve(note("later", "text")) == leader.resolve(note("later", "text"))
        assert follower.ledger.prove_record("counter/c") == leader.prove_record("counter/c")


def test_a_copy_records_nothing_and_says_who_does(leader: EmbeddedLedger, tmp_path: Path) -> None:
    with copy(tmp_path / "copy", leader) as follower, pytest.raises(Unavailable, match="keeps a copy") as caught:
        follower.ledger.submit(note("mine", "text"))
    assert "http://leader" in caught.value.next


def test_a_copy_that_was_stopped_goes_on_where_it_was(leader: EmbeddedLedger, tmp_path: Path) -> None:
    with copy(tmp_path / "copy", leader) as follower:
        follower.following.step()
    leader.submit(note("later", "text"))

    with copy(tmp_path / "copy", leader) as follower:
        assert follower.ledger.info().size == 6
        follower.following.start()
        until(lambda: follower.ledger.info().size == 7)


def test_a_copy_follows_over_http_and_again_after_the_node_was_away(leader: EmbeddedLedger, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(serving(leader, FolderStore(tmp_path / "objects")))
        remote = RemoteLedger(url)
        with copy(tmp_path / "copy", remote) as follower:
            follower.following.start()
            until(lambda: follower.ledger.info().size == 6)
            stack.close()
            until(lambda: bool(follower.following.away))
            assert "cannot be followed" in follower.said[0]
            assert follower.ledger.evaluate("counter", {"name": "c"}) == 3
        remote.close()


class Leader:
    """A leader that says some things otherwise than its ledger holds them."""

    def __init__(self, ledger: EmbeddedLedger, change: Callable[[Block], Block]) -> None:
        self._ledger = ledger
        self._change = change

    def info(self) -> Any:
        return self._ledger.info()

    def export(self, after: int, limit: int) -> list[Block]:
        return [self._change(block) for block in self._ledger.export(after, limit)]


LIES: dict[str, Callable[[Block], Block]] = {
    "another signature": lambda block: replace(block, signature=bytes(64)),
    "another result": lambda block: replace(block, results=(b'{"id":"x"}', *block.results[1:])),
    "another action": lambda block: replace(block, actions=(note("n9", "text"), *block.actions[1:])),
    "an action less": lambda block: replace(block, actions=block.actions[1:], results=block.results[1:]),
    "another header": lambda block: replace(block, header=block.header.replace(b'"height":2', b'"height":3')),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_block_that_is_not_true_is_not_kept_and_proves_itself(
    leader: EmbeddedLedger, tmp_path: Path, lie: str
) -> None:
    def second(block: Block) -> Block:
        return LIES[lie](block) if b'"height":2,' in block.header else block

    with copy(tmp_path / "copy", Leader(leader, second)) as follower:
        assert not follower.following.step()

        assert follower.ledger.info().height == 1
        assert follower.following.contradiction is not None
        assert proof(tmp_path / "copy")["header"]
        assert "CONTRADICTS ITSELF" in follower.said[0]
        with pytest.raises(Broken, match="contradicts itself"):
            follower.ledger.submit(note("mine", "text"))
        assert follower.ledger.evaluate("counter", {"name": "c"}) == 0


@pytest.mark.parametrize("longer", [False, True])
def test_a_second_history_is_found_and_both_notes_are_kept(
    leader: EmbeddedLedger, tmp_path: Path, longer: bool
) -> None:
    (tmp_path / "other").mkdir()
    with copy(tmp_path / "copy", leader) as follower:
        follower.following.step()
        before = leader.info().checkpoint
    with embedded(tmp_path / "other") as liar:
        for number in range(5 if longer else 3):
            liar.submit_all([note(f"n{number}", "otherwise"), add("c", number, number)])
        with copy(tmp_path / "copy", liar) as follower:
            assert not follower.following.step()

            kept = proof(tmp_path / "copy")
            assert (kept["ours"], kept["theirs"]) == (before, liar.info().checkpoint)
            assert follower.ledger.info().size == 6


def test_a_history_that_became_shorter_is_found(leader: EmbeddedLedger, tmp_path: Path) -> None:
    (tmp_path / "short").mkdir()
    with copy(tmp_path / "copy", leader) as follower:
        follower.following.step()
    with embedded(tmp_path / "short") as restored, copy(tmp_path / "copy", restored) as follower:
        restored.submit_all([note("n0", "text"), add("c", 0, 0)])

        assert not follower.following.step()
        assert "now shows 2" in proof(tmp_path / "copy")["why"]
        assert follower.ledger.evaluate("counter", {"name": "c"}) == 3


def test_a_copy_that_was_set_back_itself_does_not_follow(leader: EmbeddedLedger, tmp_path: Path) -> None:
    with copy(tmp_path / "copy", leader) as follower:
        follower.following.step()
    (tmp_path / "copy" / "ledger.sqlite").unlink()

    with copy(tmp_path / "copy", leader) as follower, pytest.raises(Invalid, match="not the one"):
        follower.following.start()
    assert (tmp_path / "copy" / NOTE).exists()
