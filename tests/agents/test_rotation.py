"""A thief has somebody's keys: the 24 words rotate them, the thief is out, and the owner goes on where it was."""

from __future__ import annotations

import numpy as np
import pytest

from freehold.agents.keys import MemberKeys, new_ring, new_words, with_coming_keys, with_fresh_member
from freehold.agents.rotation import require_words, rotate
from freehold.agents.world import Signer
from freehold.errors import Invalid, Refused, Unavailable
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared
from freehold.protocol.actions import EndTC, Withdraw
from freehold.protocol.identifiers import Nonce
from freehold.protocol.network import network_id
from tests.agents.perils import Perils, loses_the_answer
from tests.agents.test_market import plaintext_weights
from tests.agents.test_trouble import slots_of
from tests.agents.town import PRICE_JOB, Chance, Person, Town


def rotates(person: Person, words: str) -> MemberKeys:
    """What `key rotate` does; returns the stolen keys."""
    stolen = person.ring.members[0]
    network, role = network_id(person.town.network), person.ring.role
    secret = require_words(person.ring, words)
    person.ring = with_coming_keys(person.ring, person.chance)
    coming = person.ring.members[0].coming
    person.ring = with_coming_keys(person.ring, person.chance)
    assert person.ring.members[0].coming == coming
    while True:
        try:
            assert rotate(person.world, network, role, person.ring.members[0], secret)
        except Unavailable:
            continue
        break
    members = tuple(keys.rotated() for keys in person.ring.members)
    person.ring = type(person.ring)(role=role, members=members, recovery=person.ring.recovery)
    person.restarts()
    return stolen


@pytest.mark.parametrize("method", ["linear-1", "statistics-1"])
def test_after_a_theft_everybody_rotates_in_mid_training_and_the_training_comes_out_as_if_nothing_had_happened(
    town: Town, prepared: Prepared, method: str
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=3, map_name="identity", method=method)
    victims = ["buyer", "hospital 1", slots_of(town, dataset)[0][0]]
    members = [town.buyer().member, town.data_owner().member, next(iter(town.cloud_owner(victims[2]).signers()))]

    stolen = [rotates(town.people[victim], town.words[victim]) for victim in victims[:2]]
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    stolen.append(rotates(town.people[victims[2]], town.words[victims[2]]))
    if method == "linear-1":
        town.lives(lambda: town.couple(couple).round == 2)
        rotates(town.people["buyer"], town.words["buyer"])
    town.lives(lambda: town.state("couple", couple) == "ended")
    town.rests()

    assert [town.buyer().member, town.data_owner().member] == members[:2]
    assert list(town.cloud_owner(victims[2]).signers()) == members[2:]
    done = town.buyer().progress("heart")
    assert done.model is not None, done.reason
    if method == "linear-1":
        assert np.array_equal(read_model(done.model).weights, plaintext_weights(prepared, rounds=3))
    assert all(job.record.state == "accepted" for vote in town.training(couple).ballots for job in vote.jobs)
    for keys, member in zip(stolen, members, strict=True):
        thief = Signer(network=network_id(town.network), member=member, keys=keys)  # type: ignore[arg-type]
        with pytest.raises(Refused) as refused:
            thief.send(town.people["treasury"].world, Withdraw(nonce=Nonce("66" * 32), amount=1))
        assert refused.value.code == "not-yours"
    assert town.account(members[2]) == town.couple(couple).round * PRICE_JOB
    town.money()


def test_a_rotation_whose_answers_get_lost_happens_once_and_other_words_rotate_nothing(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    hospital = town.people["hospital 1"]
    with pytest.raises(Invalid, match="words of other keys"):
        require_words(hospital.ring, town.words["buyer"])
    hospital.wears(Perils(loses_the_answer, at_home_too=False))

    stolen = rotates(hospital, town.words["hospital 1"])

    member = town.reader.member(town.data_owner().member)
    assert member is not None
    assert member.record.version == 1
    thief = Signer(network=network_id(town.network), member=town.data_owner().member, keys=stolen)  # type: ignore[arg-type]
    couple = town.requests("heart", dataset, rounds=1, map_name="identity")
    with pytest.raises(Refused, match="may not do this"):
        thief.send(town.people["treasury"].world, EndTC(couple=couple))
    town.approves(couple)
    town.lives(lambda: town.buyer().progress("heart").phase == "finished")


def test_one_sheet_of_words_rotates_all_members_of_a_cloud_owner() -> None:
    chance = Chance("cloud")
    words = new_words(chance)
    ring = with_fresh_member(with_fresh_member(new_ring("co", words, chance), chance), chance)
    require_words(ring, words)
    begun = with_coming_keys(ring, chance)
    rotated = [keys.rotated() for keys in begun.members]
    assert [keys.first for keys in rotated] == [
        (bytes.fromhex(keys.signing_key), bytes.fromhex(keys.sealing_key)) for keys in ring.members
    ]
    assert all(new.openers[1] == old.sealing for new, old in zip(rotated, ring.members, strict=True))
