"""The package: everything that one subset's replicas need, equal for all of them, under one public digest.

    ASCII "freehold/package" ‖ u64 1 ‖ network ‖ dataset ‖ u64 index ‖ k ‖ rows

k is 32 secret random bytes: the salt that keeps the public digest from telling anything about the rows, and the
seed of all randomness of the subset. Because the digest covers k, a data owner cannot deal honest replicas
different randomness and so split their votes: who cannot reproduce the digest and the mask key does not join.

The mask key of a subset is an X25519 key pair derived from k. Two subsets of a group agree on their masks by the
other's public key from the ledger alone, also when their owners never met.
"""

from __future__ import annotations

from typing import Final

from freehold.errors import Invalid
from freehold.protocol import limits, sealing
from freehold.protocol.digests import T, hkdf, raw, u64
from freehold.protocol.identifiers import DatasetId, NetworkId
from freehold.protocol.records import Record

SECRET_BYTES: Final = 32
_MAGIC: Final = b"freehold/package" + u64(1)
_HEADER_BYTES: Final = len(_MAGIC) + 32 + 32 + 8 + SECRET_BYTES

_FIELD: Final = 2**255 - 19
LOW_ORDER_MASK_KEYS: Final = frozenset(
    {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    }
)
"""X25519 keys under which every shared secret is zero, so every mask known."""


class Package(Record, kw_only=True):
    """What a package says; `rows` is a view into the bytes it was read from."""

    network: NetworkId
    dataset: DatasetId
    index: int
    secret: bytes
    """k: 32 bytes."""
    rows: memoryview


def pack(network: NetworkId, dataset: DatasetId, index: int, secret: bytes, rows: bytes | memoryview) -> bytes:
    """The package of the subset at `index` of `dataset`; its SHA-256 is the subset's public digest."""
    if len(secret) != SECRET_BYTES:
        raise Invalid(f"a package's secret has {SECRET_BYTES} bytes, not {len(secret)}")
    if _HEADER_BYTES + memoryview(rows).nbytes > limits.PACKAGE_LARGEST:
        raise Invalid(f"a package has at most {limits.PACKAGE_LARGEST} bytes")
    return b"".join((_MAGIC, raw(network), raw(dataset), u64(index), secret, rows))


def unpack(data: bytes, largest: int = limits.PACKAGE_LARGEST) -> Package:
    """What `data` says, without copying its rows; Invalid above `largest` bytes or without the package's header."""
    if not _HEADER_BYTES <= len(data) <= largest:
        raise Invalid(f"a package has {_HEADER_BYTES} to {largest} bytes, this one {len(data)}")
    view = memoryview(data)
    if view[: len(_MAGIC)] != _MAGIC:
        raise Invalid("this is no package of version 1")
    network, dataset, index, secret = (
        bytes(view[start:end]) for start, end in ((24, 56), (56, 88), (88, 96), (96, _HEADER_BYTES))
    )
    return Package(
        network=NetworkId(network.hex()),
        dataset=DatasetId(dataset.hex()),
        index=int.from_bytes(index, "big"),
        secret=secret,
        rows=view[_HEADER_BYTES:],
    )


def mask_private(secret: bytes, dataset: DatasetId, index: int) -> bytes:
    """The private mask key x of a subset, from its package's `secret`: 32 bytes."""
    return hkdf(secret, T("mask-key") + raw(dataset) + u64(index))


def mask_public(secret: bytes, dataset: DatasetId, index: int) -> bytes:
    """The public mask key X of a subset, as its owner publishes it: 32 bytes."""
    return sealing.sealing_public_key(mask_private(secret, dataset, index))


def pair_secret(private: bytes, public: bytes) -> bytes:
    """What two subsets of a group share: the X25519 secret of one's x and the other's X; Invalid if it is zero."""
    return sealing.x25519(private, public)


def is_good_mask_key(public: str) -> bool:
    """Whether a mask key (64 hex characters) is below 2^255 − 19 and shares no known secret."""
    return int.from_bytes(raw(public), "little") < _FIELD and public not in LOW_ORDER_MASK_KEYS
