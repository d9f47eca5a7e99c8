"""Several operators on one machine, to try what a consortium does: each has its folder, but one person made them all.

operator-1/ … operator-N/    what each of them would have made alone (`node.consortium`)
consortium.json              what they share

Where it matters, every operator makes its own folder on its own machine, and no key ever leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from freehold.agents.private_files import private_folder
from freehold.errors import Invalid
from freehold.node import consortium
from freehold.protocol.limits import OPERATORS
from freehold.protocol.network import NetworkRecord, Operator


def operator_folder(folder: Path, number: int) -> Path:
    """Where the operator with this number, from 1, has its files."""
    return folder / f"operator-{number}"


def found_together(comet: Path, folder: Path, record: NetworkRecord, addresses: Sequence[str], time: int) -> bytes:
    """Makes the folders of as many operators as there are addresses, and returns the file that they share.

    `time` in milliseconds is when the network begins. What an interrupted attempt has made is kept. Invalid if the
    folder holds another network.
    """
    if not 1 < len(addresses) <= OPERATORS:
        raise Invalid(f"together are 2 to {OPERATORS} operators, not {len(addresses)}", now="nothing was written")
    private_folder(folder)
    folders = [operator_folder(folder, number) for number in range(1, len(addresses) + 1)]
    cards = [consortium.prepare(comet, each, address) for each, address in zip(folders, addresses, strict=True)]
    shared = shared_file(folder, record, cards, time)
    for each in folders:
        consortium.take(each, shared)
    return shared


def shared_file(folder: Path, record: NetworkRecord, cards: Sequence[Operator], time: int) -> bytes:
    """Writes the file that all operators share, unless an interrupted attempt has written the same already."""
    path = folder / consortium.CONSORTIUM
    shared = consortium.found(record, cards, time)
    if path.exists():
        earlier = path.read_bytes()
        if not _same_but_chance(earlier, shared):
            raise Invalid(f"{folder} holds a network already.", next="give another folder", now="nothing was written")
        return earlier
    partial = path.with_suffix(".partial")
    partial.write_bytes(shared)
    partial.replace(path)
    return shared


def _same_but_chance(earlier: bytes, later: bytes) -> bool:
    """Whether two shared files differ in nothing but the nonce and the moment."""
    (first, _), (second, _) = consortium.read_consortium(earlier), consortium.read_consortium(later)
    return replace(first, nonce=second.nonce) == second
