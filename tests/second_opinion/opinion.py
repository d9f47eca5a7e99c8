"""The order in which an action may fail: envelope, arguments, network and clock, caller, rule, sizes.

The signature is the business of whoever calls: an independent verifier is handed in.
"""

from __future__ import annotations

from typing import Any

from tests.second_opinion.datasets import Datasets
from tests.second_opinion.forms import BYTES, FORMS
from tests.second_opinion.hashes import H, T
from tests.second_opinion.membership import Membership
from tests.second_opinion.operators import Operators
from tests.second_opinion.payments import Payments
from tests.second_opinion.reader import Unreadable, encode, parse
from tests.second_opinion.refusal import Refused, require
from tests.second_opinion.rounds import Rounds
from tests.second_opinion.rulings import Rulings
from tests.second_opinion.trainings import Trainings

BODY = {"arguments", "function", "member", "network", "time"}
CREATES = {"CreateDO": "do", "CreateCO": "co", "CreateMO": "mo"}
CALLERS = {
    **{
        key: {"do"} for key in ["CreateDS", "CreateDSS", "CreateCI", "VerifyCI", "PublishDS", "WithdrawDS", "ApproveTC"]
    },
    **{key: {"mo"} for key in ["CreateMod", "RequestTC", "StartRound"]},
    **{key: {"co"} for key in ["JoinCI", "UpdateTJ"]},
    **{key: {"do", "co", "mo"} for key in ["CloseRound", "EndTC", "Collect", "Withdraw"]},
    "RetireCI": {"co", "do"},
}


class SecondOpinion(Membership, Datasets, Trainings, Rounds, Rulings, Payments, Operators):
    """The whole market."""

    def execute(self, action: bytes, now: int) -> tuple[str, dict[str, Any], list[tuple[str, str, str]]]:
        """The id, the records written and the events of an action; raises Refused and then changes nothing."""
        require(97 <= len(action) <= 12_288, "malformed")
        require(self.verify(action[:32], T("action") + action[96:], action[32:96]), "malformed")
        body = _body(action[96:])
        function, arguments = body["function"], body["arguments"]
        require(function in FORMS, "unknown")
        FORMS[function](arguments)
        require(body["network"] == self.network_id, "unknown")
        require(abs(body["time"] - now) <= self.network["skew"], "clock")
        self.member, self.time, self.key = body["member"], body["time"], action[:32].hex()
        self._caller(function, arguments)

        self.writes, self.events, before = {}, [], dict(self.records)
        try:
            done: str = getattr(self, function)(arguments)
            require(len(self.writes) <= 200, "limit")
            require(all(len(encode(record)) <= 12_288 for record in self.writes.values()), "limit")
        except Refused:
            self.records = before
            raise
        return done, self.writes, self.events

    def _caller(self, function: str, arguments: dict[str, Any]) -> None:
        if function in CREATES:
            keys = [arguments[each] for each in ("signing_key", "sealing_key", "recovery_key")]
            expected = H(f"member/{CREATES[function]}", self.network_id, *keys)
            require(self.member == expected and self.key == keys[0], "not-yours")
        elif function == "Deposit":
            require(self.member == self.key == self.network["treasury"], "not-yours")
        elif function == "ReportFraud":
            require(self.member == self.key and self.key in self.network["referees"], "not-yours")
        elif function in ("ProposeOperator", "ApproveOperator"):
            keys = [each["key"] for each in self.present()]
            require(self.member == self.key and self.key in keys, "not-yours")
        else:
            member = self.must("member", self.member)
            if function == "RotateKey":
                require(self.key == member["recovery_key"], "not-yours")
            else:
                require(self.key == member["signing_key"] and member["role"] in CALLERS[function], "not-yours")


def _body(data: bytes) -> dict[str, Any]:
    try:
        body = parse(data)
    except Unreadable:
        raise Refused("malformed") from None
    require(set(body) == BODY, "malformed")
    require(type(body["arguments"]) is dict, "malformed")
    require(type(body["function"]) is str and type(body["time"]) is int, "malformed")
    BYTES(body["member"])
    BYTES(body["network"])
    return body
