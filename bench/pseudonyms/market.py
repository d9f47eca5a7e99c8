"""Everybody together, for some weeks: a recorded ledger, and the truth about who is who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.ports.ledger import Accepted, Block
from freehold.protocol import assets
from pseudonyms import habits
from pseudonyms.cloud import CloudPerson
from pseudonyms.ground import Ground
from pseudonyms.habits import DAY
from pseudonyms.others import WELCOME, Buyer, DataPerson, TreasuryPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What remains of a market: the blocks, what only some people saw, and the truth."""

    blocks: Sequence[Block]
    connections: Sequence[int]
    delivered: Sequence[tuple[int, str]]
    records: dict[str, object]
    owner_of: dict[str, int]
    """Of each cloud owner's member: nobody in the market knows it."""


class Market:
    """All people of one simulated market."""

    def __init__(self, seed: int, size: habits.Size, conduct: habits.Conduct) -> None:
        self.ground = Ground(seed)
        self.size = size
        self.treasury = TreasuryPerson(self.ground)
        self.candidates: list[str] = []
        self.clouds = [CloudPerson(self.ground, number, conduct, size.days) for number in range(size.owners)]
        self._await_members()
        for number in range(size.datasets):
            owner = DataPerson(self)
            at = (1 + 0.75 * size.days * number / size.datasets) * DAY
            self.ground.at(self.ground.start + at, owner.publishes)

    def lives(self) -> None:
        """All its days pass."""
        self.ground.lives(self.ground.start + self.size.days * DAY)

    def recorded(self) -> Recorded:
        """What remains."""
        return Recorded(
            blocks=self.ground.ledger.export(0, 1 << 30),
            connections=self.ground.connections,
            delivered=self.ground.delivered,
            records=dict(self.ground.book.records),
            owner_of={member: cloud.number for cloud in self.clouds for member in cloud.joined},
        )

    def is_published(self, owner: DataPerson) -> None:
        """Buyers come some days later."""
        for _ in range(self.size.trainings):
            buyer = Buyer(self, owner, self.size.rounds)
            owner.soon(buyer.asks, after=4 * DAY)

    def is_news(self) -> None:
        """Every agent follows the ledger and wakes when something happened."""
        for cloud in self.clouds:
            cloud.wakes(self.ground.now + cloud.machine.one_way)

    def _await_members(self) -> None:
        """The treasury looks for new members twice a second, and data owners draw from those nobody has offered to."""
        takes = self.ground.takes

        def noticing(action: bytes, connection: int) -> object:
            answer = takes(action, connection)
            if isinstance(answer, Accepted) and b'"function":"CreateCO"' in action:
                delay = self.ground.chance.uniform(5, 500)
                self.ground.at(self.ground.now + delay, lambda: self._welcomes(answer.id))
            return answer

        self.ground.takes = noticing  # type: ignore[method-assign, assignment]

    def _welcomes(self, member: str) -> None:
        self.treasury.credits(member, WELCOME)
        assert self.ground.find(assets.Member, member) is not None
        self.candidates.append(member)
