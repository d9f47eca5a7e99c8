"""Questions 1 to 4: who holds the data, and how do the others know?

A receipt hashes the whole package together with the instance and the name of the cloud owner who joined. So the same
receipt under two names is a copy, and everybody sees it: at most one of the two can open. Which one, the order on the
ledger does not say (a copier may overtake its neighbour), but the data owner's signature does, and so can whoever holds
the package. A receipt that was made up does not open either; the data owner holds every package and signs for each.
"""

from collections import defaultdict

from freehold.agents.auditor.history import Entry
from freehold.agents.auditor.questions import Answer, Remark, Verdict
from freehold.agents.auditor.training import Replica, Training, proofs
from freehold.protocol.actions import JoinCI, VerifyCI
from freehold.protocol.assets import CloudInstance, DataSubset


def holds_the_data(training: Training) -> Answer:
    """Question 1: receipts, the data owner's word for them, and work that agreed."""
    accepted = _first_acceptance(training)
    doubtful = {replica.id for replica in _signed_twice(training)}
    remarks: list[Remark] = []
    for replica in training.replicas:
        if replica.id in doubtful:
            remarks.append(_remark(replica, "its receipt is another one's too: at most one of them shows anything"))
        elif training.rounds and replica.id not in accepted:
            said = "none of its jobs was accepted: that it still holds the data cannot be shown"
            remarks.append(_remark(replica, said))
    total, shown = len(training.replicas), len(training.replicas) - len(remarks)
    verdict: Verdict = "cannot be shown"
    if not training.rounds:
        statement = "No round was started: there are receipts, but no work that agreed."
    elif doubtful & {replica.id for replica in training.replicas}:
        verdict, statement = "no", f"{total - shown} of {total} cloud owners did not show it."
    elif remarks:
        statement = f"{shown} of {total} cloud owners showed it: a signed receipt, and work that was accepted."
    else:
        verdict = "yes"
        statement = f"All {total} cloud owners gave a signed receipt, and work of each was accepted."
    evidence = [entry for replica in training.replicas for entry in (replica.joined, replica.judged)]
    return Answer(
        number=1,
        asked_by="model owner",
        question="Does each cloud owner hold the data that it claims to have?",
        verdict=verdict,
        statement=statement,
        condition="if most replicas of each subset were honest, and the data owner checked the receipts it signed for;"
        " whoever holds a package can recompute its receipts",
        proof=proofs([*evidence, *accepted.values()]),
        remarks=tuple(remarks),
    )


def copied_receipts(training: Training) -> Answer:
    """Question 2: the same receipt under two names."""
    # one other name is enough to show it: many copies of one receipt would show each other without end
    shared = [(replica, _with_another(replica, entries)) for replica, entries in _shared_receipts(training)]
    joins = [replica.joined for replica in training.offers if replica.joined is not None]
    statement = f"All {len(joins)} receipts differ; each is bound to its instance and its cloud owner."
    if shared:
        statement = f"{len(shared)} of {len(joins)} receipts stand under more than one name."
    return Answer(
        number=2,
        asked_by="data owner",
        question="Did two cloud owners copy each other's receipts?",
        verdict="yes" if shared else "no",
        statement=statement,
        condition="a copied receipt is the same bytes or does not open, unless SHA-256 is broken; whether each opens, a"
        " holder of the package recomputes",
        proof=proofs([entry for _, pair in shared for entry in pair] if shared else joins),
        remarks=tuple(
            Remark(
                member=replica.record.co,
                statement="its receipt stands under another name too; its data owner "
                + ("signed for it" if replica.verified else "did not sign for it"),
                proof=proofs([*pair, replica.judged]),
            )
            for replica, pair in shared
        ),
    )


def right_subset(training: Training) -> Answer:
    """Question 3: one public digest for all replicas, and each one's own signature that its bytes fit."""
    joined = [replica for replica in training.replicas if replica.joined is not None]
    subsets = {id: training.history.creator(DataSubset, id) for id in dict.fromkeys(r.record.subset for r in joined)}
    same = _under_one_digest(training)
    verdict: Verdict = "no" if same else "yes" if joined else "cannot be shown"
    statement = f"Each of {len(subsets)} subsets has one public digest, fixed before its offers; {len(joined)} cloud"
    statement += " owners signed that their bytes hash to it."
    if same:
        statement = f"{len(same)} subsets have the digest of another one: their holders got the same bytes."
    return Answer(
        number=3,
        asked_by="cloud owner",
        question="Did the data owner give each cloud owner the right subset?",
        verdict=verdict,
        statement=statement if joined else "No cloud owner has joined.",
        condition="if each cloud owner recomputed digest and mask key before it joined, as its program does; with its"
        " peers' nonces it can recompute their receipts from its own bytes",
        proof=proofs(same if same else [*subsets.values(), *(replica.joined for replica in joined)]),
        remarks=tuple(
            _remark(
                offer,
                "it signed that its bytes are the subset's, and the data owner that its receipt is not:"
                " whoever holds the package can tell who of them is wrong",
            )
            for offer in training.offers
            if offer.joined is not None and offer.judged is not None and not offer.verified
        ),
    )


