"""What a training is made of, and the two names under which its randomness is drawn.

Everybody who takes part holds the same public facts, from the ledger and the cards: the couple, its datasets, the
method, the map, the dimensions. The *context* C is the digest of those facts for one group; the *round label* L binds
C, the round and the very input that a cloud owner evaluates. Every mask, blind and flood is drawn under L, so two
different inputs never meet the same mask, whatever the ledger, the model owner or a clock do; and the same input gives
the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from freehold.errors import Invalid
from freehold.learning.parameters import LARGEST_FEATURE, LARGEST_STATISTIC, MOST_SUBSETS
from freehold.learning.tiles import Tiling, tiling
from freehold.ports.cipher import Integers
from freehold.protocol import canonical
from freehold.protocol.digests import DIGEST_BYTES, H, sha256

LINEAR: Final = "linear-1"
STATISTICS: Final = "statistics-1"
PARAMETER_SETS: Final = {LINEAR: "bfv-1", STATISTICS: "sum-1"}
PARTS: Final = ("all", "train", "train+held")
MOST_DATASETS: Final = 8
NO_ZERO: Final = bytes(DIGEST_BYTES)
"""What stands for the zero object's digest in a method that needs no cipher."""
LARGEST_WEIGHT: Final = 255
LARGEST_ENTRY: Final = LARGEST_STATISTIC + 1
"""The largest entry of one subset's statistics: rounding may add one to what the shift leaves."""
_LARGEST_MATERIAL: Final = 4096
_STATISTIC_BITS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One subset of a group: ids as raw bytes, its index in the dataset, its mask key from the ledger."""

    dataset: bytes
    index: int
    subset: bytes
    mask_key: bytes

    def __post_init__(self) -> None:
        _require_digests(self.dataset, self.subset, self.mask_key)
        if not 0 <= self.index < MOST_SUBSETS:
            raise Invalid(f"a dataset has no subset {self.index}")

    @property
    def place(self) -> tuple[bytes, int]:
        """Where the subset stands among all of its couple."""
        return (self.dataset, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The public parameters that a model names by digest beside its map."""

    part: str
    """Which rows train: all, those with held bit 0, or those with the others answered for beside them."""
    weights: tuple[int, ...]
    """One whole-number row weight per class in class order, or none."""
    noise: tuple[int, ...]
    """The norm of a row and the variances of A's and B's entries, or none."""

    @classmethod
    def parse(cls, data: bytes, outputs: int) -> Material:
        """The material that `data` writes for a model of `outputs` outputs; Invalid for any other field or value."""
        fields = canonical.decode(data, largest=_LARGEST_MATERIAL)
        if set(fields) != {"noise", "part", "weights"} or fields["part"] not in PARTS:
            raise Invalid("a model's material has the fields noise, part and weights, and a part of the closed list")
        noise, weights = _numbers(fields["noise"]), _numbers(fields["weights"])
        if len(noise) not in (0, 3) or not all(noise):
            raise Invalid("noise is empty, or three positive numbers: a norm and two variances")
        if len(weights) not in (0, outputs) or not all(1 <= weight <= LARGEST_WEIGHT for weight in weights):
            raise Invalid(f"weights are empty, or {outputs} numbers from 1 to {LARGEST_WEIGHT}")
        if weights and outputs == 1:
            raise Invalid("weights belong to classes, and a number to predict has none")
        return cls(part=fields["part"], weights=weights, noise=noise)

    @property
    def held(self) -> bool:
        """Whether the rows held back are answered for too."""
        return self.part == "train+held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The public facts of one train couple, the same for its model owner and every cloud owner."""

    couple: bytes
    draw_seed: bytes
    """H[seed] of the ledger: known when the last data owner has added its share."""
    method: str
    datasets: tuple[bytes, ...]
    map: bytes
    """The feature map's canonical JSON."""
    material: bytes
    """Canonical JSON of the fields of Material."""
    rows: int
    """W: the rows of all the datasets that belong to the part, each counted with its weight, from the cards."""
    features: int
    outputs: int
    subsets: int
    """The number of all subsets of the datasets."""
    sealing_key: bytes
    """The model owner's."""

    def __post_init__(self) -> None:
        _require_digests(self.couple, self.draw_seed, self.sealing_key, *self.datasets)
        if self.method not in PARAMETER_SETS:
            raise Invalid(f"no method is called {self.method!r}")
        if not 1 <= len(self.datasets) <= MOST_DATASETS or list(self.datasets) != sorted(set(self.datasets)):
            raise Invalid(f"a training names 1 to {MOST_DATASETS} datasets, ascending, each once")
        if self.rows < 1 or self.subsets < len(self.datasets):
            raise Invalid(f"{self.rows} rows in {self.subsets} subsets cannot train")
        if self.details.held and self.method == STATISTICS:
            raise Invalid(f"{STATISTICS} has no answer for held rows")
        _ = self.tiling

    @property
    def details(self) -> Material:
        """The material, parsed."""
        return Material.parse(self.material, self.outputs)

    @property
    def tiling(self) -> Tiling:
        """How A is cut; Invalid if the model does not fit."""
        return tiling(self.features, self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statistics:
    """What a subset knows of its rows, already shifted: A = FᵀF (D × D, symmetric) and B = FᵀY (D × M), int64."""

    a: Integers
    b: Integers

    def __post_init__(self) -> None:
        features = len(self.a)
        if self.a.shape != (features, features) or self.b.shape[0] != features or self.b.size == 0:
            raise Invalid(f"statistics of shapes {self.a.shape} and {self.b.shape} do not belong together")
        if not (self.a == self.a.T).all():
            raise Invalid("A is not symmetric")
        if max(abs(self.a).max(), abs(self.b).max()) > LARGEST_ENTRY:
            raise Invalid(
                "a statistic exceeds 2^20",
                why="the cards announce fewer rows than the package holds, or other weights",
            )


def shift(training: Training) -> int:
    """s of TRAINING-ANNEX §3: how many low bits the statistics lose so that their sum stays within 2^20."""
    noise = training.details.noise
    spread = 8 * _ceiling_root(training.subsets * noise[1]) if noise else 0
    return shift_of(training.rows, spread)


def shift_of(weighted_rows: int, spread: int = 0) -> int:
    """s for W weighted rows of the whole couple; `spread` is z of TRAINING-ANNEX §3, 0 without noise."""
    return max(0, (LARGEST_FEATURE**2 * weighted_rows + spread - 1).bit_length() - _STATISTIC_BITS)


def ordered(training: Training, group: Sequence[Participant]) -> tuple[Participant, ...]:
    """The group in the order of (dataset, index); Invalid unless it can be a group of this training."""
    members = tuple(sorted(group, key=lambda member: member.place))
    if len({member.place for member in members}) < len(members) or len({m.subset for m in members}) < len(members):
        raise Invalid("a subset stands twice in the group")
    if {member.dataset for member in members} != set(training.datasets):
        raise Invalid("the group does not hold subsets of exactly the training's datasets")
    if not 2 <= len(members) <= MOST_SUBSETS:
        raise Invalid(f"a group has 2 to {MOST_SUBSETS} subsets, not {len(members)}")
    return members


def require_all(members: Sequence[Participant], answers: Collection[bytes]) -> None:
    """Check that there is one answer for each subset of the group and no other; a sum over fewer is never taken."""
    missing = [member for member in members if member.subset not in answers]
    if missing or len(answers) != len(members):
        raise Invalid(
            f"{len(answers)} answers for {len(members)} subsets",
            why="the masks cancel only in the sum of the whole group",
            next="ask the same group again in a new round",
        )


def no_result(what: str) -> Invalid:
    """Why a model owner stops when answers add up to what no honest answers can."""
    return Invalid(
        what,
        why="at least one subset's majority sent no result of this round",
        next="end the training; the answers prove what was sent",
    )


def context(training: Training, group: Sequence[Participant], zero_digest: bytes) -> bytes:
    """C of TRAINING-ANNEX §5: 32 bytes that bind everything public about a training and one of its groups."""
    linear = training.method == LINEAR
    if linear == (zero_digest == NO_ZERO):
        raise Invalid(f"the zero object's digest does not fit {training.method}")
    details = training.details
    fields = {
        "couple": training.couple.hex(),
        "cw": training.tiling.width if linear else 0,
        "datasets": [dataset.hex() for dataset in training.datasets],
        "db": training.tiling.height if linear else 0,
        "features": training.features,
        "group": [member.subset.hex() for member in ordered(training, group)],
        "map": sha256(training.map).hex(),
        "method": training.method,
        "noise": list(details.noise),
        "outputs": training.outputs,
        "parameters": PARAMETER_SETS[training.method],
        "part": details.part,
        "shift": shift(training),
        "weights": list(details.weights),
        "zero": zero_digest.hex(),
    }
    return sha256(canonical.encode(fields))


def round_label(context: bytes, round: int, base_digest: bytes) -> bytes:
    """L: the name of one evaluation of one input in one round of one context, 32 bytes."""
    if round < 1:
        raise Invalid("rounds count from 1")
    return H("round", context, round, base_digest)


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(number) is int for number in value):
        raise Invalid("expected a list of whole numbers")
    return tuple(value)


def _ceiling_root(value: int) -> int:
    return isqrt(value - 1) + 1 if value > 0 else 0


def _require_digests(*values: bytes) -> None:
    if not all(isinstance(value, bytes) and len(value) == DIGEST_BYTES for value in values):
        raise Invalid(f"ids, seeds and keys of a training are {DIGEST_BYTES} bytes")
