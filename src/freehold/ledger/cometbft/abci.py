"""The messages of ABCI 2.0 that pass between a node and its application, as far as this application uses them.

Field numbers are those of CometBFT 0.38 (and 0.40). Fields that nobody here reads are skipped, so a later line of
CometBFT may add some. Requests can be written too: tests play the node's part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from freehold.errors import Invalid
from freehold.ledger.cometbft import snapshot_messages
from freehold.ledger.cometbft.snapshot_messages import (
    ApplySnapshotChunk,
    ListSnapshots,
    LoadSnapshotChunk,
    OfferSnapshot,
)
from freehold.ledger.protobuf import (
    Value,
    bytes_field,
    fields,
    integer,
    message_field,
    number_field,
    octets,
    text,
)

OK, REFUSED = 0, 1
ACCEPT, REJECT = 1, 2
TRANSACTIONS_LARGEST: Final = 65_536
"""Transactions of one proposal that are read."""


@dataclass(frozen=True, slots=True)
class Echo:
    """To be sent back as it is."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Flush:
    """Answer what was asked so far."""


@dataclass(frozen=True, slots=True)
class Info:
    """How far has the application come?"""


@dataclass(frozen=True, slots=True)
class InitChain:
    """The chain begins."""

    chain: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question that is not ordered."""

    path: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class CheckTx:
    """May this transaction wait?"""

    transaction: bytes = b""


@dataclass(frozen=True, slots=True)
class Commit:
    """Make the block that was just executed durable."""


@dataclass(frozen=True, slots=True)
class PrepareProposal:
    """It is this node's turn: which of the waiting transactions go into the block?"""

    largest: int = 0
    """Bytes of all transactions together."""
    transactions: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessProposal:
    """Is another's proposal one that every honest node can accept?"""

    transactions: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class FinalizeBlock:
    """This block is decided: execute it."""

    height: int = 0
    time: int = 0
    """In milliseconds, rounded down."""
    transactions: tuple[bytes, ...] = ()


