"""Nodes with a history that give snapshots, and what a node of CometBFT would hear of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.ledger import protobuf
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.file import CommitFile
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
    FORMAT,
    Shelf,
)
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
