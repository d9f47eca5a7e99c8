"""Questions: what members are told about the state, and what cannot be asked."""

from typing import Any

import pytest

from freehold.errors import Invalid
from tests.market import Market, refused


def ask(market: Market, query: str, **arguments: Any) -> Any:
    """The answer to one question."""
    return market.ledger.evaluate(query, arguments)


def ids(answers: list[dict[str, Any]]) -> list[str]:
    """The ids of some records."""
    return [answer["id"] for answer in answers]


def test_a_record_is_found_by_kind_and_id(market: Market) -> None:
    person = market.data_owner()

    assert ask(market, "get", kind="member", id=person.id)["role"] == "do"
    assert ask(market, "get", kind="account", id=person.id) == {"id": person.id, "free": 0}
    assert ask(market, "get", kind="dataset", id=person.id) is None


def test_the_history_of_a_record_shows_it_after_each_block_that_wrote_it(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    holding = dataset.is_joined_by(0)
    market.waits(10)
    dataset.owner.does("VerifyCI", instance=holding.instance, verdict="verified")
    holding.holder.does("RetireCI", instance=holding.instance)

    told = ask(market, "history", kind="instance", id=holding.instance)

    assert [each["record"]["state"] for each in told] == ["free", "joined", "verified", "retired"]
    assert [each["record"]["stake"] for each in told] == [0, 1_000, 1_000, 0]
    assert told[-1]["record"] == holding.record
    assert [market.now - each["time"] for each in told] == [10, 10, 0, 0]
    heights = [each["height"] for each in told]
    assert heights == sorted(set(heights))
    assert ask(market, "history", kind="instance", id=holding.instance, after=heights[1]) == told[2:]
    assert ask(market, "history", kind="instance", id=holding.instance, after=heights[0], limit=2) == told[1:3]
    assert ask(market, "history", kind="instance", id=holding.instance, after=heights[-1]) == []
    assert ask(market, "history", kind="model", id=holding.instance) == []


def test_a_list_is_ascending_narrowed_by_fields_and_paged(market: Market) -> None:
    people = [market.cloud_owner(), market.data_owner(), market.cloud_owner(), market.cloud_owner()]
    clouds = sorted(people[place].id for place in (0, 2, 3))

    assert ids(ask(market, "list", kind="member")) == sorted(person.id for person in people)
    assert ids(ask(market, "list", kind="member", where={"role": "co"})) == clouds
    assert ids(ask(market, "list", kind="member", where={"role": "co"}, limit=2)) == clouds[:2]
    assert ids(ask(market, "list", kind="member", where={"role": "co"}, after=clouds[1])) == clouds[2:]
    assert ask(market, "list", kind="member", where={"role": "co", "version": 1}) == []
    assert ask(market, "list", kind="member", where={"no-such-field": "x"}) == []
    assert len(ask(market, "list", kind="member", where={"version": 0})) == 4
    assert ask(market, "list", kind="member", where={"version": False}) == []
    assert ask(market, "list", kind="member", where={"version": 0.0}) == []


def test_trainings_are_listed_by_any_of_their_datasets_and_by_state(market: Market) -> None:
    one, two = market.publishes(subsets=2), market.publishes(subsets=2)
    both, single = market.requests(one, two), market.requests(one).is_approved()

    assert ids(ask(market, "list", kind="couple", where={"dataset": two.id})) == [both.id]
    assert ids(ask(market, "list", kind="couple", where={"dataset": one.id})) == sorted([both.id, single.id])
    assert ids(ask(market, "list", kind="couple", where={"state": "approved"})) == [single.id]
    assert ids(ask(market, "trainings", member=two.owner.id)) == [both.id]
    assert ids(ask(market, "trainings", member=single.owner.id)) == [single.id]
    assert ids(ask(market, "trainings", member=one.owner.id)) == sorted([both.id, single.id])


def test_a_training_is_told_with_all_its_rounds_in_order(market: Market) -> None:
    training = market.requests(market.publishes(subsets=4, group_min=2), market.publishes(subsets=2)).is_approved()
    for _ in range(3):
        training.starts_round().is_agreed()
    answer = ask(market, "training", couple=training.id)

    assert answer["couple"]["id"] == training.id
    assert [each["ballot"]["round"] for each in answer["ballots"]] == [1] * 4 + [2] * 4 + [3] * 4
    order = [dataset.subset(index) for dataset in training.datasets for index in range(dataset.shape["m"])]
    for number in (1, 2, 3):
        ballots = [each["ballot"] for each in answer["ballots"] if each["ballot"]["round"] == number]
        places = [order.index(ballot["subset"]) for ballot in ballots]
        assert places == sorted(places)
    for each in answer["ballots"]:
        assert ids(each["jobs"]) == each["ballot"]["jobs"]
        assert {job["state"] for job in each["jobs"]} == {"accepted"}


def test_a_dataset_is_told_with_its_subsets_and_everybody_to_whom_they_were_offered(market: Market) -> None:
    dataset = market.drafts(subsets=3).is_held()
    free = dataset.offers(1, market.cloud_owner())
    market.publishes(subsets=2)
    answer = ask(market, "dataset", dataset=dataset.id)

    assert answer["dataset"]["id"] == dataset.id
    assert answer["granted"] == 0
    assert [each["subset"]["index"] for each in answer["subsets"]] == [0, 1, 2]
    assert [len(each["instances"]) for each in answer["subsets"]] == [3, 4, 3]
    assert free in ids(answer["subsets"][1]["instances"])


def test_a_cloud_owner_learns_all_its_work_in_one_question(market: Market) -> None:
    training = market.trains(subsets=2)
    first = training.starts_round().is_agreed()
    second = training.starts_round()
    worker = second.ballot(1).replicas[2]
    [holding] = ask(market, "replica-work", co=worker.id)

    assert holding["instance"]["co"] == worker.id
    assert holding["subset"]["index"] == 1
    assert holding["dataset"]["id"] == training.datasets[0].id
    assert [work["job"]["id"] for work in holding["work"]] == [first.ballot(1).replicas[2].job, worker.job]
    assert [work["job"]["state"] for work in holding["work"]] == ["accepted", "open"]
    assert [work["ballot"]["round"] for work in holding["work"]] == [1, 2]
    assert [len(work["jobs"]) for work in holding["work"]] == [3, 3]
    assert {work["couple"]["id"] for work in holding["work"]} == {training.id}

    market.waits_until_after(training.record["close_until"])
    training.ends()
    assert ask(market, "replica-work", co=worker.id)[0]["work"] == []


def test_candidates_are_cloud_owners_that_never_took_an_offer(market: Market) -> None:
    dataset = market.drafts(subsets=2)
    offered, free, left = market.cloud_owner(), market.cloud_owner(), market.cloud_owner(funds=1_000)
    market.data_owner()
    dataset.offers(0, offered)
    holding = dataset.is_joined_by(0, left)
    left.does("RetireCI", instance=holding.instance)

    records = {each.id: market.record("member", each.id) for each in (offered, free)}
    assert ask(market, "candidates") == [
        {"id": id, "handle": id, "sealing_key": records[id]["sealing_key"], "until": records[id]["until"]}
        for id in sorted(records)
    ]


def test_an_account_shows_what_is_free_and_what_is_due(market: Market) -> None:
    member = market.data_owner().has(30)
    payout = market.treasury.does("Deposit", nonce=market.fresh(), payee=member.id, amount=12).id
    answer = ask(market, "account", member=member.id)

    assert answer["free"] == 30
    assert [(due["id"], due["amount"], due["from"]) for due in answer["due"]] == [(payout, 12, market.now)]
    with refused("unknown"):
        ask(market, "account", member="ab" * 32)


def test_the_inbox_of_each_role_shows_what_waits_for_it(market: Market) -> None:
    dataset = market.publishes(subsets=2)
    joined = dataset.is_joined_by(0)
    newcomer = market.cloud_owner()
    offer = dataset.offers(1, newcomer)
    running = market.requests(dataset).is_approved()
    worker = running.starts_round().ballot(0).replicas[0]
    asked = market.requests(dataset, rounds=2)

    of_owner = ask(market, "inbox", member=dataset.owner.id)
    assert [(each["couple"], each["dataset"], each["rounds"]) for each in of_owner["approvals"]] == [
        (asked.id, dataset.id, 2)
    ]
    assert of_owner["approvals"][0]["model"]["method"] == "linear-1"
    assert ids(of_owner["to_verify"]) == [joined.instance]
    assert ids(ask(market, "inbox", member=newcomer.id)["offers"]) == [offer]
    assert ids(ask(market, "inbox", member=worker.id)["jobs"]) == [worker.job]
    worker.commits()
    assert ask(market, "inbox", member=worker.id)["jobs"] == []
    empty: dict[str, list[Any]] = {"approvals": [], "offers": [], "to_verify": [], "jobs": [], "payouts": []}
    assert ask(market, "inbox", member=market.model_owner().id) == empty


def test_the_totals_say_where_all_money_is(market: Market) -> None:
    training = market.trains(subsets=2)
    training.starts_round().ballot(0).is_agreed()
    market.model_owner(funds=40).does("Withdraw", nonce=market.fresh(), amount=15)
    totals = ask(market, "totals")

    assert totals["withdrawn"] == 15
    assert totals["stakes"] == 6_000
    assert totals["fees"] == 400
    assert totals["left"] == 300
    assert totals["due"] == 300
    assert totals["conserved"] is True


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("everything", {}),
        ("get", {}),
        ("get", {"kind": "member"}),
        ("get", {"kind": "secret", "id": "ab" * 32}),
        ("get", {"kind": ["member"], "id": "ab" * 32}),
        ("get", {"kind": "member", "id": "AB" * 32}),
        ("get", {"kind": "member", "id": "ab" * 31}),
        ("get", {"kind": "member", "id": 5}),
        ("get", {"kind": "member", "id": "ab" * 32, "more": 1}),
        ("list", {"kind": "member", "limit": 0}),
        ("list", {"kind": "member", "limit": 1_001}),
        ("list", {"kind": "member", "limit": True}),
        ("list", {"kind": "member", "where": ["role"]}),
        ("list", {"kind": "member", "after": "x"}),
        ("history", {"kind": "member"}),
        ("history", {"kind": "member", "id": "x"}),
        ("history", {"kind": "member", "id": "ab" * 32, "after": -1}),
        ("history", {"kind": "member", "id": "ab" * 32, "after": "ab" * 32}),
        ("history", {"kind": "member", "id": "ab" * 32, "limit": 101}),
        ("training", {"couple": None}),
        ("inbox", {"member": "../../etc"}),
        ("totals", {"of": "me"}),
        ("candidates", {"co": "ab" * 32}),
    ],
)
def test_a_question_that_cannot_be_asked_is_invalid(market: Market, query: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        ask(market, query, **arguments)


@pytest.mark.parametrize(("query", "name"), [("training", "couple"), ("dataset", "dataset"), ("account", "member")])
def test_a_question_about_nothing_is_refused(market: Market, query: str, name: str) -> None:
    with refused("unknown"):
        ask(market, query, **{name: "ab" * 32})
