"""A data owner that is two of the three who hold its subset, and so decides what the third one's work is worth."""

from __future__ import annotations

from typing import TypeGuard

import pytest

from freehold.contract import ballots, rulings
from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put
from freehold.contract.view import View
from freehold.protocol import actions
from freehold.protocol.assets import TrainJob
from freehold.protocol.records import Record
from tests.adversaries.attack import Attack
from tests.adversaries.careless import decides_by
from tests.adversaries.cloud_owner.test_two_names import takes_two
from tests.market import Market, refused

SYBILS = Attack(
    by="data owner",
    does="runs two sybil replicas against an honest third, where no referee looks",
    stopped_by="A data owner chooses who holds its data. The honest one loses the fee of each such job, and may leave",
    promised=False,
)
JUDGED_SYBILS = Attack(
    by="data owner",
    does="runs two sybil replicas to have an honest third lose its stake",
    stopped_by="S-12: votes take no stake; a referee executes the job again, and the stakes of the sybils burn",
)
OWN_REPLICA = Attack(
    by="data owner",
    does="holds a replica of its own subset under its own handle",
    stopped_by="A handle is compared with those of other holders, not with the data owner's. It knows the data anyway,"
    " and one replica of three decides nothing",
    promised=False,
)


@SYBILS.without
def test_two_sybils_are_paid_for_a_lie_and_the_honest_third_is_not_paid_for_its_work() -> None:
    taken = takes_two(Market(), referee=None, stake=0)

    taken.lies()

    assert [taken.market.earned(each.holder) for each in (*taken.own, taken.honest)] == [100, 100, 0]


@SYBILS.unharmed
def test_sybils_cost_the_honest_third_the_fee_of_one_job_and_it_leaves_without_a_mark() -> None:
    taken = takes_two(Market(), referee=None, stake=0)
    market, honest = taken.market, taken.honest
    taken.lies()

    honest.holder.does("RetireCI", instance=honest.instance)
    taken.training.starts_round()

    [job] = market.records("job", co=honest.holder.id)
    assert job["state"] == "rejected"
    assert market.records("finding") == []
    elsewhere = market.drafts(subsets=2, referee=None, stake=0).is_held_by(0, honest.holder)
    assert elsewhere.record["state"] == "verified"
    assert market.money_is_conserved()


def votes_take_stakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule by which whoever is out-voted has lied: its stake burns when the ballot is closed."""
    careful = ballots.close_round

    def burns(call: Call[actions.CloseRound], view: View) -> Effects:
        effects = careful(call, view)
        rejected = [each.record for each in effects.steps if isinstance(each, Put) and _is_rejected(each.record)]
        burned = [step for job in rejected for step in rulings._burn(view, job.instance, since=call.time)]
        return Effects(effects.id, *effects.steps, *burned)

    decides_by(monkeypatch, "CloseRound", burns)


def _is_rejected(record: Record) -> TypeGuard[TrainJob]:
    return isinstance(record, TrainJob) and record.state == "rejected"


@JUDGED_SYBILS.without
def test_where_a_vote_takes_stakes_two_sybils_burn_the_stake_of_the_only_honest_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    votes_take_stakes(monkeypatch)
    taken = takes_two(Market())

    taken.lies()

    assert taken.honest.record["stake"] == 0
    assert taken.market.ledger.evaluate("totals", {})["burned"] == 1_000


@JUDGED_SYBILS.against
def test_no_vote_takes_a_stake_and_a_referee_that_executes_the_job_burns_those_of_the_sybils() -> None:
    taken = takes_two(Market())
    ballot = taken.lies()
    assert {each.record["stake"] for each in (*taken.own, taken.honest)} == {1_000}

    ballot.is_ruled(b"gradient")

    assert {finding["co"] for finding in taken.market.records("finding")} == {each.holder.id for each in taken.own}
    assert taken.market.ledger.evaluate("totals", {})["burned"] == 2 * 1_000


@JUDGED_SYBILS.unharmed
def test_whom_sybils_out_voted_keeps_its_stake_and_is_paid_for_the_next_round() -> None:
    taken = takes_two(Market())
    taken.lies().is_ruled(b"gradient")

    for _ in range(2):
        taken.training.datasets[0].is_held_by(0)
    taken.training.starts_round().is_agreed()
    honest = taken.honest
    honest.holder.does("RetireCI", instance=honest.instance)
    taken.market.waits(80_000)

    assert honest.holder.collects() == 1_000 + 100
    assert taken.market.money_is_conserved()


@OWN_REPLICA.without
def test_a_registrar_keeps_no_data_owner_from_holding_one_replica_of_its_own_subset() -> None:
    market = Market(permissioned=True)
    handle = market.fresh()
    dataset = market.drafts(subsets=2, owner=market.data_owner(handle=handle))

    own = dataset.is_held_by(0, market.cloud_owner(funds=1_000, handle=handle))
    second = dataset.is_joined_by(0, market.cloud_owner(funds=1_000, handle=handle))

    assert own.record["state"] == "verified"
    # one, but no majority: its second name is the first one's double
    with refused("duplicate"):
        dataset.owner.does("VerifyCI", instance=second.instance, verdict="verified")
