"""A dataset made ready to be published: a folder with the card, the subsets' rows and the certificate of the split.

    card.json        public; its digest goes on the ledger
    split.json       the certificate: which subset holds which class; stays with the data owner
    plan.json        how many replicas and which groups the owner wants
    subset-01.rows   the rows of each subset, as they are sealed to its cloud owners; nothing else of the table
    split.html       the certificate as a picture

Nothing here leaves the house before `dataset publish`; the folder appears whole or not at all.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from freehold.errors import Invalid
from freehold.learning.card import LARGEST_CARD, Card, ClassTarget, NumberTarget, Target
from freehold.learning.card_making import make_card
from freehold.learning.card_text import spell
from freehold.learning.certificate import FORMAT as SPLIT_FORMAT
from freehold.learning.certificate import RULES, Certificate, bin_edges, counts_of, labels_of
from freehold.learning.decimals import number_text
from freehold.learning.disclosure import FEWEST_ROWS_PER_FEATURE, require_enough_rows
from freehold.learning.map_form import NAMES
from freehold.learning.maps import DEFAULT_MAP, dimension_of, parse_name
from freehold.learning.parameters import MOST_FEATURES
from freehold.learning.split_page import split_page
from freehold.learning.splitter import Parts, split_rows
from freehold.learning.table import Table, class_names
from freehold.learning.whole_folder import whole_folder, write_file
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from freehold.protocol.limits import GROUP_MIN_SMALLEST, PACKAGE_LARGEST, REPLICAS, SUBSETS_LARGEST, SUBSETS_SMALLEST
from freehold.protocol.records import Record

CARD: Final = "card.json"
CERTIFICATE: Final = "split.json"
PLAN: Final = "plan.json"
PAGE: Final = "split.html"
_LARGEST_SMALL_FILE: Final = 2**17


class Plan(Record):
    """How the owner wants the dataset published."""

    group_min: int
    map: str
    """The map that the table was prepared for; trainings may ask for another, and the owner decides then."""
    replicas: int
    subsets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A prepared folder whose parts fit together; `notices` are what its owner should read (only after preparing)."""

    folder: Path
    card: Card
    card_bytes: bytes
    certificate: Certificate
    plan: Plan
    notices: tuple[str, ...] = ()

    def rows(self, index: int) -> bytes:
        """The bytes of a subset's rows, as they go into its package; Invalid if the file was changed."""
        data = _read(self.folder / _subset_name(index), PACKAGE_LARGEST)
        if sha256(data).hex() != self.certificate.digests[index]:
            raise Invalid(f"{_subset_name(index)} is not the file that the certificate names", next="prepare again")
        return data

    def check(self) -> None:
        """Count every subset again and hold it against card and certificate; Invalid with the first difference."""
        for index in range(self.plan.subsets):
            self.card.check_rows(self.certificate.check_subset(index, self.rows(index)))


def prepare(
    table: Table,
    out: Path,
    *,
    subsets: int = 4,
    replicas: int = 3,
    group_min: int | None = None,
    map_name: str = DEFAULT_MAP,
    seed: bytes | None = None,
    title: str | None = None,
) -> Prepared:
    """Split `table` and write the folder `out`; the same table and 32-byte seed give the same bytes.

    Invalid, before anything is written, when the split is impossible, `map_name` leaves fewer than 5 rows per feature,
    or a number is out of its limits; Unavailable when the disk refuses.
    """
    plan = check_plan(subsets=subsets, replicas=replicas, group_min=group_min, map_name=map_name)
    _rows_per_feature(table, len(table.rows), plan)
    seed = secrets.token_bytes(32) if seed is None else seed
    edges = () if isinstance(table.target, ClassTarget) else bin_edges(table.rows.targets, subsets)
    names = _names(table.target, edges)
    parts = split_rows(labels_of(table.rows.targets, edges), names, table.groups, subsets, seed)
    warning = _rows_per_feature(table, sum(map(len, parts.subsets)), plan)
    with whole_folder(out) as folder:
        certificate = _write_subsets(folder, table, parts, edges, names, seed)
        kept = table.rows.take(np.sort(np.concatenate(parts.subsets)))
        card = make_card(table, kept, certificate, title)
        write_file(folder / CARD, card.encode())
        write_file(folder / CERTIFICATE, certificate.encode())
        write_file(folder / PLAN, canonical.encode(plan))
        write_file(folder / PAGE, split_page(certificate).encode())
    notices = [*table.notices, *([warning] if warning else [])]
    if certificate.left_out:
        rows = "1 row" if certificate.left_out == 1 else f"{certificate.left_out:,} rows"
        notices.append(f"{rows} left out, so that both holders of a class hold exactly half of it")
    if not card.samples.rows:
        notices.append("no made-up rows: the table has so few columns that they would equal real ones")
    return Prepared(
        folder=out,
        card=card,
        card_bytes=card.encode(),
        certificate=certificate,
        plan=plan,
        notices=tuple(notices),
    )


