"""What hostile members may do to a node that joins, and to those that serve it: nothing that lasts."""

from __future__ import annotations

import random
import tempfile
import zlib
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Broken, Invalid
from freehold.ledger import blocks
from freehold.ledger.cometbft.file import StoredBlock
from freehold.ledger.cometbft.light import read_call
from freehold.ledger.cometbft.restoration import judged
from freehold.ledger.cometbft.snapshot_messages import (
    Applied,
    Offered,
    OfferSnapshot,
    Snapshot,
)
from freehold.ledger.cometbft.snapshots import (
    BLOCK_LARGEST,
    CHUNK_LARGEST,
    FORMAT,
    PIECE,
    Manifest,
    Stream,
    pack,
    read_manifest,
    unpack,
    written,
)
from freehold.ledger.frames import frame
from freehold.protocol.digests import sha256
from tests.cometbft.givers import (
    EVERY,
    Giver,
    applied,
    begun,
    giver_of,
    offered,
    opened,
    story,
    taken,
)
from tests.engines.notebook import add, note


@pytest.fixture(scope="module")
def giver(tmp_path_factory: pytest.TempPathFactory) -> Giver:
    return giver_of(opened(tmp_path_factory.mktemp("giver") / "application.sqlite"), story())


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Giver:
    """A node with two blocks."""
    decided = [[note("one", "hello"), add("c", 1, 1)], [add("c", 2, 2)], [], []]
    return giver_of(opened(tmp_path_factory.mktemp("short") / "application.sqlite"), decided)


def test_an_offer_that_does_not_hold_together_is_refused_and_its_senders_with_it(giver: Giver) -> None:
    good, manifest = giver.snapshot, read_manifest(giver.snapshot)

    def described(changed: Manifest) -> Snapshot:
        metadata = changed.encode()
        return replace(good, metadata=metadata, hash=sha256(metadata), chunks=len(changed.digests))

    other = giver.file.blocks(0, 1)[0].header
    hostile = [
        replace(good, hash=bytes(32)),
        replace(good, metadata=good.metadata[:-1]),
        replace(good, metadata=b"", hash=sha256(b"")),
        replace(good, chunks=good.chunks + 1),
        replace(good, chunks=-1),
        replace(good, height=0),
        described(replace(manifest, digests=())),
        described(replace(manifest, size=0, digests=())),
        described(replace(manifest, size=manifest.size + PIECE)),
        described(replace(manifest, digests=(*manifest.digests, bytes(32)))),
        described(replace(manifest, header=other)),
        described(replace(manifest, header=b"{}")),
    ]

    assert judged(OfferSnapshot(good, giver.agreed)) == manifest
    assert judged(OfferSnapshot(replace(good, format=2), giver.agreed)) is Offered.REJECT_FORMAT
    assert judged(OfferSnapshot(good, bytes(32))) is Offered.REJECT_SENDER
    assert {judged(OfferSnapshot(each, giver.agreed)) for each in hostile} == {Offered.REJECT_SENDER}


def test_metadata_are_written_one_way_only(giver: Giver) -> None:
    manifest = read_manifest(giver.snapshot)
    parts = [manifest.header, manifest.size.to_bytes(9, "big"), b"".join(manifest.digests)]
    for some in (parts, [*parts[:1], manifest.size.to_bytes(8, "big"), parts[2], b""], [*parts[:2]]):
        metadata = frame(some)
        with pytest.raises(Invalid):
            read_manifest(replace(giver.snapshot, metadata=metadata, hash=sha256(metadata)))


@given(st.binary(max_size=300))
def test_whatever_metadata_come_they_are_judged(metadata: bytes) -> None:
    snapshot = Snapshot(height=1, format=FORMAT, chunks=1, hash=sha256(metadata), metadata=metadata)

    assert judged(OfferSnapshot(snapshot, bytes(32))) is Offered.REJECT_SENDER


