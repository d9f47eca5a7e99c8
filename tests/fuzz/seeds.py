"""Genuine values of every format, made by the product: what the fuzzer begins with."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from freehold.agents.auditor import evidence
from freehold.learning import wire
from freehold.learning.card import Card
from freehold.learning.parameters import PRIMES, N
from freehold.learning.prepared import Prepared, prepare
from freehold.learning.rows import Rows
from freehold.learning.streams import Stream
from freehold.learning.tiles import Tiling, tiling
from freehold.ports.cipher import Words
from freehold.protocol import packages
from freehold.protocol.identifiers import DatasetId, NetworkId
from tests.agents.auditor.recordings import OPERATOR, evidence_of
from tests.learning.tables import SEED, patient_table
from tests.market import Market

VECTORS: Final = Path(__file__).parent.parent / "vectors"
FIRST: Final = b"\x0a" * 32
SECOND: Final = b"\x0b" * 32
FEATURES, OUTPUTS = 5, 2
CUT: Final[Tiling] = tiling(FEATURES, OUTPUTS)


@cache
def actions() -> tuple[bytes, ...]:
    """Signed actions of every function, and those that the vectors refuse."""
    known = json.loads((VECTORS / "actions.json").read_text("utf-8"))
    told = json.loads((VECTORS / "market.json").read_text("utf-8"))["steps"]
    by_function: dict[str, bytes] = {}
    for step in told:
        said = step["action"]
        if "result" in step:
            function = json.loads(said["body"])["function"]
            by_function[function] = bytes.fromhex(said["key"] + said["signature"]) + said["body"].encode("ascii")
    return (*by_function.values(), *(bytes.fromhex(each["action"]) for each in known["refused"]))


@cache
def prepared() -> tuple[Card, tuple[bytes, ...]]:
    """The card of a small table, and the rows of its subsets."""
    with tempfile.TemporaryDirectory() as folder:
        done: Prepared = prepare(patient_table(Path(folder)), Path(folder) / "out", seed=SEED)
        return done.card, tuple(done.rows(index) for index in range(done.plan.subsets))


@cache
def packed() -> tuple[bytes, ...]:
    """Packages: real rows, one row, none."""
    network, dataset = NetworkId("5a" * 32), DatasetId("6b" * 32)
    one = Rows(values=np.ones((1, 4), np.int32), targets=np.zeros(1, np.int32), held=np.ones(1, np.bool_)).encode()
    return tuple(
        packages.pack(network, dataset, index, SEED, rows) for index, rows in enumerate([*prepared()[1], one, b""])
    )


@cache
def bases() -> tuple[bytes, ...]:
    """An input with a ciphertext, one without, and the zero object of a training."""
    words = _residues(1)
    return (
        wire.encode_input(FIRST, SECOND, [b"\x01" * 32], [words]),
        wire.encode_input(FIRST, SECOND, [], []),
        wire.encode_zero(FIRST, SECOND, words),
    )


@cache
def answers() -> tuple[bytes, ...]:
    """The answer of a replica: one pair of statistics, and two."""
    rows = []
    for block in range(2 * CUT.row_blocks):
        places = CUT.outputs * len(CUT.rows(block % CUT.row_blocks))
        rows.append((Stream(FIRST, 9).uniform(PRIMES[0], places), _residues(block)[0]))
    half = len(rows) // 2
    return (
        wire.encode_answer(FIRST, SECOND, rows[:half], [2**64 - 1]),
        wire.encode_answer(FIRST, SECOND, rows, [0, 7]),
    )


@cache
def summaries() -> tuple[bytes, ...]:
    """The card of a table, and the masked sums of a subset."""
    words = Stream(FIRST, 1).words(wire.sums_words(FEATURES, OUTPUTS))
    return prepared()[0].encode(), wire.encode_sums(FIRST, SECOND, words)


@cache
def evidences() -> tuple[bytes, ...]:
    """A training that nobody approved, and one with a round, each with the history before it."""
    short, long = Market(), Market()
    requested = short.requests(short.publishes(subsets=2))
    training = long.requests(long.publishes(subsets=2)).is_approved()
    training.starts_round().is_agreed()
    training.ends()
    return tuple(evidence.encode(evidence_of(each)) for each in (requested, training))


@cache
def checkpoints() -> tuple[bytes, ...]:
    """The notes under those histories."""
    notes = (evidence.parse(data).recording.checkpoint for data in evidences())
    return tuple(note.encode("utf-8") for note in notes if note is not None)


def checkpoint_trust() -> tuple[str, bytes]:
    """The network that the notes are about, and the seed of their operator."""
    return Market().id, OPERATOR


def _residues(seed: int) -> Words:
    return np.stack([Stream(bytes([seed]) * 32, index).uniform(prime, N) for index, prime in enumerate(PRIMES)])
