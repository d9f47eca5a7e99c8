"""The solver finds the ridge solution from a few exact products, and stops when the answers contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from freehold.errors import Invalid
from freehold.learning.card import Card
from freehold.learning.families.linear import LinearTraining
from freehold.learning.families.statistics import StatisticsTraining
from freehold.learning.maps import FeatureMap, approved, map_description
from freehold.learning.parameters import LARGEST_DIRECTION
from freehold.learning.prepared import prepare
from freehold.learning.rehearsal import (
    group_answer,
    group_trace,
    plain_statistics,
    rehearse_linear,
    rehearse_statistics,
)
from freehold.learning.rows import Rows, join
from freehold.learning.solver import RIDGES, Floats, Problem, problem_of
from freehold.learning.statistics import balanced_weights
from freehold.learning.table import read_table
from freehold.learning.training import Statistics
from tests.learning.tables import SEED, patient_table, patients, write_csv


@dataclass(frozen=True)
class Case:
    cards: list[Card]
    feature_map: FeatureMap
    problem: Problem
    parts: list[Statistics]
    rows: Rows


def case(folder: Path, *, classes: int = 3, rows: int = 300, map_name: str = "standard", subsets: int = 4) -> Case:
    ready = prepare(patient_table(folder, rows, classes), folder / "out", seed=SEED, subsets=subsets, map_name=map_name)
    feature_map = approved(map_description([ready.card], map_name), [ready.card])
    problem = problem_of([ready.card], feature_map)
    subset_rows = [Rows.parse(ready.rows(index)) for index in range(subsets)]
    parts = plain_statistics(subset_rows, feature_map, (), problem.shift)
    return Case([ready.card], feature_map, problem, parts, join(subset_rows))


def exact_ridge(parts: list[Statistics], ridge: float) -> Floats:
    """The textbook solution of the same integer statistics."""
    a, b = np.sum([part.a for part in parts], axis=0), np.sum([part.b for part in parts], axis=0)
    scale = float(np.trace(a)) / len(a)
    weights: Floats = np.linalg.solve(a + ridge * scale * np.eye(len(a)), b.astype(np.float64))
    return weights


def test_after_enough_rounds_the_weights_are_the_ridge_solution(tmp_path: Path) -> None:
    known = case(tmp_path)
    rounds = -(-known.problem.dimension // known.problem.outputs) + 1
    solution = rehearse_linear(known.problem, [known.parts], rounds)[-1]
    np.testing.assert_allclose(solution.weights, exact_ridge(known.parts, solution.ridge), rtol=1e-7, atol=1e-10)


def test_six_rounds_predict_nearly_like_all_of_them(tmp_path: Path) -> None:
    known = case(tmp_path, rows=600, map_name="rff-40")
    solutions = rehearse_linear(known.problem, [known.parts], 6)
    features = known.feature_map.features(known.rows.values).astype(float)
    full = rehearse_statistics(known.problem, [known.parts])
    assert known.problem.dimension > 5 * known.problem.outputs + 20
    agree = np.mean((features @ solutions[-1].weights).argmax(1) == (features @ full.weights).argmax(1))
    assert agree > 0.93


def test_whole_statistics_give_the_same_as_the_rounds_that_span_everything(tmp_path: Path) -> None:
    known = case(tmp_path, classes=2)
    rounds = -(-known.problem.dimension // known.problem.outputs) + 1
    by_rounds = rehearse_linear(known.problem, [known.parts], rounds)[-1]
    at_once = rehearse_statistics(known.problem, [known.parts])
    assert by_rounds.ridge == at_once.ridge
    np.testing.assert_allclose(by_rounds.weights, at_once.weights, rtol=1e-6, atol=1e-9)


def test_cross_validation_finds_a_ridge_as_good_as_the_best_on_new_rows(tmp_path: Path) -> None:
    known = case(tmp_path, rows=120, map_name="rff-8")
    fresh = read_table(
        write_csv(tmp_path, *patients(2000, 3, seed=9), name="fresh.csv"), target="outcome", like=known.cards[0]
    )
    features = known.feature_map.features(fresh.rows.values).astype(float)
    targets = known.feature_map.targets(fresh.rows.targets)
    solution = rehearse_statistics(known.problem, [known.parts])
    errors = {ridge: float(np.mean((features @ exact_ridge(known.parts, ridge) - targets) ** 2)) for ridge in RIDGES}
    chosen = float(np.mean((features @ solution.weights - targets) ** 2))
    assert chosen < 1.03 * min(errors.values())
    assert chosen < 0.9 * max(errors.values())
    freedoms = [point.freedom for point in solution.path]
    assert freedoms == sorted(freedoms, reverse=True)
    assert 0 < freedoms[-1] < freedoms[0] <= known.problem.dimension


def test_the_first_turn_asks_with_zeros_and_every_direction_is_short_enough(tmp_path: Path) -> None:
    known = case(tmp_path)
    training = LinearTraining(known.problem)
    assert not training.directions().any()
    for _ in range(6):
        directions = training.directions()
        assert directions.dtype == np.int64
        assert np.abs(directions).sum(axis=0).max() <= LARGEST_DIRECTION
        training.absorb(directions, group_answer(known.parts, directions), group_trace(known.parts))
    assert training.complete
    assert not training.directions().any()


def test_several_groups_keep_their_directions_for_a_block_and_sum_to_the_whole(tmp_path: Path) -> None:
    known = case(tmp_path, subsets=8)
    groups = [known.parts[0::2], known.parts[1::2]]
    together = rehearse_linear(known.problem, [known.parts], 4)
    in_turn = rehearse_linear(known.problem, groups, 8)
    for one, other in zip(together, in_turn, strict=True):
        assert np.array_equal(one.weights, other.weights)
    training = LinearTraining(known.problem, groups=2)
    directions = training.directions()
    training.absorb(directions, group_answer(groups[0], directions), group_trace(groups[0]))
    with pytest.raises(Invalid, match="every group has answered once"):
        training.solve()
    with pytest.raises(Invalid, match="keeps its directions"):
        training.absorb(directions + 1, group_answer(groups[1], directions), group_trace(groups[1]))


def test_a_training_goes_on_from_its_journal_with_the_same_directions(tmp_path: Path) -> None:
    known = case(tmp_path)
    first = LinearTraining(known.problem)
    journal = []
    for _ in range(3):
        directions = first.directions()
        turn = (directions, group_answer(known.parts, directions), group_trace(known.parts))
        first.absorb(*turn)
        journal.append(turn)
    again = LinearTraining(known.problem)
    for turn in journal:
        again.absorb(*turn)
    assert np.array_equal(first.directions(), again.directions())
    assert np.array_equal(first.solve().weights, again.solve().weights)


def test_answers_that_are_not_symmetric_stop_the_training(tmp_path: Path) -> None:
    known = case(tmp_path)
    training = LinearTraining(known.problem)
    zeros = training.directions()
    training.absorb(zeros, group_answer(known.parts, zeros), group_trace(known.parts))
    directions = training.directions()
    answer = group_answer(known.parts, directions)
    answer[0, 0] += 1
    with pytest.raises(Invalid, match="not symmetric"):
        training.absorb(directions, answer, group_trace(known.parts))


def test_a_trace_that_changes_between_rounds_stops_the_training(tmp_path: Path) -> None:
    known = case(tmp_path)
    training = LinearTraining(known.problem)
    zeros = training.directions()
    training.absorb(zeros, group_answer(known.parts, zeros), group_trace(known.parts))
    directions = training.directions()
    with pytest.raises(Invalid, match="trace of the statistics changed"):
        training.absorb(directions, group_answer(known.parts, directions), group_trace(known.parts) + 1)


def test_turns_of_a_wrong_shape_or_a_nonzero_beginning_are_refused(tmp_path: Path) -> None:
    known = case(tmp_path)
    training = LinearTraining(known.problem)
    zeros = training.directions()
    with pytest.raises(Invalid, match="shape"):
        training.absorb(zeros, zeros[:-1], 1)
    with pytest.raises(Invalid, match="zero directions"):
        training.absorb(zeros + 1, zeros, 1)
    whole = StatisticsTraining(known.problem)
    with pytest.raises(Invalid, match="before every group"):
        whole.solve()
    crooked = np.arange(known.problem.dimension**2).reshape(known.problem.dimension, -1)
    with pytest.raises(Invalid, match="not symmetric"):
        whole.absorb(crooked, zeros)
    with pytest.raises(Invalid, match="features"):
        whole.absorb(crooked[:-1], zeros)


def test_rounds_that_do_not_visit_every_group_cannot_be_rehearsed(tmp_path: Path) -> None:
    known = case(tmp_path)
    with pytest.raises(Invalid, match="do not visit all 2 groups"):
        rehearse_linear(known.problem, [known.parts[:2], known.parts[2:]], 1)


def test_two_hospitals_train_what_one_with_all_their_rows_would(tmp_path: Path) -> None:
    names, rows = patients(500, 2, seed=4)
    first = prepare(
        read_table(write_csv(tmp_path, names, rows[:320], name="a.csv"), target="outcome"), tmp_path / "a", seed=SEED
    )
    table = read_table(write_csv(tmp_path, names, rows[320:], name="b.csv"), target="outcome", like=first.card)
    second = prepare(table, tmp_path / "b", seed=SEED)
    cards = [first.card, second.card]
    feature_map = approved(map_description(cards), cards)
    problem = problem_of(cards, feature_map)
    assert problem.rows == first.card.rows + second.card.rows
    subsets = [Rows.parse(ready.rows(index)) for ready in (first, second) for index in range(4)]
    hospitals = rehearse_linear(problem, [plain_statistics(subsets, feature_map, (), problem.shift)], 6)[-1]

    # one owner of all rows, in other subsets: only the rounding of each subset's shift differs
    pooled = plain_statistics([join(subsets)], feature_map, (), problem.shift)
    central = rehearse_linear(problem, [pooled], 6)[-1]
    features = feature_map.features(join(subsets).values).astype(float)
    one, other = features @ hospitals.weights, features @ central.weights
    assert np.mean(one.argmax(1) == other.argmax(1)) > 0.995
    np.testing.assert_allclose(one, other, atol=0.5)
    for letter in ("a", "b"):
        sums = sum(getattr(part, letter) for part in plain_statistics(subsets, feature_map, (), problem.shift))
        assert np.abs(sums - getattr(pooled[0], letter)).max() <= len(subsets)


def test_two_hospitals_predict_as_well_as_one_table_of_all_their_rows(tmp_path: Path) -> None:
    names, rows = patients(600, 2, seed=4)
    one = read_table(write_csv(tmp_path, names, rows[:350], name="a.csv"), target="outcome")
    first = prepare(one, tmp_path / "a", seed=SEED)
    two = read_table(write_csv(tmp_path, names, rows[350:], name="b.csv"), target="outcome", like=first.card)
    second = prepare(two, tmp_path / "b", seed=SEED)
    everything = read_table(write_csv(tmp_path, names, rows, name="all.csv"), target="outcome", like=first.card)
    pooled = prepare(everything, tmp_path / "all", seed=SEED)
    fresh = write_csv(tmp_path, *patients(2000, 2, seed=5), name="fresh.csv")
    new = read_table(fresh, target="outcome", like=first.card).rows
    scores = []
    for parts in ((first, second), (pooled,)):
        cards = [part.card for part in parts]
        feature_map = approved(map_description(cards), cards)
        problem = problem_of(cards, feature_map)
        subsets = [Rows.parse(part.rows(index)) for part in parts for index in range(4)]
        solution = rehearse_linear(problem, [plain_statistics(subsets, feature_map, (), problem.shift)], 6)[-1]
        scores.append(np.mean((feature_map.features(new.values) @ solution.weights).argmax(1) == new.targets))
    assert abs(scores[0] - scores[1]) < 0.01
    assert scores[0] > 0.85


def test_class_weights_lift_the_rare_class(tmp_path: Path) -> None:
    names, rows = patients(2400, 2, seed=6)
    common = [row for row in rows if row[4] == "class 0"]
    rare = [row for row in rows if row[4] == "class 1"][: len(common) // 9]
    ready = prepare(
        read_table(write_csv(tmp_path, names, common + rare), target="outcome"), tmp_path / "out", seed=SEED
    )
    cards = [ready.card]
    feature_map = approved(map_description(cards), cards)
    subsets = [Rows.parse(ready.rows(index)) for index in range(4)]
    recalls = []
    for weights in ((), balanced_weights(cards)):
        problem = problem_of(cards, feature_map, weights)
        parts = plain_statistics(subsets, feature_map, weights, problem.shift)
        solution = rehearse_linear(problem, [parts], 6)[-1]
        everything = join(subsets)
        predicted = (feature_map.features(everything.values) @ solution.weights).argmax(1)
        recalls.append(np.mean([np.mean(predicted[everything.targets == c] == c) for c in (0, 1)]))
    assert recalls[1] > recalls[0] + 0.05
    assert recalls[1] > 0.85
