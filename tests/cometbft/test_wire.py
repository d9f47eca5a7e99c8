"""What passes between node and application: a real node's bytes are read, and hostile ones are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger import protobuf
from freehold.ledger.cometbft import abci, snapshot_messages
from freehold.ledger.cometbft.seal import chain_id
from freehold.protocol.network import network_id
from tests.engines.notebook import NETWORK, add, note

NODE = json.loads((Path(__file__).parents[1] / "vectors" / "cometbft" / "node.json").read_text())["requests"]
FIRST_BLOCK = (note("one", "hello"), note("one", "again"), add("c", 5, 1))

transactions = st.lists(st.binary(max_size=40), max_size=5).map(tuple)
numbers = st.integers(0, 2**32 - 1)
snapshots = st.builds(
    snapshot_messages.Snapshot,
    height=st.integers(0, 2**63 - 1),
    format=numbers,
    chunks=numbers,
    hash=st.binary(),
    metadata=st.binary(),
)
requests = st.one_of(
    st.builds(abci.Echo, st.text(max_size=20)),
    st.sampled_from([abci.Flush(), abci.Info(), abci.Commit(), snapshot_messages.ListSnapshots()]),
    st.builds(abci.InitChain, st.text(max_size=20)),
    st.builds(abci.Query, st.text(max_size=20), st.binary(max_size=40)),
    st.builds(abci.CheckTx, st.binary(max_size=40)),
    st.builds(abci.PrepareProposal, st.integers(-(2**63), 2**63 - 1), transactions),
    st.builds(abci.ProcessProposal, transactions),
    st.builds(snapshot_messages.OfferSnapshot, snapshots, st.binary(max_size=40)),
    st.builds(snapshot_messages.LoadSnapshotChunk, st.integers(0, 2**63 - 1), numbers, numbers),
    st.builds(snapshot_messages.ApplySnapshotChunk, numbers, st.binary(max_size=40), st.text(max_size=20)),
    st.builds(abci.FinalizeBlock, st.integers(0, 2**63 - 1), st.integers(0, 2**53), transactions),
)


def test_the_bytes_of_a_real_node_are_read() -> None:
    read = {name: abci.read_request(bytes.fromhex(text)) for name, text in NODE.items()}

    assert read == {
        "flush": abci.Flush(),
        "info": abci.Info(),
        "commit": abci.Commit(),
        "init_chain": abci.InitChain(chain_id(network_id(NETWORK))),
        "query": abci.Query("/p2p/filter/id/de4a6e011f92212836e4ab90e82ecc7ada045306"),
        "check_tx": abci.CheckTx(FIRST_BLOCK[2]),
        "prepare_proposal": abci.PrepareProposal(2_089_705, FIRST_BLOCK),
        "process_proposal": abci.ProcessProposal(FIRST_BLOCK),
        "finalize_block": abci.FinalizeBlock(1, 1_795_628_241_664, FIRST_BLOCK),
        "empty_block": abci.FinalizeBlock(2, 1_795_628_244_129, ()),
    }


@given(requests)
def test_every_request_is_read_as_it_was_written(request: abci.Request) -> None:
    assert abci.read_request(abci.write_request(request)) == request


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_of_64_bits_survives_the_way(number: int) -> None:
    read = dict(protobuf.fields(protobuf.number_field(3, number)))

    assert protobuf.integer(read.get(3, 0)) == number


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(1, 50))
def test_frames_arrive_whole_however_they_are_cut(messages: list[bytes], step: int) -> None:
    travelling = b"".join(protobuf.framed(each) for each in messages)
    buffer, arrived = bytearray(), []
    for at in range(0, len(travelling), step):
        buffer += travelling[at : at + step]
        arrived += protobuf.take_frames(buffer)

    assert arrived == messages
    assert not buffer


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_request_or_invalid(data: bytes) -> None:
    with suppress(Invalid):
        abci.read_request(data)


@given(st.sampled_from(sorted(NODE)), st.data())
def test_a_message_that_is_cut_off_is_invalid(name: str, data: st.DataObject) -> None:
    whole = bytes.fromhex(NODE[name])
    size = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(Invalid):
        abci.read_request(whole[:size])


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xff" * 10 + b"\x01",
        b"\xff" * 9 + b"\x7f",
        b"\x02\x00",
        b"\x0b",
        b"\x42\xff\xff\xff\xff\x0f",
        b"\x40\x01",
        b"\x0a\x03\x0a\x01\xff",
        b"\x1a\x00\x1a\x00",
    ],
    ids=["endless", "over 64 bits", "field 0", "group", "longer than it is", "number", "not UTF-8", "two requests"],
)
def test_a_hostile_message_is_invalid(hostile: bytes) -> None:
    with pytest.raises(Invalid):
        abci.read_request(hostile)


def test_a_frame_that_claims_too_much_is_refused_before_it_arrives() -> None:
    with pytest.raises(Invalid, match="at most"):
        protobuf.take_frames(bytearray(protobuf.varint(protobuf.FRAME_LARGEST + 1)))
    with pytest.raises(Invalid, match="64 bits"):
        protobuf.take_frames(bytearray(b"\xff" * 10))


def test_more_than_64_bits_cannot_be_written() -> None:
    with pytest.raises(Invalid, match="64 bits"):
        protobuf.varint(2**64)
