"""Snapshots without a node: what is offered, what is taken, and what hostile members can do about it."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Broken, Invalid
from freehold.ledger import blocks, protobuf
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.configuration import Joining, Settings, write_settings
from freehold.ledger.cometbft.file import CommitFile, StoredBlock
from freehold.ledger.cometbft.light import read_call
from freehold.ledger.cometbft.restoration import judged
from freehold.ledger.cometbft.snapshot_messages import (
    Applied,
    ApplySnapshotChunk,
    ListSnapshots,
    LoadSnapshotChunk,
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
    Shelf,
    Stream,
    pack,
    read_manifest,
    unpack,
    written,
)
from freehold.ledger.frames import frame
from freehold.protocol.digests import sha256
from tests.engines.application import Everybody
from tests.engines.notebook import NETWORK, Notebook, add, note

EVERY = 4
LONG = 100
"""Notes of ten thousand characters: each stands in the chain twice, so that there are two pieces."""


def story() -> list[list[bytes]]:
    """Blocks of CometBFT: long ones, empty ones, and ones of which everything is refused."""
    chance = random.Random(7)
    notes = [note(f"n{number}", chance.randbytes(5_000).hex()) for number in range(LONG)]
    blocks_of_notes = [notes[at : at + 10] for at in range(0, LONG, 10)]
    return [*blocks_of_notes, [], [add("c", 1, 1), add("c", 1, 1)], [notes[0]], [add("c", 2, 2)], [], []]


def opened(path: Path) -> CommitFile:
    return CommitFile.open(path, NETWORK.encode())


def begun(file: CommitFile) -> Application:
    return Application(file, Notebook(), Everybody())


def told(application: Application, decided: Sequence[Sequence[bytes]]) -> None:
    """The node decides more blocks."""
    for actions in decided:
        height = application.height + 1
        application.finalize_block(abci.FinalizeBlock(height, 1_000 * height, tuple(actions)))
        application.commit()


@dataclass(frozen=True)
class Giver:
    """A node with a history, and its newest snapshot."""

    file: CommitFile
    application: Application
    shelf: Shelf
    snapshot: Snapshot
    agreed: bytes
    """What the validators signed at the snapshot's height."""

    def chunk(self, index: int) -> bytes:
        return loaded(self.shelf, self.snapshot.height, index)

    @property
    def chunks(self) -> list[bytes]:
        return [self.chunk(index) for index in range(self.snapshot.chunks)]


def giver_of(file: CommitFile, decided: Sequence[Sequence[bytes]]) -> Giver:
    """A node to which the story was told, two more blocks included that settle it."""
    application = begun(file)
    told(application, decided)
    agreed = application.agreed
    assert application.height % EVERY == 0
    told(application, [[], []])
    shelf = Shelf(file, every=EVERY)
    return Giver(file, application, shelf, listed(shelf)[-1], agreed)


@pytest.fixture(scope="module")
def giver(tmp_path_factory: pytest.TempPathFactory) -> Giver:
    return giver_of(opened(tmp_path_factory.mktemp("giver") / "application.sqlite"), story())


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Giver:
    """A node with two blocks."""
    decided = [[note("one", "hello"), add("c", 1, 1)], [add("c", 2, 2)], [], []]
    return giver_of(opened(tmp_path_factory.mktemp("short") / "application.sqlite"), decided)


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Giver]:
    """A node with a history that a test may let grow."""
    with closing(opened(tmp_path / "growing.sqlite")) as file:
        yield giver_of(file, story())


def listed(shelf: Shelf) -> list[Snapshot]:
    """What a node would hear of."""
    body = protobuf.octets(dict(protobuf.fields(shelf.answer(ListSnapshots())))[13])
    return [
        abci.read_request(protobuf.message_field(13, protobuf.message_field(1, protobuf.octets(value)))).snapshot  # type: ignore[union-attr]
        for _, value in protobuf.fields(body)
    ]


def loaded(shelf: Shelf, height: int, index: int, kind: int = FORMAT) -> bytes:
    """A piece as a node would get it."""
    body = protobuf.octets(dict(protobuf.fields(shelf.answer(LoadSnapshotChunk(height, kind, index))))[15])
    return protobuf.octets(dict(protobuf.fields(body)).get(1, b""))


def offered(application: Application, snapshot: Snapshot, agreed: bytes) -> Offered:
    answer = application.offer_snapshot(OfferSnapshot(snapshot, agreed))
    body = dict(protobuf.fields(protobuf.octets(dict(protobuf.fields(answer))[14])))
    return Offered(protobuf.integer(body[1]))


def applied(
    application: Application, index: int, chunk: bytes, sender: str = "a"
) -> tuple[Applied, list[int], list[str]]:
    """The verdict about a piece, which pieces to fetch again, and who is banned."""
    answer = application.apply_snapshot_chunk(ApplySnapshotChunk(index, chunk, sender))
    body = list(protobuf.fields(protobuf.octets(dict(protobuf.fields(answer))[16])))
    again = [protobuf.integer(value) for field, value in body if field == 2]
    return (
        Applied(protobuf.integer(dict(body)[1])),
        again,
        [protobuf.text(value) for field, value in body if field == 3],
    )


