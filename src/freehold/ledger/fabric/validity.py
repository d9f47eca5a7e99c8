"""Which transactions of a channel are valid, found out from its blocks alone.

A peer writes a code for each transaction into a block's metadata, which nobody signs: orderers sign what was ordered,
not what became of it. So it is computed again here as every peer computes it (Fabric 2.5 and 3.1, `msgvalidation.go`,
`statebased`, `validation/validator.go`), in this order:

    form           one call, of this channel; ids, digests and names in it fit each other
    creator        a certificate of a known organisation, and its signature over everything
    id             no transaction before had it
    endorsements   of more than half of the organisations over one answer; for the approvals by which a chaincode is
                   set up, which are written beside the state for one organisation, of this one
    versions       everything that was read is as it was: no transaction between wrote it

Whatever peers and this module should ever judge differently leads to another history than the peers have, and then the
seal does not hold. It is not made to hold: an unusual transaction can at worst keep somebody from making evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from freehold.errors import Invalid
from freehold.ledger.fabric import lenient
from freehold.ledger.fabric.authorities import Authorities, fits
from freehold.ledger.fabric.envelope import ENDORSER_TRANSACTION, found
from freehold.ledger.fabric.transactions import DUPLICATE, READ_CONFLICT, VALID, transaction_id
from freehold.ledger.protobuf import fields, integer, octets, text

CONFIGURATION: Final = 1
"""Type of a channel header."""
BAD_CREATOR, POLICY_FAILURE, INVALID = 4, 10, 255
"""Codes beside those that `transactions` names; the last stands for every other reason."""
_ELEMENTS_LARGEST: Final = 2**14
_IMPLICIT: Final = "_implicit_org_"
"""Before the name of an organisation: its own collection in the namespace of the lifecycle."""

_Key: TypeAlias = tuple[str, str, bytes]
"""Namespace, collection (none for the public state), and the key or its digest."""
_Version: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What a transaction read and wrote."""

    reads: dict[_Key, _Version]
    writes: dict[_Key, bool]
    """And whether it deleted it."""
    ranges: frozenset[str]
    """Namespaces of which it read a range."""
    places: frozenset[tuple[str, str]]
    """Namespaces and collections in which it changed something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transaction:
    """A call, as far as its form is right."""

    id: str
    creator: bytes
    message: bytes
    signature: bytes
    chaincode: str
    answer: bytes
    endorsements: tuple[tuple[bytes, bytes], ...]
    changes: _Changes


@dataclass(slots=True)
class Validity:
    """The judge of one channel; blocks come in their order."""

    channel: str
    authorities: Authorities
    chaincode: str
    """Whose ranges would matter."""
    endorsers: set[str] = field(default_factory=set)
    """The organisations that endorsed what was valid."""
    _versions: dict[_Key, tuple[int, int]] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def codes(self, number: int, envelopes: Sequence[bytes]) -> bytes:
        """The codes of a block's transactions."""
        codes, own = bytearray(), set[str]()
        changed: set[_Key] = set()
        for place, envelope in enumerate(envelopes):
            codes.append(self._code(envelope, own, changed, (number, place)))
        self._ids.update(map(transaction_id, envelopes))
        return bytes(codes)

    def _code(self, envelope: bytes, own: set[str], changed: set[_Key], here: tuple[int, int]) -> int:
        try:
            transaction = _read(envelope, self.channel)
        except Invalid:
            return INVALID
        if transaction is None:
            # A configuration: it says who takes part from then on. Here the network record says so for ever.
            return VALID
        creator = self.authorities.signer(transaction.creator)
        if creator is None or not fits(creator, transaction.message, transaction.signature):
            return BAD_CREATOR
        if transaction.id in self._ids:
            return DUPLICATE
        endorsers = self._endorsers(transaction)
        if not self._suffice(endorsers, transaction):
            return POLICY_FAILURE
        if transaction.id in own:
            return DUPLICATE
        own.add(transaction.id)
        if not self._fresh(transaction.changes, changed):
            return READ_CONFLICT
        self._apply(transaction.changes, changed, here)
        if transaction.chaincode == self.chaincode:
            self.endorsers |= endorsers
        return VALID

    def _endorsers(self, transaction: _Transaction) -> set[str]:
        """The organisations whose peers endorsed; what others put beside it counts for nothing."""
        endorsers = set()
        for identity, signature in transaction.endorsements:
            signer = self.authorities.signer(identity)
            if signer is None or signer.unit != "peer" or signer.msp not in self.authorities.peers:
                continue
            if signer.msp not in endorsers and fits(signer, transaction.answer + identity, signature):
                endorsers.add(signer.msp)
        return endorsers

    def _suffice(self, organisations: set[str], transaction: _Transaction) -> bool:
        own = {collection for _, collection in transaction.changes.places if collection.startswith(_IMPLICIT)}
        if any(each.removeprefix(_IMPLICIT) not in organisations for each in own):
            return False
        places = transaction.changes.places
        spared = bool(places) and all(collection in own for _, collection in places)
        spared = spared and any(namespace == transaction.chaincode for namespace, _ in places)
        return spared or len(organisations) >= self.authorities.majority

    def _fresh(self, changes: _Changes, changed: set[_Key]) -> bool:
        if self.chaincode in changes.ranges:
            raise Invalid("a transaction read a range of the records, which the rules never do")
        return not any(key in changed or self._versions.get(key) != version for key, version in changes.reads.items())

    def _apply(self, changes: _Changes, changed: set[_Key], here: tuple[int, int]) -> None:
        for key, deleted in changes.writes.items():
            changed.add(key)
            if deleted:
                self._versions.pop(key, None)
            else:
                self._versions[key] = here


