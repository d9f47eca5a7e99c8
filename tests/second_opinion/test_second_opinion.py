"""The product and the second opinion give every action the same fate, whatever a crowd sends in whatever order.

After each action: the code of a refusal, or the result, the events and the changed records are equal; money is
conserved; and an accepted action, sent again, is refused. At the end of a history the whole state is equal, every
recorded action is refused once more, and the same history at another time is the same but for its times. A longer run:
FREEHOLD_HISTORIES=500 FREEHOLD_STEPS=300 pytest tests/second_opinion
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from freehold.contract.host import Contract
from freehold.errors import Refused as ProductRefused
from freehold.ledger.state import State
from freehold.protocol.network import NetworkRecord
from tests.second_opinion.hashes import T
from tests.second_opinion.reader import LARGEST, encode, parse
from tests.second_opinion.refusal import Refused
from tests.second_opinion.trainings_moves import Moves

HISTORIES = int(os.environ.get("FREEHOLD_HISTORIES", "16"))
STEPS = int(os.environ.get("FREEHOLD_STEPS", "40"))
SHIFT = 987_654_321
TIMES = {"due", "commit_until", "close_until", "from", "until", "time"}

OFTEN = {
    "start": 6,
    "commit": 7,
    "close": 9,
    "time": 4,
    "again": 3,
    "request": 3,
    "approve": 3,
    "rule": 3,
    "collect": 2,
}
MOVES = [name for name in dir(Moves) if name.endswith("_") and not name.startswith("_")]
WEIGHED = [name for name in MOVES for _ in range(OFTEN.get(name[:-1], 1))]


class Compared(Moves):
    """A crowd whose actions go to the product too."""

    def __init__(self, random: Random, *, permissioned: bool, rich: bool, wide: bool) -> None:
        super().__init__(random, permissioned=permissioned, rich=rich, wide=wide)
        self.contract = Contract(NetworkRecord.parse(encode(self.network).encode()))
        self.state = State(self.contract.genesis())

    def send(self, action: bytes) -> str | None:
        """Compares the fates of one action."""
        before = dict(self.opinion.records)
        try:
            expected = self.opinion.execute(action, self.now)
        except Refused as refused:
            with pytest.raises(ProductRefused) as caught:
                self.contract.execute(self.state.read, action, self.now)
            self.agrees(caught.value.code == refused.code, action)
            self.agrees(self.opinion.records == before, action)
            return None
        done, written, events = expected
        executed = self.contract.execute(self.state.read, action, self.now)
        old = dict(zip(executed.writes, self.state.read(list(executed.writes)), strict=True))
        changed = {key: data for key, data in executed.writes.items() if data != old[key]}
        assert executed.result == encode({"id": done}).encode(), action[96:]
        assert [tuple(event) for event in executed.events] == events, action[96:]
        assert changed == {
            key: encode(record).encode() for key, record in written.items() if record != before.get(key)
        }, action[96:]
        self.state.apply(executed.writes)
        self.accepted.append((action, self.now))
        assert self.money() == 0
        self.is_refused(action, self.now)
        return done

    def agrees(self, equal: bool, action: bytes) -> None:
        """Stops at the first difference."""
        assert equal, action[96:]

    def money(self) -> int:
        """What is in the market beyond what was paid in and not out: nothing."""
        sums = dict.fromkeys(["account", "couple", "ballot", "instance", "payout", "withdrawal", "deposits"], 0)
        for key, record in self.opinion.records.items():
            kind = key.partition("/")[0]
            if kind == "couple":
                sums[kind] += record["balance"] + sum(part["fee"] for part in record["parts"])
            elif kind == "payout":
                sums[kind] += record["amount"] if record["state"] != "collected" else 0
            elif kind in sums:
                sums[kind] += record[{"account": "free", "ballot": "left", "instance": "stake"}.get(kind, "amount")]
        assert max(sums.values()) <= LARGEST
        return sum(sums.values()) - 2 * sums["deposits"]

    def is_refused(self, action: bytes, now: int) -> None:
        """A recorded action is refused for a reason that names it as old."""
        with pytest.raises(ProductRefused) as caught:
            self.contract.execute(self.state.read, action, now)
        assert caught.value.code in ("exists", "state", "not-yours"), action[96:]

    def moved(self, action: bytes) -> bytes:
        """The same action, SHIFT later, signed again."""
        body = parse(action[96:])
        body["time"] += SHIFT
        if "admission" in body["arguments"]:
            admission = body["arguments"]["admission"]
            admission["until"] = min(LARGEST, admission["until"] + SHIFT)
            fields = [self.opinion.network_id, body["member"], admission["handle"]]
            said = T("admission") + bytes.fromhex("".join(fields)) + admission["until"].to_bytes(8, "big")
            admission["signature"] = self.keys[self.registrar].sign(said).signature.hex()
        text, key = encode(body).encode(), action[:32]
        return key + self.keys[key.hex()].sign(T("action") + text).signature + text

    def ends(self) -> None:
        """What must hold when a history is over."""
        assert dict(self.state.scan("")) == {key: encode(each).encode() for key, each in self.opinion.records.items()}
        later = State(self.contract.genesis())
        for action, now in self.accepted:
            self.is_refused(action, now)
            later.apply(self.contract.execute(later.read, self.moved(action), now + SHIFT).writes)
        assert {key: parse(data) for key, data in later.scan("")} == {
            key: shifted(record) for key, record in self.opinion.records.items()
        }


def shifted(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its times moved."""
    return {key: min(LARGEST, value + SHIFT) if key in TIMES else value for key, value in record.items()}


class Histories(RuleBasedStateMachine):
    """Every order of moves, each with a chance of its own."""

    crowd: Compared | None = None

    @initialize(seed=st.integers(0, 2**64 - 1), permissioned=st.booleans(), rich=st.booleans(), wide=st.booleans())
    def opens(self, seed: int, permissioned: bool, rich: bool, wide: bool) -> None:
        """A market with some people and some datasets."""
        crowd = self.crowd = Compared(Random(seed), permissioned=permissioned, rich=rich, wide=wide)
        for role, count in (("do", 3), ("co", 12), ("mo", 2)):
            for _ in range(count):
                crowd.join(role)
        for role in ("do", "co", "mo"):
            while not any(member["role"] == role for _, member in crowd.every("member")):
                crowd.join(role)
        for _ in range(9 if wide else 3):
            crowd.dataset()

    @rule(move=st.sampled_from(WEIGHED), seed=st.integers(0, 2**64 - 1))
    def moves(self, move: str, seed: int) -> None:
        """Somebody does something."""
        assert self.crowd
        self.crowd.random = Random(seed)
        getattr(self.crowd, move)()

    @rule(seed=st.integers(0, 2**64 - 1), count=st.integers(8, 40))
    def lives(self, seed: int, count: int) -> None:
        """A while of a market: long histories are where rounds, rulings and ends are."""
        assert self.crowd
        self.crowd.random = Random(seed)
        for _ in range(count):
            getattr(self.crowd, self.crowd.random.choice(WEIGHED))()

    def teardown(self) -> None:
        """The end of a history."""
        if self.crowd:
            self.crowd.ends()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