@given(st.binary(max_size=300))
def test_whatever_pieces_come_they_are_blocks_or_invalid(piece: bytes) -> None:
    with suppress(Invalid):
        assert all(isinstance(block, StoredBlock) for block in Stream().take(piece))
    with suppress(Invalid):
        unpack(piece)


def test_a_block_that_claims_too_much_is_refused_before_it_arrives() -> None:
    with pytest.raises(Invalid, match="at most"):
        list(Stream().take((BLOCK_LARGEST + 1).to_bytes(4, "big")))


def test_a_wrong_piece_is_fetched_again_from_another_and_its_sender_banned(giver: Giver, tmp_path: Path) -> None:
    good = giver.chunks
    piece = unpack(good[0])
    hostile = [
        b"",
        good[0][:-1],
        good[0] + b"more",
        good[1],
        pack(piece[:-1] + bytes([piece[-1] ^ 1])),
        pack(piece + b"x"),
        zlib.compress(bytes(50 * 2**20)),
        b"x" * (CHUNK_LARGEST + 1),
        random.Random(2).randbytes(1_000),
    ]
    with closing(opened(tmp_path / "new.sqlite")) as file:
        new = begun(file)
        assert offered(new, giver.snapshot, giver.agreed) is Offered.ACCEPT
        for number, chunk in enumerate(hostile):
            assert applied(new, 0, chunk, f"hostile{number}") == (Applied.RETRY, [0], [f"hostile{number}"])
        for index, chunk in enumerate(good):
            assert applied(new, index, chunk) == (Applied.ACCEPT, [], [])

        assert new.agreed == giver.agreed


def test_an_invented_history_that_leads_to_the_same_state_is_rejected(tmp_path: Path) -> None:
    true = [[add("c", 1, 1)], [add("c", 2, 2)], [], []]
    invented = [[add("c", 2, 2)], [add("c", 1, 1)], [], []]
    with (
        closing(opened(tmp_path / "a")) as one,
        closing(opened(tmp_path / "b")) as two,
        closing(opened(tmp_path / "c")) as file,
    ):
        honest, liar = giver_of(one, true), giver_of(two, invented)
        assert liar.application.root == honest.application.root
        assert liar.agreed != honest.agreed
        newest = read_manifest(honest.snapshot).header
        metadata = replace(read_manifest(liar.snapshot), header=newest).encode()
        lie = replace(liar.snapshot, metadata=metadata, hash=sha256(metadata))

        new = begun(file)
        assert offered(new, liar.snapshot, honest.agreed) is Offered.REJECT_SENDER
        assert offered(new, lie, honest.agreed) is Offered.ACCEPT
        assert applied(new, 0, liar.chunk(0), "liar") == (Applied.REJECT_SNAPSHOT, [], ["liar"])
        assert (new.height, file.blocks(0, 10), file.last()) == (0, [], (0, None))
        with pytest.raises(Broken, match="not accepted"):
            applied(new, 0, liar.chunk(0), "liar")
        assert taken(new, honest) == [Applied.ACCEPT]
        assert new.agreed == honest.agreed


def test_blocks_that_do_not_follow_are_rejected_with_whoever_sent_them(giver: Giver, tmp_path: Path) -> None:
    chain = giver.file.blocks(0, blocks.parse_header(read_manifest(giver.snapshot).header).height)
    second = chain[1]
    changed = replace(second, body=replace(second.body, events=second.body.events.replace(b"written", b"wrItten")))
    root = blocks.parse_header(second.header).state.encode()
    hostile = {
        "with another root": [chain[0], replace(second, header=second.header.replace(root, b"0" * 64)), *chain[2:]],
        "with a root that is none": [chain[0], replace(second, header=second.header.replace(root, b"no")), *chain[2:]],
        "without its end": chain[:-1],
        "without its beginning": chain[1:],
        "out of order": [chain[1], chain[0], *chain[2:]],
        "with a block twice": [*chain, chain[-1]],
        "with another event": [chain[0], changed, *chain[2:]],
        "with a remainder": [*chain, StoredBlock(height=1, header=b"", body=chain[0].body)],
    }
    with closing(opened(tmp_path / "new.sqlite")) as file:
        new = begun(file)
        for name, some in hostile.items():
            stream = b"".join(map(written, some))
            pieces = [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]
            manifest = replace(read_manifest(giver.snapshot), size=len(stream), digests=tuple(map(sha256, pieces)))
            metadata = manifest.encode()
            lie = replace(giver.snapshot, chunks=len(pieces), metadata=metadata, hash=sha256(metadata))
            assert offered(new, lie, giver.agreed) is Offered.ACCEPT
            answers = []
            for index, piece in enumerate(pieces):
                answers.append(applied(new, index, pack(piece), f"liar{index % 2}"))
                if answers[-1][0] is not Applied.ACCEPT:
                    break
            assert answers[-1][0] is Applied.REJECT_SNAPSHOT, name
            assert answers[-1][2] == sorted({f"liar{index % 2}" for index in range(len(answers))})
            assert file.blocks(0, 10) == []


