"""What must be true of a whole history: S-1 and S-3, S-18, and the V- predicates, once nothing goes wrong any more.

The people of a market are first left alone with it for a while (`Town.lives`). Then everybody leaves, whatever became
of them: a stranger ends what is overdue, replicas retire, payouts are collected, accounts emptied. Each of these calls
must be accepted at its time, or somebody's money or place depended on another's consent.
"""

from __future__ import annotations

import base64
from collections import defaultdict

import msgspec

from freehold.contract.host import Contract
from freehold.contract.invariants import violations
from freehold.errors import Refused
from freehold.ledger.state import State
from freehold.protocol.actions import Arguments, Collect, EndTC, RetireCI, Withdraw, WithdrawDS
from freehold.protocol.envelope import sign_action
from freehold.protocol.identifiers import CoupleId, DatasetId, InstanceId, Nonce, PayoutId
from tests.simulation.people import Person
from tests.simulation.stand_in import number_of
from tests.simulation.town import Town


def ends(town: Town) -> None:
    """Asks everything that can be asked at the end of a market; the witness remembers what does not hold."""
    answers_are_right(town)
    model_owners_learned_only_group_sums(town)
    honest_majorities_decided(town)
    honest_people_finished(town)
    everybody_leaves(town)
    if not town.witness.accusations:
        replays_alike_and_never_twice(town)


def answers_are_right(town: Town) -> None:
    """V-2: what an honest model owner decrypted of a round is the sum of its group, if each majority was honest."""
    whole, buyer = town.witness.whole, town.people["buyer"]
    for subject, body in buyer.home.decisions.get("Outcome", {}).items():
        couple, _, round = subject.partition("/")
        outcome = msgspec.json.decode(body)
        ballots = [each for each in whole.ballots.values() if (each.couple, each.round) == (couple, int(round))]
        if any(
            town.witness.truth.get(id) != whole.ballots[id].digest
            for id in whole.ballots
            if whole.ballots[id] in ballots
        ):
            continue
        passed = 1 + int(outcome["turn"]) // town.turns_per_pass()
        total = 0
        for ballot in ballots:
            subset = whole.subsets[ballot.subset]
            total += number_of(bytes(town.table.rows(subset.index))) * passed
        if int.from_bytes(base64.b64decode(outcome["first"]), "big") != total % (1 << 128):
            town.witness.accuse("V-2", f"round {round} was decrypted to something else than the sum of its group")


def model_owners_learned_only_group_sums(town: Town) -> None:
    """S-18: over all trainings and model owners each round's sum is that of one frozen group of each dataset."""
    whole = town.witness.whole
    asked: dict[tuple[str, int, str], set[int]] = defaultdict(set)
    for ballot in whole.ballots.values():
        subset = whole.subsets[ballot.subset]
        asked[ballot.couple, ballot.round, subset.dataset].add(subset.index)
    for (_, _, dataset), indexes in asked.items():
        if sorted(indexes) not in [sorted(group) for group in whole.datasets[dataset].groups]:
            town.witness.accuse("S-18", f"a round asked for subsets {sorted(indexes)}, which are no group")


def honest_majorities_decided(town: Town) -> None:
    """V-2: a round that an honest model owner started in quiet is decided where most replicas are honest and awake."""
    whole, buyer = town.witness.whole, town.people["buyer"]
    if not buyer.is_honest:
        return
    quiet = town.quiet_from + 2_000
    for id, ballot in whole.ballots.items():
        if ballot.commit_until - 2_000 < quiet or town.now < ballot.close_until + 2_000:
            continue
        people = [town.witness.person_of(whole.jobs[job].co) for job in ballot.jobs]
        able = sum(each is not None and each.is_honest and not each.is_gone and not each.is_slow for each in people)
        if 2 * able > ballot.n and ballot.state != "decided":
            town.witness.accuse("V-2", f"ballot {id[:8]} is {ballot.state} though {able} of {ballot.n} could decide it")


def honest_people_finished(town: Town) -> None:
    """V-1, V-5: an honest model owner that is not gone has come to an end with every order that it made."""
    buyer = town.people["buyer"]
    if not buyer.is_honest or buyer.is_gone:
        return
    orders = buyer.home.decisions.get("Order", {})
    for name, body in orders.items():
        couple = town.witness.whole.couples.get(msgspec.json.decode(body)["couple"])
        if couple is not None and ("finished", name) not in buyer.home.notes:
            last = [str(told.trouble) for told in buyer.told if told.trouble][-1:]
            town.witness.accuse("V-5", f"the buyer never came to an end with {name}, which is {couple.state} {last}")


