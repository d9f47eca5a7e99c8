"""A referee's word: findings, burned stakes, and who is never touched."""

import pytest

from freehold.protocol import identifiers
from tests.market import Ballot, Market, Signer, Training, bytes_of, digest_of, refused


@pytest.fixture
def training(market: Market) -> Training:
    """A training over two subsets with a referee in its terms."""
    return market.trains(subsets=2)


@pytest.fixture
def ballot(training: Training) -> Ballot:
    """A ballot in which one replica lied and was out-voted."""
    ballot = training.starts_round().ballot(subset=0)
    for replica, result in zip(ballot.replicas, (b"right", b"right", b"wrong"), strict=True):
        replica.commits(result)
    ballot.closes_with(b"right")
    return ballot


def test_a_liar_loses_its_stake_its_place_and_nobody_gains(market: Market, training: Training, ballot: Ballot) -> None:
    liar = ballot.replicas[2]
    accounts = {record["id"]: record["free"] for record in market.records("account")}

    ballot.is_ruled(b"right")

    instance = market.record("instance", liar.record["instance"])
    assert (instance["state"], instance["stake"]) == ("retired", 0)
    assert liar.id not in [slot["co"] for slot in training.datasets[0].slots(0)]
    [finding] = market.records("finding")
    assert finding == {
        "id": identifiers.finding_id(liar.job),
        "job": liar.job,
        "co": liar.id,
        "ruling": digest_of(b"right"),
        "commitment": liar.record["commitment"],
        "nonce": liar.record["nonce"],
    }
    [burned] = liar.person.payouts(cause=instance["id"])
    assert (burned["state"], burned["amount"], burned["cause"]) == ("burned", 1_000, instance["id"])
    with refused("state"):
        liar.person.does("Collect", payouts=[burned["id"]])
    assert accounts == {record["id"]: record["free"] for record in market.records("account")}
    assert market.money_is_conserved()


def test_a_lying_majority_is_found_out_by_the_referee_though_it_was_paid(market: Market, training: Training) -> None:
    ballot = training.starts_round().ballot(subset=0)
    honest, *liars = ballot.replicas
    honest.commits(b"right")
    for liar in liars:
        liar.commits(b"wrong")
    ballot.closes_with(b"wrong")

    ballot.is_ruled(b"right")

    assert {finding["co"] for finding in market.records("finding")} == {liar.id for liar in liars}
    assert ballot.verdicts()[honest] == "rejected"
    assert market.record("instance", honest.record["instance"])["stake"] == 1_000
    assert [slot["co"] for slot in training.datasets[0].slots(0)] == [honest.id]
    assert [market.earned(liar) for liar in liars] == [100, 100]
    assert market.money_is_conserved()


def test_who_kept_silent_gets_no_finding(market: Market, training: Training) -> None:
    ballot = training.starts_round().ballot(subset=0)
    one, other, silent = ballot.replicas
    one.commits(b"right")
    other.commits(b"right")
    market.waits_until_after(ballot.record["commit_until"])
    ballot.closes_with(b"right")

    ballot.is_ruled(b"right")

    assert market.records("finding") == []
    assert market.record("instance", silent.record["instance"])["state"] == "verified"


def test_a_stake_on_its_way_home_is_burned_as_well(market: Market, ballot: Ballot) -> None:
    liar = ballot.replicas[2]
    liar.person.does("RetireCI", instance=liar.record["instance"])
    [due] = liar.person.payouts(state="due")

    ballot.is_ruled(b"right")

    assert market.record("payout", due["id"])["state"] == "burned"
    assert market.records("finding", co=liar.id)
    assert market.money_is_conserved()


def test_a_stake_that_was_collected_stays_but_the_finding_is_written(market: Market) -> None:
    training = market.trains(subsets=2, hold=40_000, idle_window=1_000_000)
    ballot = training.starts_round().ballot(subset=0)
    liar = ballot.replicas[2]
    liar.commits(b"wrong")
    liar.person.does("RetireCI", instance=liar.record["instance"])
    market.waits(40_000)
    assert liar.person.collects() == 1_000

    ballot.is_ruled(b"right")

    assert [finding["co"] for finding in market.records("finding")] == [liar.id]
    assert liar.person.account == 1_000
    assert market.record("instance", liar.record["instance"])["state"] == "retired"
    assert market.money_is_conserved()


