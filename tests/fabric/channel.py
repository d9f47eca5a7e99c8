"""A channel of Fabric in memory, with the peer and its gateway in front of it, and everything that may go wrong there.

It endorses as a peer does, by the real chaincode (`functions`) on what is committed, noting which version of each key
was read, and peers of both organisations sign; it validates as a peer does, in the order of the block; and what it
hands over is made of the bytes that a peer hands over. What tests ask for besides: conflicts, lost answers, lost
envelopes, slow blocks, streams that end, blocks that come twice, peers that lie.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from freehold.errors import Refused, Unavailable
from freehold.ledger.fabric import messages
from freehold.ledger.fabric.clock import KEY, TICK, Version
from freehold.ledger.fabric.envelope import Endorsed, Place, Proposal, found, propose
from freehold.ledger.fabric.functions import EXECUTE, Functions
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.messages import Call
from freehold.ledger.fabric.transactions import DUPLICATE, READ_CONFLICT, VALID, FabricBlock, read_block
from freehold.ledger.protobuf import bytes_field, message_field, number_field, octets
from freehold.ports.machine import Executed, Machine
from freehold.protocol import canonical
from tests.engines.embedded import clock
from tests.fabric.organisations import endorsed, endorsers

PLACE = Place(channel="channel", chaincode="market")
_POLL = 0.01


def identity(organisation: str = "Org1MSP") -> Identity:
    """A fresh key with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(organisation, certificate.public_bytes(Encoding.PEM), pem)


def payload_of(executed: Executed) -> bytes:
    """What the chaincode answers to an action."""
    events = [{"name": e.name, "subject": e.subject, "to": e.to} for e in executed.events]
    return canonical.encode({"events": events, "result": canonical.decode(executed.result, largest=1_024)})


def read_write_set(
    writes: Mapping[str, bytes],
    namespace: str = PLACE.chaincode,
    extra: bytes = b"",
    reads: Mapping[str, Version | None] | None = None,
) -> bytes:
    """A TxReadWriteSet of one namespace; `extra` are further fields of its KVRWSet."""
    read = [bytes_field(1, key.encode()) + _version(version) for key, version in (reads or {}).items()]
    listed = [bytes_field(1, key.encode()) + bytes_field(3, value) for key, value in writes.items()]
    public = b"".join([*(message_field(1, each) for each in read), *(message_field(3, each) for each in listed)])
    return message_field(2, bytes_field(1, namespace.encode()) + bytes_field(2, public + extra))


def _version(version: Version | None) -> bytes:
    if version is None:
        return b""
    return message_field(2, number_field(1, version[0]) + number_field(2, version[1]))


def transaction(
    proposal: Proposal,
    results: bytes,
    payload: bytes,
    *,
    chaincode: str = PLACE.chaincode,
    status: int = 200,
    by: tuple[Identity, ...] | None = None,
) -> bytes:
    """The payload of an envelope as a gateway prepares it; peers of both organisations endorse if nobody is named."""
    signed = found(proposal.signed)
    proposed = found(octets(signed[1]))
    header, call = found(octets(proposed[1])), octets(proposed[2])
    digest = hashlib.sha256(octets(header[1]) + octets(header[2]) + call).digest()
    response = number_field(1, status) + bytes_field(3, payload)
    action = bytes_field(1, results) + message_field(3, response) + message_field(4, bytes_field(2, chaincode.encode()))
    answer = bytes_field(1, digest) + bytes_field(2, action)
    done = bytes_field(1, call) + message_field(2, endorsed(answer, endorsers() if by is None else by))
    action = bytes_field(1, octets(header[2])) + bytes_field(2, done)
    return message_field(1, octets(proposed[1])) + bytes_field(2, message_field(1, action))


def block_bytes(number: int, previous: bytes, envelopes: Sequence[bytes], codes: Sequence[int]) -> bytes:
    """A block as a peer hands it over."""
    digest = hashlib.sha256(b"".join(envelopes)).digest()
    header = number_field(1, number) + bytes_field(2, previous) + bytes_field(3, digest)
    data = b"".join(message_field(1, each) for each in envelopes)
    metadata = b"".join(message_field(1, each) for each in (b"signatures", b"", bytes(codes), b"", b"hash"))
    return message_field(1, header) + message_field(2, data) + message_field(3, metadata)


@dataclass(slots=True)
class _Endorsement:
    reads: dict[str, Version | None]
    writes: Mapping[str, bytes]