def test_a_newest_block_whose_root_is_not_that_of_its_records_is_rejected(tmp_path: Path) -> None:
    """Nobody but two thirds of the validators could make such a block; a newcomer does not follow them either."""
    with closing(opened(tmp_path / "a")) as one, closing(opened(tmp_path / "b")) as file:
        giver_of(one, [[add("c", 1, 1)], [], [], []])
        (block,) = one.blocks(0, 1)
        root = blocks.parse_header(block.header).state.encode()
        wrong = replace(block, header=block.header.replace(root, b"0" * 64))
        stream = written(wrong)
        metadata = Manifest(header=wrong.header, size=len(stream), digests=(sha256(stream),)).encode()
        lie = Snapshot(height=EVERY, format=FORMAT, chunks=1, hash=sha256(metadata), metadata=metadata)
        new = begun(file)

        assert offered(new, lie, bytes.fromhex(blocks.block_digest(wrong.header))) is Offered.ACCEPT
        assert applied(new, 0, pack(stream), "all") == (Applied.REJECT_SNAPSHOT, [], ["all"])
        assert (new.height, file.last()) == (0, (0, None))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_wherever_a_liar_changes_the_chain_the_snapshot_is_rejected(short: Giver, data: st.DataObject) -> None:
    stream = bytearray(unpack(short.chunk(0)))
    for place in data.draw(st.lists(st.integers(0, len(stream) - 1), min_size=1, max_size=3, unique=True)):
        stream[place] ^= data.draw(st.integers(1, 255))
    piece = bytes(stream)
    metadata = replace(read_manifest(short.snapshot), digests=(sha256(piece),)).encode()
    lie = replace(short.snapshot, metadata=metadata, hash=sha256(metadata))
    with tempfile.TemporaryDirectory() as folder, closing(opened(Path(folder) / "new.sqlite")) as file:
        new = begun(file)
        assert offered(new, lie, short.agreed) is Offered.ACCEPT
        assert applied(new, 0, pack(piece), "liar") == (Applied.REJECT_SNAPSHOT, [], ["liar"])
        assert (new.height, file.last()) == (0, (0, None))


@given(st.binary(max_size=200))
def test_whatever_is_asked_for_headers_it_is_passed_on_bounded_or_refused(data: bytes) -> None:
    with suppress(Invalid):
        assert set(read_call(data)) == {"jsonrpc", "id", "method", "params"}


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{"tx":"aGVsbG8="}}',
        b'[{"jsonrpc":"2.0","id":1,"method":"commit","params":{}}]',
        b'{"jsonrpc":"2.0","id":1,"method":"commit","params":{"height":"-1"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"commit","params":{"height":{"a":1}}}',
        b'{"jsonrpc":"2.0","id":1,"method":"commit","params":{"page":"1"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"commit","params":{},"more":1}',
        b'{"jsonrpc":"2.0","id":1,"method":"validators","params":{"height":"1111111111111111111"}}',
    ],
)
def test_a_call_for_anything_but_headers_is_refused(hostile: bytes) -> None:
    with pytest.raises(Invalid):
        read_call(hostile)
