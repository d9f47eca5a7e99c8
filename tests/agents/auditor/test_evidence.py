"""Evidence files: whole ones are read back, and whatever somebody did to one is found."""

from __future__ import annotations

import dataclasses
import json
import random
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.agents.auditor.books import imbalance
from freehold.agents.auditor.evidence import LARGEST, Evidence, Recording, encode, parse, record
from freehold.agents.auditor.verify import verify
from freehold.contract.host import Contract
from freehold.errors import Invalid, Refused
from freehold.ledger import blocks as chain
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import Block, LedgerInfo
from freehold.ports.machine import Executed
from freehold.protocol import assets
from freehold.protocol.assets import Account, Payout
from freehold.protocol.identifiers import CoupleId, MemberId
from tests.agents.auditor.recordings import OPERATOR, checkpoint_of, evidence_of, recording_of
from tests.market import Market, bytes_of


@pytest.fixture(scope="module")
def market() -> Market:
    market = Market()
    training = market.trains(subsets=2)
    training.starts_round().is_agreed()
    training.ends()
    return market


@pytest.fixture(scope="module")
def evidence(market: Market) -> Evidence:
    return Evidence(recording=recording_of(market), couple=CoupleId(market.records("couple")[0]["id"]))


@pytest.fixture(scope="module")
def file(evidence: Evidence) -> bytes:
    return encode(evidence)


def changed(evidence: Evidence, change: Callable[[list[Block]], object]) -> bytes:
    """The file after somebody changed its blocks, and left everything else."""
    blocks = list(evidence.recording.blocks)
    change(blocks)
    return encode(
        dataclasses.replace(evidence, recording=dataclasses.replace(evidence.recording, blocks=tuple(blocks)))
    )


def rechained(market: Market, blocks: list[Block], *, operator: bytes = OPERATOR) -> Recording:
    """A recording whose operator built a new, consistent chain around the given actions and results.

    The state's roots are those of the original blocks, which is what such an operator has.
    """
    tip = chain.first_tip(market.id)
    built = []
    for block in blocks:
        old = chain.parse_header(block.header)
        contents = chain.Contents(actions=block.actions, results=block.results, events=((),), writes={})
        header, tip = chain.next_block(tip, old.time, contents, contents.encode(), state=bytes.fromhex(old.state))
        built.append(dataclasses.replace(block, header=header, signature=chain.sign_header(header, operator)))
    note = checkpoint_of(market, built, operator=operator)
    return dataclasses.replace(recording_of(market, operator=operator), blocks=tuple(built), checkpoint=note)


def test_a_whole_file_is_read_back_as_it_was_written_and_verifies(evidence: Evidence, file: bytes) -> None:
    assert parse(file) == evidence
    assert encode(parse(file)) == file
    report = verify(file)
    assert report.actions == sum(len(block.actions) for block in evidence.recording.blocks)
    assert not report.network_was_named


def test_every_flipped_bit_of_a_sample_is_found(file: bytes) -> None:
    source = random.Random(7)
    for place in source.sample(range(len(file)), 400):
        flipped = bytearray(file)
        flipped[place] ^= 1 << source.randrange(8)
        with pytest.raises(Invalid):
            verify(bytes(flipped))


def test_every_kind_of_cut_and_insertion_is_found(file: bytes) -> None:
    source = random.Random(8)
    for _ in range(60):
        start, end = sorted(source.sample(range(len(file)), 2))
        for mutated in (file[:start], file[end:], file[:start] + file[end:], file[:end] + file[start:]):
            with pytest.raises(Invalid):
                verify(mutated)
    for added in (b" ", b"\n", b"\0", b"{}"):
        with pytest.raises(Invalid):
            verify(file + added)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        verify(data)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["blocks", "checkpoint", "couple", "network", "operator", "schema"]),
)
def test_no_value_of_any_field_does_more_than_be_refused(value: object, field: str) -> None:
    document = {
        "blocks": [],
        "couple": "00" * 32,
        "network": {},
        "operator": "00" * 32,
        "schema": "freehold/evidence/1",
        field: value,
    }
    with pytest.raises(Invalid):
        verify(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "bytes_of_file",
    [b"[" * 100_000, b'{"blocks":' * 50_000, b'"' + b"\\u0000" * 1000 + b'"', b"\xff\xfe{}", b"1e400", b"-0"],
    ids=["deep-list", "deep-object", "escapes", "utf-16", "huge-number", "minus-zero"],
)
def test_bytes_made_to_hurt_a_parser_are_refused(bytes_of_file: bytes) -> None:
    with pytest.raises(Invalid):
        verify(bytes_of_file)


