"""What bench/consortium.py has measured, with the actions of whole trainings: it comes first where it is there.

It knows what an action costs the processors of networks of one, four and seven validators, and how many are decided. It
does not know what a block costs, what waits, or what goes over the wire: that stays as `measuring` found it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from scaling.costs import Costs, line

SIZES: Final = (1, 4, 7)
LOTS: Final = 20
"""On their way at once, of 50 actions each (bench/consortia/speed.py)."""
_IN_BLOCK: Final = 400
"""Actions of a block under such a load, about: what a block costs is small beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One network under load, in lots of 50."""

    operators: int
    actions_per_second: float
    p50_ms: float
    application: float
    """Seconds of processor time of one operator for each action."""
    node: float


def read(path: Path) -> list[Loaded]:
    """What the results hold; nothing if they are not there, or were measured in a hurry."""
    if not path.exists():
        return []
    found: Mapping[str, Any] = json.loads(path.read_bytes())
    if found.get("quick"):
        return []
    lots = {size: (found.get(f"cometbft_{size}") or {}).get("lots") for size in SIZES}
    return [
        Loaded(
            operators=size,
            actions_per_second=some["tps"],
            p50_ms=some["latency_ms"]["p50"],
            application=1e-3 * some["cpu_ms_per_action"]["application"] / size,
            node=1e-3 * some["cpu_ms_per_action"]["node"] / size,
        )
        for size, some in lots.items()
        if some
    ]


def adopted(costs: Costs, runs: list[Loaded]) -> Costs:
    """The same costs with the processors' time of these runs; unchanged unless two sizes were measured at least."""
    if len(runs) < 2:
        return costs
    application = sum(run.application for run in runs) / len(runs) - costs.block / _IN_BLOCK
    nodes = [run.node - run.operators * costs.round / _IN_BLOCK for run in runs]
    node, peer = line([run.operators - 1 for run in runs], nodes)
    execute = application - costs.admit - 2 * costs.check
    return replace(costs, execute=max(execute, 0.0), node=node, peer=peer)
