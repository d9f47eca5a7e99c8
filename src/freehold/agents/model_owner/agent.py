"""The model owner's agent: its knowledge, one act for each step of its plan, and what a person asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from freehold.agents.agreements import Agreements
from freehold.agents.ending import EndedTraining, EndTraining
from freehold.agents.journal import Journal
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Pace, Step, Tell, Turn, tell_nobody, turn
from freehold.agents.model_owner.decisions import Order, Outcome, Solved
from freehold.agents.model_owner.plan import (
    End,
    Finish,
    Gather,
    Join,
    Known,
    OrderKnown,
    Register,
    Request,
    Solve,
    Start,
    Stop,
    Upload,
    next_steps,
)
from freehold.agents.model_owner.quoting import Quote, Wish, quote
from freehold.agents.model_owner.rounds import Rounds
from freehold.agents.private_files import private_folder, write_private
from freehold.agents.reading import NO_ACCOUNT, Reader, TrainingSeen
from freehold.agents.settling import CollectPayouts
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Invalid, Refused, Unavailable
from freehold.learning.model import make_model
from freehold.learning.model_file import LARGEST_MODEL, encode_model
from freehold.protocol import commitments
from freehold.protocol.actions import Arguments, Collect, CreateMO, CreateMod, EndTC, RequestTC, StartRound
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import (
    CoupleId,
    Digest,
    ModelType,
    Nonce,
    Secret,
    StoreName,
    couple_id,
    model_id,
)
from freehold.protocol.network import NetworkRecord, network_id

_RANDOM_BYTES: Final = 32
_NEVER: Final = frozenset({"withdrawn", "state", "unknown", "limit", "not-admitted", "malformed"})
"""Refusals of a request that waiting cannot mend."""

Phase = Literal["waiting-for-funds", "requesting", "waiting-for-approval", "training", "ending", "finished", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an order stands."""

    name: str
    phase: Phase
    couple: CoupleId
    cost: int
    training: TrainingSeen | None
    model: Path | None
    """The model file, once there is one."""
    reason: str
    """Why it ended early or failed, if it did."""


