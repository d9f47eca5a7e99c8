"""Cloud owners that are paid by vote, and then deliver nothing, or something else under the name of their answer.

The vote decides about a digest, and the answer lies under that digest in the store. Whoever runs the store, or has a
friend who does, can put there what it likes; so whoever reads hashes what it reads, and asks the next replica.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from freehold.agents.cloud_owner import CloudOwner
from freehold.agents.model_owner.rounds import Rounds
from freehold.agents.reading import BallotSeen, ReplicaSeen, Work
from freehold.learning.prepared import Prepared
from freehold.objects import folder as folder_of_objects
from freehold.objects.folder import FolderStore
from tests.adversaries.attack import Attack
from tests.adversaries.cloud_owner.programs import OtherRows, Spoils, Withholds, package_of, runs
from tests.agents.test_market import plaintext_weights
from tests.agents.test_trouble import slots_of, weights_of
from tests.agents.town import PRICE_JOB, PRICE_ROUND, WELCOME, Town

HASHED = "V-2: an object's name is its hash, checked by whoever reads it; one honest copy of three is enough"
WITHHOLDS = Attack(
    by="cloud owner",
    does="commits, is paid, and delivers nothing",
    stopped_by="V-2: any accepted replica delivers the same bytes; its pay, decided before, is not taken back",
)
TRUNCATES = Attack(by="cloud owner", does="delivers the first half of its answer under its name", stopped_by=HASHED)
SWAPS = Attack(by="cloud owner", does="delivers a well-formed answer about other rows", stopped_by=HASHED)
GARBAGE = Attack(by="cloud owner", does="delivers garbage under the right name", stopped_by=HASHED)
ALL_WITHHOLD = Attack(
    by="cloud owner",
    does="agrees with all holders of its subset that nobody delivers",
    stopped_by="Nobody else has the bytes. It costs the model owner one round, after which its agent stops",
    promised=False,
)

ROUNDS = 2
Spoil = Callable[[ReplicaSeen, Work, bytes], bytes]


def about_other_rows(town: Town, name: str) -> Spoil:
    """What a holder would answer if the two classes of its rows were exchanged."""
    agent = town.cloud_owner(name)
    bench = OtherRows(agent._world, agent._agreements)
    bench.change = lambda rows: replace(rows, targets=1 - rows.targets)
    package = package_of(town, name)
    return lambda replica, work, right: bench.answer(work.couple, work.vote.ballot, replica.subset, lambda: package)


SPOILT: dict[str, Callable[[Town, str], Spoil]] = {
    "half": lambda town, name: lambda replica, work, right: right[: len(right) // 2],
    "other rows": about_other_rows,
    "garbage": lambda town, name: lambda replica, work, right: bytes(len(right)),
}


def comes_to_town(town: Town, tmp_path: Path, prepared: Prepared) -> list[str]:
    """A market whose objects lie in a folder: the holders of one subset, the first of whom is asked first."""
    town.store = FolderStore(tmp_path / "objects")
    town.settles(cloud_owners=12)
    return slots_of(town, town.publishes(prepared))[1]


def trains(town: Town) -> None:
    """The buyer asks for a training, and everybody does their part."""
    [dataset] = town.data_owner().publications()
    town.trains("heart", dataset, rounds=ROUNDS, map_name="identity")


def with_a_spoilt_copy(town: Town, tmp_path: Path, prepared: Prepared, spoilt: str) -> list[str]:
    """A training in which the first holder of a subset spoils each of its answers; the holders of that subset."""
    holders = comes_to_town(town, tmp_path, prepared)
    spoils = SPOILT[spoilt](town, holders[0])
    agent = runs(town, holders[0], Spoils)
    agent.folder, agent.spoils = tmp_path / "objects", spoils
    trains(town)
    return holders


def with_withheld_copies(town: Town, tmp_path: Path, prepared: Prepared, how_many: int) -> list[str]:
    """A training in which so many holders of one subset deliver nothing; the holders of that subset."""
    holders = comes_to_town(town, tmp_path, prepared)
    for name in holders[:how_many]:
        runs(town, name, Withholds)
    trains(town)
    return holders


def earned(town: Town, name: str) -> int:
    agent = town.people[name].agent
    assert isinstance(agent, CloudOwner)
    return town.account(next(iter(agent.signers())))


def everybody_got_what_is_theirs(town: Town, prepared: Prepared) -> None:
    """The model is exact, every holder was paid, and nobody was blamed."""
    done = town.buyer().progress("heart")
    assert done.phase == "finished", done.reason
    assert np.array_equal(weights_of(done), plaintext_weights(prepared, rounds=ROUNDS))
    assert {earned(town, f"cloud {number:02}") for number in range(1, 13)} == {ROUNDS * PRICE_JOB}
    assert town.ledger.evaluate("list", {"kind": "finding"}) == []
    town.money()


@TRUNCATES.without
@SWAPS.without
@GARBAGE.without
@pytest.mark.parametrize("spoilt", SPOILT)
def test_where_nobody_hashes_what_it_reads_the_buyer_gets_no_model_or_a_poisoned_one(
    spoilt: str, town: Town, tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_of_objects, "_checked", lambda name, pieces: pieces)

    holders = with_a_spoilt_copy(town, tmp_path, prepared, spoilt)

    done = town.buyer().progress("heart")
    assert earned(town, holders[0]) > 0
    assert done.phase == ("finished" if spoilt == "other rows" else "failed")
    assert done.model is None or not np.array_equal(weights_of(done), plaintext_weights(prepared, rounds=ROUNDS))


@TRUNCATES.against
@SWAPS.against
@GARBAGE.against
@TRUNCATES.unharmed
@SWAPS.unharmed
@GARBAGE.unharmed
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_copy_is_passed_over_for_the_next_one_and_everybody_gets_what_is_theirs(
    spoilt: str, town: Town, tmp_path: Path, prepared: Prepared
) -> None:
    with_a_spoilt_copy(town, tmp_path, prepared, spoilt)

    everybody_got_what_is_theirs(town, prepared)


def asks_the_first_only(self: Rounds, vote: BallotSeen) -> bytes:
    """A buyer that knows one place for each answer."""
    return self._copy(next(job for job in vote.jobs if job.record.state == "accepted"), vote)


@WITHHOLDS.without
def test_where_a_buyer_asks_one_replica_only_that_one_keeps_the_model_from_it(
    town: Town, tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rounds, "_answer", asks_the_first_only)

    holders = with_withheld_copies(town, tmp_path, prepared, 1)

    assert town.buyer().progress("heart").model is None
    assert earned(town, holders[0]) == PRICE_JOB


@WITHHOLDS.against
@WITHHOLDS.unharmed
def test_two_that_deliver_nothing_keep_no_model_from_anybody_while_one_delivers(
    town: Town, tmp_path: Path, prepared: Prepared
) -> None:
    with_withheld_copies(town, tmp_path, prepared, 2)

    everybody_got_what_is_theirs(town, prepared)


@ALL_WITHHOLD.without
def test_if_all_holders_of_a_subset_deliver_nothing_the_buyer_pays_one_round_for_no_model(
    town: Town, tmp_path: Path, prepared: Prepared
) -> None:
    holders = with_withheld_copies(town, tmp_path, prepared, 3)

    done = town.buyer().progress("heart")
    assert done.phase == "failed"
    assert done.model is None
    assert [earned(town, name) for name in holders] == [PRICE_JOB] * 3
    assert town.account(town.buyer().member) == WELCOME - 12 * PRICE_JOB - PRICE_ROUND
