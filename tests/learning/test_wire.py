"""Objects of a round: one spelling, and nothing malformed gets past the reader."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning import wire
from freehold.learning.parameters import PRIMES, N
from freehold.learning.streams import Stream
from freehold.learning.tiles import tiling
from freehold.ports.cipher import Words

FIRST, SECOND = b"\x0a" * 32, b"\x0b" * 32
CUT = tiling(64, 10)
FEATURES, OUTPUTS = 5, 2


def residues(seed: int) -> Words:
    return np.stack([Stream(bytes([seed]) * 32, index).uniform(prime, N) for index, prime in enumerate(PRIMES)])


@dataclass(frozen=True)
class Kind:
    """One kind of object: well-formed bytes, its reader, and where its words and their limits lie."""

    data: bytes
    read: Callable[[bytes], Any]
    counted: bool
    words: tuple[tuple[int, int], ...]
    """(offset of a word, the number that it must stay below)."""


def kinds() -> dict[str, Kind]:
    polynomial = 8 * N
    outputs = [(Stream(FIRST, 9).uniform(PRIMES[0], 320), residues(row)[0]) for row in range(2)]
    answer = wire.encode_answer(FIRST, SECOND, outputs, [2**64 - 1])
    words = Stream(FIRST, 1).words(wire.sums_words(FEATURES, OUTPUTS))
    return {
        "zero": Kind(
            wire.encode_zero(FIRST, SECOND, residues(1)),
            lambda data: wire.parse_zero(data, FIRST, SECOND),
            counted=False,
            words=tuple((72 + index * polynomial, prime) for index, prime in enumerate(PRIMES)),
        ),
        "input": Kind(
            wire.encode_input(FIRST, SECOND, [b"\x01" * 32, b"\x02" * 32], [residues(1), residues(2)]),
            lambda data: wire.parse_input(data, FIRST, SECOND, 2),
            counted=True,
            words=tuple(
                (76 + each * (32 + 3 * polynomial) + 32 + index * polynomial + polynomial - 8, prime)
                for each in range(2)
                for index, prime in enumerate(PRIMES)
            ),
        ),
        "answer": Kind(
            answer,
            lambda data: wire.parse_answer(data, FIRST, SECOND, CUT, 1),
            counted=True,
            words=tuple((at, PRIMES[0]) for at in (76, 76 + 8 * 319, 76 + 8 * 320, len(answer) - 16)),
        ),
        "sums": Kind(
            wire.encode_sums(FIRST, SECOND, words),
            lambda data: wire.parse_sums(data, FIRST, SECOND, FEATURES, OUTPUTS),
            counted=True,
            words=(),
        ),
    }


KINDS = kinds()
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def test_what_was_written_is_read() -> None:
    read = KINDS["input"].read(KINDS["input"].data)
    assert (read.context, read.zero_digest, read.seeds) == (FIRST, SECOND, (b"\x01" * 32, b"\x02" * 32))
    assert (read.words[1] == residues(2)).all()

    answer = KINDS["answer"].read(KINDS["answer"].data)
    assert [first.shape for first, _ in answer.outputs] == [(320,), (320,)]
    assert (answer.outputs[1][1] == residues(1)[0]).all()
    assert answer.traces == (2**64 - 1,)

    assert (KINDS["zero"].read(KINDS["zero"].data) == residues(1)).all()
    assert KINDS["sums"].read(KINDS["sums"].data).tolist() == Stream(FIRST, 1).words(25).tolist()


def test_the_lengths_are_those_of_the_annex() -> None:
    assert len(KINDS["zero"].data) == wire.ZERO_BYTES == 72 + 24 * N
    assert len(KINDS["input"].data) == wire.input_bytes(2) == 76 + 2 * (32 + 24 * N)
    assert len(KINDS["answer"].data) == wire.answer_bytes(CUT, 1) == 136276
    assert wire.answer_bytes(CUT, 2) == 2 * 136276 - 76
    assert len(KINDS["sums"].data) == wire.sums_bytes(FEATURES, OUTPUTS) == 76 + 8 * 25
    assert wire.sums_bytes(64, 10) == 21836


@EVERY
def test_every_other_length_is_refused(kind: Kind) -> None:
    for data in (b"", kind.data[:7], kind.data[:75], kind.data[:-1], kind.data[:-8], kind.data + b"\0", kind.data * 2):
        with pytest.raises(Invalid, match="bytes instead of"):
            kind.read(data)


@EVERY
@pytest.mark.parametrize("at", [0, 7, 8, 39, 40, 71])
def test_another_kind_context_or_subject_is_refused(kind: Kind, at: int) -> None:
    with pytest.raises(Invalid, match="names another"):
        kind.read(changed(kind.data, at, bytes([kind.data[at] ^ 1])))


@EVERY
def test_another_count_is_refused(kind: Kind) -> None:
    if kind.counted:
        (count,) = struct.unpack_from("<I", kind.data, 72)
        for other in (0, count + 1, count | 1 << 31, int.from_bytes(count.to_bytes(4, "little"), "big")):
            with pytest.raises(Invalid, match="announces"):
                kind.read(changed(kind.data, 72, struct.pack("<I", other)))


@EVERY
def test_a_word_that_is_not_below_its_prime_is_refused_and_the_largest_below_is_not(kind: Kind) -> None:
    for at, prime in kind.words:
        kind.read(changed(kind.data, at, struct.pack("<Q", prime - 1)))
        for word in (prime, prime + 1, 2**63, 2**64 - 1):
            with pytest.raises(Invalid, match="not below its prime"):
                kind.read(changed(kind.data, at, struct.pack("<Q", word)))


@EVERY
@given(data=st.binary(max_size=300))
def test_bytes_of_a_stranger_are_refused_and_never_crash(kind: Kind, data: bytes) -> None:
    padded = kind.data[:72] + data + kind.data[72 + len(data) :]
    with pytest.raises(Invalid):
        kind.read(data)
    with suppress(Invalid):
        kind.read(padded)


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]
