"""`freehold dataset publish DIR`: offer a prepared table to cloud owners and to the market, on final terms."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import options
from freehold.cli.exits import DONE, PersonNeeded
from freehold.cli.output import Output, short

if TYPE_CHECKING:
    from freehold.agents.reading import DatasetSeen, Reader
    from freehold.learning.prepared import Prepared
    from freehold.node.profiles import OpenProfile
    from freehold.protocol.assets import Terms

EXAMPLE = "freehold dataset publish hf --price-job 0.25 --price-round 3 --rounds-total 40"

_GOES_ON = "`freehold up` or the same command goes on where it was"


def dataset_publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `dataset prepare` made.")],
    price_job: Annotated[str, typer.Option("--price-job", metavar="AMOUNT", help="For each accepted job.")],
    price_round: Annotated[str, typer.Option("--price-round", metavar="AMOUNT", help="For you, for each round.")],
    stake: Annotated[str, typer.Option("--stake", metavar="AMOUNT", help="What each cloud owner locks.")] = "0",
    referee: Annotated[
        str | None, typer.Option("--referee", metavar="KEY", help="The network's referee who may rule on stakes.")
    ] = None,
    replicas: Annotated[int | None, typer.Option("--replicas", help="Cloud owners of each subset.")] = None,
    group_min: Annotated[int | None, typer.Option("--group-min", help="Subsets that train together at least.")] = None,
    rounds_total: Annotated[int, typer.Option("--rounds-total", help="Rounds that you ever grant, of all.")] = 40,
    rounds_per_training: Annotated[
        int | None, typer.Option("--rounds-per-training", help="Rounds of one training at most.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", metavar="NAME", help="A method you allow; linear-1 if not given.")
    ] = None,
    store: Annotated[str, typer.Option("--store", metavar="ALIAS", help="Where the packages lie.")] = "main",
    answer_window: Annotated[str, typer.Option("--answer-window", metavar="TIME", help="Your time to answer.")] = "2d",
    commit_window: Annotated[str, typer.Option("--commit-window", metavar="TIME", help="A job's time.")] = "10m",
    close_window: Annotated[str, typer.Option("--close-window", metavar="TIME", help="A vote's time.")] = "10m",
    idle_window: Annotated[str, typer.Option("--idle-window", metavar="TIME", help="Between two rounds.")] = "7d",
    hold: Annotated[str, typer.Option("--hold", metavar="TIME", help="How long a stake is held.")] = "30d",
    profile: options.Profile = None,
    dry_run: options.DryRun = False,
    wait: options.Wait = None,
    yes: options.Yes = False,
    format: options.Format = "text",
    color: options.Color = "auto",
    quiet: options.Quiet = False,
) -> int:
    """Publish a prepared table: terms shown once in full, packages sealed and offered, receipts compared, published."""
    output = Output(format, color, quiet=quiet)
    from freehold.cli.amounts import amount
    from freehold.cli.opening import opened
    from freehold.cli.times import duration
    from freehold.learning.prepared import load
    from freehold.protocol.assets import Terms
    from freehold.protocol.identifiers import Method, PublicKey, StoreName

    prepared = load(folder)
    terms = Terms(
        answer_window=duration(answer_window, "--answer-window"),
        close_window=duration(close_window, "--close-window"),
        commit_window=duration(commit_window, "--commit-window"),
        group_min=prepared.plan.group_min if group_min is None else group_min,
        hold=duration(hold, "--hold"),
        idle_window=duration(idle_window, "--idle-window"),
        methods=tuple(Method(each) for each in sorted(set(method or ["linear-1"]))),
        price_job=amount(price_job, "--price-job"),
        price_round=amount(price_round, "--price-round"),
        referee=None if referee is None else PublicKey(referee),
        rounds_per_training=rounds_total if rounds_per_training is None else rounds_per_training,
        rounds_total=rounds_total,
        stake=amount(stake, "--stake"),
        store=StoreName(store),
    )
    copies = prepared.plan.replicas if replicas is None else replicas
    with opened(profile, "data-owner") as member:
        if not _begun(member, prepared):
            _try_terms(member, prepared, terms, copies)
            member.world.store(terms.store)
        if dry_run:
            document = {"folder": str(folder), "terms": _plain(terms), "replicas": copies, "sent": False}
            output.result("dataset", document, lambda: _terms_text(prepared, terms, copies) + "\n nothing was sent")
            return DONE
        return _publish(member, prepared, terms, copies, output, wait=wait, yes=yes)


def _begun(member: "OpenProfile", prepared: "Prepared") -> bool:
    """Whether this table's publication was decided before: then its terms were shown and confirmed already."""
    digest = prepared.card.digest.hex()
    return any(known.card == digest for known in member.data_owner().publications().values())