@dataclass(slots=True)
class Channel:
    """One channel with one peer; satisfies `deliver.Source`."""

    machine: Machine
    clock: Callable[[], int] = clock
    """Of the machines on which the chaincodes run."""
    automatic: bool = True
    """Whether every envelope makes a block at once; otherwise `cut` does."""
    conflicts: int = 0
    """So many envelopes lose a conflict, whatever they read."""
    lost_answers: int = 0
    """So many envelopes are taken, and their sender is told that nobody knows."""
    lost_envelopes: int = 0
    """So many envelopes are forgotten, and their sender is told that they were taken."""
    lies: int = 0
    """So many proposals of actions are refused for no reason."""
    twice: bool = False
    """Whether each block is handed over twice."""
    short: bool = False
    """Whether each stream ends after one block."""
    ahead: int = 0
    """So many blocks more the orderers have than the peer."""
    log: list[str] = field(default_factory=list)
    """What was asked about actions: endorse, submit, status."""
    codes: dict[str, int] = field(default_factory=dict)
    """Of actions, by id of the transaction, the first code."""
    ticks: dict[str, int] = field(default_factory=dict)
    """Of ticks, the same."""
    ticks_wait: bool = False
    """Whether ticks wait for a block as actions do; otherwise each is a block at once."""
    _state: dict[str, bytes] = field(default_factory=dict)
    _versions: dict[str, Version] = field(default_factory=dict)
    _endorsed: dict[str, _Endorsement] = field(default_factory=dict)
    _pending: list[Endorsed] = field(default_factory=list)
    _blocks: list[bytes] = field(default_factory=list)
    _digest: bytes = b""
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _closed: bool = False
    _functions: Functions = field(init=False)

    def __post_init__(self) -> None:
        self._functions = Functions(self.machine, self.clock, PLACE.chaincode)
        self._append([b"configuration"], [255])

    def newest(self) -> int:
        return len(self._blocks) - 1

    def ordered(self) -> int:
        return self.newest() + self.ahead

    def after(self, number: int) -> Iterator[FabricBlock]:
        while not self._closed:
            if number < len(self._blocks):
                for _ in range(2 if self.twice else 1):
                    yield read_block(self._blocks[number])
                number += 1
                if self.short:
                    raise Unavailable("the stream ends")
            else:
                threading.Event().wait(_POLL)

    def close(self) -> None:
        self._closed = True

    def open(self) -> None:
        """Lets blocks be followed again after `close`."""
        self._closed = False

    def forge(self) -> None:
        """Makes a block with a valid transaction whose endorsers did not run the rules."""
        proposal = propose(identity(), PLACE, [EXECUTE.encode(), b"anything"], 0)
        payload = transaction(proposal, read_write_set({"anything": b"goes"}), b"{}")
        self.insert(bytes_field(1, payload))

    def insert(self, envelope: bytes) -> None:
        """Makes a block of an envelope that is valid by the peer's word alone."""
        with self._turn:
            self._append([envelope], [VALID])

    def tick(self) -> Endorsed:
        """Sets the clock, as another node does."""
        ticked = self.endorse_now(identity(), propose(identity(), PLACE, [TICK.encode()], self.clock()))
        self.order(ticked)
        return ticked

    def endorse_now(self, who: Identity, proposal: Proposal) -> Endorsed:
        """What a peer does with a proposal."""
        proposed = messages.read_proposal(proposal.signed)
        function, *others = proposed.arguments
        if function != TICK.encode():
            self.log.append("endorse")
            if self.lies:
                self.lies -= 1
                raise Refused("state", "because I say so")
        reads: dict[str, Version | None] = {}

        def read(keys: Sequence[str]) -> list[bytes | None]:
            reads.update((key, self._versions.get(key)) for key in keys)
            return [self._state.get(key) for key in keys]

        call = Call(function=function.decode(), arguments=tuple(others), channel=PLACE.channel, proposed=proposed)
        with self._turn:
            answer = self._functions(call, read)
        self._endorsed[proposal.transaction] = _Endorsement(reads, answer.writes)
        payload = transaction(proposal, read_write_set(answer.writes, reads=reads), answer.payload)
        envelope = bytes_field(1, payload) + bytes_field(2, who.sign(payload))
        return Endorsed(transaction=proposal.transaction, envelope=envelope)

    def is_tick(self, endorsed: Endorsed) -> bool:
        """Whether an envelope sets the clock."""
        return KEY in self._endorsed[endorsed.transaction].writes

    def waiting(self) -> list[Endorsed]:
        """What waits for the next block."""
        return list(self._pending)

    def order(self, endorsed: Endorsed) -> None:
        """What the orderers do with an envelope."""
        with self._turn:
            if self.is_tick(endorsed) and not self.ticks_wait:
                self._make([endorsed])
                return
            self._pending.append(endorsed)
            if self.automatic:
                self.cut()

    def cut(self) -> None:
        """Makes a block of what waits."""
        with self._turn:
            waiting, self._pending = self._pending, []
            self._make(waiting)

    def _make(self, waiting: Sequence[Endorsed]) -> None:
        with self._turn:
            codes = [self._validated(each.transaction, place) for place, each in enumerate(waiting)]
            self._append([each.envelope for each in waiting], codes)

    def _validated(self, name: str, place: int) -> int:
        done = self._endorsed[name]
        tick = KEY in done.writes
        known = self.ticks if tick else self.codes
        if name in known:
            return DUPLICATE
        changed = any(self._versions.get(key) != version for key, version in done.reads.items())
        unlucky = self.conflicts > 0 and not tick
        code = READ_CONFLICT if changed or unlucky else VALID
        self.conflicts -= 1 if unlucky else 0
        if code == VALID:
            self._state.update(done.writes)
            self._versions.update(dict.fromkeys(done.writes, (len(self._blocks), place)))
        known[name] = code
        return code

    def _append(self, envelopes: Sequence[bytes], codes: Sequence[int]) -> None:
        data = block_bytes(len(self._blocks), self._digest, envelopes, codes)
        self._digest = read_block(data).digest
        self._blocks.append(data)


@dataclass(slots=True)
class FakeGateway:
    """The gateway of the peer, used with one identity; satisfies `gateway.Gateway`."""

    channel: Channel
    identity: Identity

    async def endorse(self, proposal: Proposal) -> Endorsed:
        return self.channel.endorse_now(self.identity, proposal)

    async def submit(self, endorsed: Endorsed) -> None:
        if self.channel.is_tick(endorsed):
            self.channel.order(endorsed)
            return
        self.channel.log.append("submit")
        if self.channel.lost_envelopes:
            self.channel.lost_envelopes -= 1
            return
        self.channel.order(endorsed)
        if self.channel.lost_answers:
            self.channel.lost_answers -= 1
            raise Unavailable("nobody knows")

    async def status(self, transaction: str) -> int | None:
        self.channel.log.append("status")
        return (self.channel.codes | self.channel.ticks).get(transaction)

    async def close(self) -> None:
        pass
