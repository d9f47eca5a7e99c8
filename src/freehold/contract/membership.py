"""Members: three keys, a handle, and a role for life.

A member is nothing but keys. In an open network every key is its own handle; in a permissioned one a registrar vouches
that a handle stands for one real person, so that nobody holds two replicas of one subset under two names. An admission
ends and is never renewed: who needs a longer one joins again under the same handle, and counts as the same person.
"""

from typing import Any

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, require
from freehold.contract.view import View
from freehold.protocol import actions, signatures
from freehold.protocol.assets import Account, Member, Role, with_changes
from freehold.protocol.identifiers import Handle
from freehold.protocol.limits import LARGEST_INTEGER


def create_data_owner(call: Call[actions.CreateDO], view: View) -> Effects:
    """Joins as a data owner. Refuses: exists, not-admitted."""
    return _create_member("do", call, view)


def create_cloud_owner(call: Call[actions.CreateCO], view: View) -> Effects:
    """Joins as a cloud owner. Refuses: exists, not-admitted."""
    return _create_member("co", call, view)


def create_model_owner(call: Call[actions.CreateMO], view: View) -> Effects:
    """Joins as a model owner. Refuses: exists, not-admitted."""
    return _create_member("mo", call, view)


def rotate_key(call: Call[actions.RotateKey], view: View) -> Effects:
    """Replaces a member's three keys; its id, and all that it owns, stays.

    Signed by the recovery key, so that a stolen signing key cannot lock its owner out. The version that is replaced is
    named, so that one rotation happens once. Refuses: state.
    """
    asked = call.arguments
    member = view.get(Member, call.member)
    require(asked.version == member.version, "state")

    rotated = with_changes(
        member,
        signing_key=asked.signing_key,
        sealing_key=asked.sealing_key,
        recovery_key=asked.recovery_key,
        version=member.version + 1,
    )
    return Effects(call.member, Put(call.member, rotated))


def require_admitted(call: Call[Any], view: View) -> None:
    """Refuses `not-admitted` once the caller's admission has run out."""
    require(view.get(Member, call.member).until >= call.time, "not-admitted")


def _create_member(role: Role, call: Call[actions.CreateMember], view: View) -> Effects:
    asked = call.arguments
    require(view.find(Member, call.member) is None, "exists")
    handle, until = _admission(call)

    member = Member(
        role=role,
        signing_key=asked.signing_key,
        sealing_key=asked.sealing_key,
        recovery_key=asked.recovery_key,
        version=0,
        handle=handle,
        until=until,
    )
    return Effects(call.member, Put(call.member, member), Put(call.member, Account(free=0)))


def _admission(call: Call[actions.CreateMember]) -> tuple[Handle, int]:
    """The handle of a new member, and until when it may act; refuses `not-admitted`."""
    admission = call.arguments.admission
    registrar = call.network.registrar
    require((admission is None) == (registrar is None), "not-admitted")
    if admission is None or registrar is None:
        return Handle(call.member), LARGEST_INTEGER

    vouched = signatures.verify_admission(
        registrar, call.network_id, call.member, admission.handle, admission.until, admission.signature
    )
    require(vouched and admission.until >= call.time, "not-admitted")
    return admission.handle, admission.until
