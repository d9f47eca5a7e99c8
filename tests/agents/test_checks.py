"""What each side looks at before it works or says yes: whoever skips a look lets a stranger's bytes decide for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from freehold.agents.agreements import Agreements
from freehold.agents.cloud_owner import Rules
from freehold.agents.cloud_owner.offers import check_package, examine
from freehold.agents.cloud_owner.plan import Compute
from freehold.agents.model_owner.quoting import Quote, Wish, quote
from freehold.agents.model_owner.rounds import Rounds
from freehold.agents.reading import DatasetSeen, Reader, ReplicaSeen, Seen
from freehold.agents.workbench import Workbench
from freehold.agents.world import Signer
from freehold.errors import Invalid
from freehold.learning.model_file import read_model
from freehold.learning.prepared import Prepared, prepare
from freehold.learning.replica import Replica
from freehold.learning.rows import Rows
from freehold.learning.table import read_table
from freehold.learning.training import Statistics
from freehold.ports.ledger import Ledger
from freehold.protocol import canonical
from freehold.protocol.assets import TrainCouple
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import DatasetId, Digest, InstanceId, MemberId, Method, NetworkId, PublicKey, Secret
from freehold.protocol.network import network_id
from freehold.protocol.packages import pack, unpack
from freehold.protocol.sealing import OVERHEAD, open_package, seal_locator, sealing_public_key
from tests.agents.conftest import prepared_table, write_table
from tests.agents.test_market import plaintext_weights
from tests.agents.town import Town


def asks_for(monkeypatch: pytest.MonkeyPatch, change: Callable[[Quote], dict[str, Any]]) -> None:
    """The buyer's tool is replaced by one that asks for something else than it quotes."""

    def quotes(*seen: Any) -> Quote:
        made = quote(*seen)
        return replace(made, **change(made))

    monkeypatch.setattr("freehold.agents.model_owner.agent.quote", quotes)


def with_its_own_mean(quoted: Quote) -> dict[str, Any]:
    described = canonical.decode(quoted.map, largest=2**16, signed=True)
    described["columns"][0]["mean"] += 1
    return {"map": canonical.encode(described, signed=True)}


def material(part: str = "all", weights: str = "[]", noise: str = "[]") -> Callable[[Quote], dict[str, Any]]:
    return lambda _: {"material": f'{{"noise":{noise},"part":"{part}","weights":{weights}}}'.encode()}


ASKED: dict[str, tuple[str, Callable[[Quote], dict[str, Any]]]] = {
    "a map of its own making": ("not what the cards give", with_its_own_mean),
    "held rows": ("held rows, which no terms offer", material(part="train+held")),
    "a part of the rows": ("held rows, which no terms offer", material(part="train")),
    "noise": ("noise or held rows", material(noise="[90,1,1]")),
    "weights of other classes": ("weights are empty, or 2", material(weights="[1,2,3]")),
    "material of no form": ("material has the fields", lambda _: {"material": b"{}"}),
}


