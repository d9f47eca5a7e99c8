"""One signed action on its way through the rules: who says what, and when."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from freehold.protocol.actions import Arguments
from freehold.protocol.identifiers import MemberId, NetworkId, PublicKey
from freehold.protocol.network import NetworkRecord

A = TypeVar("A", bound=Arguments, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[A]):
    """An action whose signature, clock and caller have been checked.

    `time` is the time that the action claims, in milliseconds: the only time that a rule knows. An engine merely bounds
    it by its own clock, so that every replay of the action decides alike.
    """

    network: NetworkRecord
    network_id: NetworkId
    key: PublicKey
    member: MemberId
    time: int
    arguments: A

    def before(self, deadline: int) -> bool:
        """Whether the deadline is still to be met."""
        return self.time <= deadline

    def after(self, deadline: int) -> bool:
        """Whether the deadline has passed for everybody, whatever their clock says: hence the network's grace."""
        return self.time > deadline + self.network.grace
