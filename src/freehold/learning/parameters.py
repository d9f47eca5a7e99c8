"""The one parameter set of training, `bfv-1`, and what must hold before a training may use it.

BFV with N = 8192 and a modulus q of 160 bits in three primes; with the special prime that SEAL wants and nobody uses,
180 bits, where 218 are allowed for 128-bit security. The plaintext modulus is 2^40. The primes, their order and the NTT
order of residues are part of every object's bytes, so nothing here is ever taken from a library's defaults.

Four conditions are checked before every training; each keeps an exact sum exact, or a single subset hidden.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from freehold.errors import Invalid

if TYPE_CHECKING:
    from freehold.learning.training import Training

N: Final = 8192
PRIMES: Final = (1152921504606830593, 1125899906629633, 1125899906826241)
SPECIAL_PRIME: Final = 1032193
ROOTS: Final = (25959043411404, 126325704370, 11286399139)
"""The smallest primitive 2N-th root of one for each prime: SEAL's order of residues hangs on it."""
MODULUS: Final = PRIMES[0] * PRIMES[1] * PRIMES[2]
DROPPED: Final = PRIMES[1] * PRIMES[2]
PLAIN_BITS: Final = 40
PLAIN: Final = 1 << PLAIN_BITS
ERROR_BITS: Final = 21
"""An error is the difference of two sums of this many bits: centred, variance 10.5, at most 21 in size."""
FLOOD_BITS: Final = 108

LARGEST_FEATURE: Final = 127
LARGEST_STATISTIC: Final = 1 << 20
LARGEST_DIRECTION: Final = 1 << 18
"""The largest sum of the sizes of a direction's entries, column by column."""
MOST_FEATURES: Final = 1025
MOST_OUTPUTS: Final = 100
MOST_SUBSETS: Final = 64
_EXACT_FLOAT: Final = 1 << 53
_SECURITY_BITS: Final = 40


def require_safe(training: Training, *, group: int, rounds: int) -> None:
    """Check the conditions for a training whose largest group has `group` subsets; Invalid with the reason.

    The block sizes are bounded by what any statistics can be, so both sides can check before either has data.
    """
    require_exact(training.rows, group)
    largest = training.tiling.height * training.features * (LARGEST_STATISTIC + 1)
    require_hidden(largest_noise(largest), values=training.features * training.outputs * rounds)
    require_decryptable(largest_noise(largest), group)


def require_exact(rows: int, group: int) -> None:
    """Statistics exact in float64, and their products with a direction below half the plaintext modulus."""
    if rows * LARGEST_FEATURE**2 >= _EXACT_FLOAT:
        raise Invalid(
            f"{rows} weighted rows are too many",
            why="sums of products of features would no longer be exact in floating point",
            next=f"train on fewer than {_EXACT_FLOAT // LARGEST_FEATURE**2} rows, counted with their weights",
        )
    if not 2 <= group <= MOST_SUBSETS:
        raise Invalid(
            f"a group of {group} subsets cannot train",
            why=f"one subset alone would have no masks, and the sum of more than {MOST_SUBSETS} could wrap",
            next=f"choose datasets whose groups have 2 to {MOST_SUBSETS} subsets together",
        )
    largest = LARGEST_STATISTIC + group
    if largest * LARGEST_DIRECTION + largest >= PLAIN // 2:
        raise Invalid(f"the sum over {group} subsets could wrap modulo 2^{PLAIN_BITS}")


def largest_noise(block_sum: int) -> Fraction:
    """How far a product's noise can reach before flooding: `block_sum` bounds Σ_k‖P_(r,k)‖₁ over all rows of blocks.

    An input carries an error of at most 21 and a rounding of 1/2 per coefficient; blinding adds e·u and error·s, both
    at most 21·N; the constant adds one rounding more.
    """
    return Fraction(2 * ERROR_BITS + 1, 2) * block_sum + 2 * ERROR_BITS * N + Fraction(1, 2)


def require_hidden(noise: Fraction, *, values: int) -> None:
    """What the noise of all `values` numbers of a training says of a subset is 2^-40 from nothing, or Invalid."""
    if noise * values * 2**_SECURITY_BITS > 2**FLOOD_BITS:
        raise Invalid(
            "the flooding noise would not hide the statistics over the whole training",
            why="features · outputs · rounds is too large for the 108 bits of flooding",
            next="ask for fewer rounds, or use a map with fewer features",
        )


def require_decryptable(noise: Fraction, group: int) -> None:
    """The sum over a group decrypts in the worst case, before and after the switch to one prime, or Invalid."""
    flood = 2 ** (FLOOD_BITS - 1)
    before = group * (flood + noise) < Fraction(MODULUS, 2 * PLAIN)
    if not (before and switched_noise(group) < Fraction(PRIMES[0], 2 * PLAIN)):
        raise Invalid(
            f"the sum over {group} subsets might not decrypt",
            why="the flooding noise of so many subsets reaches half a step of the plaintext",
            next="choose datasets with smaller groups",
        )


def switched_noise(group: int) -> Fraction:
    """The largest noise of a group's sum modulo the first prime."""
    rounding = Fraction(N + 1, 2) + 1
    return group * rounding + Fraction(group * 2 ** (FLOOD_BITS - 1), DROPPED) + 1
