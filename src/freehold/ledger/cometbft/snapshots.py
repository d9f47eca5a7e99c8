"""Snapshots for nodes that join: the whole chain of blocks up to a height, in pieces, read when somebody asks.

Blocks are append-only, so nothing is copied and nothing is written beside Commit. A snapshot at a height of CometBFT is
the blocks which were there after it, one behind the other, cut every so many bytes: full pieces never change, and
their digests are remembered. Heights are multiples of the same number everywhere, so that all nodes offer the same.

    metadata = frames of: header of the newest block ‖ bytes of all blocks (u64) ‖ SHA-256 of each piece
    stream   = a frame for each block, and in it frames of header, actions, results, events, writes
    chunk    = a piece of the stream, compressed; digests are of what is inside, since programs compress differently

Whoever joins knows the digest of the newest block from the validators (`app_hash`); everything else hangs on it.
"""

from __future__ import annotations

import threading
import time
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from freehold.errors import FreeholdError, Invalid
from freehold.ledger import blocks
from freehold.ledger.blocks import Body
from freehold.ledger.cometbft import snapshot_messages
from freehold.ledger.cometbft.file import CommitFile, StoredBlock
from freehold.ledger.cometbft.snapshot_messages import ListSnapshots, LoadSnapshotChunk, Snapshot
from freehold.ledger.frames import LENGTH, frame, unframe
from freehold.protocol.digests import sha256

FORMAT: Final = 1
EVERY: Final = 100
"""Blocks of CometBFT from one snapshot to the next."""
CHUNK_LARGEST: Final = 2**20
PIECE: Final = CHUNK_LARGEST - 2**10
"""Bytes of a piece before it is compressed: what cannot be compressed still fits into a chunk."""
PIECES_LARGEST: Final = 100_000
"""Pieces of one snapshot; a node passes on metadata of at most four million bytes."""
BLOCK_LARGEST: Final = 256 * 2**20
"""Bytes of one block that are put together before it is read."""
_SETTLED: Final = 2
"""A snapshot is offered once so many blocks follow it: the light client of whoever joins needs their headers."""
_OFFERED: Final = 2
_DIGEST: Final = 32
_SIZE: Final = 8
_READ: Final = 4
_REST: Final = 2.0
"""For each second of work on a piece, so many are rested: a member that asks without end does not slow its host down,
and whoever joins checks pieces more slowly than that."""
_REST_LARGEST: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a snapshot consists of."""

    header: bytes
    """Of the newest block."""
    size: int
    digests: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The metadata of the snapshot."""
        return frame([self.header, self.size.to_bytes(_SIZE, "big"), b"".join(self.digests)])