def check_plan(*, subsets: int, replicas: int, group_min: int | None, map_name: str) -> Plan:
    """The plan of these numbers, all subsets in one group if `group_min` is None; Invalid when one is out of limits."""
    group_min = subsets if group_min is None else group_min
    return _checked_plan(Plan(group_min=group_min, map=map_name, replicas=replicas, subsets=subsets))


def load(folder: Path) -> Prepared:
    """Read a prepared folder; Invalid when a part is missing, malformed or does not belong to the others.

    The subsets' rows are read and checked when they are asked for.
    """
    if not folder.is_dir():
        raise Invalid(f"there is no folder {folder}", next="freehold dataset prepare FILE --target COLUMN --out DIR")
    card_bytes = _read(folder / CARD, LARGEST_CARD)
    card = Card.parse(card_bytes)
    certificate = Certificate.parse(_read(folder / CERTIFICATE, _LARGEST_SMALL_FILE))
    try:
        plan = _checked_plan(msgspec.convert(canonical.decode(_read(folder / PLAN, 4096), largest=4096), Plan))
    except msgspec.ValidationError as error:
        raise Invalid(f"{PLAN} is not a plan: {error}", next="prepare again") from None
    if certificate.digest.hex() != card.split.certificate:
        raise Invalid(f"{CERTIFICATE} is not the certificate that {CARD} names", next="prepare again")
    if not len(certificate.counts) == card.split.subsets == plan.subsets:
        raise Invalid(f"{CARD}, {CERTIFICATE} and {PLAN} speak of different numbers of subsets", next="prepare again")
    return Prepared(folder=folder, card=card, card_bytes=card_bytes, certificate=certificate, plan=plan)


def _write_subsets(
    folder: Path, table: Table, parts: Parts, edges: tuple[int, ...], names: tuple[str, ...], seed: bytes
) -> Certificate:
    counts, digests = [], []
    for index, chosen in enumerate(parts.subsets):
        rows = table.rows.take(chosen)
        # one subset at a time in memory
        data = rows.encode()
        write_file(folder / _subset_name(index), data)
        counts.append(counts_of(rows, edges, len(names)))
        digests.append(sha256(data).hex())
    certificate = Certificate(
        classes=tuple(spell(name) for name in names),
        counts=tuple(counts),
        digests=tuple(digests),
        edges=edges,
        format=SPLIT_FORMAT,
        grouped=spell(table.group_name),
        left_out=len(parts.left_out),
        rules=RULES,
        seed=seed.hex(),
    )
    certificate.check()
    return certificate


def _checked_plan(plan: Plan) -> Plan:
    if not SUBSETS_SMALLEST <= plan.subsets <= SUBSETS_LARGEST:
        raise Invalid(
            f"{plan.subsets} subsets are outside {SUBSETS_SMALLEST} to {SUBSETS_LARGEST}",
            next=f"choose --subsets from {SUBSETS_SMALLEST} to {SUBSETS_LARGEST}; 4 suit most tables",
        )
    if plan.replicas not in REPLICAS:
        raise Invalid(f"{plan.replicas} replicas cannot vote", next=f"choose one of {', '.join(map(str, REPLICAS))}")
    if not GROUP_MIN_SMALLEST <= plan.group_min <= plan.subsets:
        raise Invalid(
            f"a group of at least {plan.group_min} subsets is outside {GROUP_MIN_SMALLEST} to {plan.subsets}",
            next=f"choose --group-min from {GROUP_MIN_SMALLEST} to {plan.subsets}, or leave it away",
        )
    parse_name(plan.map)
    return plan


def _rows_per_feature(table: Table, rows: int, plan: Plan) -> str:
    """The warning or refusal that every training of these rows will meet: each group's sums are told on their own."""
    groups = plan.subsets // plan.group_min
    rows //= groups
    known = [(name, dimension_of(table.columns, name)) for name in NAMES if name not in ("rff", "embedding")]
    smaller = [(name, size) for name, size in known if size <= MOST_FEATURES and rows >= FEWEST_ROWS_PER_FEATURE * size]
    advice = f"choose --map {smaller[0][0]}: {rows / smaller[0][1]:.1f} rows per feature" if smaller else ""
    if groups > 1:
        advice += f"{'; or' if advice else 'ask for'} larger groups: --group-min {plan.subsets} is one of all rows"
    return require_enough_rows(rows, dimension_of(table.columns, plan.map), plan.map, advice)


def _names(target: Target, edges: tuple[int, ...]) -> tuple[str, ...]:
    """The classes in words; the bins of a number as intervals."""
    if not isinstance(target, NumberTarget):
        return class_names(target)
    marks = [number_text(edge, target.digits) for edge in edges]
    between = [f"{low} to below {high}" for low, high in pairwise(marks)]
    return (f"below {marks[0]}", *between, f"from {marks[-1]}")


def _subset_name(index: int) -> str:
    return f"subset-{index + 1:02}.rows"


def _read(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}", next="prepare the dataset again") from None
    if len(data) > largest:
        raise Invalid(f"{path} is larger than {largest} bytes")
    return data