def received_what_was_sent(training: Training) -> Answer:
    """Question 4: the data owner's own signature under each receipt."""
    unverified = [replica for replica in training.replicas if not replica.verified]
    refused = [replica for replica in training.offers if replica.judged is not None and not replica.verified]
    false = _signed_twice(training)
    remarks = [_remark(replica, "its receipt was rejected by the data owner; it got no slot") for replica in refused]
    remarks += [
        _remark(replica, "the data owner signed for its receipt and for the same one under another name")
        for replica in false
    ]
    verdict: Verdict = "cannot be shown"
    if false:
        verdict, statement = "no", f"The data owner signed for {len(false)} receipts that cannot all be right."
    elif not training.replicas or unverified:
        statement = "Not every receipt has been judged by the data owner."
    else:
        verdict = "yes"
        statement = f"The data owner signed for the receipt of each of {len(training.replicas)} cloud owners."
    return Answer(
        number=4,
        asked_by="data owner",
        question="Has each cloud owner got what the data owner sent?",
        verdict=verdict,
        statement=statement,
        condition="if the data owner recomputed each receipt from the package before it signed, as its program does",
        proof=proofs(entry for replica in training.replicas for entry in (replica.joined, replica.judged)),
        remarks=tuple(remarks),
    )


def _first_acceptance(training: Training) -> dict[str, Entry]:
    """For each replica the action that accepted its first job."""
    first: dict[str, Entry] = {}
    for round in training.rounds:
        for vote in round.votes:
            for job in vote.jobs:
                if job.record.state == "accepted" and vote.closed is not None:
                    first.setdefault(job.record.instance, vote.closed)
    return first


def _shared_receipts(training: Training) -> list[tuple[Replica, list[Entry]]]:
    """Replicas whose receipt stands on the ledger under more than one name, with every action that recorded it."""
    names: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in training.history.entries:
        if isinstance(entry.action.arguments, JoinCI):
            names[entry.action.arguments.receipt].append(entry)
    receipts = [(replica, names[replica.record.receipt or ""]) for replica in training.offers]
    return [(replica, entries) for replica, entries in receipts if len(entries) > 1]


def _with_another(replica: Replica, entries: list[Entry]) -> list[Entry]:
    """The action that recorded this replica's receipt, and the first that recorded the same one elsewhere."""
    own = [entry for entry in entries if entry.id == replica.id]
    return own + [entry for entry in entries if entry.id != replica.id][:1]


def _signed_twice(training: Training) -> list[Replica]:
    """Replicas whose receipt was signed for under their own name and under another: they cannot all be right."""
    shared = _shared_receipts(training)
    recorded = {replica.record.receipt: entries for replica, entries in shared}
    signed = {
        receipt: sum(_is_verified(training, entry.id) for entry in entries) for receipt, entries in recorded.items()
    }
    return [replica for replica, _ in shared if replica.verified and signed[replica.record.receipt] > 1]


def _is_verified(training: Training, instance: str) -> bool:
    judged = training.history.wrote(CloudInstance, instance, VerifyCI.__name__)
    return judged is not None and getattr(judged.action.arguments, "verdict", "") == "verified"


def _under_one_digest(training: Training) -> list[Entry]:
    """The actions that declared subsets of these datasets with a digest that another of their subsets has too."""
    declared: defaultdict[str, list[Entry]] = defaultdict(list)
    for id, subset in training.subsets.items():
        declared[subset.digest].append(training.history.creator(DataSubset, id))
    return [entry for entries in declared.values() if len(entries) > 1 for entry in entries]


def _remark(replica: Replica, statement: str) -> Remark:
    return Remark(member=replica.record.co, statement=statement, proof=proofs([replica.joined, replica.judged]))
