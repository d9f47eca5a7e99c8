"""Operators who decide blocks together, simulated with what an action costs: how many a second, how long each takes.

Members send lots to the operators' nodes and wait for the outcome. A node's front takes a lot, its application admits
it, and the node hands it to every other node, where it is admitted too. The proposer of a height offers what waits with
it; the others check it, vote twice, and execute it once more than two thirds have voted both times, as CometBFT does.
After a decision everybody tells the others, and waits for the pause before the next height. A proposal goes to whoever
has told that it is there. A block that changed the state is followed by another at once, empty if nothing waits, in
which the validators sign the new state: somebody who acts alone and far away waits for both.

Left out: proposers that fail, lines that lose packets, and that nodes hand on parts of a proposal (here the proposer
sends it to everybody itself, so large blocks on thin lines come out slower than they are).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from scaling.costs import VOTE_BYTES, Costs
from scaling.machines import Clock, Links, Machine, Uplink

BLOCK_ACTIONS: Final = 512
"""As `freehold.ledger.blocks.ACTIONS_LARGEST`."""
_WARM: Final = 0.25
"""Of the time, before anything is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A network and its load."""

    operators: int
    links: Links
    costs: Costs
    cores: int = 4
    """Of each operator's machine."""
    one_machine: bool = False
    """Whether all operators, and the members, share one machine's cores, as where it was measured."""
    entries: int = 0
    """Nodes to which members send; 0 for all."""
    connections: int = 16
    """Of all members, each with one lot on its way."""
    lot: int = 50
    seconds: float = 10.0
    pause: float = 0.03
    block_bytes: int = 2 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What members and operators see."""

    actions_per_second: float
    p50_ms: float
    p99_ms: float
    block: float
    """Actions of a block on average."""
    wire_bytes: float
    """Sent by an operator for each action."""
    busy: dict[str, float]
    """Cores in use by each kind of process of one operator."""


@dataclass(eq=False, slots=True)
class _Lot:
    home: int
    began: float


Block = tuple[_Lot, ...]


@dataclass(eq=False, slots=True)
class _Validator:
    number: int
    machine: Machine
    line: Uplink
    height: int = 0
    """That it works on; 0 during the pause."""
    waits: dict[_Lot, None] = field(default_factory=dict)
    blocks: dict[int, Block] = field(default_factory=dict)
    votes: Counter[tuple[int, int]] = field(default_factory=Counter)
    done: set[tuple[int, str]] = field(default_factory=set)
    """What it did at a height, each thing once."""
    changed: bool = False
    """Whether the block before changed the state."""
    known: dict[int, int] = field(default_factory=dict)
    """Up to which height each other has told that it has come."""
    offers: dict[int, partial[None]] = field(default_factory=dict)
    """Proposals that wait until the other has told."""

    def first(self, what: str) -> bool:
        """Whether it has not done this at its height; from now on it has."""
        before = len(self.done)
        self.done.add((self.height, what))
        return len(self.done) > before


def simulate(setting: Setting) -> Seen:
    """Lets the network run."""
    return _Network(setting).run()


class _Network:
    def __init__(self, setting: Setting) -> None:
        self._setting, self._costs, self._clock = setting, setting.costs, Clock()
        shared = Machine(self._clock, setting.cores)
        self._validators = [
            _Validator(
                number=number,
                machine=shared if setting.one_machine else Machine(self._clock, setting.cores),
                line=Uplink(self._clock, setting.links, number),
            )
            for number in range(setting.operators)
        ]
        self._quorum = 2 * setting.operators // 3 + 1
        self._answered: list[tuple[float, float]] = []
        self._blocks: deque[int] = deque()

    def run(self) -> Seen:
        entries = self._setting.entries or self._setting.operators
        for validator in self._validators:
            self._enter(validator, 1)
        for connection in range(self._setting.connections):
            home = connection % entries
            # Members do not all begin at the same moment.
            self._clock.after(0.1 * connection / self._setting.connections, partial(self._send, home))
        self._clock.run(self._setting.seconds)
        return self._seen()

    def _send(self, home: int) -> None:
        lot, some = _Lot(home, self._clock.now), self._setting.lot
        validator = self._validators[home]
        if self._setting.one_machine:
            validator.machine.work("client", some * self._costs.client, lambda: None)
        take = partial(self._admit, validator, lot)
        validator.machine.work("front", some * self._costs.front, take, thread=("front", home))

    def _admit(self, at: _Validator, lot: _Lot) -> None:
        """The node takes a lot, and its application says that it may wait."""
        some, peers = self._setting.lot, self._setting.operators - 1
        thread = ("application", at.number)
        waits = partial(self._waits, at, lot)
        checked = partial(at.machine.work, "application", some * self._costs.admit, waits, thread=thread)
        at.machine.work("node", some * (self._costs.node + peers * self._costs.peer), checked)

    def _waits(self, at: _Validator, lot: _Lot) -> None:
        at.waits[lot] = None
        size = self._setting.lot * self._costs.action_bytes
        for other in self._validators:
            if other is at or other.number == lot.home:
                continue
            if at.number == lot.home:
                self._tell(at, other, size, partial(self._admit, other, lot))
            else:
                # Whoever has it already is sent it too, unless it was quicker.
                at.line.send(other.number, size * self._costs.repeated, lambda: None)
        self._propose(at)

    def _tell(self, sender: _Validator, to: _Validator, size: float, then: partial[None]) -> None:
        sender.line.send(to.number, size, partial(self._clock.after, self._costs.hop, then))

    def _enter(self, at: _Validator, height: int) -> None:
        at.height = height
        self._propose(at)
        self._go_on(at)

    def _propose(self, at: _Validator) -> None:
        if not at.height or at.height % len(self._validators) != at.number or not (at.waits or at.changed):
            return
        if not at.first("propose"):
            return
        most = min(BLOCK_ACTIONS, self._setting.block_bytes // int(self._costs.action_bytes)) // self._setting.lot
        block = tuple(list(at.waits)[: max(1, most)])
        spent = len(block) * self._setting.lot * self._costs.check
        offered = partial(self._offer, at, at.height, block)
        at.machine.work("application", spent, offered, thread=("application", at.number))

    def _offer(self, at: _Validator, height: int, block: Block) -> None:
        if block:
            self._blocks.append(len(block) * self._setting.lot)
        size = VOTE_BYTES + len(block) * self._setting.lot * self._costs.action_bytes
        for other in self._validators:
            if other is not at:
                offer = partial(self._tell, at, other, size, partial(self._check, other, height, block))
                if at.known.get(other.number, 1) >= height:
                    offer()
                else:
                    at.offers[other.number] = offer
        self._has(at, height, block)

    def _learns(self, at: _Validator, other: int, height: int) -> None:
        at.known[other] = height
        if (offer := at.offers.pop(other, None)) is not None:
            offer()

    def _check(self, at: _Validator, height: int, block: Block) -> None:
        spent = len(block) * self._setting.lot * self._costs.check
        has = partial(self._has, at, height, block)
        at.machine.work("application", spent, has, thread=("application", at.number))

    def _has(self, at: _Validator, height: int, block: Block) -> None:
        at.blocks[height] = block
        self._go_on(at)

    def _go_on(self, at: _Validator) -> None:
        """Whatever this validator can do at its height by now."""
        height = at.height
        if not height or height not in at.blocks:
            return
        if at.first("prevote"):
            self._vote(at, height, 1)
        if at.votes[height, 1] >= self._quorum and at.first("precommit"):
            self._vote(at, height, 2)
        if at.votes[height, 2] >= self._quorum and at.first("decide"):
            self._decide(at, height)

    def _vote(self, at: _Validator, height: int, step: int) -> None:
        def signed() -> None:
            for other in self._validators:
                if other is not at:
                    self._tell(at, other, VOTE_BYTES, partial(self._hears, other, height, step))
            at.votes[height, step] += 1
            self._go_on(at)

        # What it signs is on disk before anybody sees it.
        self._clock.after(self._costs.sync, partial(at.machine.work, "node", self._costs.vote, signed))

    def _hears(self, at: _Validator, height: int, step: int) -> None:
        def counted() -> None:
            at.votes[height, step] += 1
            self._go_on(at)

        at.machine.work("node", self._costs.vote, counted)

    def _decide(self, at: _Validator, height: int) -> None:
        """Executes the block, makes it durable, answers those who sent to this node, and goes on after the pause."""
        block, decided = at.blocks[height], self._clock.now
        spent = self._costs.block + len(block) * self._setting.lot * self._costs.execute

        def durable() -> None:
            follows = len(block) * self._setting.lot * self._costs.follow
            at.machine.work("front", follows, answered, thread=("front", at.number))
            for lot in block:
                at.waits.pop(lot, None)
            at.blocks.pop(height)
            at.height, at.changed = 0, bool(block)
            for other in self._validators:
                if other is not at:
                    self._tell(at, other, VOTE_BYTES, partial(self._learns, other, at.number, height + 1))
            left = max(0.0, decided + self._setting.pause - self._clock.now)
            self._clock.after(left, partial(self._enter, at, height + 1))

        def answered() -> None:
            for lot in block:
                if lot.home == at.number:
                    self._answered.append((self._clock.now, self._clock.now - lot.began))
                    self._send(lot.home)

        executed = partial(self._clock.after, 2 * self._costs.sync, durable)
        at.machine.work("application", spent, executed, thread=("application", at.number))

    def _seen(self) -> Seen:
        setting = self._setting
        began = _WARM * setting.seconds
        spent = sorted(took for when, took in self._answered if when >= began)
        actions = setting.lot * len(self._answered)
        machine = self._validators[0].machine
        share = setting.operators if setting.one_machine else 1
        return Seen(
            actions_per_second=setting.lot * len(spent) / (setting.seconds - began),
            p50_ms=1e3 * spent[len(spent) // 2] if spent else float("inf"),
            p99_ms=1e3 * spent[len(spent) * 99 // 100] if spent else float("inf"),
            block=sum(self._blocks) / max(1, len(self._blocks)),
            wire_bytes=sum(each.line.sent for each in self._validators) / setting.operators / max(1, actions),
            busy={kind: seconds / setting.seconds / share for kind, seconds in sorted(machine.spent.items())},
        )
