"""A referee who works out what an honest replica would have answered, and says so once of every ballot in question."""

from __future__ import annotations

from freehold.agents.loop import Turn
from freehold.errors import FreeholdError
from freehold.protocol.actions import ReportFraud
from tests.simulation.people import Person


class Referee:
    """Rules on every ballot of which it knows the true answer: the witness saw honest replicas compute it."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def step(self, now: int) -> Turn:
        """One turn."""
        town = self._person.town
        for id, ballot in list(town.witness.whole.ballots.items()):
            truth = town.witness.truth.get(id)
            if truth is None or ballot.ruling is not None or not self._is_time(ballot.state, ballot.close_until, now):
                continue
            if now > ballot.close_until + 4 * 2_000:
                continue
            if town.chance.random() < 0.5:
                try:
                    self._person.signer.send(self._person.world, ReportFraud(ballot=id, ruling=truth))
                except FreeholdError as trouble:
                    town.log("referee", f"cannot rule: {trouble}")
        return Turn(acted=False, look_again=now + 1_000)

    def _is_time(self, state: str, close_until: int, now: int) -> bool:
        return state != "open" or now > close_until + self._person.town.network.grace
