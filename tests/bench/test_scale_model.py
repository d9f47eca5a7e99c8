"""The model behind the scale report: its cores, lines and validators do what they stand for, and its costs fit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scaling.consensus import Setting
    from scaling.costs import Costs

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    """The folder of the benchmarks, as when one of them runs."""
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))


@pytest.fixture
def costs() -> Costs:
    """Round numbers."""
    from scaling.costs import Costs

    return Costs(
        front=50e-6,
        follow=20e-6,
        signature=60e-6,
        admit=100e-6,
        execute=200e-6,
        node=150e-6,
        peer=10e-6,
        round=1e-3,
        block=1e-3,
        action_bytes=1_000.0,
        repeated=0.5,
    )


def a_network(costs: Costs, operators: int, *, one_way: float = 0.0, megabytes: float = 1_000.0) -> Setting:
    """So many operators with four cores each."""
    from scaling.consensus import Setting
    from scaling.machines import Links

    links = Links(seconds=[[one_way] * operators] * operators, bytes_per_second=megabytes * 1e6)
    return Setting(operators=operators, links=links, costs=costs, seconds=6.0)


def test_two_cores_do_two_things_at_a_time_and_a_thread_one() -> None:
    from scaling.machines import Clock, Machine

    clock = Clock()
    machine = Machine(clock, 2)
    ended: list[tuple[str, float]] = []
    for name, thread in (("a", "one"), ("b", "one"), ("c", None), ("d", None)):
        machine.work("work", 1.0, lambda name=name: ended.append((name, clock.now)), thread=thread)  # type: ignore[misc]
    clock.run(10.0)

    assert ended == [("a", 1.0), ("c", 1.0), ("d", 2.0), ("b", 2.0)]
    assert machine.spent == {"work": 4.0}


def test_what_leaves_over_a_line_waits_for_what_was_sent_before() -> None:
    from scaling.machines import Clock, Links, Uplink

    clock = Clock()
    line = Uplink(clock, Links(seconds=[[0.0, 0.5], [0.5, 0.0]], bytes_per_second=100.0), 0)
    arrived: list[float] = []
    line.send(1, 100.0, lambda: arrived.append(clock.now))
    line.send(1, 50.0, lambda: arrived.append(clock.now))
    clock.run(10.0)

    assert arrived == [1.5, 2.0]


def test_an_action_after_another_far_away_takes_eight_messages_and_little_more(costs: Costs) -> None:
    from scaling.consensus import simulate

    # Twice: that somebody has come there, the proposal, two votes. The first time for the empty block in between.
    alone = replace(a_network(costs, 4, one_way=0.05), connections=1, lot=1, pause=0.0)
    seen = simulate(alone)

    messages = 8 * 1e3 * (0.05 + costs.hop)
    assert messages < seen.p50_ms < messages + 40


def test_a_network_without_work_to_spare_decides_no_more_than_its_scarcest_resource_allows(costs: Costs) -> None:
    from scaling.bounds import Site, first
    from scaling.consensus import simulate

    for operators in (1, 4, 7):
        for one_way in (0.01, 0.1):
            seen = simulate(replace(a_network(costs, operators, one_way=one_way), connections=48))
            site = Site(operators=operators, cores=4, megabits=8_000, round_trip=2 * one_way)
            assert 0.5 < seen.actions_per_second / first(site, costs)[1] < 1.1


def test_a_thin_line_and_distance_cost_throughput_and_a_run_repeats_itself(costs: Costs) -> None:
    from scaling.consensus import simulate

    near = simulate(a_network(costs, 7, one_way=0.01))
    far = simulate(a_network(costs, 7, one_way=0.1))
    thin = simulate(a_network(costs, 7, one_way=0.01, megabytes=2.0))

    assert far.actions_per_second < 0.7 * near.actions_per_second
    assert thin.actions_per_second < 0.7 * near.actions_per_second
    assert far.p50_ms > near.p50_ms
    assert simulate(a_network(costs, 7, one_way=0.1)) == far


def test_everything_that_members_send_is_decided_at_the_rate_at_which_they_wait_for_it(costs: Costs) -> None:
    from scaling.consensus import simulate

    setting = a_network(costs, 4, one_way=0.02)
    seen = simulate(setting)

    # Little's law: what is on its way is what comes in a second, times how long it stays.
    on_its_way = setting.connections * setting.lot
    assert seen.actions_per_second * seen.p50_ms / 1e3 == pytest.approx(on_its_way, rel=0.25)


def test_costs_are_told_apart_from_phases_that_were_made_of_them(costs: Costs) -> None:
    from scaling.costs import fitted
    from scaling.measuring import Measured, Phase, Steps

    def run(operators: int) -> Measured:
        peers = operators - 1

        def phase(seconds: float, actions: int, blocks: int) -> Phase:
            # One action at a time has an empty block after its own.
            decided = 2 * blocks if actions == blocks else blocks
            node = actions * (costs.node + peers * costs.peer) + decided * operators * costs.round + 0.01 * seconds
            application = actions * costs.application + decided * costs.block
            front = actions * (costs.front / operators + costs.follow)
            all_of_them = {"node": node, "application": application, "front": front}
            processor = {role: operators * spent for role, spent in all_of_them.items()}
            return Phase(seconds=seconds, actions=actions, blocks=blocks, processor=processor)

        return Measured(
            operators=operators,
            actions_per_second=1.0,
            p50_ms=1.0,
            p99_ms=1.0,
            alone_ms=1.0,
            load=phase(5.0, 5_000, 15),
            alone=phase(9.0, 60, 60),
            idle=phase(6.0, 0, 0),
            action_bytes=1_000.0,
            wire_bytes=costs.wire(operators, 5_000 / 15),
            disk_bytes={},
        )

    found = fitted([run(1), run(4), run(7)], Steps(signature=60.0, admission=40.0, rules=100.0))

    for name in ("front", "follow", "admit", "execute", "node", "peer", "round", "block", "repeated"):
        assert getattr(found, name) == pytest.approx(getattr(costs, name), rel=1e-6), name


def test_a_year_of_archive_is_what_an_operator_writes_and_a_pruned_one_less() -> None:
    from scaling.keeping import year

    disk = {"blocks": 600.0, "results": 400.0, "log": 5_000.0, "application": 1_000.0}
    kept = year(10.0, disk, 4)
    written = 10.0 * 365 * 86_400

    assert kept.pruned == pytest.approx(written * 1_000.0 / 1e9)
    assert kept.archive - kept.idle == pytest.approx(written * 2_000.0 / 1e9)
    assert year(0.0, disk, 4).archive == kept.idle
    assert kept.price(0.5) == pytest.approx((6 * kept.archive, 6 * kept.pruned))


def test_the_committed_measurement_is_readable_and_holds_networks_of_one_and_of_four() -> None:
    import scale

    evidence = json.loads(scale.MEASURED.read_bytes())

    assert {1, 4} <= {run["operators"] for run in evidence["runs"]}
    assert all(run["load"]["actions"] > 1_000 for run in evidence["runs"])


def test_what_the_consortium_s_benchmark_measured_comes_first(costs: Costs, tmp_path: Path) -> None:
    from scaling.consortium import adopted, read

    def lots(size: int) -> dict[str, object]:
        cpu = {"application": 0.5 * size, "node": (0.3 + 0.02 * (size - 1)) * size, "front": 1.0}
        return {"lots": {"tps": 1_000.0, "cpu_ms_per_action": cpu, "latency_ms": {"p50": 200.0}}}

    path = tmp_path / "consortium.json"
    assert read(path) == []
    path.write_text(json.dumps({"quick": False, "cometbft_1": lots(1), "cometbft_4": lots(4), "cometbft_7": None}))
    runs = read(path)
    free = replace(costs, round=0.0, block=0.0)
    found = adopted(free, runs)

    assert [run.operators for run in runs] == [1, 4]
    assert found.application == pytest.approx(500e-6)
    assert (found.node, found.peer) == pytest.approx((300e-6, 20e-6))
    assert (found.admit, found.front, found.hop) == (costs.admit, costs.front, costs.hop)
    assert adopted(free, runs[:1]) == free
    path.write_text(json.dumps({"quick": True, "cometbft_1": lots(1), "cometbft_4": lots(4)}))
    assert read(path) == []


def test_the_report_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import scale

    # Two sizes and one distance: the rest is the same again.
    monkeypatch.setattr(scale, "OPERATORS", (4, 20))
    monkeypatch.setattr(scale, "ROUND_TRIPS", (0.02, 0.2))
    for name in ("OWN", "CONSORTIUM", "RESULTS"):
        monkeypatch.setattr(scale, name, tmp_path / f"{name}.json")
    monkeypatch.setattr(sys, "argv", ["scale.py", "--gigabyte-month", "0.5"])

    assert scale.main() == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "RESULTS.json").read_bytes())

    assert "archive price" in printed
    assert found["source"] == ["bench/scaling/measured.json"]
    near, far = (
        [each["simulated"]["actions_per_second"] for each in found["networks"] if each["round_trip"] == round_trip]
        for round_trip in (0.02, 0.2)
    )
    assert all(quick > slow > 100 for quick, slow in zip(near, far, strict=True))
    # On one machine and far apart; in between it is a matter of luck whether an action catches the next block.
    alone = [
        each for each in found["held"] if "one at a time" in each["what"] and ", 10 ms each way" not in each["what"]
    ]
    assert len(alone) >= 2
    assert all(abs(each["error"]) < 0.25 for each in alone)
