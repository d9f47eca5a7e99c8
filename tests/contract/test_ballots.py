"""Ballots: committed blind, opened together, decided by a majority."""

import pytest

from tests.market import Market, digest_of, refused


def test_a_copied_commitment_cannot_be_opened_and_only_the_worker_is_paid(market: Market) -> None:
    training = market.trains(subsets=4, replicas=3)
    ballot = training.starts_round().ballot(subset=0)
    worker, copier, honest = ballot.replicas
    worker.commits(result=b"gradient")
    copier.commits_bytes_of(worker)
    honest.commits(result=b"gradient")

    ballot.closes_with(b"gradient")

    assert ballot.verdicts() == {worker: "accepted", copier: "rejected", honest: "accepted"}
    assert market.earned(copier) == 0
    assert market.earned(worker) == market.earned(honest) == 100
    assert market.money_is_conserved()


def test_an_out_voted_replica_loses_the_price_of_its_job_and_nothing_else(market: Market) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(subset=0)
    one, other, liar = ballot.replicas
    one.commits(b"right")
    other.commits(b"right")
    liar.commits(b"wrong")

    ballot.closes_with(b"right")

    assert ballot.verdicts()[liar] == "rejected"
    assert market.record("instance", liar.record["instance"])["stake"] == 1_000
    assert market.records("finding") == []


def test_a_silent_replica_reads_missing_and_is_not_waited_for_after_the_deadline(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    one, other, silent = ballot.replicas
    one.commits()
    other.commits()

    market.now = ballot.record["commit_until"] + market.network.grace
    with refused("too-early"):
        ballot.closes_with(b"gradient")
    market.waits(1)
    ballot.closes_with(b"gradient")

    assert ballot.verdicts() == {one: "accepted", other: "accepted", silent: "missing"}
    assert ballot.record["left"] == 100


def test_nobody_closes_a_ballot_with_a_digest_that_most_did_not_find(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    for replica, result in zip(ballot.replicas, (b"one", b"two", b"three"), strict=True):
        replica.commits(result)

    for result in (b"one", b"two", b"three", b"four"):
        with refused("no-majority"):
            ballot.closes_with(result)

    assert ballot.record["state"] == "open"


def test_two_of_five_that_agree_are_no_majority_even_if_the_others_are_silent(market: Market) -> None:
    ballot = market.trains(subsets=2, replicas=5).starts_round().ballot(subset=0)
    for replica in ballot.replicas[:2]:
        replica.commits()
    market.waits_until_after(ballot.record["commit_until"])

    with refused("no-majority"):
        ballot.closes_with(b"gradient")


def test_a_majority_counts_all_slots_of_the_terms_not_only_the_filled_ones(market: Market) -> None:
    training = market.trains(subsets=2, replicas=5)
    for slot in training.datasets[0].slots(0)[3:]:
        training.datasets[0].owner.does("RetireCI", instance=slot["instance"])
    ballot = training.starts_round().ballot(subset=0)
    assert len(ballot.replicas) == 3
    one, other, third = ballot.replicas
    one.commits(b"right")
    other.commits(b"right")
    third.commits(b"wrong")

    with refused("no-majority"):
        ballot.closes_with(b"right")


@pytest.mark.parametrize("who", ["data owner", "model owner", "worker", "stranger"])
def test_any_member_may_close_a_ballot(market: Market, who: str) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(subset=0)
    for replica in ballot.replicas:
        replica.commits()
    closers = {
        "data owner": training.datasets[0].owner,
        "model owner": training.owner,
        "worker": ballot.replicas[2].person,
        "stranger": market.cloud_owner(),
    }

    ballot.closes_with(b"gradient", by=closers[who])

    assert ballot.record["state"] == "decided"


def test_treasury_and_referee_are_no_members_and_close_nothing(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    for outsider in (market.treasury, market.referee):
        with refused("unknown"):
            outsider.does("CloseRound", ballot=ballot.id, digest=digest_of(b"gradient"))


def test_a_decided_ballot_stays_as_it_was_decided(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0).is_agreed(b"gradient")

    with refused("state"):
        ballot.closes_with(b"gradient")
    with refused("state"):
        ballot.replicas[0].commits(b"another")


def test_a_worker_commits_once_and_only_for_its_own_job(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    worker, other, _ = ballot.replicas
    worker.commits(b"first thought")

    with refused("state"):
        worker.commits(b"second thought")
    with refused("not-yours"):
        worker.person.does("UpdateTJ", job=other.job, commitment="ab" * 32, nonce="cd" * 32, locator="ef" * 560)
    with refused("unknown"):
        worker.person.does("UpdateTJ", job="ab" * 32, commitment="ab" * 32, nonce="cd" * 32, locator="ef" * 560)


def test_a_commitment_is_in_time_up_to_the_deadline_and_not_a_millisecond_later(market: Market) -> None:
    ballot = market.trains(subsets=2).starts_round().ballot(subset=0)
    early, late, _ = ballot.replicas
    market.now = ballot.record["commit_until"]
    early.commits()
    market.waits(1)

    with refused("too-late"):
        late.commits()


def test_nothing_is_committed_into_a_void_ballot(market: Market) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(subset=0)
    late = ballot.replicas[0]
    market.waits_until_after(ballot.record["close_until"])
    training.starts_round()
    assert ballot.record["state"] == "void"

    with refused("closed"):
        late.commits()


def test_a_retired_replica_may_still_serve_its_open_job_and_is_paid(market: Market) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(subset=0)
    leaver = ballot.replicas[0]
    leaver.person.does("RetireCI", instance=leaver.record["instance"])

    ballot.is_agreed()

    assert ballot.verdicts()[leaver] == "accepted"
    assert market.earned(leaver) == 100


def test_a_commitment_writes_its_job_and_nothing_else(market: Market) -> None:
    worker = market.trains(subsets=2).starts_round().ballot(subset=0).replicas[0]
    action = worker.person.signs("UpdateTJ", job=worker.job, commitment="ab" * 32, nonce="cd" * 32, locator="ef" * 560)

    executed = market.executes(action)

    assert list(executed.writes) == [f"job/{worker.job}"]
    assert executed.events == ()


def test_a_job_under_a_void_ballot_reads_undecided_or_missing(market: Market) -> None:
    training = market.trains(subsets=2)
    ballot = training.starts_round().ballot(subset=0)
    diligent, silent, _ = ballot.replicas
    diligent.commits()
    market.waits_until_after(ballot.record["close_until"])
    training.starts_round()

    assert ballot.verdicts()[diligent] == "undecided"
    assert ballot.verdicts()[silent] == "missing"
    assert [job["id"] for job in market.records("job", ballot=ballot.id, state="undecided")] == [diligent.job]
