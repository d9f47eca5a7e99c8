"""Snapshots without a node: what is offered, what is taken, and what a crash leaves."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.errors import Broken, Invalid
from freehold.ledger import protobuf
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.configuration import Joining, Settings, write_settings
from freehold.ledger.cometbft.snapshot_messages import (
    Applied,
    ApplySnapshotChunk,
    ListSnapshots,
    LoadSnapshotChunk,
    OfferSnapshot,
)
from freehold.ledger.cometbft.snapshots import (
    CHUNK_LARGEST,
    FORMAT,
    PIECE,
    Shelf,
    pack,
    read_manifest,
    unpack,
    written,
)
from freehold.protocol.digests import sha256
from tests.cometbft.givers import (
    EVERY,
    Giver,
    applied,
    begun,
    giver_of,
    listed,
    loaded,
    offered,
    opened,
    story,
    taken,
    told,
)
from tests.engines.notebook import note


@pytest.fixture(scope="module")
def giver(tmp_path_factory: pytest.TempPathFactory) -> Giver:
    return giver_of(opened(tmp_path_factory.mktemp("giver") / "application.sqlite"), story())


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Giver]:
    """A node with a history that a test may let grow."""
    with closing(opened(tmp_path / "growing.sqlite")) as file:
        yield giver_of(file, story())


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


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half_written(giver: Giver, tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    (tmp_path / "offer").write_bytes(abci.write_request(OfferSnapshot(giver.snapshot, giver.agreed)))
    (tmp_path / "chunk").write_bytes(abci.write_request(ApplySnapshotChunk(0, giver.chunk(0), "a")))
    script = (
        "import os, sys; from pathlib import Path\n"
        "from freehold.ledger.cometbft import abci; from tests.cometbft.givers import begun, opened\n"
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