class ModelOwner:
    """Buys trainings: encrypts, pays, and gets the trained model."""

    def __init__(
        self,
        *,
        network: NetworkRecord,
        keys: MemberKeys,
        world: World,
        journal: Journal,
        models: Path,
        tell: Tell = tell_nobody,
    ) -> None:
        """`models` is the private folder that model files are written to, as NAME.freehold."""
        identity = network_id(network)
        self._network = network
        self._signer = Signer(network=identity, member=keys.id_in("mo", identity), keys=keys)
        self._world = world
        self._journal = journal
        self._models = models
        self._tell = tell
        self._reader = Reader(world.ledger)
        self._agreements = Agreements(world, self._reader)
        self._pace = Pace()
        self._rounds: dict[str, Rounds] = {}
        self._enough: dict[str, tuple[int, bool]] = {}
        self._on_ledger = False

    @property
    def member(self) -> str:
        """This model owner's id."""
        return self._signer.member

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, self._tell)

    def quote(self, wish: Wish) -> Quote:
        """What a training would cost and tell; sends nothing."""
        return quote(self._reader, self._agreements, self._signer.keys.sealing_key, wish)

    def train(self, name: str, wish: Wish, *, max_cost: int) -> Order:
        """Decides an order under a name; the turns that follow carry it out. The same name again goes on with it.

        Raises Refused or Invalid if the wish cannot be, costs more, or the name already stands for something else.
        """
        known = self._journal.decided(Order, name)
        if known is not None:
            _require_same(name, known, wish)
            return known
        quoted = self.quote(wish)
        if quoted.cost > max_cost:
            raise Refused(
                "no-funds",
                f"This training costs at most {quoted.cost} micro-credits, you allow {max_cost}.",
                next="allow more, or ask for fewer rounds",
                now="nothing was sent",
            )
        return self._journal.decide(Order, name, lambda: self._new_order(quoted))

    def end(self, couple: CoupleId) -> None:
        """Decides that a training ends: an own one as soon as its round is over, another's once it is overdue.

        The turns that follow carry it out; what an own one has learned by then becomes its model.
        """
        self._journal.decide(EndedTraining, couple, EndedTraining)

    def orders(self) -> dict[str, Order]:
        """Every order by its name."""
        return self._journal.all_decided(Order)

    def progress(self, name: str) -> Progress:
        """Where the order `name` stands; Invalid if there is none."""
        order = self._journal.decided(Order, name)
        if order is None:
            raise Invalid(f"There is no training called {name[:40]!r} here.", next="freehold status")
        training = self._reader.training(order.couple)
        solved = self._journal.decided(Solved, name)
        finished = self._journal.noted("finished", name) is not None
        stopped = self._journal.noted("stopped", name) or ""
        has_model = solved is not None and solved.file is not None
        return Progress(
            name=name,
            phase=_phase(training, finished, has_model, self._can_pay(order)),
            couple=order.couple,
            cost=order.cost,
            training=training,
            model=self._model_path(name) if finished and has_model else None,
            reason=solved.reason if solved is not None else stopped,
        )

    def look(self) -> Known:
        """What ledger and journal say now."""
        self._on_ledger = self._on_ledger or self._reader.member(self._signer.member) is not None
        return Known(
            joined=self._on_ledger,
            account=self._reader.account(self._signer.member) if self._on_ledger else NO_ACCOUNT,
            grace=self._network.grace,
            orders=tuple(
                self._look_at(name, order)
                for name, order in self.orders().items()
                if self._journal.noted("finished", name) is None
            ),
            to_end=tuple(self._others_to_end()) if self._on_ledger else (),
        )

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """The plan."""
        return next_steps(known, now)

    def act(self, step: Step, known: Known) -> None:
        """Performs one step."""
        match step:
            case Join():
                self._join()
            case CollectPayouts(payouts):
                self._send(Collect(payouts=payouts))
            case Upload(name):
                self._upload(name, self._order(known, name).order)
            case Register(name):
                self._register(self._order(known, name).order)
            case Request(name):
                self._request(name, self._order(known, name).order)
            case Start(name, round):
                self._start(self._order(known, name), round)
            case Gather(name, round):
                self._gather(self._order(known, name), round)
            case Stop(name, why):
                self._journal.note("stopped", name, why)
            case Solve(name):
                self._solve(self._order(known, name))
            case EndTraining(couple):
                self._send(EndTC(couple=couple))
            case End(name):
                self._end(self._order(known, name))
            case Finish(name):
                self._finish(self._order(known, name))
            case _:
                raise Broken(f"A model owner knows no step {step}.")

    def _look_at(self, name: str, order: Order) -> OrderKnown:
        training = self._reader.training(order.couple)
        own = f"{order.couple}/"
        gathered = {
            subject.removeprefix(own) for subject in self._journal.all_decided(Outcome) if subject.startswith(own)
        }
        return OrderKnown(
            name=name,
            order=order,
            uploaded=self._journal.noted("uploaded", name) is not None,
            registered=training is not None or self._reader.model(order.model) is not None,
            training=training,
            gathered=frozenset(int(round) for round in gathered),
            enough=bool(gathered) and training is not None and self._has_enough(name, order, training, len(gathered)),
            stopped=self._journal.noted("stopped", name),
            solved=self._journal.decided(Solved, name),
            ended=self._journal.decided(EndedTraining, order.couple) is not None,
        )

    def _others_to_end(self) -> Iterator[TrainingSeen]:
        own = {order.couple for order in self.orders().values()}
        for couple in self._journal.all_decided(EndedTraining):
            seen = None if couple in own else self._reader.training(couple)
            if seen is not None and seen.couple.record.state != "ended":
                yield seen

    def _has_enough(self, name: str, order: Order, training: TrainingSeen, gathered: int) -> bool:
        """Whether further rounds would tell nothing; worked out once for each number of rounds."""
        known = self._enough.get(name)
        if known is None or known[0] != gathered:
            self._enough[name] = known = (gathered, self._rounds_of(name, order, training).enough())
        return known[1]

    def _rounds_of(self, name: str, order: Order, training: TrainingSeen) -> Rounds:
        """The rounds of an approved order; made once, from ledger and journal."""
        if name not in self._rounds:
            self._rounds[name] = Rounds(
                self._world, self._journal, self._signer, self._agreements, order, training.couple
            )
        return self._rounds[name]

    def _order(self, known: Known, name: str) -> OrderKnown:
        return next(order for order in known.orders if order.name == name)

    def _send(self, arguments: Arguments) -> None:
        self._signer.send(self._world, arguments)

    def _join(self) -> None:
        keys = self._signer.keys
        self._send(CreateMO(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key))

    def _new_order(self, quoted: Quote) -> Order:
        model_nonce, couple_nonce = self._nonce(), self._nonce()
        network, member = self._signer.network, self._signer.member
        return Order(
            model=model_id(network, member, model_nonce),
            couple=couple_id(network, member, couple_nonce),
            model_nonce=model_nonce,
            couple_nonce=couple_nonce,
            claim_nonce=self._nonce(),
            final_nonce=self._nonce(),
            secret=Secret(self._nonce()),
            key_seed=self._world.random(_RANDOM_BYTES),
            datasets=quoted.wish.datasets,
            method=quoted.wish.method,
            map=quoted.map,
            material=quoted.material,
            rounds=quoted.wish.rounds,
            store=StoreName(quoted.store),
            cost=quoted.cost,
        )

    def _upload(self, name: str, order: Order) -> None:
        for data in (order.map, order.material):
            self._world.store(order.store).put(sha256(data).hex(), data)
        self._journal.note("uploaded", name, order.store)

    def _register(self, order: Order) -> None:
        claimed = Digest(sha256(order.map + order.material).hex())
        self._send(
            CreateMod(
                nonce=order.model_nonce,
                type=ModelType(order.method.rpartition("-")[0]),
                method=order.method,
                map=Digest(sha256(order.map).hex()),
                material=Digest(sha256(order.material).hex()),
                hash=commitments.claim(order.model, self._signer.member, order.claim_nonce, claimed),
                store=order.store,
            )
        )

    def _request(self, name: str, order: Order) -> None:
        commitment = commitments.draw(order.couple, self._signer.member, order.secret)
        try:
            self._send(
                RequestTC(
                    nonce=order.couple_nonce,
                    model=order.model,
                    datasets=order.datasets,
                    rounds=order.rounds,
                    draw_commitment=commitment,
                )
            )
        except Refused as refused:
            if refused.code in _NEVER:
                self._journal.note("stopped", name, f"the request was refused: {refused.code}")
            raise

    def _start(self, known: OrderKnown, round: int) -> None:
        """Uploads the base of the next attempt and starts it."""
        training = _required(known)
        couple = training.couple.record
        rounds = self._rounds_of(known.name, known.order, training)
        if self._journal.noted("prepared", known.name) is None:
            rounds.upload_public()
            self._journal.note("prepared", known.name, "")
        base = rounds.base(round, _next_turn(training))
        secret = known.order.secret if couple.round == 0 else None
        try:
            self._send(StartRound(couple=known.order.couple, round=round, base=base, secret=secret))
        except Refused as refused:
            if refused.code == "withdrawn":
                self._journal.note("stopped", known.name, "a dataset was withdrawn")
            if refused.code == "replica-missing":
                # Its data owner is looking for another cloud owner; until the training is due there is time.
                raise Unavailable("A subset has too few replicas at the moment.", retry_after=0.25) from None
            raise

    def _gather(self, known: OrderKnown, round: int) -> None:
        training = _required(known)
        try:
            self._rounds_of(known.name, known.order, training).gather(training, round)
        except Invalid as reason:
            self._journal.note("stopped", known.name, reason.what)

    def _solve(self, known: OrderKnown) -> None:
        """Works out the weights from what was gathered, keeps the model file, and decides that this is the result."""
        training, stopped = known.training, known.stopped or ""
        if training is None or not known.gathered:
            reason = stopped or _why_nothing(training)
            self._journal.decide(Solved, known.name, lambda: Solved(file=None, turns=0, reason=reason))
            return
        rounds = self._rounds_of(known.name, known.order, training)
        solution = rounds.solve()
        if solution is None:
            reason = stopped or "not every group of subsets has answered"
            self._journal.decide(Solved, known.name, lambda: Solved(file=None, turns=0, reason=reason))
            return
        data = encode_model(
            make_model(
                rounds.agreement.cards,
                rounds.agreement.feature_map,
                solution,
                rounds=rounds.turns(),
                training=known.order.couple,
            )
        )
        digest = Digest(sha256(data).hex())
        self._world.kept.put(digest, data)
        turns = rounds.turns()
        self._journal.decide(Solved, known.name, lambda: Solved(file=digest, turns=turns, reason=stopped))

    def _end(self, known: OrderKnown) -> None:
        """Ends the training, with a claim to the result that only its owner can ever open."""
        file = known.solved.file if known.solved is not None else None
        order = known.order
        final = None if file is None else commitments.claim(order.couple, self._signer.member, order.final_nonce, file)
        self._send(EndTC(couple=order.couple, final=final))

    def _finish(self, known: OrderKnown) -> None:
        """Writes the model file where its owner finds it, if there is one."""
        if known.solved is not None and known.solved.file is not None:
            private_folder(self._models)
            data = self._world.kept.get(known.solved.file, largest=LARGEST_MODEL)
            write_private(self._model_path(known.name), data)
        self._journal.note("finished", known.name, "")

    def _model_path(self, name: str) -> Path:
        return self._models / f"{name}.freehold"

    def _can_pay(self, order: Order) -> bool:
        joined = self._reader.member(self._signer.member) is not None
        return joined and self._reader.account(self._signer.member).free >= order.cost

    def _nonce(self) -> Nonce:
        return Nonce(self._world.random(_RANDOM_BYTES).hex())


