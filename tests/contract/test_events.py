"""Events: for every function the whole list, in its order."""

from tests.market import Market, Member, Training


def told(market: Market, before: int) -> list[tuple[str, str, str]]:
    """Every event since a cursor, as name, subject and receiver."""
    return [(event.name, event.subject, event.to) for event in market.ledger.events(before).events]


def cursor(market: Market) -> int:
    """Where the events have come to."""
    return market.ledger.events(0).cursor


def payouts_for(person: Member, cause: str) -> list[str]:
    """The ids of what somebody got for one cause."""
    return [payout["id"] for payout in person.payouts(cause=cause)]


def test_joining_registering_and_drafting_tell_nobody(market: Market) -> None:
    market.model_owner().registers_a_model()
    market.drafts(subsets=2)

    assert told(market, 0) == []


def test_an_offer_its_joining_and_its_verification_are_told_to_the_other_side(market: Market) -> None:
    dataset, holder = market.drafts(subsets=2), market.cloud_owner(funds=1_000)
    start = cursor(market)
    holding = dataset.is_held_by(0, holder)

    assert told(market, start) == [
        ("instance-offered", holding.instance, holder.id),
        ("instance-joined", holding.instance, dataset.owner.id),
        ("instance-verified", holding.instance, holder.id),
    ]


def test_a_rejected_replica_hears_of_its_money_first(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holding = dataset.is_joined_by(0)
    start = cursor(market)
    dataset.owner.does("VerifyCI", instance=holding.instance, verdict="rejected")

    [payout] = payouts_for(holding.holder, holding.instance)
    assert told(market, start) == [
        ("payout-due", payout, holding.holder.id),
        ("instance-rejected", holding.instance, holding.holder.id),
    ]


def test_a_retirement_is_told_to_the_other_side(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    by_holder, by_owner = dataset.is_held_by(0), dataset.is_held_by(0)
    start = cursor(market)
    by_holder.holder.does("RetireCI", instance=by_holder.instance)
    dataset.owner.does("RetireCI", instance=by_owner.instance)

    [first] = payouts_for(by_holder.holder, by_holder.instance)
    [second] = payouts_for(by_owner.holder, by_owner.instance)
    assert told(market, start) == [
        ("payout-due", first, by_holder.holder.id),
        ("instance-retired", by_holder.instance, dataset.owner.id),
        ("payout-due", second, by_owner.holder.id),
        ("instance-retired", by_owner.instance, by_owner.holder.id),
    ]


def test_a_deposit_is_told_and_collecting_or_withdrawing_is_not(market: Market) -> None:
    member = market.data_owner().has(50)
    member.does("Withdraw", nonce=market.fresh(), amount=50)

    [payout] = member.payouts()
    assert told(market, 0) == [("payout-due", payout["id"], member.id)]


def test_a_request_is_told_once_to_each_owner_and_each_approval_to_the_model_owner(market: Market) -> None:
    owner, other = market.data_owner(), market.data_owner()
    datasets = [market.drafts(subsets=2, owner=each).is_held().is_published() for each in (owner, owner, other)]
    model_owner = market.model_owner(funds=100_000)
    start = cursor(market)
    training = market.requests(*datasets, owner=model_owner).is_approved()

    assert told(market, start) == [
        *(("training-requested", training.id, each) for each in sorted([owner.id, other.id])),
        *[("training-approved", training.id, model_owner.id)] * 3,
    ]


def test_a_round_calls_every_worker_by_part_subset_and_slot(market: Market) -> None:
    training = market.requests(market.publishes(subsets=2), market.publishes(subsets=3)).is_approved()
    start = cursor(market)
    round = training.starts_round()

    assert told(market, start) == [
        ("job-open", replica.job, replica.id) for ballot in round.ballots for replica in ballot.replicas
    ]
    assert [ballot.record["subset"] for ballot in round.ballots] == [
        dataset.subset(index) for dataset in training.datasets for index in range(dataset.shape["m"])
    ]


def test_a_closed_ballot_tells_the_model_owner_and_then_each_worker_of_its_pay_and_verdict(market: Market) -> None:
    training = market.trains(subsets=2, replicas=5)
    ballot = training.starts_round().ballot(0)
    liar, first, silent, second, third = ballot.replicas
    for replica, result in ((liar, b"wrong"), (first, b"right"), (second, b"right"), (third, b"right")):
        replica.commits(result)
    market.waits_until_after(ballot.record["commit_until"])
    start = cursor(market)
    ballot.closes_with(b"right")

    paid = {replica: payouts_for(replica.person, replica.job)[0] for replica in (first, second, third)}
    assert told(market, start) == [
        ("ballot-decided", ballot.id, training.owner.id),
        ("job-rejected", liar.job, liar.id),
        ("payout-due", paid[first], first.id),
        ("job-accepted", first.job, first.id),
        ("job-missing", silent.job, silent.id),
        ("payout-due", paid[second], second.id),
        ("job-accepted", second.job, second.id),
        ("payout-due", paid[third], third.id),
        ("job-accepted", third.job, third.id),
    ]


def test_settling_tells_of_void_ballots_before_the_next_round(market: Market) -> None:
    training = market.trains(subsets=2)
    first = training.starts_round()
    first.ballot(1).is_agreed()
    market.waits_until_after(first.ballot(0).record["close_until"])
    start = cursor(market)
    second = training.starts_round()

    assert told(market, start) == [
        ("ballot-void", first.ballot(0).id, training.owner.id),
        *(("job-open", replica.job, replica.id) for ballot in second.ballots for replica in ballot.replicas),
    ]


def test_settling_a_complete_round_tells_each_owner_of_its_fee_before_the_next_round(market: Market) -> None:
    training = market.requests(market.publishes(subsets=2), market.publishes(subsets=2)).is_approved()
    training.starts_round().is_agreed()
    start = cursor(market)
    second = training.starts_round()

    owners = [dataset.owner for dataset in training.datasets]
    assert told(market, start) == [
        *(("payout-due", owner.payouts()[0]["id"], owner.id) for owner in owners),
        *(("job-open", replica.job, replica.id) for ballot in second.ballots for replica in ballot.replicas),
    ]


def test_the_end_tells_of_the_books_then_of_the_rest_then_everybody_in_the_training(market: Market) -> None:
    training: Training = market.requests(market.publishes(subsets=2), market.publishes(subsets=2)).is_approved()
    training.starts_round().is_agreed()
    start = cursor(market)
    training.ends()

    owners = [dataset.owner for dataset in training.datasets]
    [rest] = payouts_for(training.owner, training.id)
    assert told(market, start) == [
        *(("payout-due", owner.payouts()[0]["id"], owner.id) for owner in owners),
        ("payout-due", rest, training.owner.id),
        *(("training-ended", training.id, each) for each in sorted({training.owner.id, *(one.id for one in owners)})),
    ]


def test_a_ruling_tells_each_found_worker_in_slot_order(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(0)
    one, honest, other = ballot.replicas
    for replica, result in ((one, b"wrong"), (honest, b"right"), (other, b"wrong")):
        replica.commits(result)
    ballot.closes_with(b"wrong")
    start = cursor(market)
    ballot.is_ruled(b"right")

    findings = {finding["co"]: finding["id"] for finding in market.records("finding")}
    assert told(market, start) == [("finding", findings[each.id], each.id) for each in (one, other)]


def test_publishing_and_withdrawing_tell_nobody(market: Market) -> None:
    dataset = market.drafts(subsets=2).is_held()
    start = cursor(market)
    dataset.is_published()
    dataset.owner.does("WithdrawDS", dataset=dataset.id)

    assert told(market, start) == []
