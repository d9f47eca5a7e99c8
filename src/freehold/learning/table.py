"""A data owner's table as integers: columns with their public constants, rows, target, and what was left out and why.

With `like`, the card of another owner decides columns, digits, categories and classes, so that both tables can train
one model; the constants stay this table's own, and the map pools them. A table of one owner needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from freehold.errors import Invalid
from freehold.learning.card import Card, ClassTarget, Column, Target
from freehold.learning.card_text import LONGEST_NAME, unspell
from freehold.learning.column_reader import RawColumn
from freehold.learning.columns import LeftOut, Made, column_like, make_column
from freehold.learning.decimals import Flags
from freehold.learning.raw_table import RawTable, read_raw, require_column
from freehold.learning.rows import MOST_COLUMNS, Rows
from freehold.learning.targets import make_target

_FEW_NOTICES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that can be split and published."""

    columns: tuple[Column, ...]
    target: Target
    rows: Rows
    groups: npt.NDArray[np.int64] | None
    """Per row the number of its group (a patient), if a group column was named."""
    group_name: str
    rows_left_out: int
    missing_values: int
    notices: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names as the table writes them; none for a number."""
        return class_names(self.target)


def class_names(target: Target) -> tuple[str, ...]:
    """The class names of a target as its table wrote them; none for a number."""
    if not isinstance(target, ClassTarget):
        return ()
    return tuple(unspell(name, "a class", len(name)) for name in target.classes)


def read_table(
    path: Path,
    *,
    target: str,
    group: str | None = None,
    keep: Collection[str] = (),
    categories: Collection[str] = (),
    kind: str | None = None,
    embedding: bool = False,
    like: Card | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> Table:
    """Read the owner's CSV file and predict the column `target` from the others.

    `group` names the column whose rows stay together; `keep` columns that would be left out because they single out
    rows; `categories` number columns that are codes; `kind` says `classes` or `number` of the target; `embedding` that
    all columns are an embedding's numbers. `like` is another owner's card; `told` hears which share of the file is
    read. Invalid, with what to change, when the file is no proper CSV, a column is unknown or mixed, or the target
    cannot be predicted.
    """
    named = {target, *([group] if group else [])}
    raw = read_raw(path, coded=[group] if group else [], told=told)
    if len(raw.columns) == 1:
        raise Invalid(
            "the file has one column only",
            why="columns are told apart by commas, semicolons, tabs or bars, and there must be one to learn from",
            next="put the names of the columns in the first line, separated like the cells",
        )
    for name in (target, *keep, *categories):
        require_column(name, list(raw.columns))
    if group == target:
        raise Invalid("the target cannot be the group too", next="name two different columns")
    made_target = make_target(target, raw.columns[target], kind=kind, like=like.target if like else None)
    present = made_target.present
    groups = _groups(raw.columns[group], present) if group else None
    for name in named:
        del raw.columns[name]
    notices = _target_notices(raw, target, present)
    if like is None:
        made, more = _decide(raw.columns, present, set(keep), set(categories), embedding=embedding)
    else:
        made, more = _as_card(raw.columns, present, target, like)
    if not made:
        raise Invalid(
            "no column is left to learn from",
            why=" · ".join(more[:_FEW_NOTICES]),
            next="add columns, or keep one of these with --keep NAME",
        )
    if len(made) > MOST_COLUMNS:
        raise Invalid(f"{len(made)} columns would train, at most {MOST_COLUMNS} can", next="leave columns out")
    return Table(
        columns=tuple(part.column for part in made),
        target=made_target.target,
        rows=Rows(
            values=np.stack([part.values for part in made], axis=1),
            targets=made_target.values,
            held=np.zeros(len(made_target.values), dtype=bool),
        ),
        groups=groups,
        group_name=group or "",
        rows_left_out=int((~present).sum()),
        missing_values=sum(part.column.missing for part in made),
        notices=(*notices, *more),
    )


def _decide(
    features: dict[str, RawColumn], present: Flags, keep: set[str], categories: set[str], *, embedding: bool
) -> tuple[list[Made], list[str]]:
    """What each column becomes; the columns as they were read are used up, since both would fill the memory."""
    made, notices = [], []
    for name in list(features):
        raw = features.pop(name).take(present)
        part = make_column(name, raw, keep=name in keep, category=name in categories, embedding=embedding)
        if isinstance(part, LeftOut):
            notices.append(f"`{name}` left out: {part.reason}" + (f" (--keep {name})" if part.can_be_kept else ""))
            continue
        made.append(part)
        if part.notice:
            notices.append(f"`{name}`: {part.notice}")
    return made, notices


def _as_card(features: dict[str, RawColumn], present: Flags, target: str, like: Card) -> tuple[list[Made], list[str]]:
    if unspell(like.target.name, "the target's name", LONGEST_NAME) != target:
        raise Invalid(f"the target {target!r} is not that of the other card", next="name the same target")
    names = [unspell(column.name, "a column's name", LONGEST_NAME) for column in like.columns]
    for name in names:
        require_column(name, list(features))
    pairs = zip(names, like.columns, strict=True)
    made = [column_like(column, features.pop(name).take(present)) for name, column in pairs]
    return made, [f"`{name}` left out: the other card does not have it" for name in features]


def _target_notices(raw: RawTable, target: str, present: Flags) -> list[str]:
    lost = raw.rows - int(present.sum())
    return [f"{lost} of {raw.rows} rows left out: they have no `{target}`"] if lost else []


def _groups(raw: RawColumn, present: Flags) -> npt.NDArray[np.int64]:
    """A number per group; a row whose group is missing is a group of its own."""
    if raw.codes is None:
        raise Invalid("the group column has no codes")
    groups = raw.codes.astype(np.int64)
    alone = np.flatnonzero(raw.missing)
    groups[alone] = len(raw.texts) + np.arange(len(alone))
    return groups[present]
