"""What a data owner decides, once: a publication, whom it offers what, its share in a draw, its no."""

from __future__ import annotations

from freehold.agents.journal import Decision
from freehold.protocol.assets import Terms
from freehold.protocol.identifiers import (
    DatasetId,
    Digest,
    Handle,
    Locator,
    MemberId,
    Nonce,
    PublicKey,
    Secret,
    SubsetId,
)


class Publication(Decision, frozen=True, kw_only=True):
    """A dataset that its owner wants in the market; its packages are kept under their digests."""

    dataset: DatasetId
    nonce: Nonce
    replicas: int
    terms: Terms
    card: Digest
    packages: tuple[Digest, ...]
    mask_keys: tuple[PublicKey, ...]


class Offered(Decision, frozen=True, kw_only=True):
    """One offer to one cloud owner; the sealed package lies in the terms' store."""

    dataset: DatasetId
    subset: SubsetId
    co: MemberId
    handle: Handle
    nonce: Nonce
    object: Digest
    locator: Locator
    at: int
    """When it was made (ms): an answer is waited for from here on."""


class Approved(Decision, frozen=True, kw_only=True):
    """The yes to one training of one dataset, and the share of the draw that goes with it."""

    share: Secret


class RefusedTraining(Decision, frozen=True, kw_only=True):
    """The no to one training."""


class Withdrawal(Decision, frozen=True, kw_only=True):
    """That a dataset is to leave the market."""
