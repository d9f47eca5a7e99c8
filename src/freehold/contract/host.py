"""The one host of the rules, for every engine: bytes in, bytes out.

An action passes here in the order of PROTOCOL-ANNEX, "Refusals": envelope, network and clock, caller; then the rule of
its function reads and decides; then sizes and counts. The first failing check gives the code, so that every engine
refuses for the same reason, and a refusal leaves nothing behind. Between an action and its effects nothing counts but
the state that was read and the time that the action claims: no clock, no chance, no order of a set.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.contract import queries, stored
from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, require
from freehold.contract.registry import RULES
from freehold.contract.view import View
from freehold.errors import Broken
from freehold.ports.machine import Executed
from freehold.ports.state_view import Read, RecordedView
from freehold.protocol import canonical
from freehold.protocol.assets import Deposits, Operators
from freehold.protocol.envelope import open_action
from freehold.protocol.events import Event
from freehold.protocol.limits import READS_PER_CALL, RECORD_LARGEST, WRITES_PER_CALL
from freehold.protocol.network import NetworkRecord, network_id
from freehold.protocol.records import Record


class Contract:
    """The rules of one network as a function over bytes: what `ports.machine.Machine` asks for."""

    def __init__(self, network: NetworkRecord) -> None:
        self.network = network
        self.network_id = network_id(network)
        self._network_key = stored.key_of(NetworkRecord, self.network_id)
        self._network_bytes = network.encode()

    def genesis(self) -> dict[str, bytes]:
        """The state before the first action: the network record, deposits of nothing, and the operators if several
        found the ledger together."""
        records: list[Record] = [Deposits(amount=0)]
        if self.network.operators is not None:
            records.append(Operators(operators=self.network.operators))
        begun = {stored.key_of(type(each), self.network_id): stored.encode(each) for each in records}
        return {self._network_key: self._network_bytes, **begun}

    def execute(self, read: Read, action: bytes, time: int, *, signature_checked: bool = False) -> Executed:
        """The effects of one signed action at the engine's time (milliseconds); raises Refused.

        `signature_checked` says that whoever calls has checked size and signature already.
        """
        envelope = open_action(action, signature_checked=signature_checked)
        require(envelope.network == self.network_id, "unknown")
        require(abs(envelope.time - time) <= self.network.skew, "clock")

        reads = _Counted(read)
        self._require_own_ledger(reads)
        view = View(reads)
        rule = RULES[envelope.function]
        rule.caller(envelope, self.network, view)
        call = Call(
            network=self.network,
            network_id=self.network_id,
            key=envelope.key,
            member=envelope.member,
            time=envelope.time,
            arguments=envelope.arguments,
        )
        effects = rule.decide(call, view)
        require(len(reads.keys) <= READS_PER_CALL, "limit")
        return _executed(effects)

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
        """The answer of a query (see `queries`); raises Refused or Invalid for one that cannot be asked."""
        return queries.answer(view, name, arguments)

    def _require_own_ledger(self, read: Read) -> None:
        """Stops before the rules of one market are applied to the state of another."""
        if read((self._network_key,)) != [self._network_bytes]:
            raise Broken(f"this ledger does not hold network {self.network_id}")


class _Counted:
    """A read that remembers which keys were asked for."""

    __slots__ = ("_read", "keys")

    def __init__(self, read: Read) -> None:
        self._read = read
        self.keys: set[str] = set()

    def __call__(self, keys: Sequence[str]) -> list[bytes | None]:
        self.keys.update(keys)
        return self._read(keys)


def _executed(effects: Effects) -> Executed:
    """The effects as an engine stores them; refuses `limit` for too many records or one that is too large."""
    puts = [step for step in effects.steps if isinstance(step, Put)]
    records = {stored.key_of(type(put.record), put.id): put.record for put in puts}
    require(len(records) <= WRITES_PER_CALL, "limit")
    writes = {key: stored.encode(record) for key, record in records.items()}
    require(all(len(data) <= RECORD_LARGEST for data in writes.values()), "limit")
    return Executed(
        writes=writes,
        result=canonical.encode({"id": effects.id}),
        events=tuple(step for step in effects.steps if isinstance(step, Event)),
    )