def everybody_leaves(town: Town) -> None:
    """V-1, V-3, V-4: overdue rounds and trainings end, everybody retires, collects and withdraws, by themselves."""
    whole, people = town.witness.whole, town.people
    grace, stranger = town.network.grace, people["cloud 0"]
    if stranger.member not in whole.members:
        return
    dues = [couple.due for couple in whole.couples.values() if couple.state != "ended"]
    town.now = (
        max(town.now, town.quiet_from, *dues, *(each.close_until for each in whole.ballots.values()), 0) + grace + 1
    )
    for id, couple in list(whole.couples.items()):
        if couple.state != "ended":
            _must(town, "V-1", stranger, EndTC(couple=CoupleId(id)))
    for id, dataset in list(whole.datasets.items()):
        if dataset.state != "withdrawn":
            owner = town.witness.person_of(dataset.owner)
            assert owner is not None
            _must(town, "V-4", owner, WithdrawDS(dataset=DatasetId(id)))
    for id, instance in list(whole.instances.items()):
        holder = town.witness.person_of(instance.co)
        if instance.state in ("free", "joined", "verified") and holder is not None:
            _must(town, "V-4", holder, RetireCI(instance=InstanceId(id)))
    town.now = max([town.now, *(each.since for each in whole.payouts.values())])
    due: dict[str, list[str]] = defaultdict(list)
    for id, payout in whole.payouts.items():
        if payout.state == "due":
            due[payout.payee].append(id)
    for member, payouts in due.items():
        payee = town.witness.person_of(member)
        assert payee is not None
        for start in range(0, len(payouts), 64):
            chosen = sorted(PayoutId(id) for id in payouts[start : start + 64])
            _must(town, "V-3", payee, Collect(payouts=tuple(chosen)))
    for member, account in list(whole.accounts.items()):
        owner = town.witness.person_of(member)
        if account.free and owner is not None:
            nonce = Nonce(town.chance.randbytes(32).hex())
            _must(town, "V-3", owner, Withdraw(nonce=nonce, amount=account.free))
    there = [id for id, each in whole.ballots.items() if each.left or each.state == "open"]
    there += [id for id, each in whole.couples.items() if each.balance or any(part.fee for part in each.parts)]
    there += [id for id, each in whole.instances.items() if each.stake]
    there += [id for id, each in whole.payouts.items() if each.state == "due"]
    if there:
        town.witness.accuse("V-3", f"money is left in {there}")


def replays_alike_and_never_twice(town: Town) -> None:
    """S-1, S-3, G-1, V-6: whoever was cut off replays the same state; nothing recorded counts a second time."""
    again, state = Contract(town.network), State(town.contract.genesis())
    for block in town.ledger.export(0, 1 << 30):
        time = msgspec.json.decode(block.header)["time"]
        executed = again.execute(state.read, block.actions[0], time, signature_checked=True)
        if executed.result != block.results[0]:
            town.witness.accuse("S-1", "a replay gave another result")
        state.apply(executed.writes)
    if dict(state.scan("")) != dict(town.ledger._state.scan("")):
        town.witness.accuse("S-1", "a replay gave another state")
    for found in violations(state):
        town.witness.accuse(found.invariant, found.what)
    for block in town.ledger.export(0, 1 << 30):
        time = msgspec.json.decode(block.header)["time"]
        try:
            again.execute(state.read, block.actions[0], time, signature_checked=True)
        except Refused:
            continue
        town.witness.accuse("S-3", "a recorded action would count a second time")


def _must(town: Town, predicate: str, who: Person, arguments: Arguments) -> None:
    """What somebody may do at this time, whatever the others did."""
    function = type(arguments).__name__
    action = sign_action(
        who.keys.signing,
        network=town.contract.network_id,
        function=function,
        member=who.member,
        time=town.now,
        arguments=arguments,
    )
    town.witness.sent(who, action)
    try:
        town.records(who.name, action)
    except Refused as refused:
        town.witness.accuse(predicate, f"{who.name} may not {function}: {refused.code}")
