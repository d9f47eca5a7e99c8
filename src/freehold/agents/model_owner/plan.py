"""What a model owner does next, from what it knows. Pure: same knowledge, same steps.

An order goes through its life one step at a time, each visible on the ledger:

    register     map and material uploaded, CreateMod
    request      the whole price locked, the draw committed to: RequestTC
    wait         for every data owner's yes; if it does not come in time, EndTC, and the money returns
    round        a base uploaded, StartRound with its digest; then nothing until every ballot is decided, or may be
                 called void
    gather       one accepted copy of every subset's answer, added up, decrypted, written down
    end          when the rounds are spent, when nothing more can be learned, or when something is wrong: the weights
                 are solved and kept, EndTC, and the model file is written

A round that did not complete is asked again under a new number and with fresh randomness; its group stays the
same, and it counts. Answers that are agreed on but never delivered, or that contradict each other, cost one
round, and then this model owner stops: no better answer can come from the same majority.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from freehold.agents.ending import ending
from freehold.agents.loop import Step, Wait
from freehold.agents.model_owner.decisions import Order, Solved
from freehold.agents.reading import AccountSeen, TrainingSeen
from freehold.agents.settling import collecting

_LOOK_FOR_MONEY: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKnown:
    """An order: what was decided, and how far ledger and journal show it."""

    name: str
    order: Order
    uploaded: bool
    registered: bool
    training: TrainingSeen | None
    gathered: frozenset[int]
    """Rounds whose outcome is in the journal."""
    enough: bool
    """Whether further rounds would tell nothing new."""
    stopped: str | None
    """Why this model owner goes no further, if it does not."""
    solved: Solved | None
    ended: bool = False
    """Whether its owner wants it to end now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything a model owner knows."""

    joined: bool
    account: AccountSeen
    grace: int
    orders: tuple[OrderKnown, ...]
    """Those that are not finished."""
    to_end: tuple[TrainingSeen, ...] = ()
    """Overdue trainings of others that are to end."""


@dataclass(frozen=True, slots=True)
class Join:
    """Become a member of the market."""

    def __str__(self) -> str:
        return "joins the market"


@dataclass(frozen=True, slots=True)
class Upload:
    """Put the public parameters where everybody can read them."""

    name: str

    def __str__(self) -> str:
        return f"uploads map and material of {self.name}"


@dataclass(frozen=True, slots=True)
class Register:
    """Register the model."""

    name: str

    def __str__(self) -> str:
        return f"registers the model {self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """Ask for the training and lock its price."""

    name: str

    def __str__(self) -> str:
        return f"requests the training {self.name}"


@dataclass(frozen=True, slots=True)
class Start:
    """Start the next round."""

    name: str
    round: int

    def __str__(self) -> str:
        return f"starts round {self.round} of {self.name}"


@dataclass(frozen=True, slots=True)
class Gather:
    """Fetch the answers of a decided round and add them up."""

    name: str
    round: int

    def __str__(self) -> str:
        return f"gathers the answers of round {self.round} of {self.name}"


@dataclass(frozen=True, slots=True)
class Stop:
    """Go no further."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"stops {self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Solve:
    """Work out the weights and keep them."""

    name: str

    def __str__(self) -> str:
        return f"solves {self.name}"


@dataclass(frozen=True, slots=True)
class End:
    """End the training; what was not spent returns."""

    name: str

    def __str__(self) -> str:
        return f"ends the training {self.name}"


@dataclass(frozen=True, slots=True)
class Finish:
    """Hand the model file over to its owner."""

    name: str

    def __str__(self) -> str:
        return f"has finished {self.name}"


def next_steps(known: Known, now: int) -> Iterator[Step]:
    """The next steps of one model owner."""
    if not known.joined:
        yield Join()
        return
    yield from collecting(known.account, now, patient=False)
    for order in known.orders:
        yield from _order_steps(order, known, now)
    for training in known.to_end:
        yield from ending(training, known.grace, now, party=False)


def _order_steps(order: OrderKnown, known: Known, now: int) -> Iterator[Step]:
    training = order.training
    if training is None:
        yield from _before_request(order, known, now)
        return
    couple = training.couple.record
    if couple.state == "ended":
        if order.solved is not None:
            yield Finish(order.name)
        else:
            # Somebody else may have ended it right after the vote: what was paid for is fetched before solving.
            yield _gathering(order, training, known.grace, now) or Solve(order.name)
    elif couple.state == "requested":
        expired = couple.due + known.grace
        if now > expired or order.ended:
            yield Solve(order.name) if order.solved is None else End(order.name)
        else:
            yield Wait(expired + 1)
    else:
        yield _round_step(order, training, known.grace, now)


def _before_request(order: OrderKnown, known: Known, now: int) -> Iterator[Step]:
    if order.stopped is not None or order.ended:
        yield Finish(order.name) if order.solved is not None else Solve(order.name)
        return
    if not order.uploaded:
        # Whoever is asked must be able to read what it is about: first the objects, then their digests.
        yield Upload(order.name)
    elif not order.registered:
        yield Register(order.name)
    elif known.account.free >= order.order.cost:
        yield Request(order.name)
    else:
        yield Wait(now + _LOOK_FOR_MONEY)


def _round_step(order: OrderKnown, training: TrainingSeen, grace: int, now: int) -> Step:
    """Where an approved training stands: between rounds, in one, or at its end."""
    couple = training.couple.record
    if couple.round > 0 and couple.commit_until is not None and couple.close_until is not None:
        votes = training.of_round(couple.round)
        decided = all(vote.ballot.record.state == "decided" for vote in votes)
        void_from = couple.close_until + grace + 1
        if not decided and now < void_from:
            return Wait(void_from)
        gathering = _gathering(order, training, grace, now)
        if gathering is not None:
            return gathering
    over = couple.round >= couple.rounds or order.enough or order.stopped is not None or order.ended
    if over or now + grace >= couple.due:
        return Solve(order.name) if order.solved is None else End(order.name)
    return Start(order.name, couple.round + 1)


def _gathering(order: OrderKnown, training: TrainingSeen, grace: int, now: int) -> Step | None:
    """Fetches the answers of the last round, if it is decided and they are missing; None otherwise."""
    couple = training.couple.record
    votes = training.of_round(couple.round)
    decided = bool(votes) and all(vote.ballot.record.state == "decided" for vote in votes)
    if not decided or couple.round in order.gathered or order.stopped is not None:
        return None
    if couple.close_until is None or couple.commit_until is None:
        return None
    # Who is paid delivers at once; as long as the whole close window again is more than patient.
    if now > 2 * couple.close_until - couple.commit_until + grace:
        return Stop(order.name, "the agreed answers were not delivered")
    return Gather(order.name, couple.round)
