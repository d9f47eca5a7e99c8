"""Which subsets train when: numbers from a stream of digests, and the shuffle that every reader can repeat."""

from __future__ import annotations

from collections.abc import Iterator

from tests.second_opinion.hashes import H


def stream(seed: str) -> Iterator[int]:
    """Numbers of 64 bits without end."""
    count = 0
    while True:
        block = bytes.fromhex(H("stream", seed, count))
        count += 1
        for start in range(0, 32, 8):
            yield int.from_bytes(block[start : start + 8], "big")


def shuffle(seed: str, size: int) -> list[int]:
    """The numbers below `size` in the order of the seed, each order as likely as any other."""
    numbers = stream(seed)

    def below(bound: int) -> int:
        while True:
            number = next(numbers)
            if number < 2**64 - 2**64 % bound:
                return number % bound

    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = below(last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def groups(dataset: str, digests: list[str], smallest: int) -> list[list[int]]:
    """The groups of a dataset, dealt from its digests."""
    size = len(digests)
    count = size // smallest
    order = shuffle(H("groups", dataset, size, *digests), size)
    return [sorted(order[place] for place in range(size) if place % count == group) for group in range(count)]