@pytest.mark.parametrize(("reason", "change"), ASKED.values(), ids=ASKED)
def test_nobody_can_say_yes_to_what_no_terms_offer(
    reason: str,
    change: Callable[[Quote], dict[str, Any]],
    town: Town,
    prepared: Prepared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asks_for(monkeypatch, change)
    town.settles(cloud_owners=12)
    couple = town.requests("odd", town.publishes(prepared), rounds=2, map_name="identity")

    with pytest.raises(Invalid, match=reason):
        town.data_owner().approve(couple)

    town.rests(1_000)
    assert town.state("couple", couple) == "requested"


def test_weights_of_classes_that_a_number_does_not_have_stop_no_agent(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_table(write_table(tmp_path / "table.csv", rows=160, seed=1), target="pulse")
    doses = prepare(table, tmp_path / "out", subsets=4, replicas=3, map_name="identity", seed=bytes(32))
    asks_for(monkeypatch, material(weights="[5]"))
    town.settles(cloud_owners=12)
    couple = town.requests("odd", town.publishes(doses), rounds=2, map_name="identity")

    with pytest.raises(Invalid, match="weights belong to classes"):
        town.data_owner().approve(couple)

    town.rests()


def test_too_few_rows_per_feature_have_no_yes(town: Town, tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "table.csv", rows=48, seed=1), target="outcome")
    few = prepare(table, tmp_path / "out", subsets=4, replicas=3, map_name="identity", seed=bytes(32))
    town.settles(cloud_owners=12)
    dataset = town.publishes(few)

    # the buyer's own tool already says so
    with pytest.raises(Invalid, match="per feature"):
        town.requests("wide", dataset, rounds=2, map_name="poly2")


def test_a_buyer_whose_tool_does_not_count_rows_gets_no_yes(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_table(write_table(tmp_path / "table.csv", rows=48, seed=1), target="outcome")
    few = prepare(table, tmp_path / "out", subsets=4, replicas=3, map_name="identity", seed=bytes(32))
    monkeypatch.setattr("freehold.agents.model_owner.quoting.require_enough_rows", lambda *_: "")
    town.settles(cloud_owners=12)
    couple = town.requests("wide", town.publishes(few), rounds=2, map_name="poly2")

    with pytest.raises(Invalid, match="per feature"):
        town.data_owner().approve(couple)

    assert town.state("couple", couple) == "requested"


@dataclass(frozen=True)
class Holder:
    """A cloud owner with a job that it has not looked at yet, and what it holds."""

    town: Town
    name: str
    member: MemberId
    replica: ReplicaSeen
    package: bytes

    @property
    def network(self) -> NetworkId:
        return network_id(self.town.network)

    def agreements(self) -> Agreements:
        return Agreements(self.town.people[self.name].world, self.town.reader)

    def bench(self, *, most_features: int = 1025) -> Workbench:
        """Where it works, newly set up."""
        return Workbench(self.town.people[self.name].world, self.agreements(), most_features=most_features)

    def answers(self, bench: Workbench | None = None, *, couple: Any = None, ballot: Any = None) -> bytes:
        """The answer to its job, some fields of the ledger's records changed."""
        work = self.replica.work[0]
        return (bench or self.bench()).answer(
            Seen(work.couple.id, structs.replace(work.couple.record, **(couple or {}))),
            Seen(work.vote.ballot.id, structs.replace(work.vote.ballot.record, **(ballot or {}))),
            self.replica.subset,
            lambda: self.package,
        )

    def offered(self, package: bytes, **subset: Any) -> None:
        """Looks at `package` as if the ledger named its digest, some fields of the subset's record changed."""
        record = structs.replace(self.replica.subset.record, digest=Digest(sha256(package).hex()), **subset)
        offer = replace(self.replica, subset=Seen(self.replica.subset.id, record))
        check_package(package, self.network, offer, self.agreements().card(offer.dataset.record))


@pytest.fixture
def holder(town: Town, prepared: Prepared) -> Holder:
    town.settles(cloud_owners=12)
    couple = town.requests("heart", town.publishes(prepared), rounds=3, map_name="identity")
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    return holder_in(town)


def holder_in(town: Town) -> Holder:
    name = "cloud 01"
    ((member, signer),) = town.cloud_owner(name).signers().items()
    (replica,) = town.reader.replicas(member)
    instance = replica.instance.record
    sealed = town.people[name].kept.get(instance.object, largest=2**26)
    package = open_package(signer.keys.sealing, InstanceId(replica.instance.id), sealed)
    return Holder(town, name, member, replica, package)


def test_a_holder_works_for_the_running_round_its_base_and_what_was_approved(holder: Holder) -> None:
    assert holder.answers() == holder.answers()

    with pytest.raises(Invalid, match="not the running one"):
        holder.answers(ballot={"round": 2})
    with pytest.raises(Invalid, match="not the running one"):
        holder.answers(ballot={"base": Digest("00" * 32)})
    with pytest.raises(Invalid, match="was not approved"):
        holder.answers(couple={"rounds": 0})


def test_a_holder_refuses_work_that_is_too_large_or_that_the_flooding_would_not_hide(holder: Holder) -> None:
    features = holder.agreements().read(holder.replica.work[0].couple).feature_map.dimension
    assert holder.answers(holder.bench(most_features=features))

    with pytest.raises(Invalid, match=f"takes {features - 1}"):
        holder.answers(holder.bench(most_features=features - 1))
    with pytest.raises(Invalid, match="would not hide"):
        holder.answers(couple={"rounds": 2**40})


def test_a_holder_evaluates_one_base_in_a_round_whatever_the_ledger_says_later(holder: Holder) -> None:
    agent, work = holder.town.cloud_owner(holder.name), holder.replica.work[0]
    step = Compute(holder.member, work.job.id)
    agent.act(step, agent.look())
    known = agent.look()
    another = Digest(sha256(b"another base").hex())
    vote = replace(work.vote, ballot=Seen(work.vote.ballot.id, structs.replace(work.vote.ballot.record, base=another)))
    couple = Seen(work.couple.id, structs.replace(work.couple.record, base=another))
    shown = replace(holder.replica, work=(replace(work, vote=vote, couple=couple),))
    member = replace(known.members[0], replicas=(shown,))

    agent.act(step, replace(known, members=(member,)))

    noted = holder.town.people[holder.name].journal.noted("given-up", work.job.id)
    assert noted == "the ledger names another base than before for this round"


def test_a_holder_of_long_standing_and_a_new_one_seal_whole_sums_for_the_same_key(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.settles(cloud_owners=12)
    couple = town.requests(
        "heart", town.publishes(prepared), rounds=3, map_name="identity", method=Method("statistics-1")
    )
    town.approves(couple)
    town.lives(lambda: town.couple(couple).round == 1)
    holder = holder_in(town)
    bench = holder.bench()
    before = holder.answers(bench)
    member = Agreements.owner
    rotated = sealing_public_key(bytes([7]) * 32).hex()

    monkeypatch.setattr(
        Agreements, "owner", lambda *asked: structs.replace(member(*asked), sealing_key=PublicKey(rotated))
    )

    assert holder.answers(bench) == holder.answers(holder.bench()) != before


def test_a_package_is_taken_only_if_it_is_the_one_that_is_public(holder: Holder) -> None:
    offer, card = holder.replica, holder.agreements().card(holder.replica.dataset.record)
    check_package(holder.package, holder.network, offer, card)

    with pytest.raises(Invalid, match="not the one whose digest is public"):
        check_package(holder.package[:-1] + bytes([holder.package[-1] ^ 1]), holder.network, offer, card)


def test_a_package_of_another_place_or_with_another_key_or_rows_is_not_taken(holder: Holder) -> None:
    held = unpack(holder.package)
    rows, key = Rows.parse(bytes(held.rows)), holder.replica.subset.record.mask_key
    holder.offered(holder.package)

    def packed(**changed: Any) -> bytes:
        said = {"network": held.network, "dataset": held.dataset, "index": held.index, "secret": held.secret}
        return pack(**{**said, "rows": bytes(held.rows), **changed})

    assert packed() == holder.package
    for elsewhere in ({"network": "ab" * 32}, {"dataset": "ab" * 32}, {"index": held.index + 1}):
        with pytest.raises(Invalid, match="another network's, dataset's or subset's"):
            holder.offered(packed(**elsewhere))
    with pytest.raises(Invalid, match="does not give the public mask key"):
        holder.offered(packed(secret=bytes(32)))
    with pytest.raises(Invalid, match="does not give the public mask key"):
        holder.offered(holder.package, mask_key=key[:-2] + "00")
    for wrong in (
        replace(rows, targets=rows.targets + 2),
        replace(rows, values=rows.values[:, :-1]),
        replace(rows, values=rows.values.repeat(9, axis=0), targets=rows.targets.repeat(9), held=rows.held.repeat(9)),
    ):
        with pytest.raises(Invalid):
            holder.offered(packed(rows=wrong.encode()))
    with pytest.raises(Invalid):
        holder.offered(packed(rows=bytes(held.rows)[:-1]))


def test_an_offer_is_looked_at_whole(holder: Holder) -> None:
    town, offer = holder.town, holder.replica
    keys = town.cloud_owner(holder.name).signers()[holder.member].keys
    agreements, world = holder.agreements(), town.people[holder.name].world

    def looks(rules: Rules | None = None, **instance: Any) -> tuple[bytes, bytes]:
        record = structs.replace(offer.instance.record, **instance)
        shown = replace(offer, instance=Seen(offer.instance.id, record))
        return examine(world, agreements, holder.network, keys, shown, rules or Rules())

    sealed, package = looks()
    assert package == holder.package
    assert len(sealed) == len(package) + OVERHEAD
    elsewhere = seal_locator(
        keys.sealing_key, InstanceId(offer.instance.id), offer.dataset.record.terms.store, "ab" * 32
    )
    with pytest.raises(Invalid, match="another object"):
        looks(locator=elsewhere)
    with pytest.raises(Invalid, match="larger than this cloud owner takes"):
        looks(Rules(max_rows=10))
    with pytest.raises(Invalid, match="larger than this cloud owner takes"):
        looks(Rules(max_features=2))


def test_a_buyer_stops_at_the_first_answers_that_contradict_the_earlier_ones(
    town: Town, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Replica.answer

    def with_other_rows_later(self: Replica, training: Any, group: Any, round: int, zero: bytes, base: bytes) -> bytes:
        """All holders of the last subset agree on other statistics from the third round on."""
        if self._me.index == 3 and round >= 3:
            mine = self._statistics[0]
            other = Statistics(a=mine.a + np.eye(len(mine.a), dtype=np.int64), b=mine.b)
            self = Replica(self._secret, self._me, other, cipher=self._cipher)
        return honest(self, training, group, round, zero, base)

    monkeypatch.setattr(Replica, "answer", with_other_rows_later)
    town.settles(cloud_owners=12)

    done = town.trains("heart", town.publishes(prepared), rounds=6, map_name="identity")

    assert "changed between rounds" in done.reason
    assert town.couple(done.couple).round == 3
    assert town.state("couple", done.couple) == "ended"
    # what the first two rounds told is a model, and it is theirs alone
    assert done.model is not None
    assert np.array_equal(read_model(done.model).weights, plaintext_weights(prepared, rounds=2))


def test_a_buyer_computes_nothing_under_a_second_draw_of_one_training(holder: Holder) -> None:
    town, work = holder.town, holder.replica.work[0]
    buyer = town.people["buyer"]
    order = town.buyer().orders()["heart"]
    keys = buyer.ring.members[0]
    signer = Signer(network=holder.network, member=keys.id_in("mo", holder.network), keys=keys)
    shown = work.couple.record.parts[0]
    forked = structs.replace(work.couple.record, parts=(structs.replace(shown, share=Secret("ab" * 32)),))

    def rounds(couple: TrainCouple) -> Rounds:
        seen = Seen(work.couple.id, couple)
        return Rounds(buyer.world, buyer.journal, signer, holder.agreements(), order, seen)

    rounds(work.couple.record)
    with pytest.raises(Invalid, match="another draw"):
        rounds(forked)


class Copying(Reader):
    """The ledger as it would be if the later dataset had been published with the earlier one's mask keys."""

    def __init__(self, ledger: Ledger, earlier: DatasetId, later: DatasetId) -> None:
        super().__init__(ledger)
        self._earlier = earlier
        self._later = later

    def dataset(self, id: str) -> DatasetSeen | None:
        seen, original = super().dataset(id), super().dataset(self._earlier)
        if seen is None or original is None or id != self._later:
            return seen
        copies = [
            replace(own, subset=Seen(own.subset.id, structs.replace(own.subset.record, mask_key=key)))
            for own, key in zip(seen.subsets, (each.subset.record.mask_key for each in original.subsets), strict=True)
        ]
        return replace(seen, subsets=tuple(copies))


def test_nobody_trains_on_a_dataset_together_with_one_that_copies_its_mask_keys(town: Town, tmp_path: Path) -> None:
    town.settles(cloud_owners=24, data_owners=2)
    tables = [prepared_table(tmp_path / f"table {number}", seed=number) for number in (1, 2)]
    datasets = tuple(sorted(town.publishes(table, number=number) for number, table in enumerate(tables, 1)))
    couple = town.reader.couple(town.requests("together", *datasets, rounds=2, map_name="identity"))
    assert couple is not None
    world = town.people["buyer"].world
    reader = Copying(town.ledger, *datasets)

    assert Agreements(world, Reader(town.ledger)).read(couple).largest_group == 8
    with pytest.raises(Invalid, match="one mask key"):
        Agreements(world, reader).read(couple)
    with pytest.raises(Invalid, match="one mask key"):
        quote(
            reader,
            Agreements(world, reader),
            PublicKey("09" * 32),
            Wish(datasets=datasets, rounds=2, map_name="identity"),
        )


def test_a_hospital_is_warned_of_a_map_that_another_card_has_drawn_away_from_its_rows(
    town: Town, tmp_path: Path
) -> None:
    first = prepared_table(tmp_path / "first")
    lines = write_table(tmp_path / "table.csv", rows=480, seed=2).read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    far = [f"{age},{float(dose) + 6:.2f},{pulse},{outcome}" for age, dose, pulse, outcome in cells]
    (tmp_path / "far.csv").write_text("\n".join([lines[0], *far]) + "\n")
    table = read_table(tmp_path / "far.csv", target="outcome", like=first.card)
    second = prepare(table, tmp_path / "second", subsets=4, replicas=3, map_name="identity", seed=bytes(32))
    town.settles(cloud_owners=24, data_owners=2)
    datasets = [town.publishes(each, number=number) for number, each in enumerate((first, second), 1)]

    alone = town.data_owner(1).sheet(town.requests("alone", datasets[0], rounds=2, map_name="identity"))
    together = town.data_owner(1).sheet(town.requests("together", *datasets, rounds=2, map_name="identity"))

    assert alone.warning == ""
    assert "measure dose where few of your rows lie" in together.warning
    assert together.objection == ""
