"""What the organisations of a channel endorsed and its orderers signed, and how a reader checks it by itself.

A seal holds every block of the channel, from the first one up to the one that made the newest block of `ledger.blocks`,
and the orderers' signatures under that one. Nothing else of Fabric's bytes: numbers and digests follow from the
envelopes, and what peers wrote beside them nobody signed. The reader computes

    each header, from the envelopes and the header before it       so no block and no transaction is missing or altered
    the orderers' signatures under the last header                 so this is what was ordered
    which transactions are valid (`validity`)                      so organisations endorsed what counts
    the blocks of `ledger.blocks` that they give (`derived`)        and that the last one is the one in question

and believes in nothing but the certificates that the network record names; they stand in the channel's first block. An
envelope begins where the one before it ends: the digest in a header is over all of them in a row, and only because each
has exactly one spelling can a row be cut in one way alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from freehold.errors import FreeholdError, Invalid
from freehold.ledger import blocks
from freehold.ledger.fabric.authorities import Authorities, Signer, fits
from freehold.ledger.fabric.clock import Clock
from freehold.ledger.fabric.derived import Derived, derive
from freehold.ledger.fabric.endorsements import Endorsers
from freehold.ledger.fabric.envelope import Place, found
from freehold.ledger.fabric.folding import PEM, Pieces, Unfolding
from freehold.ledger.fabric.transactions import BLOCK_LARGEST, TRANSACTIONS_LARGEST, FabricBlock, header_bytes
from freehold.ledger.fabric.validity import Validity, is_configuration
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ledger.protobuf import bytes_field, fields, octets
from freehold.protocol.network import NetworkRecord, network_id
from freehold.protocol.records import Record

LARGEST: Final = 256 * 2**20
"""Bytes of a seal that are read."""
UNFOLDED_LARGEST: Final = 512 * 2**20
"""Bytes of the blocks that it says."""
BLOCKS_LARGEST: Final = 2**22
CERTIFICATES_LARGEST: Final = 2**14
SIGNATURES_LARGEST: Final = 64

Base64 = Annotated[str, Meta(max_length=2**16)]


class Signature(Record, kw_only=True):
    """An orderer's signature under the last block, with what it signed beside the block."""

    header: Pieces | None = None
    """Fabric's SignatureHeader, which holds its certificate; of an orderer that does not sign under a number."""
    identifier: Base64 | None = None
    """Fabric's IdentifierHeader, of one that does."""
    signature: Annotated[str, Meta(pattern="^(?:[0-9a-f]{2}){8,80}$")]


class Seal(Record, kw_only=True, tag_field="engine", tag="fabric"):
    """The channel up to a block of its own, and who signed that one."""

    blocks: Annotated[tuple[Pieces, ...], Meta(min_length=1, max_length=BLOCKS_LARGEST)]
    """Of each block its envelopes in a row, folded (`folding`)."""
    certificates: Annotated[tuple[Base64, ...], Meta(max_length=CERTIFICATES_LARGEST)]
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=SIGNATURES_LARGEST)]
    value: Base64
    """What every orderer signs beside its header: where the channel's configuration stands, and its own notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a seal that holds says."""

    height: int
    """Of Fabric's block."""
    organisations: tuple[str, ...]
    """That are to endorse, and that order."""
    signers: tuple[str, ...]
    """Those of them whose peers endorsed what is recorded, or whose orderers signed."""


class Chain:
    """The channel as its blocks make it, one after the other, and the chain of `ledger.blocks` that follows from it."""

    def __init__(self, network: NetworkRecord, records: Mapping[str, bytes]) -> None:
        """`records` are the genesis of the rules; Invalid if the network record names nobody to believe."""
        if network.authorities is None or network.channel is None:
            raise Invalid("the network record names no authorities of a channel of Fabric")
        self.made: list[blocks.Tip] = []
        """What the newest block gave."""
        self.height = -1
        """Of Fabric's newest block."""
        self.header = b""
        """Its header, as orderers sign it and the next one names it."""
        self.tip = blocks.first_tip(network_id(network))
        self._named = network.authorities
        self._place = Place(channel=network.channel.name, chaincode=network.channel.chaincode)
        self._tree = StateTree(records)
        self._clock = Clock()

    def take(self, row: bytes) -> None:
        """Takes the envelopes of the next block; Invalid if they are none, or made what the rules do not allow."""
        envelopes = cut(row)
        number = self.height + 1
        previous = hashlib.sha256(self.header).digest() if number else b""
        if not number:
            self._begin(row, envelopes)
        header = header_bytes(number, previous, hashlib.sha256(row).digest())
        block = FabricBlock(
            number=number,
            previous=previous,
            digest=hashlib.sha256(header).digest(),
            envelopes=envelopes,
            codes=self.validity.codes(number, envelopes),
        )
        try:
            derived, self._clock = derive(block, self._place, self._endorsers, self._clock)
        except FreeholdError as error:
            raise Invalid(error.what, why=error.why) from None
        self.made = [self._follow(each) for each in derived]
        self.height, self.header = number, header

    def _begin(self, row: bytes, envelopes: Sequence[bytes]) -> None:
        if len(envelopes) != 1 or not is_configuration(envelopes[0], self._place.channel):
            raise Invalid("the channel's first block is not its configuration")
        self.authorities = Authorities(self._named, [each[0] for each in PEM.finditer(row)])
        self.validity = Validity(
            channel=self._place.channel, authorities=self.authorities, chaincode=self._place.chaincode
        )
        self._endorsers = Endorsers(self.authorities.endorsing)

    def _follow(self, derived: Derived) -> blocks.Tip:
        change = self._tree.changed(derived.contents.writes)
        _, self.tip = blocks.next_block(
            self.tip, derived.time, derived.contents, derived.contents.encode(), state=change.root
        )
        self._tree.apply(change)
        return self.tip


