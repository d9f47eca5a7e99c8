"""What a member can ask of the ledger: one frozen record of arguments per function.

The names of the classes are the names on the ledger, and the paper's. The declared type of each field is the rule
that reads it (`forms`): bounds that are constants stand here, bounds that lean on records are the contract's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from freehold.errors import Refused
from freehold.protocol import canonical, forms, limits
from freehold.protocol.assets import Terms
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
    PayoutId,
    ProposalId,
    PublicKey,
    Secret,
    Signature,
    StoreName,
    SubsetId,
    Verdict,
)
from freehold.protocol.network import Operator
from freehold.protocol.records import Record

Amount = Annotated[int, Meta(ge=1, le=limits.AMOUNT_LARGEST)]
"""Micro-credits, at least one."""


class Arguments(Record, kw_only=True):
    """The arguments of one function."""


class Admission(Record, kw_only=True):
    """The registrar's word in a permissioned network."""

    handle: Handle
    until: int
    signature: Signature


class CreateMember(Arguments, kw_only=True):
    """The three first keys, from which the member's id follows; `admission` exactly in a permissioned network."""

    signing_key: PublicKey
    sealing_key: PublicKey
    recovery_key: PublicKey
    admission: Admission | None = None


class CreateDO(CreateMember, kw_only=True):
    """A data owner joins the market."""


class CreateCO(CreateMember, kw_only=True):
    """A cloud owner joins the market: a fresh member per dataset."""


class CreateMO(CreateMember, kw_only=True):
    """A model owner joins the market."""


class RotateKey(Arguments, kw_only=True):
    """New keys for the same member, signed by the recovery key; `version` is the present one."""

    version: int
    signing_key: PublicKey
    sealing_key: PublicKey
    recovery_key: PublicKey


class CreateDS(Arguments, kw_only=True):
    """A data owner drafts a dataset; its terms are final."""

    nonce: Nonce
    m: Annotated[int, Meta(ge=limits.SUBSETS_SMALLEST, le=limits.SUBSETS_LARGEST)]
    n: int
    terms: Terms
    card_digest: Digest


class CreateDSS(Arguments, kw_only=True):
    """A data owner names one subset by its digest and mask key."""

    dataset: DatasetId
    index: int
    digest: Digest
    mask_key: PublicKey


class CreateCI(Arguments, kw_only=True):
    """A data owner offers a subset to a cloud owner; `object` is the digest of the sealed package."""

    subset: SubsetId
    co: MemberId
    nonce: Nonce
    object: Digest
    locator: Locator


class JoinCI(Arguments, kw_only=True):
    """A cloud owner takes an offer: it holds the package, and shows it by a receipt that nobody else can make."""

    instance: InstanceId
    receipt: Digest
    nonce: Nonce


class VerifyCI(Arguments, kw_only=True):
    """The data owner says whether the receipt is right."""

    instance: InstanceId
    verdict: Verdict


class RetireCI(Arguments, kw_only=True):
    """The cloud owner leaves a subset, or its data owner lets it go."""

    instance: InstanceId


class PublishDS(Arguments, kw_only=True):
    """The data owner opens a fully held dataset for trainings; the groups are drawn."""

    dataset: DatasetId


class WithdrawDS(Arguments, kw_only=True):
    """The data owner closes a dataset for anything new."""

    dataset: DatasetId


class CreateMod(Arguments, kw_only=True):
    """A model owner registers what it will train, and a claim to it."""

    nonce: Nonce
    type: ModelType
    method: Method
    map: Digest
    material: Digest
    hash: Digest
    store: StoreName


class RequestTC(Arguments, kw_only=True):
    """A model owner asks for rounds over one to eight datasets, locks their price and commits to its draw."""

    nonce: Nonce
    model: ModelId
    datasets: Annotated[tuple[DatasetId, ...], Meta(min_length=1, max_length=limits.PARTS)]
    rounds: int
    draw_commitment: Digest


class ApproveTC(Arguments, kw_only=True):
    """A data owner approves a training over one of its datasets and adds its share of the draw."""

    couple: CoupleId
    dataset: DatasetId
    share: Secret


class StartRound(Arguments, kw_only=True):
    """The model owner starts the next round from `base`; `secret` opens its draw in round 1 and only there."""

    couple: CoupleId
    round: int
    base: Digest
    secret: Secret | None = None


class UpdateTJ(Arguments, kw_only=True):
    """A cloud owner commits to the result of its job."""

    job: JobId
    commitment: Digest
    nonce: Nonce
    locator: Locator


class CloseRound(Arguments, kw_only=True):
    """Anybody closes a ballot with the digest that most replicas committed to."""

    ballot: BallotId
    digest: Digest


class EndTC(Arguments, kw_only=True):
    """A training ends: refused, cancelled, stopped or expired; `final` is the model owner's claim to the result."""

    couple: CoupleId
    final: Digest | None = None


class ReportFraud(Arguments, kw_only=True):
    """The referee says which result a ballot should have had."""

    ballot: BallotId
    ruling: Digest


class Deposit(Arguments, kw_only=True):
    """The treasury credits a member."""

    nonce: Nonce
    payee: MemberId
    amount: Amount


class Collect(Arguments, kw_only=True):
    """A member moves payouts that are due to its account."""

    payouts: Annotated[tuple[PayoutId, ...], Meta(min_length=1, max_length=limits.PAYOUTS_PER_COLLECT)]


class Withdraw(Arguments, kw_only=True):
    """A member takes micro-credits out of the market."""

    nonce: Nonce
    amount: Amount


class ProposeOperator(Arguments, kw_only=True):
    """An operator proposes how the place of `operator` is to be held; without a card it is given up."""

    nonce: Nonce
    operator: PublicKey
    card: Operator | None = None


class ApproveOperator(Arguments, kw_only=True):
    """An operator approves what another proposed."""

    proposal: ProposalId


FUNCTIONS: Final[Mapping[str, type[Arguments]]] = {
    function.__name__: function
    for function in (
        CreateDO,
        CreateCO,
        CreateMO,
        RotateKey,
        CreateDS,
        CreateDSS,
        CreateCI,
        JoinCI,
        VerifyCI,
        RetireCI,
        PublishDS,
        WithdrawDS,
        CreateMod,
        RequestTC,
        ApproveTC,
        StartRound,
        UpdateTJ,
        CloseRound,
        EndTC,
        ReportFraud,
        Deposit,
        Collect,
        Withdraw,
        ProposeOperator,
        ApproveOperator,
    )
}
"""Every function of the ledger by its name."""

ROLES: Final[Mapping[str, str]] = {"CreateDO": "do", "CreateCO": "co", "CreateMO": "mo"}
"""The role that a creating function gives to its member."""


def parse(function: str, value: object) -> Arguments:
    """The arguments that the JSON `value` writes; Refused `unknown`, `malformed` or `limit`, the first that applies."""
    record = FUNCTIONS.get(function)
    if record is None:
        raise Refused("unknown", f"there is no function {function[:40]!r}")
    return forms.read(record, value)


def encode(arguments: Arguments) -> dict[str, Any]:
    """The arguments as the body of an action holds them."""
    return canonical.plain(arguments)
