"""Model owners that cheat, and what their store shows to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from freehold.agents.model_owner import ModelOwner, Quote, Wish
from freehold.agents.model_owner.plan import OrderKnown
from freehold.agents.reading import Reader
from freehold.bench.market import Market
from freehold.bench.people import model_owner
from freehold.errors import Broken, Unavailable
from freehold.learning.card import LARGEST_CARD, Card
from freehold.learning.maps import map_description
from freehold.objects.folder import FolderStore
from freehold.protocol.actions import StartRound
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Digest

HUGE_MAP: Final = "rff-1000"
_LARGEST_RESULT: Final = 1 << 26


def buyer_runs(market: Market, kind: type[Malforming]) -> None:
    """The buyer runs another program from now on."""
    person = market.people["buyer"]
    agent = model_owner(person, kind)
    agent.market = market
    person.becomes(agent)


def hides_base(market: Market, victims: list[str]) -> None:
    """The buyer's store shows these people no base in round 1."""

    def shows(name: str, largest: int, data: bytes) -> bytes:
        if _is_first_base(market, name):
            market.acts()
            raise Unavailable(f"there is no object {name}")
        return data

    market.cheats("buyer")
    for victim in victims:
        market.people[victim].shelf.shows = shows


def swaps_base(market: Market, victim: str) -> None:
    """The buyer's store serves one person other bytes under the name of the base of round 1."""
    folder = market.folder / "other-objects"

    def shows(name: str, largest: int, data: bytes) -> bytes:
        if not _is_first_base(market, name):
            return data
        market.acts()
        other = FolderStore(folder)
        (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return other.get(name, largest=largest)

    market.cheats("buyer")
    market.people[victim].shelf.shows = shows


def _is_first_base(market: Market, name: str) -> bool:
    couple = market.training.couple.record
    return couple.round == 1 and couple.base == name


class Malforming(ModelOwner):
    """Starts its first round with a base whose numbers are no residues."""

    market: Market

    def _start(self, known: OrderKnown, round: int) -> None:
        if round > 1 or known.training is None:
            super()._start(known, round)
            return
        rounds = self._rounds_of(known.name, known.order, known.training)
        rounds.upload_public()
        self._journal.note("prepared", known.name, "")
        store = self._world.store(known.order.store)
        right = store.get(rounds.base(1, 0), largest=_LARGEST_RESULT)
        wrong = right[:-8] + b"\xff" * 8
        digest = Digest(sha256(wrong).hex())
        store.put(digest, wrong)
        self.market.acts()
        self._send(StartRound(couple=known.order.couple, round=1, base=digest, secret=known.order.secret))


class Exhausting(ModelOwner):
    """Asks for a training with a thousand random features, whatever its own tool says of that."""

    def quote(self, wish: Wish) -> Quote:
        """The price of a small training, and the map of a huge one."""
        (seen,) = (Reader(self._world.ledger).dataset(dataset) for dataset in wish.datasets)
        if seen is None:
            raise Broken("There is no dataset to ask for.")
        store = self._world.store(seen.dataset.record.terms.store)
        card = Card.parse(store.get(seen.dataset.record.card_digest, largest=LARGEST_CARD))
        return replace(super().quote(wish), map=map_description([card], HUGE_MAP))
