"""When several checks fail at once, the first of the written order gives the code (PROTOCOL-ANNEX, "Refusals").

Each test lets everything be wrong together and mends one thing after the other.
"""

from typing import Any

import pytest

from tests.market import TERMS, Market, refused


@pytest.fixture
def guarded() -> Market:
    """A market in which admissions end."""
    return Market(permissioned=True)


def test_drafting(guarded: Market) -> None:
    owner = guarded.data_owner(until=guarded.now)
    nonce, fine = guarded.fresh(), {**TERMS, "group_min": 2, "stake": 0}
    first = {"nonce": nonce, "m": 2, "n": 3, "card_digest": "ab" * 32}
    owner.does("CreateDS", terms=fine, **first)
    worst = {**fine, "group_min": 3, "hold": 0, "store": "elsewhere", "referee": "ab" * 32, "stake": 5}

    def draft(code: str, n: int = 3, **terms: Any) -> None:
        with refused(code):
            owner.does("CreateDS", **{**first, "n": n, "terms": {**worst, **terms}})

    guarded.waits(1)
    draft("exists", n=4)
    first["nonce"] = guarded.fresh()
    draft("not-admitted", n=4)
    owner = guarded.data_owner()
    draft("limit", n=4)
    draft("limit")
    draft("limit", group_min=2)
    draft("unknown", group_min=2, hold=TERMS["hold"])
    draft("unknown", group_min=2, hold=TERMS["hold"], store="main")
    del worst["referee"]
    draft("limit", group_min=2, hold=TERMS["hold"], store="main")


def test_joining_a_network(guarded: Market) -> None:
    person = guarded.newcomer("co").joins("CreateCO")
    with refused("exists"):
        person.does("CreateCO", **person.keys)
    fresh = guarded.newcomer("co")
    with refused("not-admitted"):
        fresh.does("CreateCO", **fresh.keys)


def test_offering(market: Market) -> None:
    dataset, holder = market.drafts(subsets=2), market.model_owner()
    offer = {
        "subset": dataset.subset(0),
        "co": "ab" * 32,
        "nonce": "cd" * 32,
        "object": "ef" * 32,
        "locator": "00" * 560,
    }
    stranger = market.data_owner()
    with refused("unknown"):
        stranger.does("CreateCI", **offer)
    offer["co"] = holder.id
    with refused("not-yours"):
        stranger.does("CreateCI", **offer)
    with refused("unknown"):
        dataset.owner.does("CreateCI", **offer)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    with refused("state"):
        dataset.owner.does("CreateCI", **offer)


def test_taking_an_offer(guarded: Market) -> None:
    dataset = guarded.drafts(subsets=2)
    poor = guarded.cloud_owner(until=guarded.now)
    receipt = {"receipt": "ab" * 32, "nonce": "cd" * 32}
    first, second = dataset.offers(0, poor), dataset.offers(1, poor)
    poor.does("RetireCI", instance=second)
    guarded.waits(1)
    other = guarded.drafts(subsets=2)
    elsewhere = other.offers(0, poor)
    other.owner.does("WithdrawDS", dataset=other.id)

    with refused("not-yours"):
        guarded.cloud_owner().does("JoinCI", instance=second, **receipt)
    with refused("state"):
        poor.does("JoinCI", instance=second, **receipt)
    with refused("withdrawn"):
        poor.does("JoinCI", instance=elsewhere, **receipt)
    with refused("not-admitted"):
        poor.does("JoinCI", instance=first, **receipt)
    admitted = guarded.cloud_owner()
    with refused("no-funds"):
        admitted.does("JoinCI", instance=dataset.offers(0, admitted), **receipt)