def check_seal(seal: Seal, network: NetworkRecord, records: Mapping[str, bytes], digest: str) -> Sealed:
    """Who stands for the block of `ledger.blocks` with this digest (hex); Invalid unless the seal proves that they do.

    `records` are the genesis of the rules of this network.
    """
    unfolding = Unfolding(seal.certificates, UNFOLDED_LARGEST)
    chain = Chain(network, records)
    for each in seal.blocks:
        chain.take(unfolding.unfold(each))
    orderers = _check_signatures(seal, chain, unfolding)
    unfolding.end()
    if digest not in [each.digest for each in chain.made]:
        raise Invalid("the channel holds another history", why="its last block made another block, or none")
    signers = chain.validity.endorsers | {each.msp for each in orderers}
    organisations = {*chain.authorities.peers, *chain.authorities.orderers}
    return Sealed(height=chain.height, organisations=tuple(sorted(organisations)), signers=tuple(sorted(signers)))


def cut(row: bytes) -> tuple[bytes, ...]:
    """The envelopes that stand in a row; Invalid unless each is whole and in the one spelling that Fabric takes."""
    if len(row) > BLOCK_LARGEST:
        raise Invalid(f"a block of more than {BLOCK_LARGEST} bytes")
    envelopes: list[bytes] = []
    before = 0
    for number, value in fields(row):
        part = octets(value)
        if number == 1:
            envelopes.append(bytes_field(1, part))
        elif number == 2 and before == 1:
            envelopes[-1] += bytes_field(2, part)
        before = number
    if b"".join(envelopes) != row or not 0 < len(envelopes) <= TRANSACTIONS_LARGEST:
        raise Invalid("a block is not made of envelopes in a row")
    return tuple(envelopes)


def signer_of(chain: Chain, value: bytes, said: bytes, signature: bytes, *, numbered: bool) -> Signer | None:
    """The orderer that signed the chain's last header; None if none that counts did.

    `said` is what it says of itself: its number, or a header with its certificate.
    """
    if numbered:
        possible = chain.authorities.by_number()
    else:
        known = chain.authorities.signer(octets(found(said).get(1, b"")))
        possible = [] if known is None else [known]
    message = value + said + chain.header
    for signer in possible:
        if chain.authorities.orders(signer) and fits(signer, message, signature, exact=True):
            return signer
    return None


def _check_signatures(seal: Seal, chain: Chain, unfolding: Unfolding) -> list[Signer]:
    """The orderers that signed the chain's last header; Invalid if they are too few, or one signature does not fit."""
    value, signers = _octets(seal.value), dict[str, Signer]()
    for each in seal.signatures:
        if (each.header is None) == (each.identifier is None):
            raise Invalid("an orderer signs under its certificate or its number")
        numbered = each.header is None
        said = _octets(each.identifier or "") if each.header is None else unfolding.unfold(each.header)
        signer = signer_of(chain, value, said, bytes.fromhex(each.signature), numbered=numbered)
        if signer is None or signer.digest in signers:
            raise Invalid("an orderer's signature under the last block does not fit, or stands there twice")
        signers[signer.digest] = signer
    if len(signers) < chain.authorities.quorum:
        raise Invalid(
            "too few orderers signed the last block",
            why=f"{len(signers)} did, {chain.authorities.quorum} have to",
        )
    return list(signers.values())


def _octets(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("a value that should be base64 is not") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Invalid("a value is not in the canonical spelling of base64")
    return data
