"""What a demo is to do, checked before anything starts: what the data cannot bear is refused, with what to change.

A quarter of the rows is held out first, and nobody in the market ever gets them; the rest is prepared once for trial,
by the code that the data owner's own command will run, so that an impossible split or too many features is found now.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from freehold.demo.ground import Engine, require, slowness
from freehold.demo.holdout import hold_out
from freehold.errors import Invalid, Unavailable
from freehold.learning.card_text import LONGEST_NAME, title_of, unspell
from freehold.learning.maps import EMBEDDING, dimension_of
from freehold.learning.measured import read_measured
from freehold.learning.prepared import check_plan, prepare
from freehold.learning.table import Table, read_table
from freehold.protocol.limits import JOBS_PER_ROUND, ROUNDS_PER_TRAINING_LARGEST

KINDS: Final = {
    "copying": "commits to a copy of a neighbour's commitment",
    "lazy": "returns the base that it was sent",
    "noisy": "adds noise to its result",
    "silent": "commits to nothing",
    "withholding": "commits honestly and delivers nothing",
}
"""Kinds of cheaters and what they do."""
NONE: Final = "none"
DEFAULT_CHEATERS: Final = ("copying", "silent")
BUILT_IN: Final = "wisconsin-breast-cancer.csv"
BUILT_IN_TARGET: Final = "diagnosis"
_LARGEST_SEED: Final = 2**63 - 1
_FEW, _CROWDED = 16, 200
"""Beyond so many cloud owners each costs all of them so many milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    data: Path | None
    target: str | None
    group: str | None
    map: str
    subsets: int
    replicas: int
    group_min: int | None
    rounds: int
    cheat: tuple[str, ...] | None
    seed: int
    out: Path
    keep: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    kind: str | None = None
    engine: Engine = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A demo that can be run."""

    name: str
    target: str
    group: str | None
    map: str
    subsets: int
    replicas: int
    group_min: int
    rounds: int
    cheaters: tuple[str, ...]
    seed: int
    engine: Engine
    training_rows: Path
    test_rows: Path
    features: int
    """Of the map, the constant included."""
    rows: int
    kind: str
    """What the target is in the whole file: `classes` or `number`."""
    categories: tuple[str, ...]
    """Columns that are categories in the whole file, whatever the rows in the market alone look like."""
    keep: tuple[str, ...]
    notices: tuple[str, ...]
    """What the owner of the file should know of how it was read."""

    @property
    def cloud_owners(self) -> int:
        """One for each slot, and a spare for each cheater that the data owner will let go."""
        return self.subsets * self.replicas + max(1, sum(kind == "silent" for kind in self.cheaters))

    @property
    def commit_window(self) -> int:
        """Milliseconds in which all cloud owners of this one machine can work out and commit to their results.

        In the first round each sums up its rows; in every round it works on a square of features. A crowd needs more
        time than its members' work: all of them ask the one node for news.
        """
        sums = self.rows // self.subsets * self.features * (self.features + 100) // 2_000_000
        crowd = _CROWDED * max(0, self.cloud_owners - _FEW)
        return 3_000 + slowness(self.engine) + crowd + self.cloud_owners * (self.features**2 // 300 + sums)

    @property
    def reading(self) -> tuple[str, ...]:
        """The options with which the data owner's own command reads the rows as the plan did."""
        named = [("--target", self.target), ("--kind", self.kind), *(("--keep", name) for name in self.keep)]
        named += [("--group", self.group)] if self.group else []
        named += [("--category", name) for name in self.categories]
        return tuple(f"{option}={value}" for option, value in named)

    def read(self, path: Path) -> Table:
        """The rows of a part of the file, read as the whole file was."""
        return read_table(
            path,
            target=self.target,
            group=self.group,
            keep=self.keep,
            categories=self.categories,
            kind=self.kind,
            embedding=self.map == EMBEDDING,
        )


def make_plan(wish: Wish, work: Path, told: Callable[[float], None] = lambda share: None) -> Plan:
    """The plan for a wish; rows to train on and rows to test on are written into `work`. Raises Invalid.

    The whole file is read first, so that a fault is found on whichever side of the split it would fall, and is told by
    its line in the owner's own file. `told` hears which share of the file is read.
    """
    if find_spec("sklearn") is None:
        raise Unavailable(
            "scikit-learn is not installed.",
            code="extra",
            why="the demo trains centrally with it, to compare",
            next="install freehold with its extra, as freehold[demo]",
            now="nothing was started",
            retry=False,
        )
    require(wish.engine)
    try:
        return _made(wish, work, told)
    except Invalid as error:
        error.code, error.now = error.code or "data", error.now or "nothing was started"
        raise


