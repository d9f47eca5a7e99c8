"""Whole trainings on made-up rows, the same on every machine: the annex's two cases and the ones it did not run.

Everything follows from small formulas, so that another implementation can make the same bytes: rows and seeds are
described in `tests/vectors/training-rounds.json`, whose digests `golden_digests` makes again. Nothing here needs more
than the product and NumPy, so the determinism gate runs it on a bare installation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from freehold.learning.noise import part_digest, scale_rows, statistics_label, statistics_noise
from freehold.learning.owner import Owner, RoundSum
from freehold.learning.replica import Replica
from freehold.learning.statistics import statistics
from freehold.learning.sums import Sums, SumsOwner
from freehold.learning.training import (
    LINEAR,
    NO_ZERO,
    Participant,
    Statistics,
    Training,
    context,
    round_label,
    shift,
)
from freehold.ports.cipher import Cipher, Integers
from freehold.protocol import canonical, packages, sealing
from freehold.protocol.digests import raw, sha256
from freehold.protocol.identifiers import DatasetId, subset_id

VECTORS = Path(__file__).parent.parent / "vectors" / "training-rounds.json"
MAP = b"map of the test"
PARTS = {"all": ("all",), "train": ("train",), "train+held": ("train", "held")}
"""The statistics that a training asks for, by what it calls its part."""
COUPLE = b"\x02" * 32
DRAW_SEED = b"\x03" * 32
KEY_SEED = b"\x41" * 32
SEALING_SECRET = b"\x61" * 32


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training, its subsets' secrets and statistics, one group of all of them."""

    name: str
    training: Training
    group: tuple[Participant, ...]
    secrets: tuple[bytes, ...]
    statistics: tuple[Statistics, ...]
    held: tuple[Statistics, ...] = field(default=())

    def replica(self, index: int, cipher: Cipher | None = None) -> Replica:
        """A cloud owner that holds the subset at `index` of the group."""
        held = self.held[index] if self.held else None
        return Replica(self.secrets[index], self.group[index], self.statistics[index], held=held, cipher=cipher)

    def owner(self, cipher: Cipher | None = None) -> Owner:
        """The model owner of a training with a cipher."""
        return Owner(self.training, KEY_SEED, cipher=cipher)

    def sums_owner(self) -> SumsOwner:
        """The model owner of a training without one."""
        return SumsOwner(self.training, SEALING_SECRET)

    def expected(self, directions: Integers) -> Integers:
        """Σ (A·V − B) in plain integers."""
        return sum((part.a @ directions - part.b for part in self.statistics), np.zeros_like(directions))


def case(
    name: str,
    *,
    rows: dict[int, tuple[int, ...]],
    features: int,
    outputs: int,
    method: str = LINEAR,
    part: str = "all",
    weights: tuple[int, ...] = (),
    noise: tuple[int, ...] = (),
) -> Case:
    """A case whose dataset ids are one byte repeated; `rows` gives the row counts of each dataset's subsets."""
    places = [(bytes([dataset]) * 32, index) for dataset in sorted(rows) for index in range(len(rows[dataset]))]
    counts = [count for dataset in sorted(rows) for count in rows[dataset]]
    secrets = tuple(bytes([0x11 * (number + 1)]) * 32 for number in range(len(places)))
    group = tuple(_participant(*place, secret) for place, secret in zip(places, secrets, strict=True))
    made = [_rows(number, count, features, outputs, weights) for number, count in enumerate(counts)]
    training = Training(
        couple=COUPLE,
        draw_seed=DRAW_SEED,
        method=method,
        datasets=tuple(bytes([dataset]) * 32 for dataset in sorted(rows)),
        map=MAP,
        material=canonical.encode({"noise": list(noise), "part": part, "weights": list(weights)}),
        rows=sum(int(each.weights[each.of(name)].sum()) for each in made for name in PARTS[part]),
        features=features,
        outputs=outputs,
        subsets=len(places),
        sealing_key=sealing.sealing_public_key(SEALING_SECRET),
    )
    parts = [
        [_statistics(training, each, name, secret, member) for name in PARTS[part]]
        for each, secret, member in zip(made, secrets, group, strict=True)
    ]
    return Case(
        name=name,
        training=training,
        group=group,
        secrets=secrets,
        statistics=tuple(each[0] for each in parts),
        held=tuple(each[1] for each in parts if len(each) > 1),
    )


def cases() -> list[tuple[Case, dict[str, Any]]]:
    """Every case of the vectors with what it must give."""
    loaded: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]
    return [(_given(entry["given"]), entry["expected"]) for entry in loaded]


def _given(given: dict[str, Any]) -> Case:
    return case(
        given["name"],
        rows={int(dataset[:2], 16): tuple(counts) for dataset, counts in given["rows"].items()},
        features=given["features"],
        outputs=given["outputs"],
        method=given["method"],
        part=given["part"],
        weights=tuple(given["weights"]),
        noise=tuple(given["noise"]),
    )


def directions(case: Case, round: int) -> Integers:
    """V of a round: zero in the first round of the first case, a formula everywhere else."""
    features, outputs = case.training.features, case.training.outputs
    j, c = np.arange(features)[:, None], np.arange(outputs)[None, :]
    formula = ((55 * j + 33 * c + 11 + 7 * j * c) % 255 - 127).astype(np.int64)
    return np.zeros_like(formula) if (case.name, round) == ("annex 1", 1) else formula


