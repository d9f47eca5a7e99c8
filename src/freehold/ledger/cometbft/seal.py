"""What several operators sign about a block, and how a reader checks it with Ed25519 and SHA-256 alone.

The validators of CometBFT sign headers. The header after a block names that block's digest of ours (`app_hash`), and
through it the whole history. So a seal is one such header with the signatures of more than two thirds of the
validators, and, for each change of the validators since the beginning, one header in which those before name those
after. Whom to believe at the beginning the network record says, which the network's id stands for.

Everything that is hashed is computed anew from the fields here, in the encodings of CometBFT's block protocol 11
(specification of v0.38, "Data structures"): a header's hash is the RFC 6962 root over its fourteen encoded fields, and
a validator signs its precommit for that hash, length first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta

from freehold.errors import Invalid
from freehold.ledger.cometbft.seats import POWER
from freehold.ledger.proofs.log import Log
from freehold.ledger.protobuf import bytes_field, message_field, number_field, varint
from freehold.protocol import signatures
from freehold.protocol.records import Record

VALIDATORS_LARGEST: Final = 64
HANDOVERS_LARGEST: Final = 4_096
_PRECOMMIT: Final = 2
_FIXED64: Final = 1
_NANOSECONDS: Final = 10**9

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Address = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
Number = Annotated[int, Meta(ge=0)]
Nanoseconds = Annotated[int, Meta(ge=0, lt=_NANOSECONDS)]


class Parts(Record, kw_only=True):
    """Into how many parts a block was cut to be sent, and their Merkle root."""

    hash: Hash
    total: Number


class BlockId(Record, kw_only=True):
    """By what a header names the one before it."""

    hash: Hash
    parts: Parts


class Header(Record, kw_only=True):
    """A header of CometBFT but for its chain and its validators, which the reader knows."""

    app: Hash
    """The digest of the newest block of ours before it."""
    app_version: Number
    block_version: Number
    consensus: Hash
    data: Hash
    evidence: Hash
    height: Annotated[int, Meta(ge=1)]
    last_block: BlockId
    last_commit: Hash
    nanoseconds: Nanoseconds
    next_validators: Hash
    proposer: Address
    results: Hash
    seconds: Number


class Vote(Record, kw_only=True):
    """One validator's signature under a header."""

    index: Number
    """Its place among the validators."""
    nanoseconds: Nanoseconds
    seconds: Number
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class Voter(Record, kw_only=True):
    """A validator, and how much its vote counts."""

    key: Hash
    power: Annotated[int, Meta(ge=1, le=2**40)]


class Signed(Record, kw_only=True):
    """A header, and who signed it."""

    header: Header
    parts: Parts
    """Of this header's own block."""
    round: Number
    validators: Annotated[tuple[Voter, ...], Meta(min_length=1, max_length=VALIDATORS_LARGEST)]
    """In CometBFT's order: falling power, then rising address."""
    votes: Annotated[tuple[Vote, ...], Meta(max_length=VALIDATORS_LARGEST)]


class Seal(Record, kw_only=True, tag_field="engine", tag="cometbft"):
    """What the validators signed about a block and everything before it."""

    handovers: Annotated[tuple[Signed, ...], Meta(max_length=HANDOVERS_LARGEST)]
    newest: Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a seal that holds says."""

    height: int
    """Of CometBFT's header."""
    time: int
    """Of that header, milliseconds."""
    validators: tuple[str, ...]
    """The keys of those who were to sign it."""
    signers: tuple[str, ...]
    """The keys of those who did."""
    handovers: int
    """How often the validators changed before."""


def chain_id(network_id: str) -> str:
    """The name of the chain of a network; CometBFT allows fifty characters."""
    return f"freehold-{network_id[:32]}"


