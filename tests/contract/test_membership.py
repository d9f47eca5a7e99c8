"""Members: keys, handles, admissions, rotation."""

import pytest

from freehold.protocol import identifiers, signatures
from freehold.protocol.limits import LARGEST_INTEGER
from tests.market import Market, Signer, bytes_of, public_key, refused

ROLES = [("CreateDO", "do"), ("CreateCO", "co"), ("CreateMO", "mo")]


@pytest.fixture
def guarded() -> Market:
    """A market with a registrar."""
    return Market(permissioned=True)


@pytest.mark.parametrize(("function", "role"), ROLES)
def test_anybody_joins_an_open_network_as_its_own_handle(market: Market, function: str, role: str) -> None:
    person = market.newcomer(role).joins(function)

    assert market.record("member", person.id) == {
        "id": person.id,
        "role": role,
        **person.keys,
        "version": 0,
        "handle": person.id,
        "until": LARGEST_INTEGER,
    }
    assert person.account == 0


@pytest.mark.parametrize(("function", "role"), ROLES)
def test_nobody_joins_twice(market: Market, function: str, role: str) -> None:
    person = market.newcomer(role).joins(function)
    with refused("exists"):
        person.joins(function)


def test_a_member_id_belongs_to_one_role_and_to_the_keys_it_was_made_of(market: Market) -> None:
    person = market.newcomer("do")
    with refused("not-yours"):
        person.joins("CreateCO")
    with refused("not-yours"):
        person.does("CreateDO", **{**person.keys, "sealing_key": "ab" * 32})


def test_nobody_joins_under_keys_of_somebody_else(market: Market) -> None:
    victim, thief = market.newcomer("co"), market.newcomer("co")
    signer = Signer(market, thief.seed, victim.id)
    with refused("not-yours"):
        signer.does("CreateCO", **victim.keys)


def test_a_member_acts_in_its_own_role_with_its_own_key(market: Market) -> None:
    owner, cloud = market.data_owner(), market.cloud_owner()
    dataset = market.drafts(subsets=2)
    with refused("not-yours"):
        cloud.does("PublishDS", dataset=dataset.id)
    with refused("not-yours"):
        Signer(market, cloud.seed, dataset.owner.id).does("PublishDS", dataset=dataset.id)
    with refused("not-yours"):
        owner.does("PublishDS", dataset=dataset.id)
    with refused("unknown"):
        market.newcomer("do").does("PublishDS", dataset=dataset.id)


def test_an_admission_is_refused_where_nobody_admits(market: Market) -> None:
    person = market.newcomer("do")
    with refused("not-admitted"):
        person.does("CreateDO", **person.keys, admission=person.is_vouched_for())


def test_a_guarded_network_admits_only_whom_its_registrar_signed(guarded: Market) -> None:
    person, other = guarded.newcomer("do"), guarded.newcomer("do")
    with refused("not-admitted"):
        person.does("CreateDO", **person.keys)
    with refused("not-admitted"):
        person.does("CreateDO", **person.keys, admission=other.is_vouched_for())
    with refused("not-admitted"):
        person.does("CreateDO", **person.keys, admission={**person.is_vouched_for(), "handle": "ab" * 32})
    longer = {**person.is_vouched_for(until=guarded.now + 1), "until": guarded.now + 2}
    with refused("not-admitted"):
        person.does("CreateDO", **person.keys, admission=longer)
    forged = signatures.sign_admission(
        bytes_of("a forger"), guarded.id, person.id, identifiers.Handle("ab" * 32), guarded.now + 1
    )
    with refused("not-admitted"):
        admission = {"handle": "ab" * 32, "until": guarded.now + 1, "signature": forged}
        person.does("CreateDO", **person.keys, admission=admission)

    person.joins("CreateDO", handle="cd" * 32, until=guarded.now + 5)

    member = guarded.record("member", person.id)
    assert (member["handle"], member["until"]) == ("cd" * 32, guarded.now + 5)