def read_manifest(snapshot: Snapshot) -> Manifest:
    """What a stranger's snapshot claims to consist of; Invalid if the claims do not fit together."""
    if sha256(snapshot.metadata) != snapshot.hash:
        raise Invalid("a snapshot is named by another hash than that of its metadata")
    parts = unframe(snapshot.metadata, largest=PIECES_LARGEST * _DIGEST, most=3)
    if len(parts) != 3 or len(parts[1]) != _SIZE or len(parts[2]) % _DIGEST:
        raise Invalid("the metadata of a snapshot are header, size and digests")
    header, size, joined = parts[0], int.from_bytes(parts[1], "big"), parts[2]
    digests = tuple(joined[at : at + _DIGEST] for at in range(0, len(joined), _DIGEST))
    if not size or len(digests) != -(-size // PIECE) or snapshot.chunks != len(digests):
        raise Invalid("a snapshot has one digest for each piece")
    if snapshot.height < 1 or blocks.parse_header(header).height < 1:
        raise Invalid("a snapshot begins with a block")
    return Manifest(header=header, size=size, digests=digests)


def pack(piece: bytes) -> bytes:
    """The piece as it travels."""
    return zlib.compress(piece, 1)


def unpack(chunk: bytes) -> bytes:
    """The piece in a stranger's chunk; Invalid if it is none, or larger than a piece may be."""
    if len(chunk) > CHUNK_LARGEST:
        raise Invalid(f"a piece of a snapshot travels as at most {CHUNK_LARGEST} bytes")
    unpacking = zlib.decompressobj()
    try:
        piece = unpacking.decompress(chunk, PIECE + 1)
    except zlib.error as error:
        raise Invalid(f"a piece of a snapshot cannot be unpacked: {error}") from None
    if len(piece) > PIECE or not unpacking.eof or unpacking.unused_data:
        raise Invalid(f"a piece of a snapshot unpacks to exactly one piece of at most {PIECE} bytes")
    return piece


def written(block: StoredBlock) -> bytes:
    """The block as it stands in the stream."""
    body = block.body
    return frame([frame([block.header, body.actions, body.results, body.events, body.writes])])


class Stream:
    """The stream on its way in: pieces go in, blocks come out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def empty(self) -> bool:
        """Whether every block that began has ended."""
        return not self._buffer

    def take(self, piece: bytes) -> Iterator[StoredBlock]:
        """The blocks that end in this piece; Invalid at one that is none."""
        self._buffer += piece
        while len(self._buffer) >= LENGTH:
            end = LENGTH + int.from_bytes(self._buffer[:LENGTH], "big")
            if end > BLOCK_LARGEST:
                raise Invalid(f"a block of a snapshot claims {end} bytes: at most {BLOCK_LARGEST} are read")
            if len(self._buffer) < end:
                return
            parts = unframe(bytes(self._buffer[LENGTH:end]), largest=BLOCK_LARGEST, most=5)
            del self._buffer[:end]
            if len(parts) != 5:
                raise Invalid("a block of a snapshot is header, actions, results, events and writes")
            header, actions, results, events, writes = parts
            body = Body(actions=actions, results=results, events=events, writes=writes)
            yield StoredBlock(height=blocks.parse_header(header).height, header=header, body=body)


class Shelf:
    """The snapshots that a node can give; safe to use from any thread, and never from the consensus's."""

    def __init__(self, file: CommitFile, *, every: int = EVERY) -> None:
        self._file = file
        self._every = every
        self._turn = threading.Lock()
        self._height = 0
        """Up to which block the stream was cut."""
        self._digests: list[bytes] = []
        """Of the full pieces."""
        self._starts: list[tuple[int, int]] = [(1, 0)]
        """For each full piece and the one that grows: in which block it begins, and at which of its bytes."""
        self._rest = bytearray()
        """The piece that grows."""
        self._snapshots: dict[int, Snapshot] = {}
        self._tips: dict[int, int] = {}

    def answer(self, request: ListSnapshots | LoadSnapshotChunk) -> bytes:
        """The answer to a node. What cannot be read is not offered: others have it too."""
        try:
            with self._turn, closing(self._file.reader()) as reader:
                if isinstance(request, ListSnapshots):
                    return snapshot_messages.list_snapshots(self._listed(reader))
                began = time.thread_time()
                answer = snapshot_messages.load_snapshot_chunk(self._chunk(reader, request))
                time.sleep(min(_REST * (time.thread_time() - began), _REST_LARGEST))
                return answer
        except FreeholdError:
            if isinstance(request, ListSnapshots):
                return snapshot_messages.list_snapshots([])
            return snapshot_messages.load_snapshot_chunk(b"")

    def _listed(self, reader: CommitFile) -> list[Snapshot]:
        newest = (reader.last()[0] - _SETTLED) // self._every * self._every
        heights = [newest - back * self._every for back in reversed(range(_OFFERED))]
        for height in heights:
            tip = self._tip(reader, height)
            if tip and height not in self._snapshots:
                self._snapshots[height] = self._snapshot(reader, height, tip)
        self._snapshots = {height: self._snapshots[height] for height in heights if height in self._snapshots}
        return [each for each in self._snapshots.values() if each.chunks <= PIECES_LARGEST]

    def _tip(self, reader: CommitFile, height: int) -> int:
        """How many blocks there were at a height of CometBFT; 0 if that is not known here."""
        if height < 1 or height % self._every:
            return 0
        if height not in self._tips:
            found = reader.tip_at(height)
            if found is None:
                return 0
            self._tips[height] = found
        return self._tips[height]

    def _snapshot(self, reader: CommitFile, height: int, tip: int) -> Snapshot:
        self._cut(reader, tip)
        last = bisect_right(self._starts, tip, key=itemgetter(0)) - 1
        piece = self._piece(reader, last, tip)
        digests = (*self._digests[:last], *([sha256(piece)] if piece else []))
        (newest,) = reader.blocks(tip - 1, 1)
        size = last * PIECE + len(piece)
        metadata = Manifest(header=newest.header, size=size, digests=digests).encode()
        return Snapshot(height=height, format=FORMAT, chunks=len(digests), hash=sha256(metadata), metadata=metadata)

    def _cut(self, reader: CommitFile, tip: int) -> None:
        while self._height < tip:
            for block in reader.blocks(self._height, min(64, tip - self._height)):
                data = written(block)
                self._rest += data
                while len(self._rest) >= PIECE:
                    self._digests.append(sha256(bytes(self._rest[:PIECE])))
                    del self._rest[:PIECE]
                    self._starts.append((block.height, len(data) - len(self._rest)))
                self._height = block.height

    def _chunk(self, reader: CommitFile, request: LoadSnapshotChunk) -> bytes:
        tip = self._tip(reader, request.height) if request.format == FORMAT else 0
        self._cut(reader, tip)
        if not 0 <= request.chunk < len(self._starts):
            return b""
        piece = self._piece(reader, request.chunk, tip)
        return pack(piece) if piece else b""

    def _piece(self, reader: CommitFile, index: int, tip: int) -> bytes:
        """A piece of the stream of blocks up to `tip`; empty if that ends before."""
        first, skip = self._starts[index]
        data, after = bytearray(), first - 1
        while len(data) < skip + PIECE and after < tip:
            for block in reader.blocks(after, min(_READ, tip - after)):
                data += written(block)
                after = block.height
        return bytes(data[skip : skip + PIECE])