def taken(application: Application, giver: Giver) -> list[Applied]:
    assert offered(application, giver.snapshot, giver.agreed) is Offered.ACCEPT
    return [applied(application, index, chunk)[0] for index, chunk in enumerate(giver.chunks)]


def test_a_snapshot_gives_the_same_state_and_history_and_the_new_node_goes_on(giver: Giver, tmp_path: Path) -> None:
    with closing(opened(tmp_path / "new.sqlite")) as file:
        new = begun(file)
        assert set(taken(new, giver)) == {Applied.ACCEPT}

        assert (new.height, new.agreed) == (giver.snapshot.height, giver.agreed)
        assert new.root == giver.application.root
        assert file.blocks(0, 1_000) == giver.file.blocks(0, 1_000)
        assert (tmp_path / "new.sqlite-wal").stat().st_size == 0
        told(new, [[], [], [note("later", "text"), note("n0", "once more")]])

    with closing(opened(tmp_path / "new.sqlite")) as file, closing(opened(tmp_path / "replayed.sqlite")) as other:
        again, replayed = begun(file), begun(other)
        told(replayed, [*story(), [], [], [note("later", "text"), note("n0", "once more")]])
        assert (again.height, again.agreed, again.root) == (replayed.height, replayed.agreed, replayed.root)
        assert file.blocks(0, 1_000) == other.blocks(0, 1_000)


def test_pieces_are_small_and_every_node_offers_the_same(growing: Giver, tmp_path: Path) -> None:
    manifest = read_manifest(growing.snapshot)
    stream = b"".join(written(block) for block in growing.file.blocks(0, 1_000))

    assert growing.snapshot.chunks >= 2
    assert max(map(len, growing.chunks)) <= CHUNK_LARGEST
    assert b"".join(map(unpack, growing.chunks)) == stream
    assert manifest.size == len(stream)
    with closing(opened(tmp_path / "new.sqlite")) as file:
        new = begun(file)
        taken(new, growing)
        told(new, [[], [], [], [note("later", "text")], [], []])
        told(growing.application, [[], [note("later", "text")], [], []])
        shelf, later = Shelf(file, every=EVERY), Shelf(growing.file, every=EVERY)

        assert growing.snapshot in listed(growing.shelf)
        assert listed(shelf) == listed(later) == listed(growing.shelf)
        assert [
            loaded(shelf, growing.snapshot.height, index) for index in range(growing.snapshot.chunks)
        ] == growing.chunks


def test_in_whatever_order_snapshots_are_asked_for_they_are_the_same(growing: Giver) -> None:
    told(growing.application, [[note(f"order{growing.application.height}", "text" * 2_000)] for _ in range(3 * EVERY)])
    heights = range(EVERY, growing.application.height, EVERY)
    forward, backward = Shelf(growing.file, every=EVERY), Shelf(growing.file, every=EVERY)
    first = {height: [loaded(forward, height, index) for index in range(3)] for height in heights}
    assert {height: [loaded(backward, height, index) for index in range(3)] for height in reversed(heights)} == first

    assert listed(forward) == listed(backward) == listed(Shelf(growing.file, every=EVERY)) == listed(growing.shelf)
    for snapshot in listed(backward):
        pieces = [unpack(each) for each in first[snapshot.height][: snapshot.chunks]]
        assert [sha256(piece) for piece in pieces] == list(read_manifest(snapshot).digests)


def test_what_cannot_be_compressed_fits_into_a_chunk_too() -> None:
    piece = random.Random(1).randbytes(PIECE)

    assert len(pack(piece)) <= CHUNK_LARGEST
    assert unpack(pack(piece)) == piece


