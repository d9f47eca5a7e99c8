"""Several actions in one transaction: what may be in one, and that each has the fate that it would have alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger import protobuf
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.admission import WAITING_PER_SENDER
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.bundle import BYTES_LARGEST, LARGEST, MARK, actions_of, bundle, bundled
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.waiting import Waiting, groups_of
from freehold.ledger.frames import frame
from freehold.ledger.memory import MemoryLedger
from freehold.protocol.digests import sha256
from tests.cometbft.test_application import Signed, verdict
from tests.engines.application import Everybody
from tests.engines.notebook import NETWORK, Notebook, add, note


@pytest.fixture
def file(tmp_path: Path) -> Iterator[CommitFile]:
    with closing(CommitFile.open(tmp_path / "application.sqlite", NETWORK.encode())) as opened:
        yield opened


one_action = st.binary(min_size=1, max_size=200).filter(lambda each: not each.startswith(MARK))
some_actions = st.lists(one_action, min_size=1, max_size=60, unique=True)


@given(some_actions)
def test_whatever_waits_is_cut_into_transactions_and_comes_out_in_its_order(actions: list[bytes]) -> None:
    transactions = [bundle([each for each, _ in some]) for some in bundled((each, None) for each in actions)]

    assert [action for each in transactions for action in actions_of(each)] == actions
    assert all(len(actions_of(each)) <= LARGEST for each in transactions)


def test_a_transaction_stays_within_what_a_node_takes() -> None:
    actions = [bytes([number]) * 12_000 for number in range(20)]
    assert [len(some) for some in bundled((each, None) for each in actions)] == [4] * 5
    assert all(
        len(bundle([each for each, _ in some])) <= BYTES_LARGEST + 200
        for some in bundled((each, None) for each in actions)
    )


@pytest.mark.parametrize(
    "transaction",
    [
        MARK,
        MARK + frame([]),
        MARK + frame([b"alone"]),
        MARK + frame([b"same", b"same"]),
        MARK + frame([b"one", MARK + b"two"]),
        MARK + frame([b"one", b"two"]) + b"x",
        MARK + frame([b"one", b"two"])[:-1],
        MARK + frame([b"%d" % number for number in range(LARGEST + 1)]),
        MARK + frame([b"one", b"x" * 20_000]),
        MARK + b"\xff" * 40,
    ],
)
def test_what_no_node_sends_is_no_transaction_of_several(transaction: bytes, file: CommitFile) -> None:
    with pytest.raises(Invalid):
        actions_of(transaction)
    application = Application(file, Notebook(), Everybody())
    assert application.check_tx(abci.CheckTx(transaction))[1] is not None
    assert verdict(application.process_proposal(abci.ProcessProposal((transaction,)))) == abci.REJECT
    prepared = application.prepare_proposal(abci.PrepareProposal(2**20, (transaction, note("fine", "x"))))
    body = protobuf.octets(dict(protobuf.fields(prepared))[17])
    assert [protobuf.octets(value) for _, value in protobuf.fields(body)] == [note("fine", "x")]
    # Two thirds of the validators would have had to lie for it to be decided; even so all compute the same.
    application.finalize_block(abci.FinalizeBlock(1, 1_000, (transaction,)))
    application.commit()
    assert application.height == 1


def test_each_action_of_a_transaction_has_the_fate_that_it_has_on_any_engine(file: CommitFile) -> None:
    application, memory = Application(file, Notebook(), Everybody()), MemoryLedger(Notebook(), lambda: 1_000)
    some = [note("one", "a"), add("c", 2, 1), note("one", "again"), b"nonsense", add("c", 3, 2)]
    answer = application.finalize_block(abci.FinalizeBlock(1, 1_000, (bundle(some), note("two", "b"))))
    application.commit()

    memory.submit_all([*some, note("two", "b")])
    (block,) = file.blocks(0, 10)
    assert application.root.hex() in block.header.decode()
    assert memory.info().size == 4
    assert [file.place(sha256(each)) is not None for each in some] == [True] * 5
    body = protobuf.octets(dict(protobuf.fields(answer))[21])
    results = [dict(protobuf.fields(protobuf.octets(value))) for field, value in protobuf.fields(body) if field == 2]
    assert [protobuf.integer(each.get(1, 0)) for each in results] == [abci.REFUSED, abci.OK]
    data = protobuf.octets(results[0][2])
    assert data.startswith(b"[{")
    assert data.endswith(b"}]")
    assert data.count(b'{"refused":') == 2


def test_one_bad_action_turns_its_whole_transaction_away_and_keeps_nobody_s_place(file: CommitFile) -> None:
    application = Application(file, Notebook(), Signed())
    good = [b"alice-%d" % number for number in range(3)]
    for _ in range(WAITING_PER_SENDER):
        _, trouble, digest = application.check_tx(abci.CheckTx(bundle([*good, b"bad-1"])))
        assert getattr(trouble, "code", None) == "malformed"
        assert digest == sha256(b"bad-1")
    assert application.check_tx(abci.CheckTx(bundle(good)))[1] is None


def test_no_action_is_twice_in_a_block_whatever_it_is_bundled_with(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())
    one, two = bundle([note("a", "x"), note("b", "x")]), bundle([note("b", "x"), note("c", "x")])
    assert verdict(application.process_proposal(abci.ProcessProposal((one, two)))) == abci.REJECT
    assert verdict(application.process_proposal(abci.ProcessProposal((one, note("a", "x"))))) == abci.REJECT
    prepared = application.prepare_proposal(abci.PrepareProposal(2**20, (one, two, note("c", "x"))))
    body = protobuf.octets(dict(protobuf.fields(prepared))[17])
    assert [protobuf.octets(value) for _, value in protobuf.fields(body)] == [one, note("c", "x")]


def test_more_actions_than_a_block_holds_are_not_proposed_however_they_are_bundled(file: CommitFile) -> None:
    application = Application(file, Notebook(), Everybody())
    many = [bundle([note(f"{number}-{each}", "x") for each in range(16)]) for number in range(40)]
    prepared = application.prepare_proposal(abci.PrepareProposal(2**21, tuple(many)))
    body = protobuf.octets(dict(protobuf.fields(prepared))[17])
    assert sum(len(actions_of(protobuf.octets(value))) for _, value in protobuf.fields(body)) == 512
    assert verdict(application.process_proposal(abci.ProcessProposal(tuple(many)))) == abci.REJECT
    assert verdict(application.process_proposal(abci.ProcessProposal(tuple(many[:32])))) == abci.ACCEPT


def test_what_was_sent_together_is_sent_as_the_same_bytes_again() -> None:
    waiting = [Waiting(b"action %d" % number, 0.0, 0.0) for number in range(20)]
    first = groups_of(waiting)
    assert [len(group) for group in first] == [16, 4]
    for group in first:
        for each in group:
            each.group = group
    late = Waiting(b"late", 0.0, 0.0)
    again = groups_of([*waiting[10:], late])
    assert [bundle([each.action for each in group]) for group in again] == [
        *(bundle([each.action for each in group]) for group in first),
        b"late",
    ]
