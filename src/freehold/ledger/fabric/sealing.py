"""Making seals: the own peer hands out its channel's blocks, and they are checked before they leave.

What the peer says of its transactions is not asked. If a seal cannot be made, the peer hands out other blocks than it
did, a transaction is judged differently here than there, or the network record names other certificates than the
channel has; whoever reads the seal would find the same.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Protocol

from freehold.errors import Unavailable
from freehold.ledger.fabric.envelope import found
from freehold.ledger.fabric.folding import Folding, Pieces
from freehold.ledger.fabric.seal import SIGNATURES_LARGEST, UNFOLDED_LARGEST, Chain, Seal, Signature, signer_of
from freehold.ledger.fabric.transactions import FabricBlock
from freehold.ledger.genesis import genesis_of
from freehold.ledger.protobuf import fields, octets
from freehold.ports.machine import Machine
from freehold.protocol import canonical
from freehold.protocol.network import NetworkRecord


class Source(Protocol):
    """The blocks of a peer's channel, as `deliver` hands them over."""

    def newest(self) -> int:
        """The number of the newest block."""
        ...

    def after(self, number: int) -> Iterator[FabricBlock]:
        """Every block from the number on."""
        ...


class Sealer:
    """Makes seals for whoever asks a node, one at a time; safe to use from many threads.

    A seal is made of the whole channel, every signature in it checked, so nobody may have a node make many at once.
    What was checked for one is kept, and the next goes on from there: whoever gave up waiting finds it done.
    """

    def __init__(self, source: Source, machine: Machine) -> None:
        genesis = genesis_of(machine)
        self._network = NetworkRecord.parse(genesis.network)
        self._records = genesis.records
        self._source = source
        self._turn = threading.Lock()
        self._growing: Growing | None = None

    @property
    def can(self) -> bool:
        """Whether the network record says whom to believe."""
        return self._network.authorities is not None

    def seal(self, height: int, digest: str, known: int) -> bytes:
        """The seal of the block of `ledger.blocks` with this digest; `known` of Fabric's blocks were read before."""
        if not self._turn.acquire(blocking=False):
            raise Unavailable("another seal is being made", next="try again", retry_after=1.0)
        try:
            growing, self._growing = self._growing, None
            if growing is None or not growing.reaches(height):
                growing = Growing(self._network, self._records)
            if growing.height < height and self._source.newest() + 1 < known:
                raise Unavailable("the peer does not have as many blocks as were read of it before", retry_after=1.0)
            growing.grow(islice(self._source.after(growing.following), known - growing.following), height)
            seal = growing.seal(digest)
            # Whatever went wrong before: next time from the first block on.
            self._growing = growing
            return canonical.encode(seal)
        finally:
            self._turn.release()


class Growing:
    """The channel as far as it was checked, and how it would stand in a seal."""

    def __init__(self, network: NetworkRecord, records: Mapping[str, bytes]) -> None:
        self._chain = Chain(network, records)
        self._folding = Folding()
        self._folded: list[Pieces] = []
        self._size = 0
        self._metadata = b""

    @property
    def height(self) -> int:
        """Of the newest block of `ledger.blocks`."""
        return self._chain.tip.height

    @property
    def following(self) -> int:
        """The number of Fabric's next block."""
        return self._chain.height + 1

    def reaches(self, height: int) -> bool:
        """Whether a seal of the block at this height ends here or later."""
        return self.height < height or height in [each.height for each in self._chain.made]

    def grow(self, channel: Iterable[FabricBlock], height: int) -> None:
        """Takes Fabric's next blocks up to the one that makes the block at a height."""
        if self.height >= height:
            return
        for block in channel:
            row = b"".join(block.envelopes)
            self._size += len(row)
            if self._size > UNFOLDED_LARGEST:
                raise Unavailable(f"a seal says {UNFOLDED_LARGEST} bytes at most", retry=False)
            self._chain.take(row)
            self._folded.append(self._folding.fold(row))
            self._metadata = block.signatures
            if self.height >= height:
                return
        raise Unavailable("the peer does not have as many blocks as were read of it before", retry_after=1.0)

    def seal(self, digest: str) -> Seal:
        """The seal of the block with this digest."""
        if digest not in [each.digest for each in self._chain.made]:
            raise Unavailable(
                "this block cannot be sealed",
                why="the peer's channel, judged by what the network record names, gives another history",
                next="compare this peer's blocks with another organisation's, and the record with the channel",
                retry=False,
            )
        folding = self._folding.copy()
        value, signatures = _signatures(self._metadata, self._chain, folding)
        return Seal(
            blocks=tuple(self._folded),
            certificates=folding.certificates,
            signatures=signatures,
            value=base64.b64encode(value).decode("ascii"),
        )


def _signatures(metadata: bytes, chain: Chain, folding: Folding) -> tuple[bytes, tuple[Signature, ...]]:
    """What the orderers signed beside the chain's last block, and those signatures that count."""
    value, signers = octets(found(metadata).get(1, b"")), set[str]()
    signatures = []
    for each in [found(octets(part)) for number, part in fields(metadata) if number == 2][:SIGNATURES_LARGEST]:
        header, identifier, signature = (octets(each.get(number, b"")) for number in (1, 3, 2))
        signer = signer_of(chain, value, header or identifier, signature, numbered=not header)
        if signer is None or signer.digest in signers:
            continue
        signers.add(signer.digest)
        folded = folding.fold(header) if header else None
        number = None if header else base64.b64encode(identifier).decode("ascii")
        signatures.append(Signature(header=folded, identifier=number, signature=signature.hex()))
    if len(signers) < chain.authorities.quorum:
        raise Unavailable(
            "too few orderers signed this block",
            why=f"{len(signers)} did by the certificates in the network record, {chain.authorities.quorum} have to",
            retry=False,
        )
    return value, tuple(signatures)