def test_a_file_above_the_limit_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.agents.auditor.evidence.LARGEST", 10)
    with pytest.raises(Invalid) as caught:
        verify(b"x" * 11)
    assert caught.value.code == "evidence:size"
    assert LARGEST >= 2**28


@pytest.mark.parametrize("inside", ["[],", "{},", '"a",', "0,"], ids=["lists", "objects", "texts", "numbers"])
def test_a_file_of_countless_empty_values_is_refused_before_each_takes_memory(inside: str) -> None:
    many = inside * 2_000_000
    forged = f'{{"blocks":[{{"actions":[{many}"a"],"header":{{"a":[{many}0]}}}}]}}'.encode()
    tracemalloc.start()
    with pytest.raises(Invalid, match="more values than its blocks can have"):
        verify(forged)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_genuine_file_has_far_fewer_values_than_are_refused(file: bytes) -> None:
    values = sum(file.count(mark) for mark in (b"[", b"{", b","))
    assert 2 * values < len(file) / 32


@pytest.mark.parametrize(
    "bytes_of_file",
    [
        b'{"' + b"\\" + b'u001b[31mred":1}',
        b'{"' + b"\x1b" + b'[2J":1}',
        '{"\N{RIGHT-TO-LEFT OVERRIDE}":1}'.encode(),
        b'{"a' + b"\x0a" + b'b":1}',
    ],
    ids=["escape", "bare-escape", "right-to-left", "new-line"],
)
def test_nothing_that_a_stranger_wrote_moves_the_reader_s_cursor(bytes_of_file: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        verify(bytes_of_file)
    assert caught.value.what.isprintable()


class EndlessNode:
    """A node that hands out the same block for as long as anybody asks."""

    def __init__(self, market: Market) -> None:
        self._info = dataclasses.replace(market.ledger.info(), height=2**50)
        self._block = market.ledger.export(0, 1)[0]
        self.given = 0

    def info(self) -> LedgerInfo:
        return self._info

    def export(self, after: int, limit: int) -> list[Block]:
        self.given += limit
        return [self._block] * limit


def test_a_node_that_hands_out_blocks_for_ever_is_left(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.agents.auditor.evidence.LARGEST", 1_000_000)
    node = EndlessNode(market)
    with pytest.raises(Invalid) as caught:
        record(node)  # type: ignore[arg-type]
    assert caught.value.code == "evidence:size"
    assert node.given < 10_000


def test_another_spelling_of_the_same_values_is_refused(file: bytes) -> None:
    document = json.loads(file)
    with pytest.raises(Invalid):
        verify(json.dumps(document, sort_keys=True).encode())
    with pytest.raises(Invalid):
        verify(json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode())


def test_spare_bits_of_base64_hide_nothing(file: bytes) -> None:
    mark = file.index(b'=="')
    letter = file[mark - 1 : mark]
    other = bytes([letter[0] + 1])
    with pytest.raises(Invalid, match="base64"):
        verify(file[: mark - 1] + other + file[mark:])


def test_a_block_left_out_or_swapped_is_found(evidence: Evidence) -> None:
    with pytest.raises(Invalid, match="Block 6"):
        verify(changed(evidence, lambda blocks: blocks.pop(5)))

    def swap(blocks: list[Block]) -> None:
        blocks[5], blocks[6] = blocks[6], blocks[5]

    with pytest.raises(Invalid, match="Block 6"):
        verify(changed(evidence, swap))


def test_a_history_cut_at_its_end_does_not_fit_its_checkpoint(evidence: Evidence) -> None:
    with pytest.raises(Invalid, match="checkpoint"):
        verify(changed(evidence, lambda blocks: blocks.pop()))


def test_a_file_of_another_schema_is_not_read_as_if_it_were_this_one(file: bytes) -> None:
    assert file.count(b"freehold/evidence/1") == 1
    with pytest.raises(Invalid, match="its schema is 'freehold/evidence/2'"):
        verify(file.replace(b"freehold/evidence/1", b"freehold/evidence/2"))


class BoastfulNode:
    """A node that says that it has one block more than it hands out."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._left = 50

    def info(self) -> LedgerInfo:
        info = self._market.ledger.info()
        return dataclasses.replace(info, height=info.height + 1)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        self._left -= 1
        assert self._left, "it is asked again and again for what it does not have"
        return self._market.ledger.export(after, limit)


def test_a_node_that_promises_a_block_and_hands_out_none_is_left(market: Market) -> None:
    with pytest.raises(Invalid, match="hands out") as caught:
        record(BoastfulNode(market))  # type: ignore[arg-type]
    assert caught.value.code == "evidence:ledger"


def test_a_history_that_goes_on_behind_its_own_checkpoint_is_refused(market: Market, evidence: Evidence) -> None:
    note = checkpoint_of(market, evidence.recording.blocks[:-1])
    older = dataclasses.replace(evidence.recording, checkpoint=note)
    with pytest.raises(Invalid, match="The checkpoint is about"):
        verify(encode(dataclasses.replace(evidence, recording=older)))


def test_a_ledger_is_recorded_page_by_page_to_its_last_block(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = market.ledger.export(0, 1_000_000)
    for page in (1, 7, len(recorded)):
        monkeypatch.setattr("freehold.agents.auditor.evidence.PAGE", page)
        assert record(market.ledger).blocks == tuple(recorded)


def test_rules_that_make_money_are_found_out_by_an_auditor_who_runs_the_same_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("freehold.contract.agreement.debit", lambda view, member, amount: [])
    training = Market().trains(subsets=2)
    with pytest.raises(Invalid, match="makes or loses money") as caught:
        verify(encode(evidence_of(training)))
    assert caught.value.code == "evidence:money"


def test_an_operator_that_records_what_the_rules_refuse_is_found(market: Market, evidence: Evidence) -> None:
    twice = [*evidence.recording.blocks, evidence.recording.blocks[-1]]
    forged = dataclasses.replace(evidence, recording=rechained(market, twice))
    with pytest.raises(Invalid):
        verify(encode(forged))


def test_an_operator_that_invents_effects_is_found(market: Market, evidence: Evidence) -> None:
    forged = dataclasses.replace(evidence, recording=rechained(market, list(evidence.recording.blocks)))
    with pytest.raises(Invalid, match=r"'events'|'writes'"):
        verify(encode(forged))


def executed_anew(
    market: Market, evidence: Evidence, history: list[tuple[bytes, bytes, int]]
) -> tuple[Recording, bool]:
    """What an operator signs that runs other actions through the rules, and records those that are refused as well."""
    contract, tip = Contract(market.network), chain.first_tip(market.id)
    state, tree, built, refused = State(contract.genesis()), StateTree(contract.genesis()), [], False
    for action, result, time in history:
        try:
            effects = contract.execute(state.read, action, max(time, tip.time))
        except Refused:
            effects, refused = Executed(writes={}, result=result, events=()), True
        state.apply(effects.writes)
        contents = chain.Contents.of((action,), (effects,))
        change = tree.changed(contents.writes)
        header, tip = chain.next_block(tip, max(time, tip.time), contents, contents.encode(), state=change.root)
        tree.apply(change)
        signature = chain.sign_header(header, OPERATOR)
        built.append(Block(header=header, signature=signature, actions=(action,), results=(effects.result,)))
    note = checkpoint_of(market, built)
    return dataclasses.replace(evidence.recording, blocks=tuple(built), checkpoint=note), refused


@pytest.mark.parametrize("change", ["leave out", "move", "repeat", "alter", "date"])
def test_an_operator_that_rewrites_history_is_found_wherever_a_rule_does_not_hold(
    market: Market, evidence: Evidence, change: str
) -> None:
    source = random.Random(change)
    honest = [
        (action, result, chain.parse_header(block.header).time)
        for block in evidence.recording.blocks
        for action, result in zip(block.actions, block.results, strict=True)
    ]
    found = 0
    for _ in range(12):
        history = list(honest)
        place, other = source.sample(range(len(history)), 2)
        action, result, time = history[place]
        if change in ("leave out", "move"):
            del history[place]
        if change in ("move", "repeat"):
            history.insert(other, (action, result, time))
        if change == "alter":
            letter = source.randrange(len(action))
            history[place] = (action[:letter] + bytes([action[letter] ^ 1]) + action[letter + 1 :], result, time)
        if change == "date":
            history[place] = (action, result, time + 1_000_000)
        recording, refused = executed_anew(market, evidence, history)
        forged = encode(dataclasses.replace(evidence, recording=recording))
        if refused:
            with pytest.raises(Invalid):
                verify(forged)
            found += 1
    assert found >= 6


def test_an_action_whose_signature_is_another_s_is_found(market: Market, evidence: Evidence) -> None:
    first, *rest = evidence.recording.blocks
    stranger = next(block.actions[0][:32] for block in rest if block.actions[0][:32] != first.actions[0][:32])
    blocks = [dataclasses.replace(first, actions=(stranger + first.actions[0][32:],)), *rest]
    forged = dataclasses.replace(evidence, recording=rechained(market, blocks))
    with pytest.raises(Invalid, match="refuse: malformed"):
        verify(encode(forged))


def test_a_file_about_another_network_than_the_reader_means_is_refused(market: Market, file: bytes) -> None:
    assert verify(file, network=market.id).network_was_named
    with pytest.raises(Invalid) as caught:
        verify(file, network="ab" * 32)
    assert caught.value.code == "evidence:network"


def test_a_second_history_of_the_same_market_is_told_by_a_checkpoint_that_was_kept(
    market: Market, evidence: Evidence, file: bytes
) -> None:
    kept = checkpoint_of(market, evidence.recording.blocks[:20])
    assert verify(file, checkpoint=kept).checkpoint_was_named

    other = Market()
    other.cloud_owner()
    with pytest.raises(Invalid, match="another history"):
        verify(encode(evidence_of(other.trains(subsets=2))), checkpoint=kept)


def test_a_history_under_another_key_says_so_and_fits_no_kept_checkpoint(market: Market, evidence: Evidence) -> None:
    stranger = bytes_of("stranger")
    resigned = encode(dataclasses.replace(evidence, recording=recording_of(market, operator=stranger)))
    report = verify(resigned)
    assert report.operator != evidence.recording.operator
    with pytest.raises(Invalid, match="another operator"):
        verify(resigned, checkpoint=evidence.recording.checkpoint)


def test_a_checkpoint_from_the_future_is_refused(market: Market, evidence: Evidence) -> None:
    shorter = dataclasses.replace(
        evidence,
        recording=dataclasses.replace(evidence.recording, blocks=evidence.recording.blocks[:-1], checkpoint=None),
    )
    assert verify(encode(shorter)).account.state == "training"
    with pytest.raises(Invalid, match="the file holds"):
        verify(encode(shorter), checkpoint=evidence.recording.checkpoint)


def test_a_training_that_the_history_does_not_know_is_refused(evidence: Evidence) -> None:
    with pytest.raises(Invalid) as caught:
        verify(encode(dataclasses.replace(evidence, couple=CoupleId("ab" * 32))))
    assert caught.value.code == "evidence:training"


def test_the_auditor_s_own_books_see_money_that_appears_or_vanishes() -> None:
    member = MemberId("ab" * 32)
    account, payout = (
        assets.encode(Account(free=5)),
        Payout(payee=member, amount=5, cause="cd" * 32, since=0, state="due"),
    )
    due, collected = assets.encode(payout), assets.encode(assets.with_changes(payout, state="collected"))
    moved = {"account/x": account, "payout/y": collected}
    assert imbalance({"account/x": assets.encode(Account(free=0)), "payout/y": due}, moved) == 0
    assert imbalance({"account/x": assets.encode(Account(free=0)), "payout/y": due}, {"account/x": account}) == 5
    assert imbalance({"account/x": account}, {"account/x": assets.encode(Account(free=1))}) == -4
