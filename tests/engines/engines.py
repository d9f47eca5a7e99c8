"""Every ledger that the behaviour suite runs on, opened the same way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from freehold.errors import Unavailable
from freehold.ledger.embedded.strict import Strict, open_strict
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.remote import RemoteLedger
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted, Ledger
from tests.engines.cometbft import cometbft_1, cometbft_4
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import SEED, clock, embedded, front
from tests.engines.notebook import Notebook

Opener = Callable[[Path], AbstractContextManager[Ledger]]


def send(ledger: Ledger, action: bytes) -> Accepted:
    """What a member does: send, and on an unknown outcome or a conflict ask what became of it and send again."""
    for _ in range(200):
        try:
            return ledger.submit(action)
        except Unavailable:
            known = ledger.resolve(action)
            if known is not None:
                return known
    raise TimeoutError("two hundred attempts were not enough")


@contextmanager
def memory(_: Path) -> Iterator[Ledger]:
    yield MemoryLedger(Notebook(), clock)


@contextmanager
def strict(folder: Path) -> Iterator[Ledger]:
    ledger = open_strict(folder / "ledger.sqlite", Notebook(), SEED, clock, Strict(seed=1))
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def remote(folder: Path) -> Iterator[Ledger]:
    with front(folder) as engine, serving(engine, FolderStore(folder / "objects")) as url:
        ledger = RemoteLedger(url)
        try:
            yield ledger
        finally:
            ledger.close()


def fabric() -> Mapping[str, Opener]:
    """Fabric's, only where its programs are named; its line 2.5 knows no orderers of which one may lie."""
    if not os.environ.get(VARIABLE):
        return {}
    # Not before: it needs gRPC, which is an extra.
    from tests.engines.fabric import fabric_bft, fabric_raft

    two = {"fabric_raft": fabric_raft, "fabric_bft": fabric_bft}
    return two if programs_from_environment().line != "2.5" else {"fabric_raft": fabric_raft}


# Only where CometBFT is installed; elsewhere the run says so (tests/conftest.py).
COMETBFT: Mapping[str, Opener] = {"cometbft_1": cometbft_1, "cometbft_4": cometbft_4} if cometbft_program() else {}
FABRIC: Mapping[str, Opener] = fabric()
ENGINES: Mapping[str, Opener] = {
    "memory": memory,
    "embedded": embedded,
    "strict": strict,
    "front": front,
    "remote": remote,
    **COMETBFT,
    **FABRIC,
}
DURABLE = ("embedded", "strict", "front", "remote", *COMETBFT, *FABRIC)
