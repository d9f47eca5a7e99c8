"""How a cloud owner comes to hold a subset: offered, joined with a receipt, verified, retired.

The data owner offers a subset to one cloud owner; the cloud owner joins with a receipt that only a holder of the whole
package can make, and locks the stake of the terms; the data owner compares the receipt and gives it a slot. Either may
part at any time. A rejected replica gets its stake back at once, since no blame follows from a word against a word; a
verified one of a dataset that was ever published waits out `hold`. That is at least twice a round, so half of it is
left for a ruling after the last job of whoever leaves.
"""

from collections.abc import Collection

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.membership import require_admitted
from freehold.contract.money import debit, pay
from freehold.contract.view import View
from freehold.protocol import actions, events
from freehold.protocol.assets import CloudInstance, Dataset, DataSubset, Member, Slot, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import InstanceId, SubsetId, instance_id


def create_instance(call: Call[actions.CreateCI], view: View) -> Effects:
    """Offers a subset to a cloud owner; on a published dataset this is how a replacement begins.

    Refuses: unknown, not-yours, exists, state.
    """
    asked = call.arguments
    subset = view.get(DataSubset, asked.subset)
    dataset = view.get(Dataset, subset.dataset)
    receiver = view.get(Member, asked.co)
    require(dataset.owner == call.member, "not-yours")
    instance = instance_id(asked.subset, asked.co, asked.nonce)
    require(view.find(CloudInstance, instance) is None, "exists")
    require(dataset.state in ("draft", "published"), "state")
    require(receiver.role == "co", "unknown")

    offer = CloudInstance(
        subset=asked.subset, co=asked.co, object=asked.object, locator=asked.locator, stake=0, state="free"
    )
    return Effects(instance, Put(instance, offer), Event(events.INSTANCE_OFFERED, instance, asked.co))


def join_instance(call: Call[actions.JoinCI], view: View) -> Effects:
    """Accepts an offer and its terms: the receipt shows that the package was read, the stake is locked.

    Refuses: unknown, not-yours, state, withdrawn, not-admitted, no-funds.
    """
    asked = call.arguments
    instance = view.get(CloudInstance, asked.instance)
    dataset = view.get(Dataset, view.get(DataSubset, instance.subset).dataset)
    require(instance.co == call.member, "not-yours")
    require(instance.state == "free", "state")
    require(dataset.state != "withdrawn", "withdrawn")
    require_admitted(call, view)
    stake = dataset.terms.stake

    joined = with_changes(instance, state="joined", receipt=asked.receipt, nonce=asked.nonce, stake=stake)
    return Effects(
        asked.instance,
        *debit(view, call.member, stake),
        Put(asked.instance, joined),
        Event(events.INSTANCE_JOINED, asked.instance, dataset.owner),
    )


def verify_instance(call: Call[actions.VerifyCI], view: View) -> Effects:
    """Gives a joined replica a slot of its subset, or sends it away with its stake.

    Refuses: unknown, not-yours, state; to verify also full, duplicate.
    """
    asked = call.arguments
    instance = view.get(CloudInstance, asked.instance)
    subset = view.get(DataSubset, instance.subset)
    dataset = view.get(Dataset, subset.dataset)
    require(dataset.owner == call.member, "not-yours")
    require(instance.state == "joined", "state")
    if asked.verdict == "rejected":
        return Effects(
            asked.instance,
            Put(asked.instance, with_changes(instance, state="rejected", stake=0)),
            *pay(instance.co, instance.stake, asked.instance, since=call.time),
            Event(events.INSTANCE_REJECTED, asked.instance, instance.co),
        )
    slot = Slot(instance=asked.instance, co=instance.co, handle=view.get(Member, instance.co).handle)
    require(len(subset.slots) < dataset.n, "full")
    require(all(slot.co != taken.co and slot.handle != taken.handle for taken in subset.slots), "duplicate")

    return Effects(
        asked.instance,
        Put(instance.subset, with_changes(subset, slots=(*subset.slots, slot))),
        Put(asked.instance, with_changes(instance, state="verified")),
        Event(events.INSTANCE_VERIFIED, asked.instance, instance.co),
    )


def retire_instance(call: Call[actions.RetireCI], view: View) -> Effects:
    """Ends a replica, by its cloud owner or the data owner; its open jobs may still be served.

    The stake comes back at once, or after the terms' hold if the replica could have worked.
    Refuses: unknown, not-yours, state.
    """
    asked = call.arguments
    instance = view.get(CloudInstance, asked.instance)
    subset = view.get(DataSubset, instance.subset)
    dataset = view.get(Dataset, subset.dataset)
    require(call.member in (instance.co, dataset.owner), "not-yours")
    require(instance.state in ("free", "joined", "verified"), "state")
    could_have_worked = instance.state == "verified" and dataset.groups is not None
    since = call.time + dataset.terms.hold if could_have_worked else call.time
    other = dataset.owner if call.member == instance.co else instance.co

    return Effects(
        asked.instance,
        *vacate(instance.subset, subset, {asked.instance}),
        Put(asked.instance, with_changes(instance, state="retired", stake=0)),
        *pay(instance.co, instance.stake, asked.instance, since=since),
        Event(events.INSTANCE_RETIRED, asked.instance, other),
    )


def vacate(id: SubsetId, subset: DataSubset, leaving: Collection[InstanceId]) -> list[Step]:
    """Frees the slots of these replicas, if they have any; later slots move up."""
    slots = tuple(slot for slot in subset.slots if slot.instance not in leaving)
    return [] if slots == subset.slots else [Put(id, with_changes(subset, slots=slots))]
