"""What a model owner decides, once: an order, the directions of a pass, the seeds of a round, and what came of it.

The key's seed and the draw's secret are here and nowhere else. Lost, the escrow still returns when the training
expires, but its rounds cannot be read any more; so the journal belongs to every backup.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from freehold.agents.journal import Decision
from freehold.protocol.identifiers import (
    CoupleId,
    DatasetId,
    Digest,
    Method,
    ModelId,
    Nonce,
    Secret,
    StoreName,
)

Seed = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Order(Decision, frozen=True, kw_only=True):
    """A training that its owner wants, under a name of its own."""

    model: ModelId
    couple: CoupleId
    model_nonce: Nonce
    couple_nonce: Nonce
    claim_nonce: Nonce
    """Hides what the model's hash claims."""
    final_nonce: Nonce
    """Hides what the training's final claim is about."""
    secret: Secret
    """Opens the commitment to the draw, in round 1."""
    key_seed: Seed
    """The encryption key follows from it."""
    datasets: tuple[DatasetId, ...]
    method: Method
    map: bytes
    material: bytes
    rounds: int
    store: StoreName
    cost: int
    """Micro-credits that the request locks."""


class Drawn(Decision, frozen=True, kw_only=True):
    """The draw of a training as it was first seen: a second one would give the key away."""

    seed: Digest


class Directions(Decision, frozen=True, kw_only=True):
    """V of one pass over the groups: int64, little-endian, row by row; empty for a method that asks for everything."""

    entries: bytes


class RoundInput(Decision, frozen=True, kw_only=True):
    """What makes the base of one round of one turn: fresh for every round, also when a turn is repeated."""

    turn: int
    public_seed: Seed
    error_seed: Seed


class Outcome(Decision, frozen=True, kw_only=True):
    """What one complete round told: Y and the trace, or the whole A and B; int64, little-endian, row by row."""

    turn: int
    first: bytes
    """Y (D × M) of `linear`, A (D × D) of `statistics`."""
    second: bytes
    """Empty, or B (D × M)."""
    trace: int


class Solved(Decision, frozen=True, kw_only=True):
    """The end: a model file that is kept under its digest, or the reason why there is none."""

    file: Digest | None
    turns: int
    reason: str
