"""Commitments: a digest that is published first and opened later, bound to whoever made it.

Every preimage names its maker, the thing it is about and a nonce. So a commitment that was copied from a
neighbour never opens for the copier, and one that was made for this job never opens for another. What is hidden
(the package, the result's digest, the draw's secret) cannot be guessed from the digest, because the nonce or the
hidden value itself holds 32 random bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from freehold.protocol.digests import H, T, raw
from freehold.protocol.identifiers import CoupleId, Digest, InstanceId, JobId, MemberId, ModelId, Nonce, Secret


def receipt(instance: InstanceId, co: MemberId, nonce: Nonce, package: bytes | memoryview) -> Digest:
    """What the cloud owner `co` signs on receiving `package` for `instance`: it takes the whole package to make."""
    hashed = hashlib.sha256(T("receipt") + raw(instance) + raw(co) + raw(nonce))
    hashed.update(package)
    return Digest(hashed.hexdigest())


def result(job: JobId, co: MemberId, nonce: Nonce, result_digest: Digest) -> Digest:
    """The commitment of `co` to the result of `job`, made before anybody opened anything."""
    return Digest(H("result", raw(job), raw(co), raw(nonce), raw(result_digest)).hex())


def draw(couple: CoupleId, mo: MemberId, secret: Secret) -> Digest:
    """The model owner's commitment to its part of the draw, made before any data owner adds a share."""
    return Digest(H("draw", raw(couple), raw(mo), raw(secret)).hex())


def seed(couple: CoupleId, secret: Secret, shares: Iterable[Secret]) -> Digest:
    """The seed of the draw from the model owner's secret and the share of each part, part 0 first."""
    return Digest(H("seed", raw(couple), raw(secret), *(raw(share) for share in shares)).hex())


def claim(asset: ModelId | CoupleId, mo: MemberId, nonce: Nonce, digest: Digest) -> Digest:
    """The model owner's claim to a model with `digest`, opened only if it ever wants to prove ownership."""
    return Digest(H("claim", raw(asset), raw(mo), raw(nonce), raw(digest)).hex())
