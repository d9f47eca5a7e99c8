"""The column to predict: classes, or a number.

It is a number if all its texts are numbers and it has fractions or more than twenty different values; otherwise its
texts are class names. The owner can say which. Rows without a target are left out before anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from freehold.errors import Invalid
from freehold.learning.card import ClassTarget, NumberTarget, Target
from freehold.learning.card_text import LONGEST_CATEGORY, require_plain, spell, unspell
from freehold.learning.column_reader import RawColumn
from freehold.learning.columns import Values, require_numbers
from freehold.learning.constants import constants_of
from freehold.learning.decimals import Flags, digits_used, to_fixed_point
from freehold.learning.digits import digits_for
from freehold.learning.extremes import require_held, vanishes
from freehold.learning.lookalikes import require_no_lookalikes
from freehold.learning.parameters import MOST_OUTPUTS

MOST_WHOLE_CLASSES: Final = 20
KINDS: Final = ("classes", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTarget:
    """The target in public, its integers for the rows that have one, and which rows those are."""

    target: Target
    values: Values
    present: Flags


def make_target(name: str, raw: RawColumn, *, kind: str | None, like: Target | None) -> MadeTarget:
    """Read the column to predict; `kind` (`classes` or `number`) and another card's target overrule the guess.

    Invalid when the column is empty, has one value only, too many classes, or does not fit.
    """
    if raw.present == 0:
        raise Invalid(f"the target {name!r} is empty", next="name the column that holds what is to be predicted")
    if like is not None:
        number = isinstance(like, NumberTarget)
    elif kind is not None:
        if kind not in KINDS:
            raise Invalid(f"a target is not of the kind {kind!r}", next="choose classes or number")
        number = kind == "number"
    else:
        number = _is_number(raw)
        if not number:
            require_no_lookalikes(name, raw, "--kind classes")
    return _number(name, raw, like) if number else _classes(name, raw, like)


def _is_number(raw: RawColumn) -> bool:
    if raw.half_units is None or raw.padded:
        return False
    present = raw.half_units[~raw.missing]
    return digits_used(present) > 0 or len(np.unique(present)) > MOST_WHOLE_CLASSES or vanishes(raw, present)


def _number(name: str, raw: RawColumn, like: Target | None) -> MadeTarget:
    require_numbers(name, raw)
    if raw.half_units is None:
        raise Invalid(f"the target {name!r} is no number")
    require_held(name, raw, outliers=0)
    halves = raw.half_units[~raw.missing]
    digits = like.digits if isinstance(like, NumberTarget) else digits_for(halves)
    values = to_fixed_point(halves, digits)
    constants = constants_of(values)
    if constants.deviation == 0:
        raise Invalid(f"the target {name!r} has the same value in every row", next="name another column as target")
    target = NumberTarget(
        deviation=constants.deviation,
        digits=digits,
        knots=constants.knots,
        mean=constants.mean,
        name=spell(name),
    )
    return MadeTarget(target=target, values=values, present=~raw.missing)


def _classes(name: str, raw: RawColumn, like: Target | None) -> MadeTarget:
    if raw.codes is None or len(raw.texts) > MOST_OUTPUTS:
        raise Invalid(
            f"the target {name!r} has more than {MOST_OUTPUTS} different values",
            why=f"a model tells at most {MOST_OUTPUTS} classes apart",
            next="name another column as target, or merge classes; numbers are predicted with --kind number",
        )
    if isinstance(like, ClassTarget):
        classes = [unspell(text, "a class", LONGEST_CATEGORY) for text in like.classes]
        unknown = sorted(set(raw.texts) - set(classes))
        if unknown:
            raise Invalid(
                f"the target {name!r} has the class {unknown[0]!r}, which the other card does not have",
                next="leave these rows out, or agree on the classes",
            )
    else:
        classes = sorted(raw.texts, key=lambda text: text.encode())
    if len(raw.texts) < 2:
        raise Invalid(
            f"the target {name!r} has one class only: {raw.texts[0]!r}",
            why="there is nothing to tell apart",
            next="name the column that holds what is to be predicted",
        )
    for text in classes:
        require_plain(text, f"a class of {name!r}", LONGEST_CATEGORY)
    numbers = {text: index for index, text in enumerate(classes)}
    table = np.array([numbers[text] for text in raw.texts], dtype=np.int32)
    values = table[raw.codes[~raw.missing]]
    counts = np.bincount(values, minlength=len(classes))
    if not counts.all():
        raise Invalid(
            f"the target {name!r} has no row of the class {classes[int(np.argmin(counts))]!r}",
            next="add such rows, or agree on the classes",
        )
    target = ClassTarget(
        classes=tuple(spell(text) for text in classes),
        counts=tuple(int(count) for count in counts),
        name=spell(name),
    )
    return MadeTarget(target=target, values=values, present=~raw.missing)
