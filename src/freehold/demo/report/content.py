"""What the report tells: plain facts, gathered before any of it is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.agents.auditor.verify import Report
from freehold.demo.scores import written
from freehold.learning.disclosure import products, products_learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How the data owner split the table: the data owner's view, which nobody else gets in a real market."""

    classes: tuple[str, ...]
    """Names of the classes, or of the ranges of a numeric target."""
    counts: tuple[tuple[int, ...], ...]
    """Rows of each class (outer) in each subset (inner)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good the model is, on rows that nobody in the market ever had; shares of one."""

    measure: str
    """What is measured: `accuracy`, or `R²` for a numeric target."""
    by_round: tuple[float, ...]
    freehold: float
    central: float
    majority: float
    """Always saying the most frequent class; for a numeric target always the mean."""
    test_rows: int
    groups: int = 1
    """There is a model, and so a score in `by_round`, each time that so many rounds were complete."""

    def written(self, score: float) -> str:
        """A score of this measure for people."""
        return written(self.measure, score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """How much the model owner learned of the sums over the subsets that trained together."""

    features: int
    outputs: int
    rounds: int
    rows: int
    groups: int = 1
    """Groups of subsets, each of which trains in rounds of its own; one if all train together."""

    @property
    def all_numbers(self) -> int:
        """Different numbers of the matrix of sums of products of features."""
        return products(self.features)

    @property
    def learned_numbers(self) -> int:
        """At most so many of them are known of each group after the rounds (TRAINING, "Who learns what")."""
        return products_learned(self.features, self.outputs, -(-self.rounds // self.groups))

    @property
    def rows_per_feature(self) -> float:
        """How many rows of a group stand behind each feature: what keeps a sum from telling about one row."""
        return self.rows // self.groups / self.features


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that the report tells about one training."""

    title: str
    dataset: str
    rows: int
    columns: int
    map: str
    replicas: int
    seconds: float
    names: Mapping[str, str]
    """What the demo calls each member, by its id."""
    planted: Mapping[str, str]
    """The kind of each planted cheater, by its id."""
    blamed: Mapping[str, str]
    """What the ledger says about each member that it blames."""
    split: Split
    quality: Quality
    disclosure: Disclosure
    weights_equal_plaintext: bool
    audit: Report
    earned: Mapping[str, int]
    """Micro-credits that each member got out of this training."""
    roles: Mapping[str, str]
    """data owner, cloud owner or model owner, by member id."""
