"""What a demo is to do, checked before anything starts: what the data cannot bear is refused, with what to change.

A quarter of the rows is held out first, and nobody in the market ever gets them; the rest is prepared once for trial,
by the code that the data owner's own command will run, so that an impossible split or too many features is found now.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from freehold.demo.holdout import hold_out
from freehold.errors import Invalid
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
    training_rows: Path
    test_rows: Path
    features: int
    """Of the map, the constant included."""

    @property
    def cloud_owners(self) -> int:
        """One for each slot, and a spare for each cheater that the data owner will let go."""
        return self.subsets * self.replicas + max(1, sum(kind == "silent" for kind in self.cheaters))

    @property
    def commit_window(self) -> int:
        """Milliseconds in which all cloud owners of this one machine can work out and commit to their results."""
        return 3_000 + self.cloud_owners * self.features**2 // 1_000


def make_plan(wish: Wish, work: Path) -> Plan:
    """The plan for a wish; rows to train on and rows to test on are written into `work`. Raises Invalid."""
    from freehold.learning.maps import dimension_of
    from freehold.learning.prepared import prepare
    from freehold.learning.table import read_table

    cheaters = _cheaters(wish)
    _check_numbers(wish, cheaters)
    if wish.data is not None and wish.target is None:
        raise Invalid("Which column is to be predicted?", code="target", next="name it: --target COLUMN")
    target = wish.target or BUILT_IN_TARGET
    training, test = work / "rows.csv", work / "test.csv"
    with resources.as_file(resources.files("freehold.demo.data").joinpath(BUILT_IN)) as built_in:
        source = wish.data or built_in
        hold_out(source, training, test, target=target, group=wish.group, seed=wish.seed)
    table = read_table(training, target=target, group=wish.group)
    group_min = wish.subsets if wish.group_min is None else wish.group_min
    prepare(
        table,
        work / "trial",
        subsets=wish.subsets,
        replicas=wish.replicas,
        group_min=group_min,
        map_name=wish.map,
        seed=bytes(32),
    )
    if wish.rounds < wish.subsets // group_min:
        groups = wish.subsets // group_min
        raise Invalid(
            f"{wish.rounds} rounds do not visit all {groups} groups of subsets.",
            code="rounds",
            next=f"ask for at least {groups} rounds, or for larger groups",
        )
    return Plan(
        name="Wisconsin breast cancer" if wish.data is None else source.stem,
        target=target,
        group=wish.group,
        map=wish.map,
        subsets=wish.subsets,
        replicas=wish.replicas,
        group_min=group_min,
        rounds=wish.rounds,
        cheaters=cheaters,
        seed=wish.seed,
        training_rows=training,
        test_rows=test,
        features=dimension_of(table.columns, wish.map),
    )


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
