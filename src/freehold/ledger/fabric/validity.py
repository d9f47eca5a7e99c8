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
from freehold.ledger.fabric.authorities import Authorities, fits
from freehold.ledger.fabric.envelope import ENDORSER_TRANSACTION, found
from freehold.ledger.fabric.transactions import DUPLICATE, READ_CONFLICT, VALID, transaction_id
from freehold.ledger.protobuf import Value, fields, integer, octets, text

CONFIGURATION: Final = 1
"""Type of a channel header."""
BAD_CREATOR, POLICY_FAILURE, INVALID = 4, 10, 255
"""Codes beside those that `transactions` names; the last stands for every other reason."""
_ELEMENTS_LARGEST: Final = 2**14
_ENDORSEMENTS_LARGEST: Final = 64
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
            if fits(signer, transaction.answer + identity, signature):
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
    outer = found(envelope)
    message = octets(outer.get(1, b""))
    payload = found(message)
    header = found(_merged(message, 1))
    about, by = found(octets(header.get(1, b""))), found(octets(header.get(2, b"")))
    nonce, creator = octets(by.get(2, b"")), octets(by.get(1, b""))
    _require(text(about.get(4, b"")) == channel and not integer(about.get(6, 0)), "of another channel")
    kind = integer(about.get(1, 0))
    if kind == CONFIGURATION:
        return None
    _require(kind == ENDORSER_TRANSACTION and bool(nonce) and bool(creator), "of no kind that is taken")
    id = text(about.get(5, b""))
    _require(id == hashlib.sha256(nonce + creator).hexdigest(), "under an id that is not its own")
    (action,) = _exactly_one(octets(payload.get(2, b"")))
    parts = found(action)
    signer = found(octets(parts.get(1, b"")))
    _require(bool(octets(signer.get(1, b""))) and bool(octets(signer.get(2, b""))), "without a header of its call")
    inner = octets(parts.get(2, b""))
    done = _merged(inner, 2)
    answer = octets(found(done).get(1, b""))
    said = found(answer)
    proposal = octets(header.get(1, b"")) + octets(parts.get(1, b"")) + octets(found(inner).get(1, b""))
    _require(octets(said.get(1, b"")) == hashlib.sha256(proposal).digest(), "whose endorsers answered another proposal")
    result = found(octets(said.get(2, b"")))
    return _Transaction(
        id=id,
        creator=creator,
        message=message,
        signature=octets(outer.get(2, b"")),
        chaincode=_chaincode(about, result),
        answer=answer,
        endorsements=tuple(_endorsements(done)),
        changes=_changes(octets(result.get(1, b""))),
    )


def _chaincode(about: dict[int, Value], result: dict[int, Value]) -> str:
    """The name of the chaincode that was called; Invalid unless it is the same wherever it stands."""
    asked = found(octets(found(octets(about.get(7, b""))).get(2, b"")))
    answered = found(octets(result.get(4, b"")))
    name = text(asked.get(2, b""))
    _require(bool(name) and name == text(answered.get(2, b"")) and bool(text(answered.get(3, b""))), "of no chaincode")
    if 2 in result:
        _require(text(found(octets(result[2])).get(1, b"")) == name, "with an event of another chaincode")
    return name


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


def _endorsements(done: bytes) -> Iterator[tuple[bytes, bytes]]:
    for each in _repeated(done, 2, _ENDORSEMENTS_LARGEST):
        parts = found(each)
        yield octets(parts.get(1, b"")), octets(parts.get(2, b""))


def _merged(message: bytes, number: int) -> bytes:
    """A message inside a message: if it stands there in several parts, protobuf reads them as one."""
    return b"".join(_repeated(message, number))


def _exactly_one(transaction: bytes) -> list[bytes]:
    actions = _repeated(transaction, 1, 2)
    _require(len(actions) == 1, "of more than one call, or of none")
    return actions


def _repeated(data: bytes, number: int, most: int = _ELEMENTS_LARGEST) -> list[bytes]:
    listed = [octets(value) for each, value in fields(data) if each == number]
    _require(len(listed) <= most, "of too many parts")
    return listed


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise Invalid(f"a transaction {what}")
