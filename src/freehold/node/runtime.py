"""Where the rules meet an engine: a network's folder becomes a ledger and a store.

network.json     the network record, canonical JSON: what every member agrees on
operator.key     the seed of the key that signs blocks and checkpoints, 64 hex digits, mode 0600
ledger.sqlite    the blocks
objects/         packages, bases, results
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from freehold.agents.private_files import private_folder, read_private, write_private
from freehold.errors import Invalid, Unavailable
from freehold.ledger.embedded.front import FrontLedger
from freehold.objects.folder import FolderStore
from freehold.protocol.digests import DIGEST_BYTES, raw
from freehold.protocol.identifiers import NetworkId
from freehold.protocol.limits import NETWORK_RECORD_LARGEST
from freehold.protocol.network import NetworkRecord, network_id

RECORD = "network.json"
OPERATOR_KEY = "operator.key"
LEDGER = "ledger.sqlite"
OBJECTS = "objects"


def found_network(folder: Path, record: NetworkRecord, random: Callable[[int], bytes] = os.urandom) -> NetworkId:
    """Makes the folder of a new network with a fresh operator's key; Invalid if a network lies there already."""
    private_folder(folder)
    if (folder / RECORD).exists():
        raise Invalid(f"{folder} holds a network already", next="give another folder", now="nothing was changed")
    # The record comes last: a folder with a record is complete, one without can be given again.
    write_private(folder / OPERATOR_KEY, random(DIGEST_BYTES).hex().encode("ascii") + b"\n")
    write_private(folder / RECORD, record.encode())
    return network_id(record)


def read_network(folder: Path) -> NetworkRecord:
    """The network that a folder holds; Unavailable if there is none, Invalid if its record was altered."""
    try:
        with (folder / RECORD).open("rb") as file:
            data = file.read(NETWORK_RECORD_LARGEST + 2)
    except OSError as error:
        raise Unavailable(
            f"there is no network in {folder}: {error.strerror}", next="freehold network create DIR", retry=False
        ) from None
    return NetworkRecord.parse(data.removesuffix(b"\n"))


def operator_seed(folder: Path) -> bytes:
    """The seed of the key that signs the blocks of a folder's network; Invalid if it is missing or open to others."""
    return read_seed(folder / OPERATOR_KEY)


def seed_of(folder: Path, name: str, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """The seed in a private file of a private folder; both are made at the first time."""
    if not (folder / name).exists():
        private_folder(folder)
        write_private(folder / name, random(DIGEST_BYTES).hex().encode("ascii") + b"\n")
    return read_seed(folder / name)


def read_seed(path: Path) -> bytes:
    """The seed in a private file, 64 hex digits; Invalid if it is missing or open to others."""
    return raw(read_private(path, largest=256).decode("ascii", "replace").strip())


@contextmanager
def open_ledger(folder: Path) -> Iterator[FrontLedger]:
    """The ledger of the network in a folder under the rules of the market, for as long as the block runs.

    Its executor is a process of its own (`node.executor`). Raises what `Executor.open` raises, and Invalid if the
    operator's key is missing or open to others.
    """
    # -P: a folder called freehold where the node happens to be started is not the program.
    program = [sys.executable, "-P", "-m", "freehold.node.executor", str(folder)]
    with closing(FrontLedger.start(folder / LEDGER, program)) as ledger:
        yield ledger


def open_store(folder: Path) -> FolderStore:
    """The objects of the network in a folder."""
    return FolderStore(folder / OBJECTS)
