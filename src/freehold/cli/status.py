"""`freehold status [ID]`: where you, your datasets, slots and trainings stand; with an ID, one of them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE
from freehold.cli.output import Output, short
from freehold.terminal.money import in_credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freehold.agents.reading import DatasetSeen, Reader
    from freehold.node.profiles import OpenProfile

EXAMPLE = "freehold status readmit-1"


def status(
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A training or dataset: its id, a prefix, or your name for it.")
    ] = None,
    profile: options.Profile = None,
    format: options.Format = "text",
    color: options.Color = "auto",
) -> int:
    """Show where things stand on the ledger: who is waited for, what was paid, what is locked."""
    output = Output(format, color)
    from freehold.cli.opening import opened

    with opened(profile) as member:
        if id is None:
            document = _overview(member)
            output.result("status", document, lambda: _overview_text(document))
        else:
            _one(member, id, output)
    return DONE


def _one(member: "OpenProfile", wanted: str, output: Output) -> None:
    from freehold.agents.reading import Reader
    from freehold.cli.finding import ids
    from freehold.cli.naming import one_of
    from freehold.cli.training_text import training_document, training_text

    reader = Reader(member.world.ledger)
    orders = member.model_owner().orders() if member.profile.role == "model-owner" else {}
    if wanted in orders:
        wanted = orders[wanted].couple
    couples: dict[str, str] = {order.couple: name for name, order in orders.items()}
    datasets = ids(member.world.ledger, "dataset")
    trainings = ids(member.world.ledger, "couple")
    known = one_of(wanted, sorted({*datasets, *trainings, *couples}), "training or dataset")
    if known in datasets:
        seen = reader.dataset(known)
        if seen is not None:
            document = _dataset_document(seen)
            output.result("dataset", document, lambda: _dataset_line(document))
        return
    training = reader.training(known)
    if training is None:
        wish = {"couple": known, "state": "wished", "name": couples.get(known)}
        output.result("training", wish, lambda: f"training {short(known)} is decided here, not requested yet")
        return
    shown = {"name": couples.get(known), **training_document(training, reader)}
    output.result("training", shown, lambda: training_text(shown, training, output))


def _overview(member: "OpenProfile") -> dict[str, Any]:
    from freehold.agents.key_file import protection
    from freehold.agents.reading import Reader
    from freehold.node.configuration import SHORT_ROLES
    from freehold.node.folders import key_path
    from freehold.protocol.network import network_id

    reader = Reader(member.world.ledger)
    network, role = network_id(member.network), SHORT_ROLES[member.profile.role]
    info = member.world.ledger.info()
    document: dict[str, Any] = {
        "profile": member.name, "role": member.profile.role, "network": network,
        "protection": protection(key_path(member.name, member.profile)), "height": info.height, "time": info.time,
    }  # fmt: skip
    if role in ("treasury", "referee"):
        return document
    ids = [keys.id_in(role, network) for keys in member.keys.ring().members]
    document["members"] = [_member(reader, id) for id in ids]
    if role == "do":
        published = member.data_owner().publications()
        seen = [(id, reader.dataset(id)) for id in published]
        document["datasets"] = [
            {"dataset": id, "state": "wished"} if dataset is None else _dataset_document(dataset)
            for id, dataset in seen
        ]
        document["waiting"] = _count_waiting(reader, ids)
    if role == "mo":
        agent = member.model_owner()
        document["trainings"] = [_order(agent.progress(name)) for name in agent.orders()]
    if role == "co":
        document["replicas"] = [
            {
                "instance": replica.instance.id, "state": replica.instance.record.state,
                "dataset": replica.subset.record.dataset, "subset": replica.subset.record.index + 1,
                "stake": replica.instance.record.stake,
            }
            for id in ids for replica in (reader.replicas(id) if reader.member(id) is not None else ())
        ]  # fmt: skip
    return document


def _count_waiting(reader: "Reader", ids: "Sequence[str]") -> int:
    return sum(len(reader.approvals(id)) for id in ids if reader.member(id) is not None)


def _member(reader: "Reader", id: str) -> dict[str, Any]:
    if reader.member(id) is None:
        return {"member": id, "joined": False, "free": 0, "due": 0}
    account = reader.account(id)
    due = sum(payout.record.amount for payout in account.due)
    return {"member": id, "joined": True, "free": account.free, "due": due}


def _order(progress: Any) -> dict[str, Any]:
    return {
        "name": progress.name, "phase": progress.phase, "couple": progress.couple, "cost": progress.cost,
        "model": None if progress.model is None else str(progress.model), "reason": progress.reason,
    }  # fmt: skip


def _dataset_document(seen: "DatasetSeen") -> dict[str, Any]:
    record = seen.dataset.record
    return {
        "dataset": seen.dataset.id,
        "state": record.state,
        "subsets": record.m,
        "replicas": record.n,
        "granted": seen.granted,
        "rounds_total": record.terms.rounds_total,
        "slots": [len(subset.subset.record.slots) for subset in seen.subsets],
        "retired": [
            {"instance": instance.id, "subset": subset.subset.record.index + 1, "co": instance.record.co}
            for subset in seen.subsets
            for instance in subset.instances
            if instance.record.state in ("retired", "rejected")
        ],
    }


def _overview_text(document: dict[str, Any]) -> str:
    sealed = "sealed by a passphrase" if document["protection"] == "passphrase" else "bare: the file alone is enough"
    lines = [
        (
            f" {document['profile']}, a {document['role']} of network {short(document['network'])}, "
            f"block {document['height']:,}; keys {sealed}"
        )
    ]
    for member in document.get("members", ()):
        joined = "" if member["joined"] else ", not joined yet: it joins with its first action"
        lines.append(
            f" member {short(member['member'])}: {in_credits(member['free'])} free, "
            f"{in_credits(member['due'])} due{joined}"
        )
    lines += [f" {_dataset_line(dataset)}" for dataset in document.get("datasets", ())]
    for order in document.get("trainings", ()):
        why = f": {order['reason']}" if order["reason"] else ""
        lines.append(f" training {order['name']} ({short(order['couple'])}): {order['phase']}{why}")
    for replica in document.get("replicas", ()):
        lines.append(f" dataset {short(replica['dataset'])} subset {replica['subset']}: {replica['state']}")
    waiting = document.get("waiting", 0)
    lines.append(f" {waiting} wait for you → freehold inbox" if waiting else " nothing needs you")
    return "\n".join(lines)


def _dataset_line(document: dict[str, Any]) -> str:
    name = f"dataset {short(document['dataset'])}"
    if document["state"] == "wished":
        return f"{name}: decided here, not drafted yet"
    slots = " ".join(str(count) for count in document["slots"])
    retired = f", {len(document['retired'])} replicas let go" if document["retired"] else ""
    return (
        f"{name}: {document['state']}, {document['subsets']} subsets with {slots} of {document['replicas']} replicas"
        f"{retired}; {document['granted']} of {document['rounds_total']} rounds granted"
    )