def _required(known: OrderKnown) -> TrainingSeen:
    if known.training is None:
        raise Broken(f"The training of {known.name} is not on the ledger.")
    return known.training


def _next_turn(training: TrainingSeen) -> int:
    """The turn of the next attempt: StartRound counts the running round first, if it is complete."""
    couple = training.couple.record
    votes = training.of_round(couple.round)
    complete = bool(votes) and all(vote.ballot.record.state == "decided" for vote in votes)
    return couple.turn + complete


def _why_nothing(training: TrainingSeen | None) -> str:
    if training is None or training.couple.record.round == 0:
        return "it was not approved"
    return "no round was complete"


def _require_same(name: str, known: Order, wish: Wish) -> None:
    """A name stands for one purchase: asking again for the same continues it, anything else needs a new name."""
    same = (known.datasets, known.method, known.rounds) == (wish.datasets, wish.method, wish.rounds)
    if not same:
        raise Invalid(
            f"{name} is already the name of another training.",
            why="the same name never buys twice",
            next="choose a new name",
            now="nothing was sent",
        )


def _phase(training: TrainingSeen | None, finished: bool, has_model: bool, can_pay: bool) -> Phase:
    if finished:
        return "finished" if has_model else "failed"
    if training is None:
        return "requesting" if can_pay else "waiting-for-funds"
    state = training.couple.record.state
    if state == "requested":
        return "waiting-for-approval"
    return "ending" if state == "ended" else "training"
