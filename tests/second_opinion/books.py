"""All records under their keys, what one action wrote and told, and how a payout is made.

Everything is copied on the way in and out: a rule that is refused half-way has changed nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.second_opinion.hashes import H, sha256
from tests.second_opinion.reader import encode
from tests.second_opinion.refusal import require

Fields = dict[str, Any]


class Books:
    """The state of one market and the action that is being carried out."""

    def __init__(self, network: Fields, verify: Callable[[bytes, bytes, bytes], bool]) -> None:
        self.network = network
        self.network_id = H("network", sha256(encode(network).encode()).hex())
        self.verify = verify
        self.records: dict[str, Fields] = {
            f"network/{self.network_id}": network,
            f"deposits/{self.network_id}": {"amount": 0},
        }
        if "operators" in network:
            self.records[f"operators/{self.network_id}"] = {"operators": copy.deepcopy(network["operators"])}
        self.writes: dict[str, Fields] = {}
        self.events: list[tuple[str, str, str]] = []
        self.time = 0
        self.member = self.key = ""

    def read(self, kind: str, name: str) -> Fields | None:
        """A copy of a record, if there is one."""
        record = self.records.get(kind + "/" + name)
        return None if record is None else copy.deepcopy(record)

    def must(self, kind: str, name: str) -> Fields:
        """A copy of a record that has to exist."""
        record = self.read(kind, name)
        require(record is not None, "unknown")
        assert record is not None
        return record

    def write(self, kind: str, name: str, record: Fields) -> None:
        """Writes a record."""
        record = {field: value for field, value in record.items() if value is not None}
        record = copy.deepcopy(record)
        self.records[kind + "/" + name] = record
        self.writes[kind + "/" + name] = record

    def tell(self, event: str, subject: str, to: str) -> None:
        """Adds an event."""
        self.events.append((event, subject, to))

    def pay(self, payee: str, amount: int, cause: str, since: int | None = None, state: str = "due") -> None:
        """A payout, unless there is nothing to pay."""
        if amount == 0:
            return
        name = H("payout", cause, payee)
        assert self.read("payout", name) is None
        self.write(
            "payout",
            name,
            dict(
                payee=payee, amount=amount, cause=cause, **{"from": self.time if since is None else since}, state=state
            ),
        )
        if state == "due":
            self.tell("payout-due", name, payee)

    def take(self, member: str, amount: int) -> None:
        """Takes free money."""
        account = self.must("account", member)
        require(account["free"] >= amount, "no-funds")
        self.write("account", member, {"free": account["free"] - amount})

    def admitted(self) -> None:
        """The admission of the caller has not ended."""
        require(self.must("member", self.member)["until"] >= self.time, "not-admitted")

    def after(self, deadline: int) -> bool:
        """Whether a deadline and the grace behind it are over."""
        return self.time > deadline + int(self.network["grace"])

    def opens(self, name: str, job: Fields, digest: str) -> bool:
        """Whether a commitment opens to a digest."""
        return "commitment" in job and str(job["commitment"]) == H("result", name, job["co"], job["nonce"], digest)

    def free_slots(self, subset: str, instances: list[str]) -> None:
        """Removes instances from their slots."""
        record = self.must("subset", subset)
        kept = [slot for slot in record["slots"] if slot["instance"] not in instances]
        if kept != record["slots"]:
            record["slots"] = kept
            self.write("subset", subset, record)
