"""The cipher of the market: Microsoft SEAL's BFV, used as a ring.

SEAL multiplies, transforms, scales, divides and decrypts. It draws nothing: its own generators never run, every random
polynomial comes in as words. Its tensors, encoders and default primes are not used. The words that go out are SEAL's,
and `oracle` computes the same ones with plain integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import tenseal.sealapi as seal

from freehold.errors import Broken
from freehold.learning.ciphers.seal_files import SealFiles, ciphertext_words, plaintext_words, saved
from freehold.learning.parameters import PLAIN, PLAIN_BITS, PRIMES, SPECIAL_PRIME, N
from freehold.learning.residues import add, lift
from freehold.ports.cipher import Integers, Matrix, Words

_MOST_CACHED: Final = 1500
"""Blocks kept in NTT order between rounds, 197 KB each: all of them up to 1025 features with 10 outputs."""


class SealCipher:
    """`ports.cipher.Cipher` on SEAL. Making one costs ten milliseconds; it holds no secret and may be shared."""

    def __init__(self) -> None:
        self._library = _Library()

    def key(self, secret: Integers) -> SealKey:
        """The key whose secret polynomial has these N ternary coefficients."""
        return SealKey(self._library, secret)

    def evaluator(self, zero: Words, matrix: Matrix) -> SealEvaluator:
        """An evaluator of `matrix` under the training's (2, 3, N) encryption of zero in NTT order."""
        return SealEvaluator(self._library, zero, matrix)


