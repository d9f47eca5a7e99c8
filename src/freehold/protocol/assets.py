"""The records of the ledger, each under `kind/id`, exactly with the annex's fields.

A record knows only itself. Its id is not repeated inside. A field that may be absent appears when its cause
happens. States are plain words; which transition leads from one to another is the contract's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from freehold.errors import Invalid
from freehold.protocol import canonical, limits
from freehold.protocol.identifiers import (
    BallotId,
    CoupleId,
    DatasetId,
    Digest,
    Handle,
    InstanceId,
    JobId,
    Locator,
    MemberId,
    Method,
    ModelId,
    ModelType,
    Nonce,
    PublicKey,
    Secret,
    StoreName,
    SubsetId,
)
from freehold.protocol.network import NetworkRecord, Operator
from freehold.protocol.records import Record

Role = Literal["do", "co", "mo"]
DatasetState = Literal["draft", "published", "withdrawn"]
InstanceState = Literal["free", "joined", "verified", "rejected", "retired"]
CoupleState = Literal["requested", "approved", "training", "ended"]
BallotState = Literal["open", "decided", "void"]
JobState = Literal["open", "committed", "accepted", "rejected", "missing"]
PayoutState = Literal["due", "collected", "burned"]
ProposalState = Literal["open", "accepted"]

R = TypeVar("R", bound=Record)


class Terms(Record, kw_only=True):
    """What a data owner asks for, fixed at the draft and accepted by whoever joins or requests.

    Prices and stake in micro-credits, windows and hold in milliseconds. Bounds that lean on other values (windows
    on grace, hold on windows, group_min on m) are checked by the contract.
    """

    answer_window: int
    close_window: int
    commit_window: int
    group_min: int
    hold: int
    idle_window: int
    methods: Annotated[tuple[Method, ...], Meta(min_length=1, max_length=limits.METHODS)]
    price_job: Annotated[int, Meta(le=limits.PRICE_LARGEST)]
    price_round: Annotated[int, Meta(le=limits.PRICE_LARGEST)]
    referee: PublicKey | None = None
    rounds_per_training: Annotated[int, Meta(ge=1, le=limits.ROUNDS_PER_TRAINING_LARGEST)]
    rounds_total: Annotated[int, Meta(ge=1, le=limits.ROUNDS_TOTAL_LARGEST)]
    stake: Annotated[int, Meta(le=limits.STAKE_LARGEST)]
    store: StoreName


class Deposits(Record, kw_only=True):
    """All deposits ever made in this market."""

    amount: int


class Member(Record, kw_only=True):
    """A data, cloud or model owner: three keys that rotate, an id that does not."""

    role: Role
    signing_key: PublicKey
    sealing_key: PublicKey
    recovery_key: PublicKey
    version: int
    handle: Handle
    until: int
    """Time up to which the admission lasts (milliseconds)."""


class Account(Record, kw_only=True):
    """A member's free micro-credits; only its owner's actions write it."""

    free: int


class Dataset(Record, kw_only=True):
    """A dataset in m subsets with n replicas each (the paper's DS)."""

    owner: MemberId
    m: int
    n: int
    terms: Terms
    card_digest: Digest
    groups: tuple[tuple[int, ...], ...] | None = None
    """Subset indexes that are trained together; from publication on, and also after a withdrawal."""
    state: DatasetState


class Budget(Record, kw_only=True):
    """Rounds that were granted of a dataset's `rounds_total`; beside the dataset, which is immutable."""

    granted: int


class Slot(Record, kw_only=True):
    """One verified replica of a subset."""

    instance: InstanceId
    co: MemberId
    handle: Handle


class DataSubset(Record, kw_only=True):
    """One subset of a dataset (the paper's DSS); slots in order of verification."""

    dataset: DatasetId
    index: int
    digest: Digest
    mask_key: PublicKey
    slots: tuple[Slot, ...]


class CloudInstance(Record, kw_only=True):
    """The offer of a subset to one cloud owner, and what became of it (the paper's CI)."""

    subset: SubsetId
    co: MemberId
    object: Digest
    """SHA-256 of the sealed package."""
    locator: Locator
    stake: int
    """Micro-credits held now."""
    receipt: Digest | None = None
    nonce: Nonce | None = None
    """The nonce of the receipt, chosen by the cloud owner."""
    state: InstanceState


class Model(Record, kw_only=True):
    """A model's public parameters and claim (the paper's Mod)."""

    owner: MemberId
    type: ModelType
    method: Method
    map: Digest
    material: Digest
    hash: Digest
    store: StoreName


class Part(Record, kw_only=True):
    """One dataset's place in a training."""

    dataset: DatasetId
    fee: int
    """Micro-credits locked for its data owner in the running round."""
    share: Secret | None = None


class TrainCouple(Record, kw_only=True):
    """One training of one model over one to eight datasets (the paper's TC)."""

    mo: MemberId
    model: ModelId
    parts: tuple[Part, ...]
    rounds: int
    balance: int
    draw_commitment: Digest
    round: int
    """Attempts so far: 0 before the first."""
    turn: int
    """Complete rounds so far."""
    due: int
    state: CoupleState
    seed: Digest | None = None
    base: Digest | None = None
    commit_until: int | None = None
    close_until: int | None = None
    final: Digest | None = None


class Ballot(Record, kw_only=True):
    """The vote over one subset in one round."""

    couple: CoupleId
    round: int
    subset: SubsetId
    base: Digest
    jobs: tuple[JobId, ...]
    n: int
    price: int
    left: int
    commit_until: int
    close_until: int
    state: BallotState
    digest: Digest | None = None
    ruling: Digest | None = None


class TrainJob(Record, kw_only=True):
    """One replica's share of one ballot (the paper's TJ)."""

    ballot: BallotId
    instance: InstanceId
    co: MemberId
    state: JobState
    commitment: Digest | None = None
    nonce: Nonce | None = None
    locator: Locator | None = None


class Payout(Record, kw_only=True, rename={"since": "from"}):
    """Micro-credits that `payee` may collect from the time `since` on (`from` on the ledger)."""

    payee: MemberId
    amount: Annotated[int, Meta(ge=1)]
    cause: str
    """64 hex characters: a deposit or fee cause, or the id of a job, an instance or a couple."""
    since: int
    state: PayoutState


class Finding(Record, kw_only=True):
    """A referee's ruling against one job: what was committed, and what the result should have been."""

    job: JobId
    co: MemberId
    ruling: Digest
    commitment: Digest
    nonce: Nonce


class Withdrawal(Record, kw_only=True):
    """Micro-credits that left the market; where they are paid to stays off the ledger."""

    member: MemberId
    amount: int
    time: int


class Operators(Record, kw_only=True):
    """Who runs the ledger together now, in the order of their keys."""

    operators: tuple[Operator, ...]


class Proposal(Record, kw_only=True):
    """How a place among the operators is to be held: by this card, or, without one, by nobody any more."""

    operator: PublicKey
    """Whose place it is: an operator's that is there, or a new one's own."""
    card: Operator | None = None
    approvals: tuple[PublicKey, ...]
    """Of whom, ascending; whoever is no operator any more does not count."""
    state: ProposalState


KINDS: Final[Mapping[str, type[Record]]] = {
    "network": NetworkRecord,
    "deposits": Deposits,
    "member": Member,
    "account": Account,
    "dataset": Dataset,
    "budget": Budget,
    "subset": DataSubset,
    "instance": CloudInstance,
    "model": Model,
    "couple": TrainCouple,
    "ballot": Ballot,
    "job": TrainJob,
    "payout": Payout,
    "finding": Finding,
    "withdrawal": Withdrawal,
    "operators": Operators,
    "proposal": Proposal,
}
"""Every kind of record by the first part of its key."""

_DECODERS: Final = {kind: msgspec.json.Decoder(record) for kind, record in KINDS.items()}


def key(kind: str, id: str) -> str:
    """Where the record lies, `couple/` and 64 hex characters; an account lies under its member's id."""
    return f"{kind}/{id}"


def encode(record: Record) -> bytes:
    """The canonical bytes of `record`, without its id."""
    return canonical.encode(record)


def decode(kind: str, data: bytes) -> Record:
    """The record of `kind` that `data` writes; Invalid for another shape or spelling."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise Invalid(f"there is no record kind {kind[:40]!r}")
    record: Record = canonical.decode_record(data, decoder, largest=limits.RECORD_LARGEST)
    return record


def with_changes(record: R, **changes: Any) -> R:
    """The same record with other values in the named fields; None takes an optional field away."""
    return msgspec.structs.replace(record, **changes)


def as_dict(record: Record) -> dict[str, Any]:
    """The record as JSON would show it: absent fields left out, tuples as lists."""
    return canonical.plain(record)
