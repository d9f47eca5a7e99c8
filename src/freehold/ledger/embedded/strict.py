"""The same engine made unpleasant on purpose, so that tests meet on one machine what other ledgers do to members.

Inside a block each action sees only the state before the block, as on a ledger that executes first and orders later.
What it read is remembered, and if an action before it in the same block wrote any of that, it conflicts: it is not
recorded and its sender is told to try again. Some conflicts are invented. Each action is executed twice, the second
time on nothing but what the first was seen to read, and the two must agree: rules that look at a clock, at chance, or
at something that they did not read are caught here (Broken).

Members meet more: an outcome that stays unknown (the action may be recorded or not), and events that come again.
Everything follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import Broken, FreeholdError, Unavailable
from freehold.ledger.embedded.execution import Outcome, execute
from freehold.ledger.embedded.executor import Clock
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.state import State
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.ports.machine import Executed, Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    """How unpleasant: chances between 0 and 1, and the seed from which all of it follows."""

    seed: int
    conflicts: float = 0.1
    """An action is said to conflict with another that nobody ever saw."""
    unknown: float = 0.1
    """An answer is lost: in half of the cases the action never arrived, in the others it is recorded."""
    repeats: float = 0.2
    """A page of events begins with some that were already given."""


def open_strict(path: Path, machine: Machine, operator_seed: bytes, clock: Clock, strict: Strict) -> StrictLedger:
    """Opens the ledger in the file at `path` in strict mode; raises what `EmbeddedLedger.open` raises."""
    execution = SnapshotExecution(random.Random(strict.seed), strict.conflicts)  # noqa: S311 - repeatable, not secret
    engine = EmbeddedLedger.open(path, machine, operator_seed, clock, execution=execution)
    return StrictLedger(engine, strict)


class SnapshotExecution:
    """Runs each action of a block on the state before the block; see `embedded.execution.Execution`."""

    def __init__(self, chance: random.Random, conflicts: float) -> None:
        self._chance = chance
        self._conflicts = conflicts

    def __call__(self, machine: Machine, state: State, actions: Sequence[bytes], time: int) -> list[Outcome]:
        """Runs the actions; one that read what another of the same block wrote is left out."""
        written: set[str] = set()
        outcomes: list[Outcome] = []
        for action in actions:
            seen: dict[str, bytes | None] = {}
            outcome = _twice(machine, state, action, time, seen)
            # A refusal conflicts as well: what it rests on may have changed.
            if not written.isdisjoint(seen) or self._chance.random() < self._conflicts:
                outcome = _conflict()
            if isinstance(outcome, Executed):
                written.update(outcome.writes)
            outcomes.append(outcome)
        return outcomes


class StrictLedger:
    """A member's view of an engine whose answers get lost and whose events come again; satisfies `ports.ledger`."""

    def __init__(self, engine: EmbeddedLedger, strict: Strict) -> None:
        self._engine = engine
        self._strict = strict
        self._chance = random.Random(strict.seed + 1)  # noqa: S311 - repeatable, not secret

    def submit(self, action: bytes) -> Accepted:
        """As the engine's, but the answer may get lost on its way."""
        (answer,) = self.submit_all([action])
        if isinstance(answer, FreeholdError):
            raise answer.with_traceback(None)
        return answer

    def submit_all(self, actions: Sequence[bytes]) -> list[Accepted | FreeholdError]:
        """As the engine's, but all answers of one call may get lost together."""
        lost, arrived = self._chance.random() < self._strict.unknown, self._chance.random() < 0.5
        answers = self._engine.submit_all(actions) if arrived or not lost else []
        if not lost:
            return answers
        return [Unavailable("the answer was lost", next="ask again", now="sent, outcome unknown") for _ in actions]

    def enqueue(self, actions: Sequence[bytes]) -> Future[list[Accepted | FreeholdError]]:
        """As `submit_all`, whose answer is there at once."""
        done: Future[list[Accepted | FreeholdError]] = Future()
        done.set_result(self.submit_all(actions))
        return done

    def prove_action(self, digest: bytes) -> ActionProof:
        """As the engine's."""
        return self._engine.prove_action(digest)

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """As the engine's."""
        return self._engine.prove_growth(old, new)

    def prove_record(self, key: str) -> RecordProof:
        """As the engine's."""
        return self._engine.prove_record(key)

    def resolve(self, action: bytes) -> Accepted | None:
        """As the engine's."""
        return self._engine.resolve(action)

    def find(self, digest: bytes) -> Accepted | None:
        """As the engine's."""
        return self._engine.find(digest)

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """As the engine's."""
        return self._engine.evaluate(query, arguments)

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """As the engine's, but some events from before the cursor may come again."""
        if self._chance.random() < self._strict.repeats:
            again = self._engine.events(max(0, after - self._chance.randint(1, 10)), to=to)
            if again.cursor >= after and again.events:
                return again
        return self._engine.events(after, to=to, wait=wait)

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """As the engine's."""
        return self._engine.export(after, limit)

    def seal(self, height: int) -> bytes:
        """Nothing: the operator signs each block."""
        return b""

    def info(self) -> LedgerInfo:
        """As the engine's."""
        return self._engine.info()

    def close(self) -> None:
        """Closes the engine."""
        self._engine.close()


def _twice(machine: Machine, state: State, action: bytes, time: int, seen: dict[str, bytes | None]) -> Outcome:
    """Executes twice and compares; `seen` receives what the first execution read."""

    def read(keys: Sequence[str]) -> list[bytes | None]:
        values = state.read(keys)
        seen.update(zip(keys, values, strict=True))
        return values

    def read_again(keys: Sequence[str]) -> list[bytes | None]:
        return [seen[key] for key in keys]

    first, second = execute(machine, read, action, time), execute(machine, read_again, action, time)
    if _said(first) != _said(second):
        return Broken("the rules gave two different answers to one action on one state", now="nothing was recorded")
    return first


def _said(outcome: Outcome) -> object:
    if isinstance(outcome, Executed):
        return dict(outcome.writes), outcome.result, tuple(outcome.events)
    return type(outcome), outcome.code


def _conflict() -> Unavailable:
    return Unavailable(
        "another action changed what this one rests on",
        next="try again",
        now="nothing was recorded",
        retry_after=0.0,
    )
