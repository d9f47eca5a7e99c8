"""A snapshot on its way into the application of a node that joins. Whoever sends it may be hostile.

What is trusted is one digest: that of the newest block at the snapshot's height, from a header that more than two
thirds of the validators signed and the node's light client verified. The metadata bring the header with this digest, or
they are refused unread. Each piece has to have the digest that the metadata claim, or its sender is banned and it is
fetched from another. And each block has to follow from the one before it, from the network's genesis on; only a chain
that ends in the newest block is ever seen, whole.

The roots of the state that headers name on the way are taken as they are: if the chain ends in the newest block, the
validators stand for every header in it. The state itself is hashed once, at the end.
"""

from __future__ import annotations

from freehold.errors import Invalid
from freehold.ledger import blocks
from freehold.ledger.cometbft.file import Restoring
from freehold.ledger.cometbft.snapshot_messages import (
    Applied,
    ApplySnapshotChunk,
    Offered,
    OfferSnapshot,
    apply_snapshot_chunk,
)
from freehold.ledger.cometbft.snapshots import FORMAT, Manifest, Stream, read_manifest, unpack
from freehold.ledger.genesis import Genesis
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.state import State
from freehold.protocol.digests import sha256


def judged(offer: OfferSnapshot) -> Manifest | Offered:
    """What an offered snapshot consists of, or why it is not wanted."""
    if offer.snapshot.format != FORMAT:
        return Offered.REJECT_FORMAT
    try:
        manifest = read_manifest(offer.snapshot)
    except Invalid:
        return Offered.REJECT_SENDER
    # Nobody honest offers a snapshot whose newest block is not the one of the validators.
    signed = bytes.fromhex(blocks.block_digest(manifest.header)) == offer.agreed
    return manifest if signed else Offered.REJECT_SENDER


class Restoration:
    """One attempt: state, tree and tip grow with each piece."""

    def __init__(self, file: Restoring, genesis: Genesis, manifest: Manifest, height: int) -> None:
        """`height` is CometBFT's."""
        self.height = height
        self.state = State(genesis.records)
        self.tree = StateTree({})
        """Of the state, once it is done."""
        self.tip = blocks.first_tip(genesis.network_id)
        self.done = False
        """Whether the file now holds the snapshot."""
        self.over = False
        """Whether no more pieces are wanted: it is done, or it was rejected."""
        self._file = file
        self._manifest = manifest
        self._blocks = blocks.parse_header(manifest.header).height
        self._stream = Stream()
        self._next = 0
        self._senders: set[str] = set()

    def apply(self, request: ApplySnapshotChunk) -> bytes:
        """Takes a piece, and with the last one the snapshot; the answer to the node."""
        if request.index < self._next:
            return apply_snapshot_chunk(Applied.ACCEPT)
        try:
            piece = self._checked(request)
        except Invalid:
            return apply_snapshot_chunk(Applied.RETRY, again=[request.index], banned=[request.sender])
        self._senders.add(request.sender)
        self._next += 1
        try:
            self._follow(piece)
            if self._next == len(self._manifest.digests):
                self._finish()
        except Invalid:
            # Every piece was what the metadata claim, so the metadata lie, and whoever had such pieces made them.
            self.discard()
            return apply_snapshot_chunk(Applied.REJECT_SNAPSHOT, banned=sorted(self._senders))
        except BaseException:
            self.discard()
            raise
        return apply_snapshot_chunk(Applied.ACCEPT)

    def discard(self) -> None:
        """Takes back whatever was written, unless it is done."""
        self.over = True
        self._file.discard()

    def _checked(self, request: ApplySnapshotChunk) -> bytes:
        piece = unpack(request.chunk)
        if request.index != self._next or sha256(piece) != self._manifest.digests[self._next]:
            raise Invalid("another piece of the snapshot was wanted")
        return piece

    def _follow(self, piece: bytes) -> None:
        for block in self._stream.take(piece):
            if self.tip.height == self._blocks:
                raise Invalid("the snapshot goes on after its newest block")
            contents = blocks.decode_body(block.body)
            self.tip = blocks.follow(self.tip, block.header, contents, block.body, state=_claimed(block.header))
            self.state.apply(contents.writes)
            self._file.add(block)

    def _finish(self) -> None:
        if not self._stream.empty or self.tip.digest != blocks.block_digest(self._manifest.header):
            raise Invalid("the blocks of the snapshot do not lead to the one that the validators signed")
        self.tree = StateTree(dict(self.state.scan("")))
        if self.tree.root.hex() != blocks.parse_header(self._manifest.header).state:
            raise Invalid("the records of the snapshot are not those that its newest block stands for")
        self._file.finish(self.height, self.tree.root)
        self.done = self.over = True


def _claimed(header: bytes) -> bytes:
    try:
        return bytes.fromhex(blocks.parse_header(header).state)
    except ValueError:
        raise Invalid("a header of a snapshot names no root of the state") from None
