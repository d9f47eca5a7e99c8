"""A crowd whose every action goes to the product and to the second opinion, and what must be equal between them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from freehold.contract.host import Contract
from freehold.errors import Refused as ProductRefused
from freehold.ledger.state import State
from freehold.protocol.network import NetworkRecord
from tests.second_opinion.crowd import OPERATORS
from tests.second_opinion.forms import FORMS
from tests.second_opinion.hashes import T
from tests.second_opinion.operators_moves import OperatorMoves
from tests.second_opinion.reader import LARGEST, Unreadable, encode, parse
from tests.second_opinion.refusal import Refused
from tests.second_opinion.trainings_moves import Moves

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
CREATING = {"RequestTC", "Deposit", "Withdraw", "ReportFraud", "ProposeOperator"}
"""Functions that make something without saying so in their names."""


class Compared(Moves, OperatorMoves):
    """A crowd whose actions go to the product too."""

    def __init__(self, random: Random, *, permissioned: bool, rich: bool, wide: bool, operators: int = 0) -> None:
        super().__init__(random, permissioned=permissioned, rich=rich, wide=wide, operators=operators)
        self.contract = Contract(NetworkRecord.parse(encode(self.network).encode()))
        self.state = State(self.contract.genesis())
        self.refused: Counter[tuple[str, str]] = Counter()
        """How often each function was refused with each code; the name is empty where the body has none to be read."""

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
            self.refused[function_of(action), refused.code] += 1
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

    def gathers(self) -> None:
        """Some people, at least one of each kind, and some datasets."""
        for role, count in (("do", 3), ("co", 12), ("mo", 2)):
            for _ in range(count):
                self.join(role)
        for role in ("do", "co", "mo"):
            while not any(member["role"] == role for _, member in self.every("member")):
                self.join(role)
        for _ in range(9 if self.wide else 3):
            self.dataset()

    def lives(self, moves: int) -> None:
        """So many moves, of which many are refused."""
        for _ in range(moves):
            getattr(self, self.random.choice(WEIGHED))()

    def loses_its_datasets(self) -> None:
        """Every dataset is withdrawn, and people go on as if they had not heard of it."""
        for name, dataset in self.every("dataset"):
            self.do("WithdrawDS", dataset["owner"], {"dataset": name})
            self.late(name)
        for _ in range(30):
            getattr(self, self.random.choice(["approve_", "request_", "start_"]))()

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
        """A recorded action is refused as old: `exists` or `state`, or `not-yours` if its key was renewed since."""
        with pytest.raises(ProductRefused) as caught:
            self.contract.execute(self.state.read, action, now)
        function, member = function_of(action), self.opinion.records.get("member/" + parse(action[96:])["member"])
        key = member["recovery_key" if function == "RotateKey" else "signing_key"] if member else action[:32].hex()
        documented = "exists" if function.startswith("Create") or function in CREATING else "state"
        if function == "ApproveOperator":
            proposal = self.opinion.records["proposal/" + parse(action[96:])["arguments"]["proposal"]]
            documented = "exists" if proposal["state"] == "open" else "state"
        if function in OPERATORS and action[:32].hex() not in self.operator_keys():
            documented = "not-yours"
        if key != action[:32].hex() and function not in ("CreateDO", "CreateCO", "CreateMO"):
            documented = "not-yours"
        assert caught.value.code == documented, action[96:]

    def moved(self, action: bytes, shift: int = SHIFT) -> bytes:
        """The same action, so much later, signed again."""
        body = parse(action[96:])
        body["time"] += shift
        if "admission" in body["arguments"]:
            admission = body["arguments"]["admission"]
            admission["until"] = min(LARGEST, admission["until"] + shift)
            fields = [self.opinion.network_id, body["member"], admission["handle"]]
            said = T("admission") + bytes.fromhex("".join(fields)) + admission["until"].to_bytes(8, "big")
            admission["signature"] = self.keys[self.registrar].sign(said).signature.hex()
        text, key = encode(body).encode(), action[:32]
        return key + self.keys[key.hex()].sign(T("action") + text).signature + text

    def ends(self) -> None:
        """What must hold when a history is over."""
        assert dict(self.state.scan("")) == {key: encode(each).encode() for key, each in self.opinion.records.items()}
        later = State(self.contract.genesis())
        for action, now in list(self.accepted):
            self.is_refused(action, now)
            self.now = now
            assert self.send(action) is None
            later.apply(self.contract.execute(later.read, self.moved(action), now + SHIFT).writes)
        assert {key: parse(data) for key, data in later.scan("")} == {
            key: shifted(record) for key, record in self.opinion.records.items()
        }


def function_of(action: bytes) -> str:
    """The function that an action names, as far as its body can be read."""
    try:
        function = parse(action[96:]).get("function")
    except (Unreadable, AttributeError):
        return ""
    return function if isinstance(function, str) and function in FORMS else ""


def shifted(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its times moved."""
    return {key: min(LARGEST, value + SHIFT) if key in TIMES else value for key, value in record.items()}