def check_seal(seal: Seal, chain: str, founders: Sequence[str], digest: str) -> Sealed:
    """What the validators say; Invalid unless they sealed the block with this digest (hex) on this chain.

    `founders` are the Ed25519 keys (hex) of the validators at the beginning, all of the same power.
    """
    trusted = validators_hash(in_order([Voter(key=key, power=POWER) for key in founders]))
    steps = [*seal.handovers, seal.newest]
    if any(earlier.header.height >= later.header.height for earlier, later in pairwise(steps)):
        raise Invalid("the seal's headers are not in the order of their heights")
    for step in seal.handovers:
        _check_signed(step, chain, trusted, "a handover")
        if step.header.next_validators == trusted:
            raise Invalid("a handover hands nothing over")
        trusted = step.header.next_validators
    newest = seal.newest
    _check_signed(newest, chain, trusted, "the newest header")
    if newest.header.app != digest:
        raise Invalid("the validators signed another history", why="the newest header names another newest block")
    return Sealed(
        height=newest.header.height,
        time=1_000 * newest.header.seconds + newest.header.nanoseconds // 1_000_000,
        validators=tuple(each.key for each in newest.validators),
        signers=tuple(newest.validators[vote.index].key for vote in newest.votes),
        handovers=len(seal.handovers),
    )


def in_order(validators: Sequence[Voter]) -> tuple[Voter, ...]:
    """The validators as CometBFT orders them."""
    return tuple(sorted(validators, key=lambda each: (-each.power, _address(each.key))))


def validators_hash(validators: Sequence[Voter]) -> str:
    """By what a header names its validators, hex."""
    return _root([bytes_field(1, bytes_field(1, _raw(each.key))) + number_field(2, each.power) for each in validators])


def header_hash(header: Header, chain: str, validators: str) -> str:
    """A header's hash, hex; `validators` is their hash."""
    version = number_field(1, header.block_version) + number_field(2, header.app_version)
    hashes = (
        header.last_commit, header.data, validators, header.next_validators, header.consensus, header.app,
        header.results, header.evidence, header.proposer,
    )  # fmt: skip
    return _root(
        [
            version,
            bytes_field(1, chain.encode("ascii")),
            number_field(1, header.height),
            _moment(header.seconds, header.nanoseconds),
            _block_id(header.last_block),
            *(bytes_field(1, _raw(each)) for each in hashes),
        ]
    )


def signed_bytes(hash: str, step: Signed, chain: str, vote: Vote) -> bytes:
    """What a validator signed: its precommit for the header with this hash."""
    body = (
        number_field(1, _PRECOMMIT)
        + _fixed_field(2, step.header.height)
        + _fixed_field(3, step.round)
        + message_field(4, _block_id(BlockId(hash=hash, parts=step.parts)))
        + message_field(5, _moment(vote.seconds, vote.nanoseconds))
        + bytes_field(6, chain.encode("ascii"))
    )
    return varint(len(body)) + body


def _check_signed(step: Signed, chain: str, trusted: str, what: str) -> None:
    """Invalid unless more than two thirds of the trusted validators signed the header."""
    validators = step.validators
    if len({each.key for each in validators}) != len(validators) or validators_hash(validators) != trusted:
        raise Invalid(
            f"{what} (height {step.header.height}) is signed by others than those who may",
            why="a header that hands over to them is missing, or the set is forged",
        )
    indexes = [vote.index for vote in step.votes]
    if any(left >= right for left, right in pairwise(indexes)) or any(each >= len(validators) for each in indexes):
        raise Invalid(f"{what}: votes stand in the order of the validators, one for each at most")
    hash = header_hash(step.header, chain, trusted)
    power = 0
    for vote in step.votes:
        voter = validators[vote.index]
        message = signed_bytes(hash, step, chain, vote)
        if not signatures.verify(bytes.fromhex(voter.key), message, bytes.fromhex(vote.signature)):
            raise Invalid(f"{what} (height {step.header.height}): a validator's signature does not fit")
        power += voter.power
    if 3 * power <= 2 * sum(each.power for each in validators):
        raise Invalid(f"{what} (height {step.header.height}): not more than two thirds of the validators signed")


def _root(leaves: Sequence[bytes]) -> str:
    return Log().extended(leaves).root().hex()


def _block_id(id: BlockId) -> bytes:
    parts = number_field(1, id.parts.total) + bytes_field(2, _raw(id.parts.hash))
    return bytes_field(1, _raw(id.hash)) + message_field(2, parts)


def _moment(seconds: int, nanoseconds: int) -> bytes:
    return number_field(1, seconds) + number_field(2, nanoseconds)


def _fixed_field(field: int, number: int) -> bytes:
    return varint(field << 3 | _FIXED64) + number.to_bytes(8, "little") if number else b""


def _address(key: str) -> bytes:
    return hashlib.sha256(_raw(key)).digest()[:20]


def _raw(text: str) -> bytes:
    return bytes.fromhex(text)