def base(case: Case, owner: Owner, round: int, asked: Integers | None = None) -> bytes:
    """The input object of a round, with the vectors' seeds, and their directions unless others are asked."""
    name = f"case {case.name.removeprefix('annex ')} {round}"

    def public_seed(index: int) -> bytes:
        return sha256(f"input seed {name} {index}".encode())

    asked = directions(case, round) if asked is None else asked
    return owner.base(case.group, asked, public_seed, sha256(f"error seed {name}".encode()))


def golden_digests(case: Case, rounds: int, cipher: Cipher | None = None) -> dict[str, Any]:
    """Everything that the vectors say of a case, computed."""
    found: dict[str, Any] = {
        "shift": shift(case.training),
        "subsets": [
            {"subset": member.subset.hex(), "mask_key": member.mask_key.hex()} | _digests(part)
            for member, part in zip(case.group, case.statistics, strict=True)
        ],
    }
    for entry, part in zip(found["subsets"], case.held, strict=False):
        entry["held"] = _digests(part)
    if case.training.method == LINEAR:
        return found | _linear_digests(case, rounds, cipher)
    return found | _sums_digests(case)


def _linear_digests(case: Case, rounds: int, cipher: Cipher | None) -> dict[str, Any]:
    owner = case.owner(cipher)
    zero = owner.zero()
    replicas = [case.replica(index, cipher) for index in range(len(case.group))]
    found: dict[str, Any] = {
        "zero": sha256(zero).hex(),
        "context": context(case.training, case.group, sha256(zero)).hex(),
        "rounds": [],
    }
    for round in range(1, rounds + 1):
        sent = base(case, owner, round)
        answers = {
            member.subset: replica.answer(case.training, case.group, round, zero, sent)
            for member, replica in zip(case.group, replicas, strict=True)
        }
        total = owner.combine(case.group, round, sent, answers)
        found["rounds"].append(
            {
                "input": sha256(sent).hex(),
                "label": round_label(bytes.fromhex(found["context"]), round, sha256(sent)).hex(),
                "answers": [sha256(answer).hex() for answer in answers.values()],
                "answer_bytes": len(next(iter(answers.values()))),
            }
            | _told(total)
        )
    return found


def _sums_digests(case: Case) -> dict[str, Any]:
    owner = case.sums_owner()
    sent = owner.base(case.group)
    answers = {
        member.subset: case.replica(index).answer(case.training, case.group, 1, b"", sent)
        for index, member in enumerate(case.group)
    }
    total: Sums = owner.combine(case.group, 1, sent, answers)
    return {
        "context": context(case.training, case.group, NO_ZERO).hex(),
        "input": sha256(sent).hex(),
        "sums": [sha256(answer).hex() for answer in answers.values()],
    } | _digests(total)


def _told(total: RoundSum) -> dict[str, Any]:
    told: dict[str, Any] = {"y": _digest(total.y), "trace": total.trace}
    return told if total.held is None else told | {"held": _told(total.held)}


def _digests(statistics: Statistics | Sums) -> dict[str, str]:
    return {"a": _digest(statistics.a), "b": _digest(statistics.b)}


def _digest(matrix: Integers) -> str:
    return sha256(np.ascontiguousarray(matrix, dtype="<i8").tobytes()).hex()


@dataclass(frozen=True)
class _Rows:
    features: Integers
    targets: Integers
    weights: Integers
    held: npt.NDArray[np.bool_]

    def of(self, part: str) -> npt.NDArray[np.bool_]:
        """Which rows belong to `all`, `train` or `held`."""
        return np.ones_like(self.held) if part == "all" else self.held == (part == "held")


def _rows(number: int, count: int, features: int, outputs: int, weights: tuple[int, ...]) -> _Rows:
    r, j = np.arange(count)[:, None], np.arange(features)[None, :]
    matrix = ((r + 1) * (j + 3) * (number + 7) + 13 * j * j + 29 * r) % 255 - 127
    matrix[:, -1] = 64
    classes = (np.arange(count) ** 2 + number) % outputs
    per_class = np.array(weights or (1,) * outputs, np.int64)
    targets = 64 * np.eye(outputs, dtype=np.int64)[classes]
    return _Rows(matrix.astype(np.int64), targets, per_class[classes], np.arange(count) % 4 == 3)


def _statistics(training: Training, rows: _Rows, part: str, secret: bytes, member: Participant) -> Statistics:
    features, chosen, noise = rows.features, rows.of(part), training.details.noise
    extra = None
    if noise:
        features = scale_rows(features, noise[0])
        digest = part_digest(part, rows.held.astype(np.uint8).tobytes())
        label = statistics_label(member.dataset, sha256(training.map), training.details.weights, digest, noise)
        extra = statistics_noise(secret, label, (training.features, training.outputs), noise[1:])
    return statistics(features[chosen], rows.targets[chosen], rows.weights[chosen], shift(training), extra)


def _participant(dataset: bytes, index: int, secret: bytes) -> Participant:
    name = DatasetId(dataset.hex())
    mask_key = packages.mask_public(secret, name, index)
    return Participant(dataset=dataset, index=index, subset=raw(subset_id(name, index)), mask_key=mask_key)