Request: TypeAlias = (
    Echo
    | Flush
    | Info
    | InitChain
    | Query
    | CheckTx
    | Commit
    | ListSnapshots
    | OfferSnapshot
    | LoadSnapshotChunk
    | ApplySnapshotChunk
    | PrepareProposal
    | ProcessProposal
    | FinalizeBlock
)


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What became of one ordered transaction. The validators agree on code and data alone; `log` is for people."""

    code: int
    data: bytes
    log: str = ""

    def encode(self) -> bytes:
        """The message."""
        return number_field(1, self.code) + bytes_field(2, self.data) + bytes_field(3, self.log.encode())


def read_request(data: bytes) -> Request:
    """The request that a message holds; Invalid if it is none of those that this application answers."""
    found = list(fields(data))
    if len(found) != 1 or found[0][0] not in _READERS:
        raise Invalid("the node asks something that this application does not know", next="run CometBFT v0.38.26")
    field, value = found[0]
    return _READERS[field](octets(value))


def write_request(request: Request) -> bytes:
    """The message of a request; what this application does not read is absent."""
    match request:
        case Echo(message):
            return message_field(1, bytes_field(1, message.encode()))
        case InitChain(chain):
            return message_field(5, bytes_field(2, chain.encode()))
        case Query(path, asked):
            return message_field(6, bytes_field(1, asked) + bytes_field(2, path.encode()))
        case CheckTx(transaction):
            return message_field(8, bytes_field(1, transaction))
        case PrepareProposal(largest, transactions):
            return message_field(16, number_field(1, largest) + _repeated(2, transactions))
        case ProcessProposal(transactions):
            return message_field(17, _repeated(1, transactions))
        case FinalizeBlock(height, time, transactions):
            moment = number_field(1, time // 1_000) + number_field(2, time % 1_000 * 1_000_000)
            return message_field(20, _repeated(1, transactions) + number_field(5, height) + message_field(6, moment))
        case ListSnapshots() | OfferSnapshot() | LoadSnapshotChunk() | ApplySnapshotChunk():
            return snapshot_messages.write_request(request)
        case Flush() | Info() | Commit():
            return message_field(_EMPTY[type(request)], b"")


def echo(message: str) -> bytes:
    """The answer to Echo."""
    return message_field(2, bytes_field(1, message.encode()))


def flush() -> bytes:
    """The answer to Flush."""
    return message_field(3, b"")


def info(*, height: int, agreed: bytes, version: int) -> bytes:
    """The answer to Info; `version` is the one in the genesis, or a rollback of the node breaks it."""
    body = bytes_field(1, b"freehold") + number_field(3, version) + number_field(4, height) + bytes_field(5, agreed)
    return message_field(4, body)


def init_chain(agreed: bytes) -> bytes:
    """The answer to InitChain."""
    return message_field(6, bytes_field(3, agreed))


def query(code: int, value: bytes = b"", *, height: int = 0, log: str = "") -> bytes:
    """The answer to Query."""
    body = number_field(1, code) + bytes_field(3, log.encode()) + bytes_field(7, value) + number_field(9, height)
    return message_field(7, body)


def check_tx(code: int, data: bytes = b"", *, log: str = "") -> bytes:
    """The answer to CheckTx."""
    return message_field(9, TransactionResult(code, data, log).encode())


def commit() -> bytes:
    """The answer to Commit: keep all blocks."""
    return message_field(12, b"")


def prepare_proposal(transactions: tuple[bytes, ...]) -> bytes:
    """The answer to PrepareProposal."""
    return message_field(17, _repeated(1, transactions))


def process_proposal(verdict: int) -> bytes:
    """The answer to ProcessProposal."""
    return message_field(18, number_field(1, verdict))


def finalize_block(
    results: tuple[TransactionResult, ...], agreed: bytes, validators: Iterable[tuple[bytes, int]] = ()
) -> bytes:
    """The answer to FinalizeBlock; `validators` are the keys (Ed25519) whose power changes, and to what."""
    updates = (message_field(1, bytes_field(1, key)) + number_field(2, power) for key, power in validators)
    body = (
        b"".join(message_field(2, each.encode()) for each in results)
        + b"".join(message_field(3, update) for update in updates)
        + bytes_field(5, agreed)
    )
    return message_field(21, body)


def _repeated(field: int, elements: tuple[bytes, ...]) -> bytes:
    return b"".join(message_field(field, each) for each in elements)


def _transactions(found: list[tuple[int, Value]], field: int) -> tuple[bytes, ...]:
    transactions = tuple(octets(value) for number, value in found if number == field)
    if len(transactions) > TRANSACTIONS_LARGEST:
        raise Invalid(f"a proposal of {len(transactions)} transactions: at most {TRANSACTIONS_LARGEST} are read")
    return transactions


def _last(found: list[tuple[int, Value]], field: int, default: Value) -> Value:
    """The value of a field that occurs once; of several the last counts, as protobuf has it."""
    return next((value for number, value in reversed(found) if number == field), default)


def _milliseconds(data: bytes) -> int:
    found = list(fields(data))
    return integer(_last(found, 1, 0)) * 1_000 + integer(_last(found, 2, 0)) // 1_000_000


def _read_init_chain(data: bytes) -> InitChain:
    return InitChain(text(_last(list(fields(data)), 2, b"")))


def _read_query(data: bytes) -> Query:
    found = list(fields(data))
    return Query(text(_last(found, 2, b"")), octets(_last(found, 1, b"")))


def _read_prepare(data: bytes) -> PrepareProposal:
    found = list(fields(data))
    return PrepareProposal(integer(_last(found, 1, 0)), _transactions(found, 2))


def _read_finalize(data: bytes) -> FinalizeBlock:
    found = list(fields(data))
    time = _milliseconds(octets(_last(found, 6, b"")))
    return FinalizeBlock(integer(_last(found, 5, 0)), time, _transactions(found, 1))


_EMPTY: Final[Mapping[type[Request], int]] = {Flush: 2, Info: 3, Commit: 11}
_READERS: Final[Mapping[int, Callable[[bytes], Request]]] = {
    1: lambda data: Echo(text(_last(list(fields(data)), 1, b""))),
    2: lambda _: Flush(),
    3: lambda _: Info(),
    5: _read_init_chain,
    6: _read_query,
    8: lambda data: CheckTx(octets(_last(list(fields(data)), 1, b""))),
    11: lambda _: Commit(),
    16: _read_prepare,
    17: lambda data: ProcessProposal(_transactions(list(fields(data)), 1)),
    20: _read_finalize,
    **snapshot_messages.READERS,
}
