"""What a demo leaves behind, made from the evidence alone wherever the evidence says it."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shlex import quote
from statistics import median
from typing import Any, Final

from freehold.agents.auditor.account import wealth
from freehold.agents.auditor.evidence import parse
from freehold.agents.auditor.history import History
from freehold.agents.auditor.replay import Replayed
from freehold.agents.auditor.training import Training
from freehold.agents.auditor.verify import Report, check, report_on
from freehold.demo.folder import SCHEMA, SUMMARY
from freehold.demo.ground import Place
from freehold.demo.measure import Measured
from freehold.demo.people import People
from freehold.demo.plan import Plan
from freehold.demo.report.content import Content, Disclosure, Quality, Split
from freehold.demo.report.page import page
from freehold.demo.scores import written
from freehold.learning.card import ClassTarget
from freehold.learning.card_text import unspell
from freehold.learning.prepared import Prepared, load
from freehold.node.runtime import OBJECTS
from freehold.objects.folder import FolderStore
from freehold.protocol.network import network_id
from freehold.terminal.colors import Ink
from freehold.terminal.money import in_credits
from freehold.terminal.symbols import Symbols

_LARGEST_OBJECT: Final = 2**30
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A market that has ended, with everything that tells about it."""

    plan: Plan
    people: People
    place: Place
    """The network's: ledger and objects."""
    prepared: Path
    model: Path
    evidence: Path
    measured: Measured
    seconds: float