def is_configuration(envelope: bytes, channel: str) -> bool:
    """Whether an envelope sets up this channel."""
    try:
        return _read(envelope, channel) is None
    except Invalid:
        return False


def _read(envelope: bytes, channel: str) -> _Transaction | None:
    """The call in an envelope, None if it is a configuration; Invalid if it is neither, or not as it has to be."""
    message = lenient.last(envelope, 1)
    header = lenient.merged(message, 1)
    about, by = lenient.last(header, 1), lenient.last(header, 2)
    _require(lenient.last(about, 4) == channel.encode() and not lenient.whole(about, 6), "of another channel")
    kind = lenient.whole(about, 1)
    if kind == CONFIGURATION:
        return None
    creator, nonce = lenient.last(by, 1), lenient.last(by, 2)
    _require(kind == ENDORSER_TRANSACTION and bool(creator) and bool(nonce), "of no kind that is taken")
    id = lenient.last(about, 5)
    _require(id == hashlib.sha256(nonce + creator).hexdigest().encode(), "under an id that is not its own")
    actions = lenient.repeated(lenient.last(message, 2), 1)
    _require(len(actions) == 1, "of more than one call, or of none")
    signer, inner = lenient.last(actions[0], 1), lenient.last(actions[0], 2)
    _require(bool(lenient.last(signer, 1)) and bool(lenient.last(signer, 2)), "without a header of its call")
    done = lenient.merged(inner, 2)
    answer = lenient.last(done, 1)
    proposal = hashlib.sha256(about + signer + lenient.last(inner, 1)).digest()
    _require(lenient.last(answer, 1) == proposal, "whose endorsers answered another proposal")
    result = lenient.last(answer, 2)
    return _Transaction(
        id=id.decode(),
        creator=creator,
        message=message,
        signature=lenient.last(envelope, 2),
        chaincode=_chaincode(about, result),
        answer=answer,
        endorsements=tuple((lenient.last(each, 1), lenient.last(each, 2)) for each in lenient.repeated(done, 2)),
        changes=_changes(lenient.last(result, 1)),
    )


def _chaincode(about: bytes, result: bytes) -> str:
    """The name of the chaincode that was called; Invalid unless it is the same wherever it stands."""
    asked = lenient.merged(lenient.last(about, 7), 2)
    answered = lenient.merged(result, 4)
    name = lenient.last(asked, 2)
    _require(bool(name) and name == lenient.last(answered, 2) and bool(lenient.last(answered, 3)), "of no chaincode")
    event = lenient.last(result, 2)
    _require(not event or lenient.last(event, 1) == name, "with an event of another chaincode")
    return text(name)


def _changes(results: bytes) -> _Changes:
    """TxReadWriteSet → NsReadWriteSet → KVRWSet, and beside it CollectionHashedReadWriteSet → HashedRWSet."""
    reads: dict[_Key, _Version] = {}
    writes: dict[_Key, bool] = {}
    places: set[tuple[str, str]] = set()
    ranges, namespaces = set(), set()
    for each in _repeated(results, 2):
        namespace = text(found(each).get(1, b""))
        _require(namespace not in namespaces, "which names one namespace twice")
        namespaces.add(namespace)
        public = octets(found(each).get(2, b""))
        reads |= {(namespace, "", key): version for key, version in _reads(_repeated(public, 1))}
        written = {(namespace, "", key): deleted for key, deleted in _writes(_repeated(public, 3))}
        if any(number == 2 for number, _ in fields(public)):
            ranges.add(namespace)
        if written or any(number == 4 for number, _ in fields(public)):
            places.add((namespace, ""))
        writes |= written
        for hashed in _repeated(each, 3):
            collection, private = text(found(hashed).get(1, b"")), octets(found(hashed).get(2, b""))
            reads |= {(namespace, collection, key): version for key, version in _reads(_repeated(private, 1))}
            written = {(namespace, collection, key): deleted for key, deleted in _writes(_repeated(private, 2))}
            if written or any(number == 3 for number, _ in fields(private)):
                places.add((namespace, collection))
            writes |= written
    return _Changes(reads=reads, writes=writes, ranges=frozenset(ranges), places=frozenset(places))


def _reads(listed: Sequence[bytes]) -> Iterator[tuple[bytes, _Version]]:
    for each in listed:
        parts = found(each)
        key = octets(parts.get(1, b""))
        if 2 not in parts:
            yield key, None
            continue
        version = found(octets(parts[2]))
        yield key, (integer(version.get(1, 0)), integer(version.get(2, 0)))


def _writes(listed: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    for each in listed:
        parts = found(each)
        yield octets(parts.get(1, b"")), bool(integer(parts.get(2, 0))) or not octets(parts.get(3, b""))


def _repeated(data: bytes, number: int) -> list[bytes]:
    listed = [octets(value) for each, value in fields(data) if each == number]
    _require(len(listed) <= _ELEMENTS_LARGEST, "of too many parts")
    return listed


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise Invalid(f"a transaction {what}")
