"""Who trains when: groups frozen at publication, an order that neither side picks.

A dataset's subsets are dealt into groups once, when it is published, from nothing but its own public digests. Groups
are never dealt again: every different grouping is a further equation about the same few unknowns, and three groupings
of four subsets already solve for single ones. A training then visits whole groups, in an order that follows from a
secret to which the model owner commits before the data owners add their shares; so neither of them can steer it.

A *turn* is a complete round. An incomplete round repeats its turn, hence its group, under a new round number: failing a
round on purpose neither skips a group nor buys another look at it.
"""

from collections.abc import Iterator, Sequence

from freehold.protocol.digests import H

Groups = Sequence[Sequence[int]]


def numbers(seed: bytes) -> Iterator[int]:
    """The endless stream of 64-bit numbers that follows from a seed (PROTOCOL, "The draw")."""
    counter = 0
    while True:
        block = H("stream", seed, counter)
        yield from (int.from_bytes(block[at : at + 8], "big") for at in (0, 8, 16, 24))
        counter += 1


def below(bound: int, source: Iterator[int]) -> int:
    """The next number under `bound`, without bias: the incomplete last stretch of the 64-bit range is thrown away."""
    fair = (1 << 64) - (1 << 64) % bound
    return next(number for number in source if number < fair) % bound


def shuffle(seed: bytes, size: int) -> list[int]:
    """The numbers 0 … size − 1 in the order that the seed gives them."""
    source = numbers(seed)
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = below(last + 1, source)
        order[last], order[other] = order[other], order[last]
    return order


def deal_groups(dataset: str, digests: Sequence[str], group_min: int) -> list[list[int]]:
    """Deals the subsets of a dataset into groups of at least `group_min`, sizes differing by at most one."""
    size = len(digests)
    count = size // group_min
    order = shuffle(H("groups", bytes.fromhex(dataset), size, *map(bytes.fromhex, digests)), size)
    return [sorted(order[first::count]) for first in range(count)]


def group_of_turn(seed: str, part: int, turn: int, groups: int) -> int:
    """Which of its `groups` a part of a training uses in a turn: each cycle of turns visits every group once."""
    cycle, place = divmod(turn, groups)
    return shuffle(H("order", bytes.fromhex(seed), part, cycle), groups)[place]
