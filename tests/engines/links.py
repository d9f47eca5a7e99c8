"""Every link between operators: one proxy for each way from one to another, so that any of them can be spoiled.

Two nodes keep one connection between them, whoever of them dialled it. So whatever happens to a link happens to both
ways, and delays are those of one way: there and back takes twice as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import TypeAlias

from tests.engines.cometbft import free_ports
from tests.engines.toxiproxy import Toxiproxy

Way: TypeAlias = Callable[[int, int], str]
"""The address by which one operator's node reaches another's."""


class Links:
    """The links of some operators."""

    def __init__(self, server: Toxiproxy) -> None:
        self._server = server
        self._operators: Sequence[int] = ()

    def between(self, listening: Sequence[str]) -> Way:
        """Makes the proxies to nodes that listen there; says by which address one reaches another."""
        self._operators = range(len(listening))
        pairs = list(permutations(self._operators, 2))
        addresses = {pair: f"127.0.0.1:{port}" for pair, port in zip(pairs, free_ports(len(pairs)), strict=True)}
        self._server.add({_name(*pair): (addresses[pair], listening[pair[1]]) for pair in pairs})
        return lambda own, other: addresses[own, other]

    def delay(self, milliseconds: int) -> None:
        """Delays everything by so much each way, give or take a tenth."""
        if milliseconds:
            attributes = {"latency": milliseconds, "jitter": milliseconds // 10}
            self._server.poison(self._all(), "latency", attributes)

    def narrow(self, kilobytes: int) -> None:
        """Lets so many kilobytes a second through each link."""
        self._server.poison(self._all(), "bandwidth", {"rate": kilobytes})

    def part(self, *sides: Sequence[int]) -> None:
        """Cuts every link between operators of different sides."""
        self._server.cut(self._crossing(sides))

    def swallow(self, *sides: Sequence[int]) -> None:
        """Leaves every connection between the sides open, and lets nothing through."""
        self._server.poison(self._crossing(sides), "timeout", {"timeout": 0})

    def heal(self) -> None:
        """All is well again."""
        self._server.heal()

    def _all(self) -> list[str]:
        return [_name(*pair) for pair in permutations(self._operators, 2)]

    def _crossing(self, sides: Sequence[Sequence[int]]) -> list[str]:
        side = {operator: number for number, some in enumerate(sides) for operator in some}
        return [_name(*pair) for pair in permutations(side, 2) if side[pair[0]] != side[pair[1]]]


def _name(own: int, other: int) -> str:
    return f"from{own}to{other}"
