"""How good the model became, measured from outside: on rows that nobody in the market had, beside two other ways.

*Central* is what somebody gets who holds all the data in one place: scikit-learn's logistic regression (C = 1), or
ridge regression (alpha = 1) for a numeric target, on standardized columns of the pooled training rows. *Plaintext* is
Freehold's own solver on the same integers without cipher, market and vote: its weights must be the same, to the last
bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from freehold.demo.plan import Plan
from freehold.demo.scores import ACCURACY, R_SQUARED
from freehold.learning.card import CategoryColumn, ClassTarget, Column, NumberColumn
from freehold.learning.maps import FeatureMap, map_description
from freehold.learning.model_file import read_model
from freehold.learning.predict import predict
from freehold.learning.prepared import Prepared, load
from freehold.learning.rehearsal import plain_statistics, rehearse_linear
from freehold.learning.rows import Rows
from freehold.learning.solver import problem_of
from freehold.learning.table import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Shares of one: accuracy for classes, R² for a number."""

    measure: str
    freehold: float
    central: float
    majority: float
    by_round: tuple[float, ...]
    weights_equal_plaintext: bool
    features: int
    outputs: int
    test_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """Training in one place, and guessing."""

    central: float
    majority: float
    test_rows: int


def measure(plan: Plan, folder: Path, model: Path, groups: list[list[int]], rounds: int, central: Central) -> Measured:
    """Measures a model on the held-out rows, and trains the same one in the clear.

    `folder` is the data owner's prepared folder, `groups` the ledger's groups of subsets, `rounds` the complete ones.
    """
    from threadpoolctl import threadpool_limits

    prepared, trained = load(folder), read_model(model)
    feature_map = FeatureMap.parse(map_description([prepared.card], plan.map))
    problem = problem_of([prepared.card], feature_map)
    subsets = [Rows.parse(prepared.rows(index)) for index in range(plan.subsets)]
    statistics = plain_statistics(subsets, feature_map, (), problem.shift)
    # as many threads as the market's own programs have (`processes`): with more, sums are added in another order
    with threadpool_limits(1):
        solutions = rehearse_linear(problem, [[statistics[index] for index in group] for group in groups], rounds)
    in_clear = [replace(trained, weights=solution.weights) for solution in solutions]
    return Measured(
        measure=ACCURACY if trained.classes else R_SQUARED,
        freehold=_score(predict(trained, plan.test_rows).score),
        central=central.central,
        majority=central.majority,
        by_round=tuple(_score(predict(each, plan.test_rows).score) for each in in_clear),
        weights_equal_plaintext=bool(np.array_equal(trained.weights, solutions[-1].weights)),
        features=feature_map.dimension,
        outputs=feature_map.outputs,
        test_rows=central.test_rows,
    )


def train_centrally(plan: Plan, prepared: Prepared) -> Central:
    """What one gets who holds all training rows in one place, on the same test rows."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    training = read_table(plan.training_rows, target=plan.target, group=plan.group)
    test = read_table(plan.test_rows, target=plan.target, group=plan.group, like=prepared.card)
    columns = prepared.card.columns
    known, unknown = _plain(training.rows, columns), _plain(test.rows, columns)
    scaler = StandardScaler().fit(known)
    targets = training.rows.targets
    if isinstance(prepared.card.target, ClassTarget):
        model = LogisticRegression(C=1.0, max_iter=5_000)
        guess = float(np.mean(test.rows.targets == np.bincount(targets).argmax()))
    else:
        model = Ridge(alpha=1.0)
        guess = _r_squared(np.full(len(test.rows), targets.mean()), test.rows.targets)
    model.fit(scaler.transform(known), targets)
    return Central(
        central=float(model.score(scaler.transform(unknown), test.rows.targets)),
        majority=guess,
        test_rows=len(test.rows),
    )


def _plain(rows: Rows, columns: Sequence[Column]) -> npt.NDArray[np.float64]:
    """The rows as numbers: categories one column for each value."""
    parts: list[npt.NDArray[np.float64]] = []
    for place, column in enumerate(columns):
        values = rows.values[:, place].astype(np.float64)
        if isinstance(column, CategoryColumn):
            codes = np.arange(1, len(column.values) + 1)
            parts.append((values[:, None] == codes).astype(np.float64))
        elif isinstance(column, NumberColumn):
            parts.append(values[:, None] / 10.0**column.digits)
        else:
            parts.append(values[:, None])
    return np.concatenate(parts, axis=1)


def _r_squared(guessed: npt.NDArray[np.float64], truth: npt.NDArray[np.int32]) -> float:
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1.0 - float(np.sum((truth - guessed) ** 2)) / spread if spread else 0.0


def _score(score: float | None) -> float:
    return 0.0 if score is None else score
