"""Money: where it comes from, where it goes, and that none is lost on the way."""

import pytest

from freehold.protocol.limits import LARGEST_INTEGER
from tests.market import Market, refused


def test_the_worked_example_of_the_protocol_number_by_number(market: Market) -> None:
    dataset = market.publishes(subsets=4, replicas=3, group_min=2, price_job=100, price_round=400, stake=1_000)
    owner = market.model_owner(funds=5_000)
    training = market.requests(dataset, rounds=4, owner=owner).is_approved()
    assert (owner.account, training.record["balance"]) == (1_000, 4_000)

    first = training.starts_round()
    assert [ballot.record["left"] for ballot in first.ballots] == [300, 300]
    assert training.record["parts"][0]["fee"] == 400
    assert training.record["balance"] == 3_000

    a, b = first.ballots
    one, other, liar = a.replicas
    one.commits(b"D")
    other.commits(b"D")
    liar.commits(b"a lie")
    a.closes_with(b"D")
    assert a.record["left"] == 100
    third, fourth, silent = b.replicas
    third.commits(b"E")
    fourth.commits(b"E")
    market.waits_until_after(b.record["commit_until"])
    b.closes_with(b"E")
    assert b.record["left"] == 100

    second = training.starts_round()
    assert [ballot.record["left"] for ballot in first.ballots] == [0, 0]
    assert [payout["amount"] for payout in dataset.owner.payouts()] == [400]
    assert training.record["balance"] == 2_200

    second.is_agreed()
    training.ends()
    assert training.record["balance"] == 0
    assert owner.collects() == 3_200
    assert dataset.owner.collects() == 800
    workers = {replica.id: replica for round in (first, second) for each in round.ballots for replica in each.replicas}
    assert sum(market.earned(replica) for replica in workers.values()) == 1_000
    paid_in_first = [market.earned(replica) for replica in (one, other, liar, third, fourth, silent)]
    assert paid_in_first[2] == paid_in_first[0] - 100
    assert paid_in_first[5] == paid_in_first[3] - 100
    assert all(market.record("instance", worker.record["instance"])["stake"] == 1_000 for worker in workers.values())
    assert market.money_is_conserved()


def test_the_worked_example_with_a_void_ballot(market: Market) -> None:
    dataset = market.publishes(subsets=4, replicas=3, group_min=2)
    training = market.requests(dataset, rounds=4, owner=market.model_owner(funds=5_000)).is_approved()
    first = training.starts_round()
    a, b = first.ballots
    for replica, result in zip(a.replicas, (b"D", b"D", b"a lie"), strict=True):
        replica.commits(result)
    a.closes_with(b"D")
    b.replicas[0].commits(b"E")
    b.replicas[1].commits(b"F")
    market.waits_until_after(b.record["close_until"])

    second = training.starts_round()

    assert b.record["state"] == "void"
    assert market.earned(dataset.owner) == 0
    assert [market.earned(replica) for replica in a.replicas] == [100, 100, 0]
    # 3000 after the first start, its rest of 100, the void 300 and the fee of 400 back, 1000 locked again
    assert training.record["balance"] == 3_000 + 100 + 300 + 400 - 1_000
    assert [each.record["subset"] for each in second.ballots] == [each.record["subset"] for each in first.ballots]
    assert market.money_is_conserved()


def test_a_deposit_is_due_at_once_and_collected_once(market: Market) -> None:
    member = market.data_owner()
    payout = market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=70).id
    assert member.account == 0

    member.does("Collect", payouts=[payout])

    assert member.account == 70
    assert market.record("payout", payout)["state"] == "collected"
    with refused("state"):
        member.does("Collect", payouts=[payout])


def test_only_the_treasury_makes_money(market: Market) -> None:
    member = market.model_owner()
    for stranger in (member, market.referee):
        with refused("not-yours"):
            stranger.does("Deposit", nonce=market.fresh(), payee=member.id, amount=1)


def test_a_deposit_names_a_member_and_a_fresh_nonce(market: Market) -> None:
    one, other, nonce = market.data_owner(), market.data_owner(), market.fresh()
    market.treasury.does("Deposit", nonce=nonce, payee=one.id, amount=5)
    with refused("exists"):
        market.treasury.does("Deposit", nonce=nonce, payee=one.id, amount=6)
    with refused("unknown"):
        market.treasury.does("Deposit", nonce=market.fresh(), payee="ab" * 32, amount=5)
    with refused("limit"):
        market.treasury.does("Deposit", nonce=market.fresh(), payee=other.id, amount=0)


def test_all_deposits_together_stay_within_what_every_reader_of_json_can_count(market: Market) -> None:
    member = market.data_owner()
    market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=LARGEST_INTEGER - 5)
    with refused("limit"):
        market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=6)
    market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=5)

    assert member.collects() == LARGEST_INTEGER