def leave_behind(finished: Finished, folder: Path) -> dict[str, Any]:
    """Writes summary, report, ledger, evidence and model into a folder; the summary."""
    evidence = parse(finished.evidence.read_bytes())
    replayed = check(evidence.recording, network=network_id(evidence.recording.network))
    report = report_on(replayed, evidence.couple, network=replayed.history.network_id)
    prepared = load(finished.prepared)
    summary = _summary(finished, replayed, report, prepared)
    _copy_database(finished.place.ledger, folder / finished.place.ledger.name)
    shutil.copyfile(finished.evidence, folder / "evidence.json")
    shutil.copyfile(finished.model, folder / finished.model.name)
    shutil.copyfile(finished.plan.test_rows, folder / "test.csv")
    (folder / "report.html").write_bytes(page(_content(finished, report, prepared)))
    (folder / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return summary


def _summary(finished: Finished, replayed: Replayed, report: Report, prepared: Prepared) -> dict[str, Any]:
    plan, measured, people = finished.plan, finished.measured, finished.people
    target = prepared.card.target
    names = people.names
    return {
        "schema": SCHEMA,
        "dataset": {
            "name": plan.name,
            "rows": prepared.card.rows,
            "features": len(prepared.card.columns),
            "classes": len(target.classes) if isinstance(target, ClassTarget) else 0,
        },
        "training": _training(finished, replayed.history, report),
        "accuracy": {
            "measure": measured.measure,
            "freehold": measured.freehold,
            "central": measured.central,
            "majority": measured.majority,
            "by_round": list(measured.by_round),
            "rounds": [_groups(plan) * visit for visit in range(1, len(measured.by_round) + 1)],
            "test_rows": measured.test_rows,
        },
        "weights_equal_plaintext": measured.weights_equal_plaintext,
        "cheaters": {
            "planted": dict(people.planted),
            "blamed": {blame.member: blame.statement for blame in report.account.blamed},
        },
        "members": {id: {"name": names[id], "role": role} for id, role in people.roles().items()},
        "money": _money(replayed.history, report, people),
        "ledger": {
            "transactions": report.actions,
            "blocks": report.blocks,
            "checkpoint": replayed.recording.checkpoint,
            "network": report.network,
            "engine": plan.engine,
            "operators": len(report.operators) or 1,
            "state": replayed.state,
        },
        "questions": {str(answer.number): answer.verdict for answer in report.answers},
        "model": finished.model.name,
        "evidence": "evidence.json",
        "seconds": round(finished.seconds, 2),
    }


def _copy_database(source: Path, target: Path) -> None:
    """Copies what is in the file and what lies in its log beside it."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)


def _training(finished: Finished, history: History, report: Report) -> dict[str, Any]:
    training = Training(history, report.account.couple)
    store = FolderStore(finished.place.folder / OBJECTS)
    last = training.rounds[-1]
    waited = [
        job.committed.action.time - round.started.action.time
        for round in training.rounds
        for vote in round.votes
        for job in vote.jobs
        if job.committed is not None and job.record.state == "accepted"
    ]
    # The model owner needed one copy of each answer: others may have been withheld, or were still on their way.
    votes = [vote.record for round in training.rounds for vote in round.votes if vote.record.digest is not None]
    answers = (f"results/{job}/{vote.digest}" for vote in votes for job in vote.jobs)
    result = store.get(next(name for name in answers if store.exists(name)), largest=_LARGEST_OBJECT)
    base = store.get(last.votes[0].record.base, largest=_LARGEST_OBJECT)
    ended = training.ended.action.time if training.ended is not None else last.started.action.time
    moments = [*(round.started.action.time for round in training.rounds), ended]
    return {
        "couple": report.account.couple,
        "rounds": report.account.rounds_complete,
        "subsets": finished.plan.subsets,
        "replicas": finished.plan.replicas,
        "map": finished.plan.map,
        "features": finished.measured.features,
        "seconds": (ended - moments[0]) / 1000,
        "round_seconds": [(later - earlier) / 1000 for earlier, later in pairwise(moments)],
        "cloud_round_ms": median(waited),
        "bytes_down": len(base),
        "bytes_up": len(result),
    }


def _money(history: History, report: Report, people: People) -> dict[str, Any]:
    by_role: dict[str, int] = {}
    for id, role in people.roles().items():
        by_role[role] = by_role.get(role, 0) + wealth(history, id)
    paid = report.account.money
    return {
        "deposited": report.money.deposited,
        "withdrawn": report.money.withdrawn,
        "held": report.money.held,
        "burned": report.money.burned,
        "by_role": by_role,
        "escrow": {
            "locked": paid.escrow,
            "cloud owners": paid.cloud_owners,
            "data owner": paid.data_owners,
            "returned": paid.returned,
        },
    }


def _content(finished: Finished, report: Report, prepared: Prepared) -> Content:
    people, measured, account = finished.people, finished.measured, report.account
    certificate = prepared.certificate
    earned = {id: account.money.by_member.get(id, 0) for id in people.names}
    earned[account.model_owner] = account.money.returned - account.money.escrow
    return Content(
        title="A model was trained on data that nobody gave away",
        dataset=finished.plan.name,
        rows=prepared.card.rows,
        columns=len(prepared.card.columns),
        map=finished.plan.map,
        replicas=finished.plan.replicas,
        seconds=finished.seconds,
        names=people.names,
        roles=people.roles(),
        planted=people.planted,
        blamed={blame.member: blame.statement for blame in account.blamed},
        split=Split(
            classes=tuple(unspell(name, "a class", _LONGEST_NAME) for name in certificate.classes),
            counts=tuple(zip(*certificate.counts, strict=True)),
        ),
        quality=Quality(
            measure=measured.measure,
            by_round=measured.by_round,
            freehold=measured.freehold,
            central=measured.central,
            majority=measured.majority,
            test_rows=measured.test_rows,
            groups=_groups(finished.plan),
        ),
        disclosure=Disclosure(
            features=measured.features,
            outputs=measured.outputs,
            rounds=account.rounds_complete,
            rows=prepared.card.rows,
            groups=_groups(finished.plan),
        ),
        weights_equal_plaintext=measured.weights_equal_plaintext,
        audit=report,
        earned=earned,
    )


def _groups(plan: Plan) -> int:
    """How many rounds it takes until every subset has trained."""
    return plan.subsets // plan.group_min


def summary_text(summary: dict[str, Any], out: Path, ink: Ink, symbols: Symbols) -> str:
    """The few lines with which a demo ends."""
    accuracy, cheaters, escrow = summary["accuracy"], summary["cheaters"], summary["money"]["escrow"]
    names = {id: member["name"] for id, member in summary["members"].items()}
    same = "yes" if summary["weights_equal_plaintext"] else "no"
    honest = [names.get(id, id[:8]) for id in cheaters["blamed"] if id not in cheaters["planted"]]
    said = [
        f"{names[id]} ({kind}: {cheaters['blamed'].get(id, 'accepted and paid; votes do not show it')})"
        for id, kind in cheaters["planted"].items()
    ]
    measure, score = accuracy["measure"], written(accuracy["measure"], accuracy["freehold"])
    central = written(measure, accuracy["central"])
    quality = f"{measure} {score} on {accuracy['test_rows']} test rows"
    quality += f"; trained centrally in the clear {central}; same weights as plaintext: {same}"
    paid = f"cloud owners {in_credits(escrow['cloud owners'])} + data owner {in_credits(escrow['data owner'])}"
    blamed = f" {symbols.between} ".join(said) or "nobody"
    model = quote(str(out / summary["model"]))
    lines = [
        ("model", quality),
        ("blamed", f"{blamed}; honest members blamed: {', '.join(honest) or 'none'}"),
        ("money", f"escrow {in_credits(escrow['locked'])} = {paid} + returned {in_credits(escrow['returned'])}"),
        ("proof", f"freehold verify {quote(str(out / summary['evidence']))} --network {summary['ledger']['network']}"),
        ("look at", f"{out / 'report.html'}"),
        ("use it", f"freehold predict {model} {quote(str(out / 'test.csv'))} --out scores.csv"),
    ]
    shown = [f" {ink.strong(name.ljust(8))} {text}" for name, text in lines]
    shown.append(ink.dim(f" {summary['seconds']:.1f} s, nothing is left running"))
    return "\n".join(shown)