def _made(wish: Wish, work: Path, told: Callable[[float], None]) -> Plan:
    check_plan(subsets=wish.subsets, replicas=wish.replicas, group_min=wish.group_min, map_name=wish.map)
    cheaters = _cheaters(wish)
    _check_numbers(wish, cheaters)
    if wish.data is not None and wish.target is None:
        raise Invalid("Which column is to be predicted?", code="target", next="name it: --target COLUMN")
    with resources.as_file(resources.files("freehold.demo.data").joinpath(BUILT_IN)) as built_in:
        source = wish.data or built_in
        whole = read_table(
            source,
            target=wish.target or BUILT_IN_TARGET,
            group=wish.group,
            keep=wish.keep,
            categories=wish.categories,
            kind=wish.kind,
            embedding=wish.map == EMBEDDING,
            told=told,
        )
        plan = _planned(wish, cheaters, whole, work)
        hold_out(
            source,
            plan.training_rows,
            plan.test_rows,
            target=plan.target,
            group=plan.group,
            seed=plan.seed,
            numeric=plan.kind == "number",
        )
    del whole
    return _tried(plan, work / "trial")


def _planned(wish: Wish, cheaters: tuple[str, ...], whole: Table, work: Path) -> Plan:
    group_min = wish.subsets if wish.group_min is None else wish.group_min
    names = [unspell(column.name, "a column", LONGEST_NAME) for column in whole.columns if hasattr(column, "values")]
    return Plan(
        name="Wisconsin breast cancer" if wish.data is None else title_of(wish.data),
        target=wish.target or BUILT_IN_TARGET,
        group=wish.group,
        map=wish.map,
        subsets=wish.subsets,
        replicas=wish.replicas,
        group_min=group_min,
        rounds=wish.rounds,
        cheaters=cheaters,
        seed=wish.seed,
        engine=wish.engine,
        training_rows=work / "rows.csv",
        test_rows=work / "test.csv",
        features=0,
        rows=0,
        kind="classes" if whole.classes else "number",
        categories=tuple({*wish.categories, *names} - {wish.target}),
        keep=wish.keep,
        notices=whole.notices,
    )


def _tried(plan: Plan, trial: Path) -> Plan:
    """The plan, once its rows were prepared for trial and the held-out ones read by their card."""
    try:
        table = plan.read(plan.training_rows)
        prepared = prepare(
            table,
            trial,
            subsets=plan.subsets,
            replicas=plan.replicas,
            group_min=plan.group_min,
            map_name=plan.map,
            seed=bytes(32),
        )
        read_measured(plan.test_rows, prepared.card)
    except Invalid as error:
        why = f"{error.why}; " if error.why else ""
        raise Invalid(
            error.what,
            code=error.code,
            why=f"{why}a quarter of the rows is held out before, to measure the model",
            next=error.next,
        ) from None
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    groups = plan.subsets // plan.group_min
    if plan.rounds < groups:
        raise Invalid(
            f"{plan.rounds} rounds do not visit all {groups} groups of subsets.",
            code="rounds",
            next=f"ask for at least {groups} rounds, or for larger groups",
        )
    return replace(plan, rows=prepared.card.rows, features=dimension_of(table.columns, plan.map))


def _cheaters(wish: Wish) -> tuple[str, ...]:
    if wish.cheat is None:
        return DEFAULT_CHEATERS[: wish.subsets]
    if wish.cheat == (NONE,):
        return ()
    for kind in wish.cheat:
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise Invalid(
                f"There is no cheater of the kind {kind[:40]!r}.", code="cheat", next=f"known are {known}; none"
            )
    return wish.cheat


def _check_numbers(wish: Wish, cheaters: tuple[str, ...]) -> None:
    if len(cheaters) > wish.subsets:
        raise Invalid(
            f"{len(cheaters)} cheaters are too many for {wish.subsets} subsets.",
            code="cheat",
            why="each cheats in a subset of its own: two of three replicas that cheat would win the vote",
            next=f"ask for at most {wish.subsets}, or for more subsets",
        )
    if not 1 <= wish.rounds <= min(ROUNDS_PER_TRAINING_LARGEST, 100):
        raise Invalid(f"{wish.rounds} rounds are not possible here.", code="rounds", next="ask for 1 to 100")
    if wish.subsets * wish.replicas > JOBS_PER_ROUND:
        raise Invalid(
            f"{wish.subsets} subsets of {wish.replicas} replicas make more than {JOBS_PER_ROUND} jobs a round.",
            code="size",
            next="ask for fewer subsets or replicas",
        )
    if not 0 <= wish.seed <= _LARGEST_SEED:
        raise Invalid(f"{wish.seed} is no seed.", code="seed", next="choose a number from 0 to 2^63 - 1")