def test_a_liar_in_two_ballots_is_found_twice_and_burned_once(market: Market, training: Training) -> None:
    ballots = []
    for _ in range(2):
        ballot = training.starts_round().ballot(subset=0)
        other = Ballot(
            market, identifiers.ballot_id(training.id, ballot.record["round"], training.datasets[0].subset(1))
        )
        for replica, result in zip(ballot.replicas, (b"right", b"right", b"wrong"), strict=True):
            replica.commits(result)
        ballot.closes_with(b"right")
        other.is_agreed()
        ballots.append(ballot)
    liar = ballots[0].replicas[2]
    for ballot in ballots:
        ballot.is_ruled(b"right")

    assert len(market.records("finding", co=liar.id)) == 2
    assert [payout["amount"] for payout in liar.person.payouts(state="burned")] == [1_000]
    assert market.money_is_conserved()


def test_only_the_referee_of_the_terms_rules(market: Market, ballot: Ballot) -> None:
    for stranger in (ballot.replicas[0].person, market.treasury, Signer(market, bytes_of("x"), market.referee.id)):
        with refused("not-yours"):
            stranger.does("ReportFraud", ballot=ballot.id, ruling=digest_of(b"right"))
    with refused("unknown"):
        market.referee.does("ReportFraud", ballot="ab" * 32, ruling=digest_of(b"right"))


def test_where_no_referee_was_agreed_nobody_rules(market: Market) -> None:
    training = market.trains(subsets=2, referee=None, stake=0)
    ballot = training.starts_round().ballot(subset=0).is_agreed()
    with refused("not-yours"):
        ballot.is_ruled(b"gradient")


def test_a_referee_rules_once_even_if_it_would_say_the_same(ballot: Ballot) -> None:
    ballot.is_ruled(b"right")
    for result in (b"right", b"wrong"):
        with refused("exists"):
            ballot.is_ruled(result)


def test_a_ruling_waits_until_nobody_can_commit_any_more(market: Market, training: Training) -> None:
    ballot = training.starts_round().ballot(subset=0)
    ballot.replicas[0].commits(b"wrong")
    market.now = ballot.record["close_until"] + market.network.grace
    with refused("state"):
        ballot.is_ruled(b"right")
    market.waits(1)
    ballot.is_ruled(b"right")

    assert ballot.record["state"] == "open"
    assert len(market.records("finding")) == 1


def test_a_void_ballot_can_be_ruled_about(market: Market, training: Training) -> None:
    ballot = training.starts_round().ballot(subset=0)
    ballot.replicas[0].commits(b"wrong")
    market.waits_until_after(ballot.record["close_until"])
    training.ends()
    ballot.is_ruled(b"right")

    assert ballot.record["state"] == "void"
    assert [finding["co"] for finding in market.records("finding")] == [ballot.replicas[0].id]


def test_a_referee_that_comes_after_the_hold_is_too_late(market: Market, ballot: Ballot) -> None:
    market.now = ballot.record["close_until"] + 80_000 + 1
    with refused("too-late"):
        ballot.is_ruled(b"right")
    market.now -= 1
    ballot.is_ruled(b"right")


def test_a_found_replica_serves_its_other_open_jobs_no_worse(market: Market, training: Training) -> None:
    first = training.starts_round()
    ballot = first.ballot(0)
    for replica, result in zip(ballot.replicas, (b"right", b"right", b"wrong"), strict=True):
        replica.commits(result)
    ballot.closes_with(b"right")
    first.ballot(1).is_agreed()
    second = training.starts_round()
    ballot.is_ruled(b"right")

    second.is_agreed()

    liar = ballot.replicas[2]
    assert market.earned(liar) == 100
    assert market.money_is_conserved()


def test_a_ruling_without_a_stake_still_takes_the_slot(market: Market) -> None:
    training = market.trains(subsets=2, stake=0)
    ballot = training.starts_round().ballot(subset=0)
    for replica, result in zip(ballot.replicas, (b"right", b"right", b"wrong"), strict=True):
        replica.commits(result)
    ballot.closes_with(b"right")
    ballot.is_ruled(b"right")

    assert len(training.datasets[0].slots(0)) == 2
    assert market.records("payout", state="burned") == []
