"""Several of everything at once: trainings, buyers, datasets, and one person in several roles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from freehold.agents.agreements import Agreements
from freehold.agents.data_owner.approving import _judged
from freehold.agents.reading import Reader
from freehold.errors import Invalid
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared
from tests.agents.conftest import prepared_table
from tests.agents.test_market import plaintext_weights
from tests.agents.town import PRICE_ROUND, Town


def test_two_buyers_train_three_models_on_one_dataset_at_once_and_each_gets_what_plaintext_would_give(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    town.adds_model_owner("rival")
    dataset = town.publishes(prepared)
    wishes = {"first": ("buyer", 2), "second": ("buyer", 3), "third": ("rival", 2)}
    couples = [
        town.requests(name, dataset, rounds=rounds, buyer=buyer, map_name="identity")
        for name, (buyer, rounds) in wishes.items()
    ]
    for couple in couples:
        town.approves(couple)

    town.lives(lambda: all(town.state("couple", couple) == "ended" for couple in couples))
    town.rests()

    for name, (buyer, rounds) in wishes.items():
        done = town.buyer(buyer).progress(name)
        assert done.phase == "finished", done.reason
        assert done.model is not None
        assert np.array_equal(read_model(done.model).weights, plaintext_weights(prepared, rounds=rounds))
    assert town.account(town.data_owner().member) == 7 * PRICE_ROUND
    assert town.dataset(dataset).granted == 7
    assert town.money()["balances"] == 0


def test_one_hospital_publishes_two_datasets_and_buys_a_training_on_another_s(town: Town, tmp_path: Path) -> None:
    tables = [prepared_table(tmp_path / f"table {number}", rows=160, seed=number) for number in (1, 2, 3)]
    town.settles(cloud_owners=36, data_owners=2)
    town.also_buys("hospital 1")
    mine = [town.publishes(tables[0]), town.publishes(tables[1])]
    theirs = town.publishes(tables[2], number=2)
    assert len({*mine, theirs}) == 3

    bought = town.requests("bought", theirs, rounds=2, buyer="hospital 1 as a buyer", map_name="identity")
    both = town.requests("both", *mine, rounds=2, map_name="identity")
    for couple in (bought, both):
        town.approves(couple)
    town.lives(lambda: town.state("couple", bought) == town.state("couple", both) == "ended")
    town.rests()

    assert town.buyer("hospital 1 as a buyer").progress("bought").phase == "finished"
    assert town.buyer().progress("both").phase == "finished"
    assert town.buyer("hospital 1 as a buyer").member != town.data_owner(1).member
    assert town.account(town.data_owner(1).member) == 4 * PRICE_ROUND
    town.money()


def test_when_the_rounds_of_a_dataset_are_used_up_nobody_can_approve_more_until_some_return(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    town.adds_model_owner("rival")
    dataset = town.publishes(prepared, rounds_total=4)
    first = town.requests("first", dataset, rounds=3, map_name="identity")
    second = town.requests("second", dataset, rounds=2, buyer="rival", map_name="identity")
    town.approves(first)

    assert "1 of dataset" in town.data_owner().sheet(second).objection
    with pytest.raises(Invalid, match="cannot be approved"):
        town.data_owner().approve(second)
    town.buyer().end(first)
    town.lives(lambda: town.state("couple", first) == "ended")
    town.approves(second)
    town.lives(lambda: town.state("couple", second) == "ended")
    town.rests()

    assert town.buyer("rival").progress("second").phase == "finished"
    assert town.dataset(dataset).granted <= 4
    town.money()


def test_a_training_whose_noise_would_hide_nobody_is_put_before_the_data_owner_as_one_to_refuse(
    town: Town, prepared: Prepared
) -> None:
    town.settles(cloud_owners=12)
    dataset = town.publishes(prepared)
    couple = town.requests("heart", dataset, rounds=2, map_name="identity")
    reader = Reader(town.ledger)
    agreements = Agreements(town.people["hospital 1"].world, reader)
    training = reader.couple(couple)
    assert training is not None
    agreement = agreements.read(training)
    record = structs.replace(agreement.couple.record, rounds=10**12)
    endless = replace(agreement, couple=replace(agreement.couple, record=record))

    part = replace(town.data_owner().sheet(couple).parts[0], granted_after=0)
    assert _judged(agreement, (part,))[1] == ""
    assert "would not hide" in _judged(endless, (part,))[1]
