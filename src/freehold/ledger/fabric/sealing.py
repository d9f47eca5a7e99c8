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
    """Makes seals for whoever asks a node, one at a time, and remembers the last; safe to use from many threads.

    A seal is made of the whole channel, every signature in it checked, so nobody may have a node make many at once.
    """

    def __init__(self, source: Source, machine: Machine) -> None:
        genesis = genesis_of(machine)
        self._network = NetworkRecord.parse(genesis.network)
        self._records = genesis.records
        self._source = source
        self._turn = threading.Lock()
        self._last: tuple[int, bytes] = (0, b"")

    @property
    def can(self) -> bool:
        """Whether the network record says whom to believe."""
        return self._network.authorities is not None

    def seal(self, height: int, digest: str, known: int) -> bytes:
        """The seal of the block of `ledger.blocks` with this digest; `known` of Fabric's blocks were read before."""
        if not self._turn.acquire(blocking=False):
            raise Unavailable("another seal is being made", next="try again", retry_after=1.0)
        try:
            if self._last[0] != height:
                if self._source.newest() + 1 < known:
                    raise Unavailable(
                        "the peer does not have as many blocks as were read of it before", retry_after=1.0
                    )
                channel = islice(self._source.after(0), known)
                seal = seal_of(channel, height, self._network, self._records, digest)
                self._last = height, canonical.encode(seal)
            return self._last[1]
        finally:
            self._turn.release()


def seal_of(
    channel: Iterable[FabricBlock],
    height: int,
    network: NetworkRecord,
    records: Mapping[str, bytes],
    digest: str,
) -> Seal:
    """The seal of the block of `ledger.blocks` at a height and with a digest; `channel` are Fabric's from the first."""
    chain, folding, folded = Chain(network, records), Folding(), list[Pieces]()
    size = 0
    for block in channel:
        row = b"".join(block.envelopes)
        size += len(row)
        if size > UNFOLDED_LARGEST:
            raise Unavailable(f"a seal says {UNFOLDED_LARGEST} bytes at most", retry=False)
        chain.take(row)
        folded.append(folding.fold(row))
        if chain.tip.height >= height:
            break
    else:
        raise Unavailable("the peer does not have as many blocks as were read of it before", retry_after=1.0)
    if digest not in [each.digest for each in chain.made]:
        raise Unavailable(
            "this block cannot be sealed",
            why="the peer's channel, judged by what the network record names, gives another history",
            next="compare the peer's blocks with another organisation's, and channel and certificates with the record",
            retry=False,
        )
    value, signatures = _signatures(block.signatures, chain, folding)
    return Seal(
        blocks=tuple(folded),
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