def test_a_member_collects_its_own_payouts_all_or_none(market: Market) -> None:
    rich, other = market.data_owner(), market.data_owner()
    own, foreign = (
        market.treasury.does("Deposit", nonce=market.fresh(), payee=payee.id, amount=9).id for payee in (rich, other)
    )
    with refused("unknown"):
        rich.does("Collect", payouts=sorted([own, "ab" * 32]))
    with refused("not-yours"):
        rich.does("Collect", payouts=sorted([own, foreign]))
    assert rich.account == 0


def test_a_stake_that_is_held_back_is_collected_only_when_its_time_has_come(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    slot = dataset.slots(0)[0]
    leaver = market.people[slot["co"]]
    leaver.does("RetireCI", instance=slot["instance"])
    [payout] = leaver.payouts(state="due")
    assert (payout["amount"], payout["from"]) == (1_000, market.now + 80_000)

    market.now = payout["from"] - 1
    with refused("too-early"):
        leaver.does("Collect", payouts=[payout["id"]])
    market.waits(1)

    assert leaver.collects() == 1_000


def test_many_payouts_are_collected_in_one_call_but_not_too_many(market: Market) -> None:
    member = market.data_owner()
    payouts = sorted(
        market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=1).id for _ in range(65)
    )
    with refused("limit"):
        member.does("Collect", payouts=payouts)
    with refused("limit"):
        member.does("Collect", payouts=[])
    with refused("malformed"):
        member.does("Collect", payouts=payouts[1::-1])
    member.does("Collect", payouts=payouts[:64])

    assert member.account == 64


def test_a_member_withdraws_what_it_has_and_no_more(market: Market) -> None:
    member, nonce = market.model_owner(funds=100), market.fresh()
    with refused("no-funds"):
        member.does("Withdraw", nonce=nonce, amount=101)
    withdrawal = member.does("Withdraw", nonce=nonce, amount=60).id

    assert member.account == 40
    assert market.record("withdrawal", withdrawal) == {
        "id": withdrawal,
        "member": member.id,
        "amount": 60,
        "time": market.now,
    }
    with refused("exists"):
        member.does("Withdraw", nonce=nonce, amount=1)
    assert market.money_is_conserved()


@pytest.mark.parametrize("price", ["price_job", "price_round"])
def test_what_costs_nothing_leaves_no_payout(market: Market, price: str) -> None:
    training = market.trains(subsets=2, **{price: 0})
    training.starts_round().is_agreed()
    training.ends()

    causes = {"price_job": 0, "price_round": 1} if price == "price_job" else {"price_job": 6, "price_round": 0}
    jobs = {job["id"] for job in market.records("job")}
    paid = [payout for payout in market.records("payout") if payout["cause"] in jobs]
    assert len(paid) == causes["price_job"]
    assert market.earned(training.datasets[0].owner) == 400 * causes["price_round"]
    assert market.money_is_conserved()


def test_a_training_for_nothing_moves_no_money_at_all(market: Market) -> None:
    dataset = market.publishes(subsets=2, price_job=0, price_round=0, stake=0, referee=None)
    training = market.requests(dataset, owner=market.model_owner()).is_approved()
    training.starts_round().is_agreed()
    training.ends()

    assert market.records("payout") == []
    assert training.record["state"] == "ended"


def test_one_owner_of_two_datasets_in_a_training_gets_both_fees(market: Market) -> None:
    owner = market.data_owner()
    datasets = [market.drafts(subsets=2, owner=owner).is_held().is_published() for _ in range(2)]
    training = market.requests(*datasets).is_approved()
    training.starts_round().is_agreed()
    training.ends()

    assert sorted(payout["amount"] for payout in owner.payouts()) == [400, 400]
    assert owner.collects() == 800
    assert market.money_is_conserved()


def test_two_owners_are_each_paid_their_own_fee_and_the_replicas_their_own_price(market: Market) -> None:
    cheap = market.publishes(subsets=2, price_job=1, price_round=10)
    dear = market.publishes(subsets=2, price_job=1_000, price_round=10_000)
    training = market.requests(cheap, dear, rounds=3).is_approved()
    for _ in range(3):
        training.starts_round().is_agreed()
    training.ends()

    assert market.earned(cheap.owner) == 30
    assert market.earned(dear.owner) == 30_000
    for dataset, price in ((cheap, 1), (dear, 1_000)):
        for index in range(2):
            assert [market.earned(market.people[slot["co"]]) for slot in dataset.slots(index)] == [3 * price] * 3
    assert market.money_is_conserved()
