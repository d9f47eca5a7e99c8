"""The application without a node: the tests decide the blocks, and ask as a node asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from freehold.errors import Broken, Refused, Unavailable
from freehold.ledger import blocks, protobuf
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.admission import Admission, Sender
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.ports.state_view import Read, StateView
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST
from freehold.protocol.network import network_id
from tests.engines.application import Everybody
from tests.engines.notebook import NETWORK, Notebook, add, fault, note

STORY = [
    [note("one", "hello"), note("one", "again"), add("c", 5, 1), b"nonsense", fault("x")],
    [],
    [add("c", 2, 2), add("c", 2, 2), note("two", "there")],
    [b"still nonsense"],
]


class Signed(Everybody):
    """Actions that begin with `bad` carry a signature that does not fit; counts what was checked."""

    def __init__(self) -> None:
        self.checked = 0

    def check(self, action: bytes) -> None:
        self.checked += 1
        if action.startswith(b"bad"):
            raise Refused("malformed", "the signature does not fit")

    def sender(self, read: Read, action: bytes) -> Sender:
        name, _, what = action.partition(b"-")
        return Sender(name=name.decode(), known=not name.startswith(b"new"), joins=what == b"joins")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[CommitFile]:
    with closing(CommitFile.open(tmp_path / "application.sqlite", NETWORK.encode())) as opened:
        yield opened


def decided(application: Application, height: int, actions: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """A block is decided and committed; code and data of each result."""
    answer = application.finalize_block(abci.FinalizeBlock(height, 1_000 * height, tuple(actions)))
    application.commit()
    body = protobuf.octets(dict(protobuf.fields(answer))[21])
    results = [dict(protobuf.fields(protobuf.octets(value))) for field, value in protobuf.fields(body) if field == 2]
    assert dict(protobuf.fields(body))[5] == application.agreed
    return [(protobuf.integer(each.get(1, 0)), protobuf.octets(each.get(2, b""))) for each in results]


def verdict(answer: bytes) -> int:
    """The verdict about a proposal."""
    return protobuf.integer(dict(protobuf.fields(protobuf.octets(dict(protobuf.fields(answer))[18])))[1])


def test_the_root_is_that_of_every_engine_which_recorded_the_same(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())
    now = [0]
    reference = MemoryLedger(Notebook(), lambda: now[0])
    for height, actions in enumerate(STORY, start=1):
        now[0] = 1_000 * height
        outcomes = decided(application, height, actions)
        for action, (code, data) in zip(actions, outcomes, strict=True):
            try:
                expected = reference.submit(action)
            except (Refused, ZeroDivisionError):
                assert code == abci.REFUSED
                continue
            assert code == abci.OK
            assert canonical.decode(data, largest=10_000)["result"] == {"id": expected.id}

    records = {key: bytes.fromhex(value) for key, value in reference.evaluate("state", {}).items()}
    assert application.root == StateTree(records).root
    assert State(records).read(["counter/c"]) == [canonical.encode({"amount": 7})]


def test_the_validators_sign_the_newest_block_and_so_the_whole_history(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())
    assert application.agreed.hex() == network_id(NETWORK)

    for height, actions in enumerate(STORY, start=1):
        decided(application, height, actions)
        newest = file.blocks(0, 100)[-1]
        assert application.agreed.hex() == blocks.block_digest(newest.header)
        assert blocks.parse_header(newest.header).state == application.root.hex()


def test_results_hold_events_or_the_code_of_the_refusal_and_no_words(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())

    results = decided(application, 1, STORY[0])

    assert [code for code, _ in results] == [0, 1, 0, 1, 1]
    assert results[0][1].startswith(b'{"events":[{"name":"note-written","subject":"one"')
    assert [data for code, data in results if code] == [
        b'{"refused":"exists"}',
        b'{"refused":"malformed"}',
        b'{"refused":"broken"}',
    ]


def test_nothing_is_written_before_commit_and_the_block_can_be_decided_again(tmp_path: Path) -> None:
    path = tmp_path / "application.sqlite"
    with closing(CommitFile.open(path, NETWORK.encode())) as file:
        application = Application(file, Notebook(), Everybody())
        decided(application, 1, STORY[0])
        before = application.root
        application.finalize_block(abci.FinalizeBlock(2, 2_000, (note("two", "lost"),)))
    with closing(CommitFile.open(path, NETWORK.encode())) as file:
        again = Application(file, Notebook(), Everybody())

        assert (again.height, again.root) == (1, before)
        assert decided(again, 2, [note("two", "kept")])[0][0] == abci.OK
        assert again.root != before


def test_an_application_that_begins_anew_comes_to_the_same_root(tmp_path: Path) -> None:
    roots = []
    for name in ("first", "second"):
        with closing(CommitFile.open(tmp_path / name, NETWORK.encode())) as file:
            application = Application(file, Notebook(), Everybody())
            for height, actions in enumerate(STORY, start=1):
                decided(application, height, actions)
            roots.append(application.root)
    with closing(CommitFile.open(tmp_path / "first", NETWORK.encode())) as file:
        roots.append(Application(file, Notebook(), Everybody()).root)

    assert len(set(roots)) == 1


def test_a_file_that_was_changed_is_noticed(file: CommitFile, tmp_path: Path) -> None:
    application = Application(file, Notebook(), Everybody())
    decided(application, 1, STORY[0])
    with closing(sqlite3.connect(tmp_path / "application.sqlite", isolation_level=None)) as stranger:
        stranger.execute("UPDATE commits SET root = zeroblob(32)")

    with pytest.raises(Broken, match="changed or damaged"):
        Application(file, Notebook(), Everybody())


def test_a_gap_a_commit_of_nothing_or_another_chain_stop_the_application(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())

    with pytest.raises(Broken, match="has come to 0"):
        application.finalize_block(abci.FinalizeBlock(2, 0, ()))
    with pytest.raises(Broken, match="not executed"):
        application.commit()
    with pytest.raises(Broken, match="genesis"):
        application.init_chain(abci.InitChain("another"))
    assert application.agreed in application.init_chain(abci.InitChain(chain_id(network_id(NETWORK))))


def test_a_proposal_with_a_forged_a_doubled_or_a_huge_action_is_rejected(file: CommitFile) -> None:
    application = Application(file, Notebook(), Signed())
    good = tuple(note(f"n{number}", "text") for number in range(512))

    def asked(*actions: bytes) -> int:
        return verdict(application.process_proposal(abci.ProcessProposal(actions)))

    assert asked() == asked(*good) == abci.ACCEPT
    assert asked(*good, b"one more") == abci.REJECT
    assert asked(good[0], b"bad signature") == abci.REJECT
    assert asked(good[0], good[1], good[0]) == abci.REJECT
    assert asked(b"x" * (ACTION_LARGEST + 1)) == abci.REJECT


def test_an_own_proposal_is_one_that_others_accept(file: CommitFile) -> None:
    application = Application(file, Notebook(), Signed())
    waiting = (note("a", "text"), b"bad", note("a", "text"), *(note(f"n{number}", "text") for number in range(900)))

    answer = application.prepare_proposal(abci.PrepareProposal(2**21, waiting))
    proposed = tuple(
        protobuf.octets(value) for _, value in protobuf.fields(protobuf.octets(dict(protobuf.fields(answer))[17]))
    )
    small = application.prepare_proposal(abci.PrepareProposal(300, waiting))

    assert proposed[:2] == (waiting[0], waiting[3])
    assert len(proposed) == 512
    assert verdict(application.process_proposal(abci.ProcessProposal(proposed))) == abci.ACCEPT
    assert len(protobuf.octets(dict(protobuf.fields(small))[17])) <= 300


def test_a_signature_is_checked_once_from_the_door_to_the_block(file: CommitFile) -> None:
    introduction = Signed()
    application = Application(file, Notebook(), introduction)
    actions = tuple(note(f"n{number}", "text") for number in range(20))

    for action in actions:
        assert application.check_tx(abci.CheckTx(action))[1] is None
    application.prepare_proposal(abci.PrepareProposal(2**20, actions))
    application.process_proposal(abci.ProcessProposal(actions))
    decided(application, 1, actions)

    assert introduction.checked == 20


def test_a_forged_action_in_a_decided_block_changes_nothing(file: CommitFile) -> None:
    application = Application(file, Notebook(), Signed())
    before = application.root

    assert decided(application, 1, [b"bad"]) == [(abci.REFUSED, b'{"refused":"malformed"}')]
    assert application.root == before


def test_a_recorded_action_is_turned_away_at_the_door_and_a_refused_one_may_come_again(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())
    decided(application, 1, [note("one", "hello"), note("one", "again")])

    assert getattr(application.check_tx(abci.CheckTx(note("one", "hello")))[1], "code", None) == "exists"
    assert application.check_tx(abci.CheckTx(note("one", "again")))[1] is None


def test_strangers_do_not_wait_newcomers_do_and_nobody_takes_all_the_room() -> None:
    admission = Admission(Signed(), most=3)

    def read(keys: Sequence[str]) -> list[bytes | None]:
        return [None] * len(keys)

    with pytest.raises(Refused) as stranger:
        admission.admit(read, b"new1-speaks")
    assert stranger.value.code == "unknown"
    admission.admit(read, b"new1-joins")
    admission.admit(read, b"new1-speaks")
    for word in (b"alice-1", b"alice-2", b"alice-3", b"alice-3"):
        admission.admit(read, word)
    with pytest.raises(Unavailable, match="wait already"):
        admission.admit(read, b"alice-4")
    admission.admit(read, b"bob-1")
    with pytest.raises(Refused):
        admission.admit(read, b"bad-1")

    admission.ordered([sha256(b"alice-2"), sha256(b"never seen"), sha256(b"new1-joins")])
    admission.admit(read, b"alice-4")
    with pytest.raises(Refused):
        admission.admit(read, b"new1-again")


class Few:
    """One node may connect, and whoever signs a note that begins so is a validator; satisfies `seats.Seats`."""

    watched = ("note/validator",)

    def validators(self, read: Read) -> frozenset[bytes]:
        keys = [f"note/validator-{letter}" for letter in "ab"]
        return frozenset(key.encode()[-1:] * 32 for key, data in zip(keys, read(keys), strict=True) if data is not None)

    def nodes(self, state: StateView) -> frozenset[str]:
        written = [canonical.decode(data, largest=1_000) for _, data in state.scan("note/validator")]
        return frozenset({"a" * 40} | {each["text"] for each in written})


def test_a_record_of_the_ledger_changes_who_signs_and_who_connects(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody(), Few())

    def updates(height: int, *transactions: bytes) -> list[bytes]:
        answer = application.finalize_block(abci.FinalizeBlock(height, 1_000 * height, transactions))
        application.commit()
        body = protobuf.octets(dict(protobuf.fields(answer))[21])
        return [protobuf.octets(value) for field, value in protobuf.fields(body) if field == 3]

    assert updates(1, note("other", "x")) == []
    (joins,) = updates(2, note("validator-a", "b" * 40))
    assert joins == bytes.fromhex("0a220a20") + b"a" * 32 + bytes.fromhex("100a")
    assert b"\x08\x01" not in application.query(abci.Query("/p2p/filter/id/" + "b" * 40))
    assert updates(3, note("something", "else")) == []


def test_only_nodes_on_the_list_may_connect(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody(), Few())

    def welcome(path: str) -> bool:
        return b"\x08\x01" not in application.query(abci.Query(path))

    assert welcome("/p2p/filter/id/" + "a" * 40)
    assert not welcome("/p2p/filter/id/" + "b" * 40)
    assert welcome("/p2p/filter/addr/127.0.0.1:1")
    assert not welcome("anything else")
