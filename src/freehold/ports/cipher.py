"""What training needs from a cipher: exact arithmetic in one ring, on words that are handed in and out.

A cipher here draws nothing at random. Every secret, error and mask comes from the streams of `learning.streams` and is
passed in, so that the replicas of one subset compute the same bytes, whichever implementation they run: SEAL in the
market, plain integers in the tests. Two implementations are equal when their words are.

Polynomials have N coefficients. *Integers* are small signed coefficients (int64); *words* are residues (uint64), prime
by prime, in the order of PARAMETERS. A *pair* is the two polynomials (c0, c1) of a ciphertext.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Integers: TypeAlias = "npt.NDArray[np.int64]"
Words: TypeAlias = "npt.NDArray[np.uint64]"


class Matrix(Protocol):
    """An integer matrix cut into blocks, each packed into one polynomial, and the constants to add to its products."""

    @property
    def row_blocks(self) -> int:
        """How many polynomials the product fills."""
        ...

    @property
    def column_blocks(self) -> int:
        """How many input polynomials it takes."""
        ...

    def block(self, row: int, column: int) -> Integers | None:
        """The polynomial of one block, or None if it is zero."""
        ...

    def constant(self, row: int) -> Integers:
        """The plaintext polynomial that is added to the product of a row of blocks."""
        ...


class Key(Protocol):
    """The model owner's side: the only holder of the secret polynomial."""

    def encrypt(self, uniform: Words, errors: Integers, message: Integers) -> Words:
        """c0 = −uniform·s + errors + scaled message: (3, N) words in NTT order, as `uniform` is."""
        ...

    def decrypt(self, pair: Words, places: Sequence[int]) -> tuple[Integers, Integers]:
        """Values −t/2 … t/2 − 1 and the noise around them, at `places` of a (2, N) pair modulo the first prime."""
        ...


class Product(Protocol):
    """A pair that one row of blocks made of the inputs, still modulo the whole q."""

    def words(self) -> Words:
        """The pair itself: (2, 3, N) words in coefficient order."""
        ...

    def divided(self, mask: Words) -> Words:
        """The pair plus a (2, 3, N) mask, then divided by the last prime and by the second, each time rounded: (2, N).

        In this order: divided before it is masked, the pair would show roundings of its own.
        """
        ...


class Evaluator(Protocol):
    """The cloud owner's side: one matrix, multiplied by the encrypted inputs of every round."""

    def products(self, inputs: Words, blinds: Iterable[Integers]) -> Iterator[Product]:
        """For each row of blocks and its blinding polynomial u: Σ input·block + zero·u + scaled constant.

        Inputs are (K, 2, 3, N) words in NTT order.
        """
        ...


class Cipher(Protocol):
    """One parameter set and its arithmetic."""

    def key(self, secret: Integers) -> Key:
        """The key whose secret polynomial has these N ternary coefficients."""
        ...

    def evaluator(self, zero: Words, matrix: Matrix) -> Evaluator:
        """An evaluator of `matrix` under the training's public encryption of zero, (2, 3, N) words in NTT order."""
        ...
