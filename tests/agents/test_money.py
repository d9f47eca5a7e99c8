"""Money comes in by the treasury, moves by work, and goes out again; nothing is moved twice, and it always adds up."""

from __future__ import annotations

import pytest

from freehold.agents.purse import Purse
from freehold.agents.world import Signer
from freehold.errors import Invalid, Refused
from freehold.learning.prepared import Prepared
from freehold.protocol.identifiers import MemberId
from freehold.protocol.network import network_id
from tests.agents.perils import Perils, dies, loses_the_answer
from tests.agents.town import PRICE_JOB, PRICE_ROUND, WELCOME, Town


def purse(town: Town, name: str) -> Purse:
    """The purse of somebody, as the commands about money open it."""
    person = town.people[name]
    network = network_id(town.network)
    if name == "treasury":
        signers = [
            Signer(network=network, member=MemberId(keys.signing_key), keys=keys) for keys in person.ring.members
        ]
    else:
        signers = [
            Signer(network=network, member=keys.id_in(person.ring.role, network), keys=keys)
            for keys in person.ring.members
        ]
    return Purse(person.world, person.journal, signers)


def test_what_was_earned_is_collected_and_taken_out_and_the_books_stay_balanced(town: Town, prepared: Prepared) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    town.trains("heart", dataset, rounds=2, map_name="identity")
    before = town.money()
    everybody = [name for name in town.people if name != "treasury"]

    taken = 0
    for name in everybody:
        person = town.people[name]
        free = sum(town.account(keys.id_in(person.ring.role, network_id(town.network))) for keys in person.ring.members)
        if free:
            purse(town, name).told(purse(town, name).withdraw(free))
            taken += free

    assert taken == WELCOME
    assert before["accounts"] == taken
    after = town.money()
    assert after["accounts"] == after["due"] == 0
    assert after["withdrawn"] == WELCOME
    assert PRICE_JOB * 24 + PRICE_ROUND * 2 < WELCOME


def test_a_withdrawal_whose_answer_is_lost_happens_once_and_the_next_one_is_another(town: Town) -> None:
    town.settles(cloud_owners=1)
    town.lives(lambda: town.reader.member(town.buyer().member) is not None)
    town.lives(lambda: town.account(town.buyer().member) == WELCOME)
    buyer = town.people["buyer"]
    buyer.wears(Perils(loses_the_answer))

    first = buyer.survives(lambda: purse(town, "buyer").withdraw(700))
    assert purse(town, "buyer").withdraw(700) == first
    with pytest.raises(Invalid, match="on its way"):
        purse(town, "buyer").withdraw(800)
    assert town.account(town.buyer().member) == WELCOME - 700
    buyer.survives(lambda: purse(town, "buyer").told(first))
    second = buyer.survives(lambda: purse(town, "buyer").withdraw(700))

    assert second != first
    assert town.account(town.buyer().member) == WELCOME - 1_400
    buyer.survives(lambda: purse(town, "buyer").told(second))
    with pytest.raises(Refused, match="hold"):
        buyer.survives(lambda: purse(town, "buyer").withdraw(WELCOME))
    town.money()


def test_a_treasury_that_is_killed_while_it_credits_somebody_credits_them_once(town: Town) -> None:
    town.settles(cloud_owners=1)
    town.lives(lambda: town.reader.member(town.data_owner().member) is not None)
    treasury = town.people["treasury"]
    treasury.wears(Perils(dies))
    hospital = MemberId(town.data_owner().member)

    attempt = treasury.survives(lambda: purse(town, "treasury").deposit(hospital, 5_000))
    town.rests()
    assert town.account(hospital) == 5_000
    treasury.survives(lambda: purse(town, "treasury").told(attempt))
    treasury.survives(lambda: purse(town, "treasury").deposit(hospital, 5_000))
    town.rests()

    assert town.account(hospital) == 10_000
    with pytest.raises(Refused, match="no member"):
        purse(town, "treasury").deposit(MemberId("00" * 32), 1)
    town.money()
