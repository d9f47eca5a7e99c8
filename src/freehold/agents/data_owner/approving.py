"""What a data owner looks at before it says yes, and the yes.

The sheet states who asks, what for, what it pays and what it discloses, from the ledger and the public objects
alone. It carries the checks that no rule of the ledger makes: the map is exactly the approved one (a map of the
model owner's own making would be a query language for records), nothing asks for held rows or noise that no
terms offer, and enough rows stand behind every feature. A training that fails one of them has no yes;
everything else is the person's decision.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.agents.agreements import Agreement, Agreements
from freehold.agents.reading import Approval, DatasetSeen, Reader, Seen
from freehold.errors import FreeholdError, Invalid
from freehold.learning.disclosure import products, products_learned, require_enough_rows
from freehold.learning.parameters import require_safe
from freehold.learning.pooling import strange_columns
from freehold.learning.training import STATISTICS
from freehold.protocol.assets import TrainCouple
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import CoupleId, DatasetId


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """One of the data owner's own datasets in the training."""

    dataset: DatasetId
    pays_at_most: int
    """Micro-credits for the data owner, if every round completes."""
    granted_after: int
    rounds_total: int
    rows: int
    """Rows behind the sums of one group, about."""
    numbers: int
    """How many different numbers a group's XᵀX has."""
    learned: int
    """How many of them this model owner then knows, if it keeps the rules; all of them at once, if it breaks them."""
    learned_together: int
    """Numbers that all model owners know who pool what they were ever granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSheet:
    """Everything that a data owner sees before it signs."""

    couple: CoupleId
    mo: str
    handle: str
    earlier: tuple[Seen[TrainCouple], ...]
    due: int
    method: str
    map_name: str
    map_digest: str
    features: int
    outputs: int
    weights: tuple[int, ...]
    rounds: int
    datasets: int
    """How many datasets train together, others' included."""
    parts: tuple[SheetPart, ...]
    warning: str = ""
    objection: str = ""
    """Why this training cannot be approved, or nothing."""


def read_sheet(reader: Reader, agreements: Agreements, member: str, couple: CoupleId) -> ApprovalSheet:
    """The sheet of one training that waits for `member`; Invalid if none with this id does."""
    waiting = [approval for approval in reader.approvals(member) if approval.couple == couple]
    seen = reader.couple(couple)
    if not waiting or seen is None:
        raise Invalid(f"No training {couple[:8]} waits for you.", next="freehold inbox", now="nothing was sent")
    agreement = agreements.read(seen)
    own = {approval.dataset for approval in waiting}
    parts = tuple(_part(agreement, part) for part in agreement.datasets if part.dataset.id in own)
    warning, objection = _judged(agreement, parts)
    return ApprovalSheet(
        couple=couple,
        mo=seen.record.mo,
        handle=waiting[0].handle,
        earlier=_earlier(waiting),
        due=seen.record.due,
        method=agreement.model.method,
        map_name=agreement.feature_map.name,
        map_digest=sha256(agreement.map).hex(),
        features=agreement.feature_map.dimension,
        outputs=agreement.feature_map.outputs,
        weights=agreement.details.weights,
        rounds=seen.record.rounds,
        datasets=len(agreement.datasets),
        parts=parts,
        warning=warning,
        objection=objection,
    )


def require_approvable(sheet: ApprovalSheet) -> None:
    """Raises Invalid if the sheet names a reason why nobody should approve this training."""
    if sheet.objection:
        raise Invalid(
            f"Training {sheet.couple[:8]} cannot be approved: {sheet.objection}.",
            next=f"freehold training refuse {sheet.couple[:8]}, or leave it open until it expires",
            now="nothing was sent",
        )


def _part(agreement: Agreement, part: DatasetSeen) -> SheetPart:
    groups = len(part.dataset.record.groups or ((),))
    terms = part.dataset.record.terms
    rounds = agreement.couple.record.rounds
    card = agreement.cards[agreement.datasets.index(part)]
    features, outputs = agreement.feature_map.dimension, agreement.feature_map.outputs
    granted = part.granted + rounds

    def learned(attempts: int) -> int:
        # a round asks one group; each group's sums are disclosed on their own
        whole = agreement.model.method == STATISTICS
        return products(features) if whole else products_learned(features, outputs, -(-attempts // groups))

    return SheetPart(
        dataset=DatasetId(part.dataset.id),
        pays_at_most=rounds * terms.price_round,
        granted_after=granted,
        rounds_total=terms.rounds_total,
        rows=card.rows // groups,
        numbers=products(features),
        learned=learned(rounds),
        learned_together=learned(granted),
    )


def _judged(agreement: Agreement, parts: tuple[SheetPart, ...]) -> tuple[str, str]:
    """A warning, and what forbids the training: the arithmetic, the groups, or too few rows per feature."""
    features, name = agreement.feature_map.dimension, agreement.feature_map.name
    for part in parts:
        if part.granted_after > part.rounds_total:
            left = part.rounds_total - part.granted_after + agreement.couple.record.rounds
            asked = agreement.couple.record.rounds
            return "", f"it asks for {asked} rounds, and {left} of dataset {part.dataset[:8]} are left"
    try:
        warning = require_enough_rows(min(part.rows for part in parts), features, name)
        training = agreement.training(bytes(32).hex())
        if agreement.turns_per_pass and agreement.model.method != STATISTICS:
            require_safe(training, group=agreement.largest_group, rounds=agreement.couple.record.rounds)
    except FreeholdError as trouble:
        return "", trouble.what.rstrip(".")
    return ". ".join(filter(None, (warning, _strange(agreement, parts)))), ""


def _strange(agreement: Agreement, parts: tuple[SheetPart, ...]) -> str:
    """A warning of a map that other datasets' cards have drawn away from this data owner's rows, or nothing."""
    own = {part.dataset for part in parts}
    columns = agreement.feature_map.description.columns
    cards = zip(agreement.datasets, agreement.cards, strict=True)
    found = [name for part, card in cards if part.dataset.id in own for name in strange_columns(card, columns)]
    if not found:
        return ""
    named = ", ".join(dict.fromkeys(found))
    return (
        f"the other datasets' cards measure {named} where few of your rows lie: if you do not know why,"
        " the map may be made to single some of them out"
    )


def _earlier(waiting: list[Approval]) -> tuple[Seen[TrainCouple], ...]:
    known = {seen.id: seen for approval in waiting for seen in approval.earlier}
    return tuple(known[id] for id in sorted(known))
