"""The benches run: what is measured seldom must not be found broken on the day that it is wanted."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_a_round_is_measured_and_compared_with_plain_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = load("training", monkeypatch)

    row = bench.measure(7, 2, 2, 2, bench.SealCipher())

    assert 0 < row["cloud_least_ms"] <= row["cloud_ms"]
    assert (row["bytes_down"], row["bytes_up"]) == (196_716, 65_732)
    assert "7×2" in bench.table([row])


def test_a_table_of_ones_own_is_measured_beside_central_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = load("accuracy", monkeypatch)
    lines = [f"{row % 17},{('a', 'b', 'c')[row % 3]},{('low', 'high')[row % 17 > 8]}" for row in range(240)]
    (tmp_path / "dose.csv").write_text("\n".join(["height,ward,dose", *lines]) + "\n")

    (outcome,) = bench.measured(bench.task_of_file(f"{tmp_path / 'dose.csv'}:dose"), 2, tmp_path)
    bench.printed([outcome])

    assert len(outcome.scores) == 2
    assert len(outcome.scores[0]) == bench.ROUNDS
    assert outcome.mean > 80
    assert "dose" in capsys.readouterr().out
    assert bench.as_record(outcome)["splits"] == 2


def test_members_of_one_owner_are_looked_for_in_a_small_market(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    bench = load("unlinkability", monkeypatch)
    size = bench.Size(owners=24, datasets=4, trainings=1, rounds=2, days=30)

    quiet = bench.lived(bench.Conduct(), size, 1)
    leaky = bench.lived(bench.Conduct(one_key=True), size, 1)

    names = bench.of_group(list(quiet.tested.features), "ids, keys, sizes")
    assert len(quiet.recorded.connections) > 400
    assert bench.link(leaky.taught, leaky.tested, names, 1).advantage > 0.95
    assert bench.link(quiet.taught, quiet.tested, names, 1).advantage < 0.5
    assert bench.by_adversary(quiet, 1)["node, one connection for all"].advantage > 0.95


def test_every_function_of_the_ledger_is_timed_in_a_story_where_everything_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = load("contract", monkeypatch)

    costs = bench.measure(bench.story(4, 2), 2)

    assert {cost.function for cost in costs} == set(bench.FUNCTIONS)
    assert all(0 < cost.records < cost.spent for cost in costs if cost.function == "StartRound")
    row = bench.row("the whole story", costs)
    assert row["median_us"] <= row["p99_us"]
    assert "the whole story" in bench.table([row])
