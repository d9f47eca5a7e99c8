"""Who may say something: the key that signed, compared with what the ledger knows of it.

The host has checked that the key signed the action; here the key is compared with the member that the action names. A
refusal is `unknown` for a member without a record, and `not-yours` for a key or a role that does not fit.
"""

from collections.abc import Callable
from typing import TypeAlias, cast

from freehold.contract.effects import require
from freehold.contract.view import View
from freehold.protocol.actions import CreateMember
from freehold.protocol.assets import Member, Operators, Role
from freehold.protocol.envelope import Envelope
from freehold.protocol.identifiers import member_id
from freehold.protocol.network import NetworkRecord

Caller: TypeAlias = Callable[[Envelope, NetworkRecord, View], None]


def newcomer(role: Role) -> Caller:
    """Somebody who is about to become a member: its id follows from the three keys, one of which signs."""

    def check(envelope: Envelope, network: NetworkRecord, view: View) -> None:
        keys = cast("CreateMember", envelope.arguments)
        own_id = member_id(role, envelope.network, keys.signing_key, keys.sealing_key, keys.recovery_key)
        require(envelope.member == own_id and envelope.key == keys.signing_key, "not-yours")

    return check


def member(*roles: str) -> Caller:
    """A member of one of these roles."""

    def check(envelope: Envelope, network: NetworkRecord, view: View) -> None:
        caller = view.get(Member, envelope.member)
        require(envelope.key == caller.signing_key and caller.role in roles, "not-yours")

    return check


def recovery_key(envelope: Envelope, network: NetworkRecord, view: View) -> None:
    """A member whose signing key may be lost or stolen: its recovery key signs."""
    require(envelope.key == view.get(Member, envelope.member).recovery_key, "not-yours")


def treasury(envelope: Envelope, network: NetworkRecord, view: View) -> None:
    """The network's treasury: no member, but a key of the network record."""
    require(str(envelope.member) == envelope.key == network.treasury, "not-yours")


def referee(envelope: Envelope, network: NetworkRecord, view: View) -> None:
    """One of the network's referees: no member, but a key of the network record."""
    require(str(envelope.member) == envelope.key and envelope.key in network.referees, "not-yours")


def operator(envelope: Envelope, network: NetworkRecord, view: View) -> None:
    """One of those who run the ledger together at present: no member, but a key of theirs."""
    present = view.find(Operators, envelope.network)
    operators = () if present is None else present.operators
    require(str(envelope.member) == envelope.key and any(each.key == envelope.key for each in operators), "not-yours")
