"""A whole market that somebody else computed: every engine gives each action the same fate, to the last byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from freehold.contract.host import Contract
from freehold.errors import Refused
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.replay import Replay
from freehold.ledger.state import State
from freehold.ports.ledger import Ledger
from freehold.ports.machine import Machine
from freehold.protocol import actions, events
from freehold.protocol.network import NetworkRecord
from freehold.protocol.refusals import CODES
from tests.protocol import vectors

T = TypeVar("T")

STORIES: dict[str, dict[str, Any]] = {name: vectors.load(name) for name in ("market", "operators")}
STEPS: list[dict[str, Any]] = [step for story in STORIES.values() for step in story["steps"]]
OPERATOR = bytes(32)


def contract(story: dict[str, Any]) -> Contract:
    return Contract(NetworkRecord.parse(story["network"].encode("ascii")))


def action_of(step: dict[str, Any]) -> bytes:
    said: dict[str, str] = step["action"]
    return bytes.fromhex(said["key"] + said["signature"]) + said["body"].encode("ascii")


def fate(sends: Callable[[], T]) -> T | str:
    """What an action did, or why it was refused."""
    try:
        return sends()
    except Refused as refused:
        return refused.code


def digest_of(state: State) -> str:
    digest = sha256()
    for key, record in state.scan(""):
        digest.update(key.encode("ascii") + b" " + record + b"\n")
    return digest.hexdigest()


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_each_action_does_what_it_does_elsewhere_or_is_refused_for_the_same_reason(story: dict[str, Any]) -> None:
    rules = contract(story)
    state = State(rules.genesis())
    for step in story["steps"]:
        executed = fate(partial(rules.execute, state.read, action_of(step), step["time"]))
        if isinstance(executed, str):
            assert executed == step.get("refused"), step["what"]
            continue
        before = dict(zip(executed.writes, state.read(list(executed.writes)), strict=True))
        changed = {key: data.decode("ascii") for key, data in executed.writes.items() if before[key] != data}
        assert "refused" not in step, f"{step['what']} was accepted"
        assert executed.result.decode("ascii") == step["result"], step["what"]
        assert changed == step["changed"], step["what"]
        assert [list(event) for event in executed.events] == step["events"], step["what"]
        state.apply(executed.writes)

    assert digest_of(state) == story["state"]


@contextmanager
def in_memory(machine: Machine, clock: Callable[[], int], _: Path) -> Iterator[Ledger]:
    yield MemoryLedger(machine, clock)


@contextmanager
def in_a_file(machine: Machine, clock: Callable[[], int], folder: Path) -> Iterator[Ledger]:
    ledger = EmbeddedLedger.open(folder / "ledger.sqlite", machine, OPERATOR, clock)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
@pytest.mark.parametrize("opened", [in_memory, in_a_file])
def test_a_ledger_tells_the_same_events_in_the_same_order_and_replays_to_the_same_state(
    opened: Callable[[Machine, Callable[[], int], Path], AbstractContextManager[Ledger]],
    story: dict[str, Any],
    tmp_path: Path,
) -> None:
    rules, now = contract(story), [0]
    with opened(rules, lambda: now[0], tmp_path) as ledger:
        for step in story["steps"]:
            now[0] = step["time"]
            accepted = fate(partial(ledger.submit, action_of(step)))
            if isinstance(accepted, str):
                assert accepted == step.get("refused"), step["what"]
                continue
            assert [list(event) for event in accepted.events] == step["events"], step["what"]
        told = ledger.events(0).events
        replay = Replay(rules, None)
        while some := ledger.export(replay.tip.height, 100):
            for block in some:
                replay.apply(block)

    assert [[each.name, each.subject, each.to] for each in told] == [
        event for step in story["steps"] for event in step.get("events", ())
    ]
    assert digest_of(replay.state) == story["state"]


def test_the_stories_show_every_function_every_event_and_every_refusal() -> None:
    functions = {json.loads(step["action"]["body"])["function"] for step in STEPS if "result" in step}
    told = {name for step in STEPS for name, _, _ in step.get("events", ())}

    assert functions == set(actions.FUNCTIONS)
    assert told == set(events.NAMES)
    assert {step["refused"] for step in STEPS if "refused" in step} == set(CODES)
    for story in STORIES.values():
        assert all(earlier["time"] <= later["time"] for earlier, later in pairwise(story["steps"]))
