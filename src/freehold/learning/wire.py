"""The four objects of a round, to the byte.

*zero* travels once per training: the model owner's public encryption of nothing, with which every answer is blinded.
*input* is the base of a round: the encrypted direction, the same bytes for every cloud owner. Of each ciphertext only
c0 and a seed travel; c1 follows from the seed. *answer* is what a replica computes, and *sums* its counterpart for the
method without a cipher. Answers of one subset's replicas are equal bytes: their header names the round's label and the
subset, nothing of the replica.

All numbers are little-endian; words have eight bytes. A reader knows every length before it reads: another length,
another header, a residue that is not below its prime, a trailing byte are Invalid.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from freehold.errors import Invalid
from freehold.learning.parameters import PRIMES, N
from freehold.learning.tiles import Tiling
from freehold.ports.cipher import Words
from freehold.protocol.digests import DIGEST_BYTES

_ZERO: Final = b"FHzero01"
_INPUT: Final = b"FHinput1"
_ANSWER: Final = b"FHanswr1"
_SUMS: Final = b"FHsums01"
_WORD: Final = 8
_POLYNOMIAL: Final = len(PRIMES) * N
_HEADER: Final = 8 + 2 * DIGEST_BYTES
"""A magic and two digests open every object."""
_INPUT_BYTES: Final = DIGEST_BYTES + _WORD * _POLYNOMIAL
ZERO_BYTES: Final = _HEADER + _WORD * _POLYNOMIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A parsed input object: K seeds and the (K, 3, N) words of c0 in NTT order."""

    context: bytes
    zero_digest: bytes
    seeds: tuple[bytes, ...]
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A parsed answer: per row of blocks the words of c0 at its places and the N words of c1, and the masked traces."""

    label: bytes
    subset: bytes
    outputs: tuple[tuple[Words, Words], ...]
    traces: tuple[int, ...]


def input_bytes(inputs: int) -> int:
    """The length of an input object with so many inputs."""
    return _HEADER + 4 + inputs * _INPUT_BYTES


def answer_bytes(tiling: Tiling, pairs: int) -> int:
    """The length of an answer for `pairs` pairs of statistics (two with a held part)."""
    words = N * tiling.row_blocks + tiling.outputs * tiling.features + 1
    return _HEADER + 4 + pairs * _WORD * words


def sums_words(features: int, outputs: int) -> int:
    """n: the words of a sums object, A's upper half and B."""
    return features * (features + 1) // 2 + features * outputs


def sums_bytes(features: int, outputs: int) -> int:
    """The length of a sums object."""
    return _HEADER + 4 + _WORD * sums_words(features, outputs)


def encode_zero(couple: bytes, draw_seed: bytes, words: Words) -> bytes:
    """The zero object of (3, N) words of z0 in NTT order."""
    return _ZERO + couple + draw_seed + _bytes(words)


def parse_zero(data: bytes, couple: bytes, draw_seed: bytes) -> Words:
    """z0 as (3, N) words, from the zero object of exactly this couple and draw; Invalid otherwise."""
    _require_length("zero", data, ZERO_BYTES)
    _require_header("zero", data, _ZERO, couple, draw_seed)
    return _residues(data, _HEADER, (len(PRIMES), N), PRIMES)


def encode_input(context: bytes, zero_digest: bytes, seeds: Sequence[bytes], words: Sequence[Words]) -> bytes:
    """The input object of K seeds and as many (3, N) words; none of either for the method without a cipher."""
    parts = [_INPUT, context, zero_digest, struct.pack("<I", len(seeds))]
    for seed, residues in zip(seeds, words, strict=True):
        parts += [seed, _bytes(residues)]
    return b"".join(parts)


def parse_input(data: bytes, context: bytes, zero_digest: bytes, inputs: int) -> Input:
    """The input object of exactly this context, zero object and number of inputs; Invalid otherwise."""
    _require_length("input", data, input_bytes(inputs))
    _require_header("input", data, _INPUT, context, zero_digest)
    _require_count("input", data, inputs)
    starts = range(_HEADER + 4, len(data), _INPUT_BYTES)
    seeds = tuple(data[start : start + DIGEST_BYTES] for start in starts)
    words = np.empty((inputs, len(PRIMES), N), np.uint64)
    for index, start in enumerate(starts):
        words[index] = _residues(data, start + DIGEST_BYTES, (len(PRIMES), N), PRIMES)
    return Input(context=context, zero_digest=zero_digest, seeds=seeds, words=words)


