"""The simulation beside what was measured: of the machine that measured, with all operators on its two cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from scaling.consensus import Seen, Setting, simulate
from scaling.consortium import LOTS, Loaded
from scaling.costs import Costs
from scaling.distance import Distant
from scaling.machines import Links
from scaling.measuring import BATCH, LANES, Measured

MEASURED_CORES: Final = 2
"""Of the machine on which everything was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A measurement beside what the simulation says."""

    what: str
    measured: float
    simulated: float

    @property
    def error(self) -> float:
        """Of the simulation, as a part of what was measured."""
        return self.simulated / self.measured - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototype:
    """Networks of an earlier prototype of the engine, measured on two quiet processors: smaller actions, no front."""

    operators: int
    application: float
    """Seconds of one operator's processor for each action; ranges were given, this is their middle."""
    node: float
    low: float
    """Actions a second, of several runs."""
    high: float

    def costs(self) -> Costs:
        """With a signature of 75 µs."""
        return Costs(
            front=0.0,
            follow=0.0,
            signature=75e-6,
            admit=110e-6,
            execute=self.application - 116e-6,
            node=self.node,
            peer=0.0,
            round=0.0,
            block=0.0,
            action_bytes=360.0,
            repeated=0.5,
            hop=0.010,
        )


PROTOTYPES: Final = (
    Prototype(operators=1, application=285e-6, node=290e-6, low=1_550, high=2_680),
    Prototype(operators=4, application=277e-6, node=255e-6, low=790, high=1_010),
)


def hold(runs: Sequence[Measured], costs: Costs, pause: float) -> list[Held]:
    """The simulation of the machine on which was measured, beside what was measured there."""
    held: list[Held] = []
    for run in runs:
        here = _this_machine(run.operators, costs, LANES, pause)
        seen = simulate(here)
        alone = simulate(replace(here, connections=1, lot=1, entries=1))
        name = _called(run.operators)
        held += [
            Held(what=f"{name}: actions a second", measured=run.actions_per_second, simulated=seen.actions_per_second),
            Held(what=f"{name}: p50 ms", measured=run.p50_ms, simulated=seen.p50_ms),
            Held(
                what=f"{name}: processor µs of all for an action",
                measured=_spent(run),
                simulated=_busy(seen, run),
            ),
            *_wire(name, run, seen),
            Held(what=f"{name}: one at a time, p50 ms", measured=run.alone_ms, simulated=alone.p50_ms),
        ]
    return held


def _wire(name: str, run: Measured, seen: Seen) -> list[Held]:
    if run.operators == 1:
        return []
    return [Held(what=f"{name}: bytes one sends, each action", measured=run.wire_bytes, simulated=seen.wire_bytes)]


def _spent(run: Measured) -> float:
    return 1e6 * sum(run.load.processor.values()) / run.load.actions


def _busy(seen: Seen, run: Measured) -> float:
    cores = sum(spent for kind, spent in seen.busy.items() if kind != "client")
    return 1e6 * run.operators * cores / seen.actions_per_second


def hold_loaded(runs: Sequence[Loaded], costs: Costs, pause: float) -> list[Held]:
    """The same for the networks of bench/consortium.py."""
    held: list[Held] = []
    for run in runs:
        seen = simulate(_this_machine(run.operators, costs, LOTS, pause))
        name = f"consortium.json, {_called(run.operators)}"
        held += [
            Held(what=f"{name}: actions a second", measured=run.actions_per_second, simulated=seen.actions_per_second),
            Held(what=f"{name}: p50 ms", measured=run.p50_ms, simulated=seen.p50_ms),
        ]
    return held


def hold_distant(runs: Sequence[Distant], costs: Costs, pause: float) -> list[Held]:
    """One action at a time between operators who are far from each other."""
    held: list[Held] = []
    for run in runs:
        here = _this_machine(run.operators, costs, 1, pause)
        far = replace(here, links=links(run.operators, run.one_way_ms / 1e3, 1e10), lot=1, entries=1)
        what = f"{_called(run.operators)}, {run.one_way_ms:.0f} ms each way: one at a time, p50 ms"
        held.append(Held(what=what, measured=run.alone_ms, simulated=simulate(far).p50_ms))
    return held


def hold_prototypes() -> list[Held]:
    """The same for the middle of what the prototype did."""
    held: list[Held] = []
    for each in PROTOTYPES:
        seen = simulate(_this_machine(each.operators, each.costs(), LANES, 0.1))
        what = f"prototype, {_called(each.operators)}: actions a second ({each.low:,.0f} to {each.high:,.0f})"
        held.append(Held(what=what, measured=(each.low + each.high) / 2, simulated=seen.actions_per_second))
    return held


def links(operators: int, one_way: float, bytes_per_second: float) -> Links:
    """The same between any two."""
    row = [one_way] * operators
    return Links(seconds=[row] * operators, bytes_per_second=bytes_per_second)


def _this_machine(operators: int, costs: Costs, connections: int, pause: float) -> Setting:
    return Setting(
        operators=operators,
        links=links(operators, 0.0001, 1e10),
        costs=costs,
        cores=MEASURED_CORES,
        one_machine=True,
        connections=connections,
        lot=BATCH,
        pause=pause,
    )


def _called(operators: int) -> str:
    return f"{operators} operator{'s' if operators > 1 else ''}"
