"""A classifier that is taught which pairs of members belong to one owner, and tries the same on owners it never saw.

The figure is the advantage over guessing, 2·AUC − 1: 0 for a coin, 1 for somebody who is always right about which of
two pairs is the one of a single owner. Its interval comes from drawing the tested owners again and again, since the
pairs of one owner are not independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pseudonyms.views import Numbers, Seen, pair_features

Truth = npt.NDArray[np.bool_]
DRAWS: Final = 300
_MOST_STRANGERS: Final = 20_000
"""Pairs of different owners that a classifier learns from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Half of the owners: their members' pairs, which of them are true, and whose they are."""

    features: dict[str, Numbers]
    pairs: npt.NDArray[np.intp]
    owners: npt.NDArray[np.intp]
    """The owner of each member."""
    true: Truth

    def table(self, names: list[str]) -> Numbers:
        """The named features, a row per pair."""
        return np.stack([self.features[name] for name in names], axis=1)

    def without(self, owner: int) -> Half:
        """The pairs in which this owner has no member: it knows its own."""
        others = (self.owners[self.pairs] != owner).all(axis=1)
        features = {name: values[others] for name, values in self.features.items()}
        return Half(features=features, pairs=self.pairs[others], owners=self.owners, true=self.true[others])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How well pairs of one owner were told from others."""

    auc: float
    advantage: float
    low: float
    high: float
    """95 % of the draws lie between."""
    first: float
    """Of as many of the most suspected pairs as there are true ones, the share that is true."""


def halves(seen: Seen, owner_of: dict[str, int], seed: int, *, shuffled: bool = False) -> tuple[Half, Half]:
    """The owners in two halves; `shuffled` gives every member to a random owner first, so that nothing is to be found.

    Members are compared within a half only.
    """
    generator = np.random.default_rng(seed)
    members = [member for member in seen.members if member in owner_of]
    owners = np.array([owner_of[member] for member in members])
    if shuffled:
        owners = generator.permutation(owners)
    everybody = generator.permutation(np.unique(owners))
    taught = set(everybody[: len(everybody) // 2].tolist())
    inside = np.array([owner in taught for owner in owners])
    return _half(seen, members, owners, inside), _half(seen, members, owners, ~inside)


def _half(seen: Seen, members: list[str], owners: npt.NDArray[np.intp], inside: Truth) -> Half:
    chosen = [member for member, there in zip(members, inside, strict=True) if there]
    features, pairs = pair_features(seen, chosen)
    own = owners[inside]
    return Half(features=features, pairs=pairs, owners=own, true=own[pairs[:, 0]] == own[pairs[:, 1]])


def link(taught: Half, tested: Half, names: list[str], seed: int) -> Found:
    """Teaches two kinds of classifier, keeps the one that does better on a fifth of the taught, and tries it."""
    generator = np.random.default_rng(seed)
    table, true = taught.table(names), taught.true
    strangers = np.flatnonzero(~true)
    kept = generator.permutation(strangers)[:_MOST_STRANGERS]
    rows = generator.permutation(np.concatenate([np.flatnonzero(true), kept]))
    check, learn = rows[: len(rows) // 5], rows[len(rows) // 5 :]
    models = (
        HistGradientBoostingClassifier(
            max_iter=120, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0, random_state=seed
        ),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500)),
    )
    best = max(
        (model.fit(table[learn], true[learn]) for model in models),
        key=lambda model: _auc(model.predict_proba(table[check])[:, 1], true[check], np.ones(len(check))),
    )
    return judged(best.predict_proba(tested.table(names))[:, 1], tested, generator)


def judged(scores: Numbers, tested: Half, generator: np.random.Generator) -> Found:
    """The figures of one list of suspicions."""
    auc = _auc(scores, tested.true, np.ones(len(scores)))
    owners = np.unique(tested.owners)
    place = np.searchsorted(owners, tested.owners)
    one, other = place[tested.pairs[:, 0]], place[tested.pairs[:, 1]]
    draws = []
    for _ in range(DRAWS):
        times = np.bincount(generator.integers(0, len(owners), len(owners)), minlength=len(owners))
        weights = np.where(tested.true, times[one], times[one] * times[other]).astype(np.float64)
        draws.append(2 * _auc(scores, tested.true, weights) - 1)
    low, high = np.percentile(draws, [2.5, 97.5])
    first = np.argsort(-scores, kind="stable")[: int(tested.true.sum())]
    return Found(
        auc=auc, advantage=2 * auc - 1, low=float(low), high=float(high), first=float(tested.true[first].mean())
    )


def _auc(scores: Numbers, true: Truth, weights: Numbers) -> float:
    """The chance that a true pair is suspected more than another one, ties counting half."""
    _, rank = np.unique(scores, return_inverse=True)
    right = np.bincount(rank, weights * true)
    wrong = np.bincount(rank, weights * ~true)
    below = np.cumsum(wrong) - wrong
    return float((right * (below + wrong / 2)).sum() / (right.sum() * wrong.sum()))