def encode_answer(label: bytes, subset: bytes, outputs: Sequence[tuple[Words, Words]], traces: Sequence[int]) -> bytes:
    """The answer object of (c0 at the places, c1) per row of blocks, then one or two masked traces."""
    parts = [_ANSWER, label, subset, struct.pack("<I", len(outputs))]
    for first, second in outputs:
        parts += [_bytes(first), _bytes(second)]
    parts += [struct.pack("<Q", trace) for trace in traces]
    return b"".join(parts)


def parse_answer(data: bytes, label: bytes, subset: bytes, tiling: Tiling, pairs: int) -> Answer:
    """The answer of exactly this round and subset; Invalid otherwise."""
    _require_length("answer", data, answer_bytes(tiling, pairs))
    _require_header("answer", data, _ANSWER, label, subset)
    _require_count("answer", data, pairs * tiling.row_blocks)
    outputs, at = [], _HEADER + 4
    for block in range(pairs * tiling.row_blocks):
        places = tiling.outputs * len(tiling.rows(block % tiling.row_blocks))
        first = _residues(data, at, (1, places), PRIMES[:1])[0]
        at += _WORD * places
        outputs.append((first, _residues(data, at, (1, N), PRIMES[:1])[0]))
        at += _WORD * N
    traces = struct.unpack_from(f"<{pairs}Q", data, at)
    return Answer(label=label, subset=subset, outputs=tuple(outputs), traces=traces)


def encode_sums(label: bytes, subset: bytes, words: Words) -> bytes:
    """The sums object of masked words."""
    return _SUMS + label + subset + struct.pack("<I", len(words)) + _bytes(words)


def parse_sums(data: bytes, label: bytes, subset: bytes, features: int, outputs: int) -> Words:
    """The masked words of exactly this round and subset; Invalid otherwise."""
    _require_length("sums", data, sums_bytes(features, outputs))
    _require_header("sums", data, _SUMS, label, subset)
    _require_count("sums", data, sums_words(features, outputs))
    return np.frombuffer(data, "<u8", offset=_HEADER + 4).astype(np.uint64)


def _bytes(words: Words) -> bytes:
    return np.ascontiguousarray(words, dtype="<u8").tobytes()


def _residues(data: bytes, at: int, shape: tuple[int, int], primes: Sequence[int]) -> Words:
    """The words at `at`, one row per prime, each below its prime."""
    words = np.frombuffer(data, "<u8", shape[0] * shape[1], at).reshape(shape).astype(np.uint64)
    if bool((words >= np.array(primes, np.uint64)[:, None]).any()):
        raise Invalid(
            "a word is not below its prime", why="every residue has one spelling, so equal sums are equal bytes"
        )
    return words


def _require_length(kind: str, data: bytes, length: int) -> None:
    if len(data) != length:
        raise Invalid(f"an object of kind {kind} has {len(data)} bytes instead of {length}")


def _require_header(kind: str, data: bytes, magic: bytes, first: bytes, second: bytes) -> None:
    names = {
        "zero": ("couple", "draw seed"),
        "input": ("context", "zero object"),
        "answer": ("round", "subset"),
        "sums": ("round", "subset"),
    }[kind]
    found = (data[:8], data[8 : 8 + DIGEST_BYTES], data[8 + DIGEST_BYTES : _HEADER])
    for name, expected, value in zip(("kind", *names), (magic, first, second), found, strict=True):
        if value != expected:
            raise Invalid(f"an object of kind {kind} names another {name}")


def _require_count(kind: str, data: bytes, count: int) -> None:
    found = int.from_bytes(data[_HEADER : _HEADER + 4], "little")
    if found != count:
        raise Invalid(f"an object of kind {kind} announces {found} parts instead of {count}")
