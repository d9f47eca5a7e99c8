"""A lie about each of the eight questions, and the recorded actions that show it.

Five of them can be told on an honest ledger. The other three need a ledger that forgets one of its rules: the question
itself still finds the lie, and whoever runs the right rules does not even come to ask it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from freehold.agents.auditor.questions import Answer
from freehold.agents.auditor.verify import check
from freehold.contract import distribution, rounds, settlement
from freehold.errors import Invalid
from tests.adversaries.careless import refuses_nobody, whoever_commits_is_paid
from tests.agents.auditor.recordings import answer_of, recording_of
from tests.market import Dataset, Holding, Market, Training


@pytest.fixture
def market() -> Market:
    return Market()


def shown_by(answer: Answer, *, remark: int | None = None) -> list[str]:
    """The functions of the actions that an answer, or one of its remarks, rests on."""
    proof = answer.proof if remark is None else answer.remarks[remark].proof
    return [each.function for each in proof]


def joins_with_the_receipt_of(original: Holding, index: int, verdict: str) -> None:
    dataset = original.dataset
    copier = dataset.market.cloud_owner(funds=dataset.shape["terms"]["stake"])
    instance = dataset.offers(index, copier)
    copier.does("JoinCI", instance=instance, receipt=original.record["receipt"], nonce=original.record["nonce"])
    dataset.owner.does("VerifyCI", instance=instance, verdict=verdict)


def trains_on(dataset: Dataset) -> Training:
    for index in range(dataset.shape["m"]):
        while len(dataset.slots(index)) < dataset.shape["n"]:
            dataset.is_held_by(index)
    training = dataset.market.requests(dataset.is_published()).is_approved()
    training.starts_round().is_agreed()
    return training


@contextmanager
def told_by_a_ledger_without_the_rule(training_of_the_lie: Training) -> Iterator[None]:
    """The right rules refuse the very file in which the lie was told."""
    recording = recording_of(training_of_the_lie.market)
    yield
    with pytest.raises(Invalid) as refused:
        check(recording)
    assert refused.value.code == "evidence:block"


@pytest.mark.parametrize(("number", "honest"), list(enumerate(["yes", "no", "yes", "yes", "yes", "no", "no"], 1)))
def test_without_a_lie_the_good_answer_is_given_and_nobody_is_remarked_on(
    number: int, honest: str, market: Market
) -> None:
    training = trains_on(market.drafts(subsets=2))

    answer = answer_of(training, number)

    assert answer.verdict == honest
    assert not answer.remarks
    assert answer.proof


def test_1_two_clouds_claim_data_with_one_receipt(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    joins_with_the_receipt_of(dataset.is_held_by(0), 0, verdict="verified")

    answer = answer_of(trains_on(dataset), 1)

    assert answer.verdict == "no"
    assert answer.statement.startswith("2 of 6 cloud owners did not show it")
    assert shown_by(answer, remark=0) == ["JoinCI", "VerifyCI"]


def test_2_a_cloud_copies_a_receipt(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    joins_with_the_receipt_of(dataset.is_held_by(0), 1, verdict="rejected")

    answer = answer_of(trains_on(dataset), 2)

    assert answer.verdict == "yes"
    assert shown_by(answer) == ["JoinCI", "JoinCI"]


def test_3_a_hospital_gives_the_holders_of_two_subsets_the_same_bytes(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as forgetful:
        refuses_nobody(forgetful, distribution, "duplicate")
        twice = market.fresh()
        subsets = [{"digest": digest, "mask_key": market.mask_key()} for digest in (twice, market.fresh(), twice)]
        training = trains_on(market.drafts(subsets))
        answer = answer_of(training, 3)

    with told_by_a_ledger_without_the_rule(training):
        assert answer.verdict == "no"
        assert "2 subsets have the digest of another one" in answer.statement
        assert shown_by(answer) == ["CreateDSS", "CreateDSS"]


def test_3_a_hospital_and_a_cloud_contradict_each_other_about_a_package(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    rejected = dataset.is_joined_by(0)
    dataset.owner.does("VerifyCI", instance=rejected.instance, verdict="rejected")

    answer = answer_of(trains_on(dataset), 3)

    assert [remark.member for remark in answer.remarks] == [rejected.holder.id]
    assert "whoever holds the package can tell who of them is wrong" in answer.remarks[0].statement
    assert shown_by(answer, remark=0) == ["JoinCI", "VerifyCI"]


def test_4_a_hospital_signs_that_two_clouds_have_what_one_receipt_shows(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    joins_with_the_receipt_of(dataset.is_held_by(0), 0, verdict="verified")

    answer = answer_of(trains_on(dataset), 4)

    assert answer.verdict == "no"
    assert {each for number in range(2) for each in shown_by(answer, remark=number)} == {"JoinCI", "VerifyCI"}


def test_5_a_digest_is_paid_for_that_nobody_committed_to(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as forgetful:
        whoever_commits_is_paid(forgetful)
        training = market.trains(subsets=2)
        first, second = training.starts_round().ballots
        for replica in first.replicas:
            replica.commits(b"what they found")
        first.closes_with(b"what somebody wishes", by=first.replicas[0].person)
        second.is_agreed()
        answer = answer_of(training, 5)

    with told_by_a_ledger_without_the_rule(training):
        assert answer.verdict == "no"
        assert answer.statement.startswith("1 of 2 ballots")
        (closing,) = answer.proof
        assert (closing.function, closing.member) == ("CloseRound", first.replicas[0].id)


def test_6_a_cloud_commits_to_the_bytes_of_another(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    worker, copier, other = first.replicas
    worker.commits()
    copier.commits_bytes_of(worker)
    other.commits()
    first.closes_with(b"gradient", by=worker.person)
    second.is_agreed()

    answer = answer_of(training, 6)

    assert answer.verdict == "yes"
    assert shown_by(answer) == ["UpdateTJ", "UpdateTJ", "CloseRound"]
    assert {each.member for each in answer.proof if each.function == "UpdateTJ"} == {worker.id, copier.id}


def test_7_a_model_owner_trains_twice_on_the_group_that_it_likes(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as forgetful:
        drawn = settlement.subsets_of_turn
        for module in (rounds, settlement):
            forgetful.setattr(module, "subsets_of_turn", lambda datasets, seed, turn: drawn(datasets, seed, 0))
        training = market.requests(market.publishes(subsets=4, group_min=2)).is_approved()
        training.starts_round().is_agreed()
        training.starts_round().is_agreed()
        answer = answer_of(training, 7)

    with told_by_a_ledger_without_the_rule(training):
        assert answer.verdict == "yes"
        assert answer.statement == "A round used other subsets than the draw gives."
        assert shown_by(answer) == ["PublishDS", "RequestTC", "ApproveTC", "StartRound", "StartRound"]


def test_8_a_model_owner_is_a_cloud_owner_of_the_data_too() -> None:
    market = Market(permissioned=True)
    person = market.fresh()
    dataset = market.drafts(subsets=2)
    dataset.is_held_by(0, market.cloud_owner(funds=1_000, handle=person))
    for index in range(2):
        while len(dataset.slots(index)) < 3:
            dataset.is_held_by(index)
    owner = market.model_owner(funds=1_000_000, handle=person)

    answer = answer_of(market.requests(dataset.is_published(), owner=owner).is_approved(), 8)

    assert answer.verdict == "yes"
    assert answer.statement == "1 offer of its subsets went to the model owner itself."
    assert shown_by(answer, remark=0) == ["CreateCI", "JoinCI"]
