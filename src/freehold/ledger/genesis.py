"""Which network a machine speaks for: read from its genesis, so that an engine needs to be told nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.errors import Invalid
from freehold.ports.machine import Machine

_KEY = "network/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The state before the first action and the network that it names."""

    network_id: str
    network: bytes
    """The canonical network record."""
    records: Mapping[str, bytes]


def genesis_of(machine: Machine) -> Genesis:
    """The machine's genesis; Invalid unless it names exactly one network."""
    records = machine.genesis()
    named = [key for key in records if key.startswith(_KEY)]
    if len(named) != 1:
        raise Invalid(f"a genesis names one network, this one {len(named)}")
    return Genesis(network_id=named[0].removeprefix(_KEY), network=records[named[0]], records=records)