def test_a_snapshot_is_offered_once_two_blocks_follow_it_and_never_without_blocks(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "application.sqlite")) as file:
        application, shelf = begun(file), Shelf(file, every=EVERY)
        assert listed(shelf) == []
        told(application, [[]] * EVERY * 2)
        assert listed(shelf) == []
        told(application, [[note("one", "hello")], [], [], [], []])
        assert listed(shelf) == []
        told(application, [[]])

        assert [(each.height, each.chunks) for each in listed(shelf)] == [(3 * EVERY, 1)]
        assert loaded(shelf, 3 * EVERY, 0)
        for height, index, kind in [
            (12, 1, 1),
            (12, -1, 1),
            (12, 2**31, 1),
            (13, 0, 1),
            (40, 0, 1),
            (0, 0, 1),
            (12, 0, 2),
        ]:
            assert loaded(shelf, height, index, kind) == b""


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


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half_written(giver: Giver, tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    (tmp_path / "offer").write_bytes(abci.write_request(OfferSnapshot(giver.snapshot, giver.agreed)))
    (tmp_path / "chunk").write_bytes(abci.write_request(ApplySnapshotChunk(0, giver.chunk(0), "a")))
    script = (
        "import os, sys; from pathlib import Path; from tests.cometbft.test_snapshots import abci, begun, opened\n"
        "folder = Path(sys.argv[1]); new = begun(opened(folder / 'new.sqlite'))\n"
        "new.offer_snapshot(abci.read_request((folder / 'offer').read_bytes()))\n"
        "new.apply_snapshot_chunk(abci.read_request((folder / 'chunk').read_bytes()))\n"
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)

    assert killed.returncode == -9
    with closing(opened(path)) as file:
        new = begun(file)
        assert (new.height, file.blocks(0, 10), file.last()) == (0, [], (0, None))
        assert set(taken(new, giver)) == {Applied.ACCEPT}


def test_a_history_of_its_own_is_not_given_up_for_a_snapshot(giver: Giver, tmp_path: Path) -> None:
    with closing(opened(tmp_path / "application.sqlite")) as file:
        application = begun(file)
        told(application, [[note("one", "hello")], []])

        with pytest.raises(Broken, match="history of its own"):
            offered(application, giver.snapshot, giver.agreed)


def test_a_node_that_died_before_it_knew_of_the_snapshot_takes_one_again(giver: Giver, tmp_path: Path) -> None:
    with closing(opened(tmp_path / "application.sqlite")) as file:
        first = begun(file)
        assert set(taken(first, giver)) == {Applied.ACCEPT}
        again = begun(file)

        assert set(taken(again, giver)) == {Applied.ACCEPT}
        assert again.agreed == giver.agreed


def test_a_piece_of_nothing_stops_the_application(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "application.sqlite")) as file, pytest.raises(Broken, match="not accepted"):
        applied(begun(file), 0, b"")


def test_metadata_are_written_one_way_only(giver: Giver) -> None:
    manifest = read_manifest(giver.snapshot)
    parts = [manifest.header, manifest.size.to_bytes(9, "big"), b"".join(manifest.digests)]
    for some in (parts, [*parts[:1], manifest.size.to_bytes(8, "big"), parts[2], b""], [*parts[:2]]):
        metadata = frame(some)
        with pytest.raises(Invalid):
            read_manifest(replace(giver.snapshot, metadata=metadata, hash=sha256(metadata)))


def test_a_node_joins_with_two_servers_and_one_header_or_is_told_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    good = Joining(servers=["http://203.0.113.5:26657", "https://[::1]:443"], height=7, hash="ab" * 32)

    def section_of(joining: Joining | None) -> dict[str, object]:
        write_settings(
            tmp_path, Settings(listen="0.0.0.0:26656", joining=joining), application=Path("/a"), rpc=Path("/b")
        )
        section: dict[str, object] = tomllib.loads((tmp_path / "config/config.toml").read_text())["statesync"]
        return section

    assert section_of(None)["enable"] is False
    on = section_of(good)
    assert (on["enable"], on["trust_height"], on["trust_hash"]) == (True, 7, "AB" * 32)
    assert on["rpc_servers"] == "http://203.0.113.5:26657,https://[::1]:443"
    for servers in ([], good.servers[:1], ["http://a:1", 'http://b:2"'], ["http://a:1", "http://b:2,http://c:3"]):
        with pytest.raises(Invalid, match="at least two"):
            section_of(replace(good, servers=servers))
    for wrong in (replace(good, height=0), replace(good, hash=""), replace(good, hash="xy" * 32)):
        with pytest.raises(Invalid, match="one header to trust"):
            section_of(wrong)


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


def test_a_member_that_asks_for_pieces_without_end_leaves_its_host_most_of_the_time(giver: Giver) -> None:
    wall, work = time.monotonic(), time.process_time()
    for _ in range(20):
        assert giver.chunk(0)

    assert time.process_time() - work < 0.6 * (time.monotonic() - wall)


def test_answers_keep_their_order_though_some_are_read_in_another_thread(tmp_path: Path) -> None:
    door = tmp_path / "door"
    command = [sys.executable, "-m", "tests.engines.application", str(tmp_path), str(door), str(tmp_path / "bell")]
    requests: list[abci.Request] = []
    for number in range(20):
        load = LoadSnapshotChunk(100, FORMAT, number)
        requests += [abci.Echo(f"a{number}"), ListSnapshots(), abci.Echo(f"b{number}"), load, abci.Info(), abci.Flush()]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process, socket.socket(socket.AF_UNIX) as connection:
        try:
            deadline = time.monotonic() + 30
            while not door.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            connection.settimeout(30)
            connection.connect(str(door))
            connection.sendall(b"".join(protobuf.framed(abci.write_request(each)) for each in requests))
            buffer = bytearray()
            answers: list[bytes] = []
            while len(answers) < len(requests):
                buffer += connection.recv(2**16)
                answers += protobuf.take_frames(buffer)
        finally:
            process.terminate()

    fields = [next(protobuf.fields(answer))[0] for answer in answers]
    assert fields == [2, 13, 2, 15, 4, 3] * 20
    echoes = [answer for answer, field in zip(answers, fields, strict=True) if field == 2]
    assert echoes == [abci.echo(f"{letter}{number}") for number in range(20) for letter in "ab"]