def test_verifying(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    twice = market.cloud_owner(funds=3_000)
    dataset.is_held_by(0, twice)
    again, never = dataset.is_joined_by(0, twice), dataset.offers(0, twice)
    for _ in range(2):
        dataset.is_held_by(0)
    with refused("not-yours"):
        market.data_owner().does("VerifyCI", instance=never, verdict="verified")
    with refused("state"):
        dataset.owner.does("VerifyCI", instance=never, verdict="verified")
    with refused("full"):
        dataset.owner.does("VerifyCI", instance=again.instance, verdict="verified")
    dataset.owner.does("RetireCI", instance=dataset.slots(0)[1]["instance"])
    with refused("duplicate"):
        dataset.owner.does("VerifyCI", instance=again.instance, verdict="verified")


def test_publishing(market: Market) -> None:
    weak = {"digest": "ab" * 32, "mask_key": "00" * 32}
    dataset = market.drafts(subsets=[weak, weak])
    with refused("not-yours"):
        market.data_owner().does("PublishDS", dataset=dataset.id)
    with refused("not-full"):
        dataset.is_published()
    dataset.is_held()
    with refused("duplicate"):
        dataset.is_published()
    different = market.drafts(subsets=[weak, {"digest": "cd" * 32, "mask_key": "01" + "00" * 31}]).is_held()
    with refused("bad-key"):
        different.is_published()
    different.owner.does("WithdrawDS", dataset=different.id)
    with refused("state"):
        different.is_published()


def test_registering_a_model(market: Market) -> None:
    owner, nonce = market.model_owner(), market.fresh()
    owner.registers_a_model(nonce=nonce)
    worst = {"nonce": nonce, "method": "statistics-1", "store": "elsewhere"}
    with refused("malformed"):
        owner.registers_a_model(**worst)
    with refused("exists"):
        owner.registers_a_model(**{**worst, "method": "linear-1"})
    with refused("unknown"):
        owner.registers_a_model(nonce=market.fresh(), method="linear-1", store="elsewhere")


def test_requesting(guarded: Market) -> None:
    drafted, gone = guarded.drafts(subsets=2), guarded.drafts(subsets=2)
    gone.owner.does("WithdrawDS", dataset=gone.id)
    fine = guarded.publishes(subsets=2)
    slow = guarded.publishes(subsets=2, commit_window=60_000, hold=10**6)
    owner = guarded.model_owner(until=guarded.now)
    poor = guarded.model_owner()
    models = {each.id: each.registers_a_model(type="statistics", method="statistics-1") for each in (owner, poor)}
    request: dict[str, Any] = {"nonce": guarded.fresh(), "rounds": 99, "draw_commitment": "ab" * 32}
    guarded.waits(1)

    def ask(code: str, who: Any, *datasets: Any, **changes: Any) -> None:
        with refused(code):
            ids = sorted(dataset.id for dataset in datasets)
            who.does("RequestTC", **{**request, "model": models[who.id], "datasets": ids, **changes})

    ask("not-yours", poor, gone, model=models[owner.id])
    in_order = sorted([drafted, gone], key=lambda dataset: dataset.id)
    ask("state" if in_order[0] is drafted else "withdrawn", owner, drafted, gone)
    ask("state", owner, drafted)
    ask("not-admitted", owner, fine, slow)
    ask("unknown", poor, fine, slow)
    models[poor.id] = poor.registers_a_model()
    ask("limit", poor, fine, slow)
    ask("limit", poor, fine, slow, rounds=1)
    ask("no-funds", poor, fine, rounds=1)


def test_approving(market: Market) -> None:
    dataset = market.publishes(subsets=2, rounds_total=4)
    market.requests(dataset).is_approved()
    training = market.requests(dataset)
    ended = market.requests(dataset)
    ended.ends()
    approval = {"couple": ended.id, "dataset": dataset.id, "share": "ab" * 32}
    market.now = training.record["due"] + 1
    with refused("not-yours"):
        market.data_owner().does("ApproveTC", **approval)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    with refused("state"):
        dataset.owner.does("ApproveTC", **approval)
    approval["couple"] = training.id
    with refused("withdrawn"):
        dataset.owner.does("ApproveTC", **approval)


def test_approving_late_what_is_spent(market: Market) -> None:
    dataset = market.publishes(subsets=2, rounds_total=4)
    market.requests(dataset).is_approved()
    training = market.requests(dataset)
    market.now = training.record["due"] + 1
    with refused("too-late"):
        training.is_approved()
    market.now -= 1
    with refused("rounds-spent"):
        training.is_approved()


def test_starting_a_round(market: Market) -> None:
    training = market.trains(subsets=2, rounds=1)
    dataset = training.datasets[0]
    training.starts_round()
    for slot in dataset.slots(0)[:2]:
        dataset.owner.does("RetireCI", instance=slot["instance"])
    worst = {"couple": training.id, "round": 3, "base": "ab" * 32, "secret": training.secret}
    with refused("not-yours"):
        market.model_owner().does("StartRound", **worst)
    with refused("state"):
        training.owner.does("StartRound", **worst)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    with refused("rounds-spent"):
        training.owner.does("StartRound", **{**worst, "round": 2})


def test_starting_a_second_round(market: Market) -> None:
    training, gone = market.trains(subsets=2, rounds=3), market.trains(subsets=2, rounds=3)
    for each in (training, gone):
        each.starts_round()
        for slot in each.datasets[0].slots(0)[:2]:
            each.datasets[0].owner.does("RetireCI", instance=slot["instance"])
    gone.datasets[0].owner.does("WithdrawDS", dataset=gone.datasets[0].id)
    with refused("withdrawn"):
        gone.owner.does("StartRound", couple=gone.id, round=2, base="ab" * 32, secret=gone.secret)
    with refused("bad-opening"):
        training.owner.does("StartRound", couple=training.id, round=2, base="ab" * 32, secret=training.secret)
    with refused("round-open"):
        training.starts_round()
    market.waits_until_after(training.record["close_until"])
    with refused("replica-missing"):
        training.starts_round()


def test_committing(market: Market) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(0)
    worker, other, _ = ballot.replicas
    worker.commits()
    market.waits_until_after(ballot.record["close_until"])
    job = {"job": worker.job, "commitment": "ab" * 32, "nonce": "cd" * 32, "locator": "00" * 560}
    with refused("not-yours"):
        other.person.does("UpdateTJ", **job)
    with refused("state"):
        worker.person.does("UpdateTJ", **job)
    with refused("too-late"):
        other.commits()
    training.ends()
    with refused("closed"):
        other.commits()


def test_closing(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(0)
    with refused("too-early"):
        ballot.closes_with(b"gradient")
    market.waits_until_after(ballot.record["commit_until"])
    with refused("no-majority"):
        ballot.closes_with(b"gradient")


def test_ending(market: Market) -> None:
    training, stranger = market.trains(subsets=2), market.data_owner()
    round = training.starts_round()
    with refused("not-yours"):
        training.ends(by=stranger, final="ab" * 32)
    with refused("too-early"):
        training.ends(by=stranger)
    with refused("round-open"):
        training.ends()
    market.waits_until_after(round.ballots[0].record["close_until"])
    training.ends()
    with refused("not-yours"):
        training.ends(by=stranger, final="ab" * 32)
    with refused("state"):
        training.ends(by=stranger)


def test_ruling(market: Market) -> None:
    training = market.trains(subsets=2)
    first = training.starts_round()
    ballot = first.ballot(0)
    with refused("state"):
        ballot.is_ruled(b"right")
    first.is_agreed()
    ballot.is_ruled(b"gradient")
    market.now = ballot.record["close_until"] + 80_001
    with refused("exists"):
        ballot.is_ruled(b"gradient")
    with refused("too-late"):
        first.ballot(1).is_ruled(b"gradient")


def test_collecting(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    slots = dataset.slots(0)[:2]
    one, other = (market.people[slot["co"]] for slot in slots)
    for slot in slots:
        dataset.owner.does("RetireCI", instance=slot["instance"])
    collected = one.payouts(state="collected")[0]["id"]
    [held], [theirs] = one.payouts(state="due"), other.payouts(state="due")

    def collect(code: str, *payouts: str) -> None:
        with refused(code):
            one.does("Collect", payouts=sorted(payouts))

    collect("unknown", "ab" * 32, theirs["id"], collected, held["id"])
    collect("not-yours", theirs["id"], collected, held["id"])
    collect("state", collected, held["id"])
    collect("too-early", held["id"])


def test_depositing_and_withdrawing(market: Market) -> None:
    member, nonce = market.data_owner(), market.fresh()
    most = 2**53 - 1
    market.treasury.does("Deposit", nonce=nonce, payee=member.id, amount=most)
    with refused("unknown"):
        market.treasury.does("Deposit", nonce=nonce, payee="ab" * 32, amount=most)
    with refused("exists"):
        market.treasury.does("Deposit", nonce=nonce, payee=member.id, amount=most)
    with refused("limit"):
        market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=most)
    member.collects()
    member.does("Withdraw", nonce=nonce, amount=1)
    with refused("exists"):
        member.does("Withdraw", nonce=nonce, amount=most)


def test_subsets_withdrawals_and_retirements(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    dataset.owner.does("WithdrawDS", dataset=dataset.id)
    subset = {"dataset": dataset.id, "digest": "ab" * 32, "mask_key": "cd" * 32}
    with refused("not-yours"):
        market.data_owner().does("CreateDSS", index=0, **subset)
    with refused("exists"):
        dataset.owner.does("CreateDSS", index=0, **subset)
    with refused("state"):
        dataset.owner.does("CreateDSS", index=2, **subset)
    with refused("not-yours"):
        market.data_owner().does("WithdrawDS", dataset=dataset.id)
