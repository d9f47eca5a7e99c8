"""Plays attacks on markets of several seeds, and compares each market with the same one without the attack.

For every seed a market is brought to its publication once and left on disk. The honest training, and every attack that
begins after publication, goes on from a copy of it; an attack on the publication itself begins a market of its own. At
the end of each the whole ledger is executed again, and every invariant of the contract asked of the state that comes
out; then the accounts of whoever was honest are compared.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from freehold.bench.attacks import ATTACKS, Attack
from freehold.bench.market import PRICE_JOB, PRICE_ROUND, ROUNDS, Market
from freehold.bench.people import STAKE
from freehold.bench.plays import PLAYS
from freehold.bench.table import REPLICAS, SUBSETS, small_table
from freehold.contract import records
from freehold.contract.invariants import violations
from freehold.errors import Broken, Invalid
from freehold.learning.prepared import Prepared
from freehold.ledger.replay import Replay
from freehold.protocol.assets import Account, CloudInstance, Finding, Payout, TrainJob
from freehold.protocol.identifiers import MemberId

MOST_SEEDS: Final = 1_000
_PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a market came to; people by name."""

    wealth: dict[str, int]
    """Micro-credits of every member: its account, what is due to it, its stakes."""
    blamed: frozenset[str]
    """Who was out-voted or missing in a decided vote, or has a finding."""
    rounds: int
    """Complete rounds of the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attack on the market of one seed."""

    detected: bool
    false_blame: int
    honest_loss: int
    rounds_lost: int
    seconds_to_detection: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One attack on the markets of all seeds; sums over all runs, where nothing else is said."""

    attack: str
    runs: int
    detected: float
    """The share of runs in which it showed."""
    false_blame: int
    """Honest members blamed: out-voted or missing in a decided vote, or with a finding."""
    honest_loss: int
    """Micro-credits that honest members have less than in the same market without the attack."""
    rounds_lost: int
    """Complete rounds of the honest training that this one has not."""
    seconds_to_detection: float | None
    """Median market time from the first cheating act; None if it never showed."""


Told = Callable[[str, int], None]
"""Hears which attack is played, and on which seed."""


def chosen(names: Sequence[str]) -> list[Attack]:
    """The attacks of these names, in the order of the list; all if none is named. Invalid for an unknown name."""
    for name in names:
        if name not in ATTACKS:
            raise Invalid(
                f"There is no attack {name[:40]!r}.",
                code="attack",
                why=f"the attacks are {', '.join(ATTACKS)}",
                next="name one of them with --attack, or none for all",
                now="nothing was played",
            )
    return [attack for attack in ATTACKS.values() if not names or attack.name in names]


def measure(attacks: Sequence[Attack], seeds: int, folder: Path, told: Told) -> list[Measured]:
    """Plays every attack on every seed, 1 … `seeds`, in `folder`; Broken if an invariant of the contract fails."""
    table = small_table(folder / "table")
    runs: dict[str, list[Run]] = {attack.name: [] for attack in attacks}
    for seed in range(1, seeds + 1):
        with _published(folder / f"seed-{seed}", table, seed) as published:
            told("honest", seed)
            with _entered(published, folder / "honest") as market:
                market.trains()
                honest = _ending(market)
            for attack in attacks:
                told(attack.name, seed)
                with _begun(attack, published, folder / "attacked") as market:
                    runs[attack.name].append(_played(attack, market, honest))
    return [_summed(name, each) for name, each in runs.items()]


def document(measured: Sequence[Measured], seeds: int) -> dict[str, object]:
    """The result as it is written: equal on every machine, but for what a new version changes."""
    from freehold import __version__

    return {
        "version": __version__,
        "seeds": seeds,
        "market": {
            "cloud_owners_per_subset": REPLICAS,
            "price_job": PRICE_JOB,
            "price_round": PRICE_ROUND,
            "rounds": ROUNDS,
            "stake": STAKE,
            "subsets": SUBSETS,
        },
        "attacks": [
            {
                "attack": each.attack,
                "runs": each.runs,
                "detected": each.detected,
                "false_blame": each.false_blame,
                "honest_loss": each.honest_loss,
                "rounds_lost": each.rounds_lost,
                "seconds_to_detection": each.seconds_to_detection,
            }
            for each in measured
        ],
    }


@contextmanager
def _published(folder: Path, table: Prepared, seed: int) -> Iterator[Market]:
    """A market whose dataset is published, closed again."""
    with _opened(partial(Market, folder, table, seed=seed), folder) as market:
        market.settles()
        market.publishes()
        market.closes()
        yield market


@contextmanager
def _entered(published: Market, folder: Path) -> Iterator[Market]:
    with _opened(partial(Market.again, published, folder), folder) as market:
        yield market


@contextmanager
def _begun(attack: Attack, published: Market, folder: Path) -> Iterator[Market]:
    """The market that an attack is played on."""
    if PLAYS[attack.name].begins == "published":
        with _entered(published, folder) as market:
            yield market
        return
    with _opened(partial(Market, folder, published.table, seed=published.seed), folder) as market:
        market.settles()
        yield market


@contextmanager
def _opened(opens: Callable[[], Market], folder: Path) -> Iterator[Market]:
    """A market in a folder that is gone afterwards."""
    folder.mkdir()
    try:
        market = opens()
        try:
            yield market
        finally:
            market.closes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _played(attack: Attack, market: Market, honest: Ending) -> Run:
    """Plays one attack, and compares."""
    seen = PLAYS[attack.name].plays(market)
    if market.first_act is None:
        raise Broken(f"The attack {attack.name} on seed {market.seed} never began.")
    ending = _ending(market)
    trustful = [name for name in honest.wealth if name not in market.dishonest]
    return Run(
        detected=seen is not None,
        false_blame=len(ending.blamed - market.dishonest),
        honest_loss=sum(max(0, honest.wealth[name] - ending.wealth.get(name, 0)) for name in trustful),
        rounds_lost=max(0, honest.rounds - ending.rounds),
        seconds_to_detection=None if seen is None else (seen - market.first_act) / 1000,
    )


def _ending(market: Market) -> Ending:
    """What the market came to, from a replay of its whole ledger; Broken if any invariant does not hold."""
    replay = Replay(market.contract, market.operator)
    height = 0
    while blocks := market.ledger.export(height, _PAGE):
        for block in blocks:
            replay.apply(block)
        height += len(blocks)
    view = replay.state
    wrong = violations(view)
    if wrong:
        raise Broken(
            f"An attack on seed {market.seed} broke {wrong[0].invariant}: {wrong[0].what}",
            next="report it with the seed and the attack",
        )
    wealth = {MemberId(id): account.free for id, account in records.every(view, Account)}
    for _, payout in records.every(view, Payout):
        if payout.state == "due":
            wealth[payout.payee] += payout.amount
    for _, instance in records.every(view, CloudInstance):
        wealth[instance.co] += instance.stake
    blamed = {job.co for _, job in records.every(view, TrainJob) if job.state in ("rejected", "missing")}
    blamed |= {finding.co for _, finding in records.every(view, Finding)}
    names = {person.member: person.name for person in market.everybody.values()}
    return Ending(
        wealth={names[id]: amount for id, amount in wealth.items() if id in names},
        blamed=frozenset(names[id] for id in blamed),
        rounds=market.training.couple.record.turn,
    )


def _summed(name: str, runs: Sequence[Run]) -> Measured:
    times = [run.seconds_to_detection for run in runs if run.seconds_to_detection is not None]
    return Measured(
        attack=name,
        runs=len(runs),
        detected=sum(run.detected for run in runs) / len(runs),
        false_blame=sum(run.false_blame for run in runs),
        honest_loss=sum(run.honest_loss for run in runs),
        rounds_lost=sum(run.rounds_lost for run in runs),
        seconds_to_detection=round(statistics.median(times), 3) if times else None,
    )