class SealKey:
    """`ports.cipher.Key`: the model owner's secret polynomial inside SEAL."""

    def __init__(self, library: _Library, secret: Integers) -> None:
        self._library = library
        self._secret = library.transformed(secret, library.first)
        self._secret_last = library.transformed(secret, library.last)
        self._decryptor = library.decryptor(secret)

    def encrypt(self, uniform: Words, errors: Integers, message: Integers) -> Words:
        """c0 = −uniform·s + errors + scaled message: (3, N) words in NTT order."""
        evaluator = self._library.evaluator
        # only c0 is kept; SEAL wants a second polynomial, and refuses to make it zero
        masked = self._library.ciphertext(np.stack([lift(errors), uniform]), ntt=False)
        evaluator.add_plain_inplace(masked, self._library.plaintext(message))
        evaluator.transform_to_ntt_inplace(masked)
        evaluator.sub_inplace(masked, self._times_secret(uniform, self._secret))
        first: Words = ciphertext_words(masked)[0]
        return first

    def decrypt(self, pair: Words, places: Sequence[int]) -> tuple[Integers, Integers]:
        """The values of a (2, N) pair modulo the first prime at `places`, and the noise around them."""
        plaintext = seal.Plaintext()
        self._decryptor.decrypt(self._library.ciphertext(pair[:, None], ntt=False), plaintext)
        values = plaintext_words(plaintext, N)[list(places)].astype(np.int64)
        values = np.where(values >= PLAIN // 2, values - PLAIN, values)
        return values, self._noise(pair, places, values)

    def _noise(self, pair: Words, places: Sequence[int], values: Integers) -> Integers:
        """How far c0 + c1·s lies from the scaled values: SEAL's decryptor does not tell."""
        second = self._library.ciphertext(np.stack([pair[1:], pair[1:]]), ntt=False)
        self._library.evaluator.transform_to_ntt_inplace(second)
        self._library.evaluator.multiply_plain_inplace(second, self._secret_last)
        self._library.evaluator.transform_from_ntt_inplace(second)
        prime = PRIMES[0]
        inner = add(pair[:1], ciphertext_words(second)[0], (prime,))[0]
        scaled = (((prime * value) + PLAIN // 2) >> PLAIN_BITS for value in values.tolist())
        found = inner[list(places)].tolist()
        centred = ((word - exact + prime // 2) % prime - prime // 2 for word, exact in zip(found, scaled, strict=True))
        return np.fromiter(centred, np.int64, len(found))

    def _times_secret(self, uniform: Words, secret: Any) -> Any:
        product = self._library.ciphertext(np.stack([uniform, uniform]), ntt=True)
        self._library.evaluator.multiply_plain_inplace(product, secret)
        return product


class SealEvaluator:
    """`ports.cipher.Evaluator`: a cloud owner's blocks, kept in NTT order over the rounds of a training."""

    def __init__(self, library: _Library, zero: Words, matrix: Matrix) -> None:
        self._library = library
        self._zero = library.ciphertext(zero, ntt=True)
        self._matrix = matrix
        self._blocks: dict[tuple[int, int], Any] = {}

    def products(self, inputs: Words, blinds: Iterable[Integers]) -> Iterator[SealProduct]:
        """For each row of blocks: Σ input·block + zero·blind + scaled constant."""
        evaluator = self._library.evaluator
        ciphertexts = [self._library.ciphertext(pair, ntt=True) for pair in inputs]
        product = seal.Ciphertext()
        for row, blind in enumerate(blinds):
            total = seal.Ciphertext()
            evaluator.multiply_plain(self._zero, self._library.transformed(blind, self._library.first), total)
            for column, ciphertext in enumerate(ciphertexts):
                block = self._block(row, column)
                if block is not None:
                    evaluator.multiply_plain(ciphertext, block, product)
                    evaluator.add_inplace(total, product)
            evaluator.transform_from_ntt_inplace(total)
            evaluator.add_plain_inplace(total, self._library.plaintext(self._matrix.constant(row)))
            yield SealProduct(self._library, total)

    def _block(self, row: int, column: int) -> Any:
        """The block in NTT order; None if it is zero, since SEAL refuses products that show nothing."""
        if (row, column) in self._blocks:
            return self._blocks[row, column]
        polynomial = self._matrix.block(row, column)
        block = None if polynomial is None else self._library.transformed(polynomial, self._library.first)
        if len(self._blocks) < _MOST_CACHED:
            self._blocks[row, column] = block
        return block


class SealProduct:
    """`ports.cipher.Product`: a ciphertext that stays inside SEAL until it is masked and divided."""

    def __init__(self, library: _Library, ciphertext: Any) -> None:
        self._library = library
        self._ciphertext = ciphertext

    def words(self) -> Words:
        """The pair itself: (2, 3, N) words in coefficient order."""
        return ciphertext_words(self._ciphertext)

    def divided(self, mask: Words) -> Words:
        """The pair plus the mask, divided by the last prime, then by the second: (2, N) words modulo the first."""
        evaluator, result = self._library.evaluator, seal.Ciphertext()
        evaluator.add(self._ciphertext, self._library.ciphertext(mask, ntt=False), result)
        evaluator.mod_switch_to_next_inplace(result)
        evaluator.mod_switch_to_next_inplace(result)
        return ciphertext_words(result)[:, 0]


class _Library:
    """One SEAL context and the ways in and out of it."""

    def __init__(self) -> None:
        parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
        parameters.set_poly_modulus_degree(N)
        parameters.set_coeff_modulus([seal.Modulus(prime) for prime in (*PRIMES, SPECIAL_PRIME)])
        parameters.set_plain_modulus(seal.Modulus(PLAIN))
        self.context = seal.SEALContext(parameters, True, seal.SEC_LEVEL_TYPE.TC128)
        if not self.context.parameters_set():
            raise Broken(f"SEAL refuses the parameters: {self.context.parameters_error_message()}")
        self.evaluator = seal.Evaluator(self.context)
        self.first: list[int] = self.context.first_parms_id()
        self.last: list[int] = self.context.last_parms_id()
        self._files = SealFiles(seal.Plaintext())

    def ciphertext(self, words: Words, *, ntt: bool) -> Any:
        """SEAL's ciphertext of (2, 3, N) words, or of (2, 1, N) words modulo the first prime."""
        level = self.first if words.shape[1] == len(PRIMES) else self.last
        ciphertext = seal.Ciphertext()
        data = self._files.ciphertext(words, struct.pack("<4Q", *level), ntt=ntt)
        self._files.load(ciphertext, self.context, data)
        return ciphertext

    def plaintext(self, integers: Integers) -> Any:
        """SEAL's plaintext of N signed integers below t/2 in size."""
        plaintext = seal.Plaintext()
        self._files.load(plaintext, self.context, self._files.plaintext(lift(integers, (PLAIN,))[0]))
        return plaintext

    def transformed(self, integers: Integers, level: list[int]) -> Any:
        """SEAL's plaintext of N signed integers, in NTT order at one level."""
        plaintext = self.plaintext(integers)
        self.evaluator.transform_to_ntt_inplace(plaintext, level)
        return plaintext

    def decryptor(self, secret: Integers) -> Any:
        """SEAL's decryptor; a secret key's file is that of a plaintext in NTT order at the key's own level."""
        key = seal.SecretKey()
        self._files.load(key, self.context, saved(self.transformed(secret, self.context.key_parms_id())))
        return seal.Decryptor(self.context, key)
