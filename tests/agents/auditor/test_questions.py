"""The eight questions over honest and dishonest histories."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.agents.auditor.questions import Answer
from freehold.protocol import commitments
from freehold.protocol.identifiers import Nonce
from tests.agents.auditor.recordings import answer_of, report_of
from tests.market import Dataset, Holding, Market, Member, Training, digest_of


@pytest.fixture
def market() -> Market:
    return Market()


def blamed(answer: Answer) -> set[str]:
    return {remark.member for remark in answer.remarks}


def copies_receipt(dataset: Dataset, index: int, of: Holding) -> Holding:
    """A cloud owner joins with the receipt and nonce of another one."""
    holder = dataset.market.cloud_owner(funds=dataset.shape["terms"]["stake"])
    instance = dataset.offers(index, holder)
    holder.does("JoinCI", instance=instance, receipt=of.record["receipt"], nonce=of.record["nonce"])
    return Holding(dataset, instance, holder)


def judges(dataset: Dataset, holding: Holding, verdict: str) -> Holding:
    dataset.owner.does("VerifyCI", instance=holding.instance, verdict=verdict)
    return holding


def fills(dataset: Dataset, index: int) -> None:
    """Honest cloud owners take the free slots of a subset."""
    while len(dataset.slots(index)) < dataset.shape["n"]:
        dataset.is_held_by(index)


def trains_on(dataset: Dataset, **changes: Any) -> Training:
    for index in range(dataset.shape["m"]):
        fills(dataset, index)
    return dataset.market.requests(dataset.is_published(), **changes).is_approved()


def test_an_honest_training_gets_the_good_answers_and_blames_nobody(market: Market) -> None:
    training = market.trains(subsets=2)
    for _ in range(4):
        training.starts_round().is_agreed()
    training.ends()

    report = report_of(training)

    verdicts = [answer.verdict for answer in report.answers]
    assert verdicts == ["yes", "no", "yes", "yes", "yes", "no", "no", "cannot be shown"]
    assert not any(answer.remarks for answer in report.answers)
    assert report.account.blamed == ()
    assert report.account.rounds_complete == 4
    assert report.account.money.escrow == 4 * (2 * 3 * 100 + 400)
    assert report.account.money.returned == 0


def test_every_answer_is_proved_by_recorded_actions_and_states_its_condition(market: Market) -> None:
    training = market.trains(subsets=2)
    training.starts_round().is_agreed()

    for answer in report_of(training).answers:
        assert answer.proof, answer.question
        assert answer.condition, answer.question
        for proof in answer.proof:
            recorded = market.ledger.find(bytes.fromhex(proof.action))
            assert recorded is not None
            assert recorded.position == proof.position


def test_before_any_round_nothing_about_work_is_claimed(market: Market) -> None:
    training = market.trains(subsets=2)

    verdicts = [answer.verdict for answer in report_of(training).answers]

    assert verdicts == [
        "cannot be shown",
        "no",
        "yes",
        "yes",
        "cannot be shown",
        "cannot be shown",
        "no",
        "cannot be shown",
    ]


def test_who_was_out_voted_is_named_with_the_condition_and_not_called_a_copier(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    liar, *others = first.replicas
    liar.commits(b"something else")
    for honest in others:
        honest.commits(b"gradient")
    first.closes_with(b"gradient", by=others[0].person)
    second.is_agreed()

    report = report_of(training)

    (blame,) = report.account.blamed
    assert (blame.member, blame.rejected, blame.missing) == (liar.id, 1, 0)
    assert "if most replicas of this subset were honest" in blame.condition
    assert report.answers[5].verdict == "no"
    assert report.answers[0].verdict == "cannot be shown"
    assert blamed(report.answers[0]) == {liar.id}


def test_who_was_missing_is_named_and_a_later_acceptance_clears_its_data(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    silent, *others = first.replicas
    for honest in others:
        honest.commits()
    second.is_agreed()
    market.waits_until_after(first.record["commit_until"])
    first.closes_with(b"gradient", by=others[0].person)
    training.starts_round().is_agreed()

    report = report_of(training)

    (blame,) = report.account.blamed
    assert (blame.member, blame.missing, blame.jobs) == (silent.id, 1, 2)
    assert report.answers[0].verdict == "yes"


def test_a_copied_commitment_is_named_for_certain_and_was_not_paid(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    worker, copier, honest = first.replicas
    worker.commits()
    copier.commits_bytes_of(worker)
    honest.commits()
    first.closes_with(b"gradient", by=worker.person)
    second.is_agreed()

    answer = answer_of(training, 6)

    assert answer.verdict == "yes"
    assert blamed(answer) == {copier.id}
    assert "for its own" in answer.remarks[0].statement
    assert market.earned(copier) == 0


def test_a_copier_that_overtakes_the_worker_is_named_and_the_worker_is_not(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    worker, copier, honest = first.replicas
    # the copier saw the worker's action on its way, and got its own in first
    nonce = Nonce(market.fresh())
    commitment = commitments.result(worker.job, worker.id, nonce, digest_of(b"gradient"))
    copier.sends(commitment, nonce)
    worker.sends(commitment, nonce)
    honest.commits()
    first.closes_with(b"gradient", by=honest.person)
    second.is_agreed()

    report = report_of(training)

    assert blamed(report.answers[5]) == {copier.id}
    assert [blame.member for blame in report.account.blamed] == [copier.id]


def test_a_commitment_copied_from_an_earlier_round_is_found(market: Market) -> None:
    training = market.trains(subsets=2)
    earlier = training.starts_round().is_agreed().ballots[0].replicas[1]
    later = training.starts_round().ballots[0]
    lazy, *others = later.replicas
    lazy.commits_bytes_of(earlier)
    for honest in others:
        honest.commits()
    later.closes_with(b"gradient", by=others[0].person)

    answer = answer_of(training, 6)

    assert answer.verdict == "yes"
    assert blamed(answer) == {lazy.id}


def test_nobody_is_called_a_copier_where_no_commitment_opened(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    worker, copier, _silent = first.replicas
    worker.commits()
    copier.commits_bytes_of(worker)
    second.is_agreed()
    market.waits_until_after(first.record["close_until"])
    training.ends()

    answer = answer_of(training, 6)

    assert answer.verdict == "yes"
    assert "2 of 5 commitments stand under two names" in answer.statement
    assert "copies cannot be shown" in answer.statement
    assert {remark.member for remark in answer.remarks} == {worker.id, copier.id}
    assert all("whose it is cannot be shown" in remark.statement for remark in answer.remarks)
    assert not any("are copies:" in text for text in (answer.statement, *(r.statement for r in answer.remarks)))


def test_a_worker_that_was_out_voted_is_not_called_a_copier_of_its_copier(market: Market) -> None:
    training = market.trains(subsets=2, replicas=5)
    first, second = training.starts_round().ballots
    worker, copier, *others = first.replicas
    worker.commits(b"something else")
    copier.commits_bytes_of(worker)
    for honest in others:
        honest.commits()
    first.closes_with(b"gradient", by=others[0].person)
    second.is_agreed()

    answer = answer_of(training, 6)

    assert blamed(answer) == {worker.id, copier.id}
    assert all("cannot be shown" in remark.statement for remark in answer.remarks)


def test_who_repeats_its_own_commitment_of_an_earlier_round_copied_from_nobody(market: Market) -> None:
    training = market.trains(subsets=2)
    earlier = training.starts_round().is_agreed().ballots[0].replicas[0]
    later = training.starts_round().ballots[0]
    lazy, *others = later.replicas
    assert lazy.id == earlier.id
    lazy.commits_bytes_of(earlier)
    for honest in others:
        honest.commits()
    later.closes_with(b"gradient", by=others[0].person)

    answer = answer_of(training, 6)

    assert answer.verdict == "no"
    assert [(remark.member, "made for another job" in remark.statement) for remark in answer.remarks] == [
        (lazy.id, True)
    ]


def test_of_a_training_that_was_refused_nothing_is_called_approved(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    training = market.requests(dataset)
    dataset.owner.does("EndTC", couple=training.id)

    report = report_of(training)

    assert report.account.state == "ended"
    assert report.account.money.returned == report.account.money.escrow > 0
    assert "was not approved" in report.answers[7].statement
    assert "As approved" not in report.answers[7].statement
    assert [answer.verdict for answer in report.answers] == [
        "cannot be shown", "no", "yes", "yes", "cannot be shown", "cannot be shown", "no", "cannot be shown",
    ]  # fmt: skip


def test_many_copies_of_one_commitment_are_told_in_room_that_grows_with_their_number(market: Market) -> None:
    training = market.trains(subsets=2, replicas=9)
    first, second = training.starts_round().ballots
    worker, *copiers = first.replicas
    worker.commits()
    for copier in (*copiers, *second.replicas):
        copier.commits_bytes_of(worker)
    market.waits_until_after(first.record["close_until"])
    training.ends()

    answer = answer_of(training, 6)

    assert len(answer.remarks) == 18
    assert all(len(remark.proof) <= 3 for remark in answer.remarks)


def test_a_copied_receipt_that_the_owner_rejected_is_shown_and_the_training_stays_clean(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    original = dataset.is_held_by(0)
    copy = judges(dataset, copies_receipt(dataset, 0, original), "rejected")
    training = trains_on(dataset)
    training.starts_round().is_agreed()

    report = report_of(training)

    assert report.answers[1].verdict == "yes"
    assert blamed(report.answers[1]) == {original.holder.id, copy.holder.id}
    assert [remark.statement.endswith("did not sign for it") for remark in report.answers[1].remarks] == [False, True]
    assert report.answers[0].verdict == "yes"
    assert report.answers[3].verdict == "yes"
    assert blamed(report.answers[3]) == {copy.holder.id}


def test_an_owner_that_signs_for_a_copied_receipt_cannot_say_that_everybody_got_the_data(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    original = dataset.is_held_by(0)
    accomplice = judges(dataset, copies_receipt(dataset, 0, original), "verified")
    training = trains_on(dataset)
    training.starts_round().is_agreed()

    report = report_of(training)

    assert report.answers[0].verdict == "no"
    assert report.answers[3].verdict == "no"
    assert accomplice.holder.id in blamed(report.answers[3])


def test_a_receipt_copied_from_another_dataset_of_the_ledger_is_found(market: Market) -> None:
    elsewhere = market.publishes(subsets=2)
    known = Holding(elsewhere, elsewhere.slots(0)[0]["instance"], market.people[elsewhere.slots(0)[0]["co"]])
    dataset = market.drafts(subsets=2)
    copy = judges(dataset, copies_receipt(dataset, 1, known), "verified")
    training = trains_on(dataset)

    answer = answer_of(training, 2)

    assert answer.verdict == "yes"
    assert blamed(answer) == {copy.holder.id}


def test_a_ballot_without_majority_leaves_nothing_to_download_and_nobody_blamed(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    for number, replica in enumerate(first.replicas):
        replica.commits(b"%d" % number)
    second.is_agreed()
    market.waits_until_after(first.record["close_until"])
    training.starts_round().is_agreed()

    report = report_of(training)

    assert report.answers[4].verdict == "yes"
    assert "1 had no majority" in report.answers[4].statement
    assert report.account.blamed == ()
    assert report.account.rounds_complete == 1
    assert set(report.account.rounds[0].ballots[0].votes + report.account.rounds[0].ballots[1].votes) >= {"undecided"}


def test_a_ruling_is_told_as_the_referee_s_word(market: Market) -> None:
    training = market.trains(subsets=2)
    first, second = training.starts_round().ballots
    for replica in first.replicas[:2]:
        replica.commits(b"lie")
    honest = first.replicas[2]
    honest.commits(b"truth")
    first.closes_with(b"lie")
    second.is_agreed()
    first.is_ruled(b"truth")

    report = report_of(training)

    liars = {replica.id for replica in first.replicas[:2]}
    assert blamed(report.answers[4]) == liars
    found = {blame.member: blame for blame in report.account.blamed}
    assert {member for member, blame in found.items() if blame.findings} == liars
    assert report.money.burned == 2 * 1_000


def test_the_owner_s_own_handle_among_the_cloud_owners_is_found() -> None:
    market = Market(permissioned=True)
    person = market.fresh()
    dataset = market.drafts(subsets=2)
    spy = market.cloud_owner(funds=1_000, handle=person)
    dataset.is_held_by(0, spy)
    training = trains_on(dataset, owner=market.model_owner(funds=1_000_000, handle=person))

    answer = answer_of(training, 8)

    assert answer.verdict == "yes"
    assert blamed(answer) == {spy.id}
    assert "handle" in answer.remarks[0].statement


def test_a_key_that_model_owner_and_cloud_owner_share_is_found(market: Market) -> None:
    owner = market.newcomer("mo")
    spy = Member(market, "co", owner.seed)
    owner.joins("CreateMO").has(1_000_000)
    spy.joins("CreateCO").has(1_000)
    dataset = market.drafts(subsets=2)
    dataset.is_held_by(1, spy)
    training = trains_on(dataset, owner=owner)

    answer = answer_of(training, 8)

    assert answer.verdict == "yes"
    assert blamed(answer) == {spy.id}
    assert "key" in answer.remarks[0].statement


def test_a_draw_that_was_given_up_is_told(market: Market) -> None:
    dataset = market.publishes(subsets=4, group_min=2)
    owner = market.model_owner(funds=10_000_000)
    market.requests(dataset, owner=owner).is_approved().starts_round().is_agreed().training.ends()
    training = market.requests(dataset, owner=owner).is_approved()
    training.starts_round().is_agreed()

    answer = answer_of(training, 7)

    assert answer.verdict == "no"
    assert blamed(answer) == {owner.id}


def test_groups_of_several_owners_are_recomputed(market: Market) -> None:
    datasets = [market.publishes(subsets=4, group_min=2) for _ in range(2)]
    training = market.requests(*datasets).is_approved()
    for _ in range(4):
        training.starts_round().is_agreed()

    report = report_of(training)

    assert report.answers[6].verdict == "no"
    assert "each of 4 rounds" in report.answers[6].statement
    assert len(report.account.data_owners) == 2
    assert report.account.money.data_owners == 3 * 2 * 400


def test_money_of_a_running_training_is_told_as_locked(market: Market) -> None:
    training = market.trains(subsets=2, rounds=4)
    training.starts_round().is_agreed()

    money = report_of(training).account.money

    assert money.escrow == 4 * (6 * 100 + 400)
    assert money.cloud_owners == 600
    assert money.locked == money.escrow - 600