def test_an_admission_that_has_ended_admits_nobody(guarded: Market) -> None:
    person = guarded.newcomer("mo")
    with refused("not-admitted"):
        person.joins("CreateMO", until=guarded.now - 1)
    person.joins("CreateMO", until=guarded.now)


def test_whose_admission_ended_begins_nothing_new_but_finishes_what_runs(guarded: Market) -> None:
    soon = guarded.now + 100
    owner, model_owner = guarded.data_owner(until=soon), guarded.model_owner(funds=50_000, until=soon)
    dataset = guarded.drafts(subsets=2, owner=owner).is_held().is_published()
    training = guarded.requests(dataset, owner=model_owner).is_approved()
    late = guarded.cloud_owner(funds=1_000, until=soon)
    offer = dataset.offers(0, late)
    guarded.now = soon
    guarded.drafts(subsets=2, owner=owner)

    guarded.waits(1)
    with refused("not-admitted"):
        guarded.drafts(subsets=2, owner=owner)
    with refused("not-admitted"):
        late.does("JoinCI", instance=offer, receipt="ab" * 32, nonce="cd" * 32)
    with refused("not-admitted"):
        guarded.requests(dataset, owner=model_owner)

    training.starts_round().is_agreed()
    training.ends()
    assert owner.collects() == 400


def test_one_person_with_two_names_holds_one_replica_of_a_subset(guarded: Market) -> None:
    dataset = guarded.drafts(subsets=2)
    names = [guarded.cloud_owner(funds=1_000, handle="ab" * 32) for _ in range(2)]
    dataset.is_held_by(0, names[0])
    second = dataset.is_joined_by(0, names[1])
    with refused("duplicate"):
        dataset.owner.does("VerifyCI", instance=second.instance, verdict="verified")

    dataset.owner.does("VerifyCI", instance=second.instance, verdict="rejected")
    assert names[1].collects() == 1_000
    elsewhere = guarded.cloud_owner(funds=1_000, handle="ab" * 32)
    dataset.is_held_by(1, elsewhere)


def test_a_rotated_member_keeps_its_id_and_everything_it_owns(market: Market) -> None:
    owner = market.model_owner(funds=70)
    fresh = bytes_of("a fresh key")
    Signer(market, owner.recovery_seed, owner.id).does(
        "RotateKey", **{**owner.keys, "version": 0, "signing_key": public_key(fresh)}
    )

    with refused("not-yours"):
        owner.does("Withdraw", nonce=market.fresh(), amount=70)
    Signer(market, fresh, owner.id).does("Withdraw", nonce=market.fresh(), amount=70)
    assert market.record("member", owner.id)["version"] == 1


def test_only_the_recovery_key_rotates_and_each_version_once(market: Market) -> None:
    owner = market.model_owner()
    keeper = Signer(market, owner.recovery_seed, owner.id)
    with refused("not-yours"):
        owner.does("RotateKey", version=0, **owner.keys)
    with refused("state"):
        keeper.does("RotateKey", version=1, **owner.keys)
    rotation = keeper.signs("RotateKey", version=0, **owner.keys)
    market.ledger.submit(rotation)
    with refused("state"):
        market.ledger.submit(rotation)
    with refused("unknown"):
        Signer(market, owner.recovery_seed, market.newcomer("mo").id).does("RotateKey", version=0, **owner.keys)


def test_a_recovery_key_that_was_replaced_recovers_nothing(market: Market) -> None:
    owner = market.model_owner()
    keeper = Signer(market, owner.recovery_seed, owner.id)
    new_keeper = bytes_of("a new keeper")
    keeper.does("RotateKey", **{**owner.keys, "version": 0, "recovery_key": public_key(new_keeper)})

    with refused("not-yours"):
        keeper.does("RotateKey", version=1, **owner.keys)
    Signer(market, new_keeper, owner.id).does("RotateKey", version=1, **owner.keys)
