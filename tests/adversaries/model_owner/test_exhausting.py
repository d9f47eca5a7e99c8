"""A model owner that asks for so much work that nobody else gets any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from freehold.agents import workbench
from freehold.errors import Invalid
from tests.adversaries.attack import Attack
from tests.agents.conftest import prepared_table
from tests.agents.test_checks import Holder, holder_in
from tests.agents.town import Town

EXHAUSTS = Attack(
    by="model owner",
    does="asks for a map of so many features that cloud owners do nothing else any more",
    stopped_by="S-20: a cloud owner takes no more features than it says, and looks before it computes",
)


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    """A cloud owner with a job of a training that asks for one feature more than it takes."""
    town = Town(tmp_path_factory.mktemp("town"))
    prepared = prepared_table(tmp_path_factory.mktemp("prepared"))
    town.settles(cloud_owners=12)
    couple = town.requests("heart", town.publishes(prepared), rounds=3, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    yield holder_in(town)
    town.closes()


def features(holder: Holder) -> int:
    """What the training asks for."""
    return holder.agreements().read(holder.replica.work[0].couple).feature_map.dimension


@EXHAUSTS.without
def test_a_cloud_owner_without_a_limit_computes_whatever_it_is_asked_for(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = holder.bench(most_features=features(holder) - 1)
    monkeypatch.setattr(bench, "_most_features", 2**40)

    assert len(holder.answers(bench)) > 10_000


@EXHAUSTS.against
def test_a_cloud_owner_refuses_what_is_above_its_limit_before_it_computes(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[object] = []
    monkeypatch.setattr(workbench, "subset_statistics", lambda *given: computed.append(given))

    with pytest.raises(Invalid, match="this cloud owner takes"):
        holder.answers(holder.bench(most_features=features(holder) - 1))
    assert computed == []


@EXHAUSTS.unharmed
def test_what_is_within_its_limit_is_computed_as_before(holder: Holder) -> None:
    assert holder.answers(holder.bench(most_features=features(holder))) == holder.answers()
