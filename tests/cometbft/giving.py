"""Applications that give snapshots often, honestly or not: `python -m tests.cometbft.giving HOW FOLDER SOCKET BELL`.

All take part in consensus honestly. To whoever joins, `garbage` describes a snapshot that makes no sense, `invented`
gives a whole history of its own under the true newest block, and `damaged` gives true descriptions and wrong pieces.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from freehold.ledger import blocks
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.server import serve
from freehold.ledger.cometbft.snapshot_messages import (
    ListSnapshots,
    LoadSnapshotChunk,
    Snapshot,
    list_snapshots,
    load_snapshot_chunk,
)
from freehold.ledger.cometbft.snapshots import FORMAT, PIECE, Manifest, Shelf, pack, written
from freehold.protocol.digests import sha256
from tests.engines.application import Everybody
from tests.engines.notebook import NETWORK, Notebook, note

EVERY = 20


class Garbage(Shelf):
    """A description without sense, at the height that is taken first."""

    def answer(self, request: ListSnapshots | LoadSnapshotChunk) -> bytes:
        with closing(self._file.reader()) as reader:
            height = reader.last()[0] - 2
        if isinstance(request, LoadSnapshotChunk):
            return load_snapshot_chunk(b"nothing")
        return list_snapshots([Snapshot(height=height, format=FORMAT, chunks=3, hash=b"hash", metadata=b"metadata")])


class Invented(Shelf):
    """A history that never was, at the next height; only its description names the true newest block."""

    def answer(self, request: ListSnapshots | LoadSnapshotChunk) -> bytes:
        with closing(self._file.reader()) as reader:
            height = reader.last()[0] - 3
            tip = reader.tip_at(height) or 0
            newest = reader.blocks(tip - 1, 1)[0]
        stream = _invention()
        if isinstance(request, LoadSnapshotChunk):
            return load_snapshot_chunk(pack(stream[request.chunk * PIECE : (request.chunk + 1) * PIECE]))
        digests = tuple(sha256(stream[at : at + PIECE]) for at in range(0, len(stream), PIECE))
        metadata = Manifest(header=newest.header, size=len(stream), digests=digests).encode()
        lie = Snapshot(height=height, format=FORMAT, chunks=len(digests), hash=sha256(metadata), metadata=metadata)
        return list_snapshots([lie])


class Damaged(Shelf):
    """What honest nodes offer, and pieces that are not what they should be."""

    def answer(self, request: ListSnapshots | LoadSnapshotChunk) -> bytes:
        if isinstance(request, LoadSnapshotChunk):
            return load_snapshot_chunk(pack(b"damaged"))
        return super().answer(request)


SHELVES: dict[str, Callable[[CommitFile], Shelf]] = {
    "honest": lambda file: Shelf(file, every=EVERY),
    "garbage": lambda file: Garbage(file, every=EVERY),
    "invented": lambda file: Invented(file, every=EVERY),
    "damaged": lambda file: Damaged(file, every=EVERY),
}


def _invention() -> bytes:
    """Blocks that follow from each other, and from the network's genesis."""
    with tempfile.TemporaryDirectory() as folder, closing(CommitFile.open(Path(folder) / FILE, b"x")) as file:
        application = Application(file, Notebook(), Everybody())
        for number in range(3):
            application.finalize_block(abci.FinalizeBlock(number + 1, number, (note(f"i{number}", "invented"),)))
            application.commit()
        some = file.blocks(0, 10)
    assert blocks.parse_header(some[-1].header).height == 3
    return b"".join(map(written, some))


def giving(how: str) -> Callable[[Path], Callable[[Path, Path], list[str]]]:
    """The command of an application that gives snapshots in this way."""

    def of(folder: Path) -> Callable[[Path, Path], list[str]]:
        return lambda door, bell: [
            sys.executable,
            "-m",
            "tests.cometbft.giving",
            how,
            str(folder),
            str(door),
            str(bell),
        ]

    return of


if __name__ == "__main__":
    where, socket, hall = map(Path, sys.argv[2:])
    with closing(CommitFile.open(where / FILE, NETWORK.encode())) as opened:
        served = Application(opened, Notebook(), Everybody())
        served.shelf = SHELVES[sys.argv[1]](opened)
        serve(served, socket, hall, lifeline=sys.stdin.fileno())