def _try_terms(member: "OpenProfile", prepared: "Prepared", terms: "Terms", replicas: int) -> None:
    """Has the rules read the terms on an empty copy, since terms that were decided can never be changed."""
    import os

    from freehold.agents.dry_run import DryRun
    from freehold.agents.world import Signer
    from freehold.protocol.actions import CreateDO, CreateDS
    from freehold.protocol.identifiers import Digest, Nonce
    from freehold.protocol.network import network_id

    network = network_id(member.network)
    keys = member.keys.ring().members[0]
    signer = Signer(network=network, member=keys.id_in("do", network), keys=keys)
    now = member.world.clock()
    copy = DryRun(member.network)
    copy.submit(
        signer,
        CreateDO(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key),
        now,
    )
    copy.submit(
        signer,
        CreateDS(
            nonce=Nonce(os.urandom(32).hex()),
            m=prepared.plan.subsets,
            n=replicas,
            terms=terms,
            card_digest=Digest(prepared.card.digest.hex()),
        ),
        now,
    )


def _publish(
    member: "OpenProfile",
    prepared: "Prepared",
    terms: "Terms",
    replicas: int,
    output: Output,
    *,
    wait: str | None,
    yes: bool,
) -> int:
    import sys

    from freehold.agents.reading import Reader
    from freehold.cli.asking import confirm
    from freehold.cli.carrying_out import carry_out

    continued = _begun(member, prepared)
    if not continued:
        if not output.json:
            print(_terms_text(prepared, terms, replicas), file=sys.stderr)
        if not confirm("Publish on these terms? They are final.", yes=yes):
            raise PersonNeeded("The terms were not confirmed.", now="nothing was sent")
    with output.progress() as progress:
        agent = member.data_owner()
        dataset = agent.publish(prepared, terms, replicas=replicas)
        progress.say(f" {'continues' if continued else 'publishes'} dataset {short(dataset)}; Ctrl-C is safe")
        reader = Reader(member.world.ledger)

        def done() -> bool:
            seen = reader.dataset(dataset)
            progress.show("offers", _offers(seen, prepared.plan.subsets * replicas))
            return seen is not None and seen.dataset.record.state != "draft"

        carry_out(member, agent, to=agent.member, done=done, wait=wait, goes_on=_GOES_ON)
    return _show(reader, dataset, output)


def _show(reader: "Reader", dataset: str, output: Output) -> int:
    seen = reader.dataset(dataset)
    state = "unknown" if seen is None else seen.dataset.record.state
    verified = 0 if seen is None else _count(seen, "verified")
    record = None if seen is None else seen.dataset.record
    document = {
        "dataset": dataset, "state": state, "verified": verified, "sent": True,
        "terms": None if record is None else _plain(record.terms),
        "groups": None if record is None or record.groups is None else [list(group) for group in record.groups],
    }  # fmt: skip
    output.result(
        "dataset",
        document,
        lambda: f" {state} as dataset {dataset}\n others: freehold train {short(dataset)} --dry-run",
    )
    return DONE


def _offers(seen: "DatasetSeen | None", wanted: int) -> str:
    if seen is None:
        return " joins and drafts"
    offered = _count(seen, "free", "joined", "verified")
    joined, verified = _count(seen, "joined", "verified"), _count(seen, "verified")
    return f" {offered} offered · {joined} joined · {verified} of {wanted} verified"


def _count(seen: "DatasetSeen", *states: str) -> int:
    return sum(instance.record.state in states for subset in seen.subsets for instance in subset.instances)


def _plain(terms: "Terms") -> dict[str, Any]:
    from freehold.protocol.assets import as_dict

    return as_dict(terms)


def _terms_text(prepared: "Prepared", terms: "Terms", replicas: int) -> str:
    from freehold.cli.times import in_units
    from freehold.terminal.money import in_credits

    jobs = prepared.plan.subsets * replicas
    stake = f"{in_credits(terms.stake)} each" if terms.stake else "none"
    return "\n".join(
        (
            f" table      {prepared.card.rows:,} rows × {len(prepared.card.columns)} columns from {prepared.folder}",
            (
                f" copies     {prepared.plan.subsets} subsets × {replicas} cloud owners; "
                f"{terms.group_min} or more subsets train together"
            ),
            f" price      {in_credits(terms.price_job)} a job, {in_credits(terms.price_round)} a round to you",
            (
                f" rounds     {terms.rounds_per_training} a training at most, {terms.rounds_total} ever; "
                f"methods {', '.join(terms.methods)}"
            ),
            (
                f" stake      {stake}; referee {'none' if terms.referee is None else short(terms.referee)}; "
                f"held {in_units(terms.hold)}"
            ),
            (
                f" windows    answer {in_units(terms.answer_window)} · commit {in_units(terms.commit_window)} · "
                f"close {in_units(terms.close_window)} · idle {in_units(terms.idle_window)}"
            ),
            f" store      {terms.store}; at most {jobs} packages lie there, each sealed to one cloud owner",
        )
    )
