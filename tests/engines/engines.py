"""Every ledger that the behaviour suite runs on, opened the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from freehold.errors import Unavailable
from freehold.ledger.embedded.strict import Strict, open_strict
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.remote import RemoteLedger
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted, Ledger
from tests.engines.cometbft import cometbft_1, cometbft_4
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import SEED, clock, embedded, front
from tests.engines.fabric import fabric_bft, fabric_raft
from tests.engines.fabric import programs as fabric_programs
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


# Only where CometBFT is installed; elsewhere the run says so (tests/conftest.py).
COMETBFT: Mapping[str, Opener] = {"cometbft_1": cometbft_1, "cometbft_4": cometbft_4} if cometbft_program() else {}
# Only where Fabric is installed. Its line 2.5 knows no orderers that may lie.
_FABRIC = fabric_programs()
FABRIC: Mapping[str, Opener] = {"fabric_raft": fabric_raft} if _FABRIC else {}
if _FABRIC and _FABRIC.line != "2.5":
    FABRIC = {**FABRIC, "fabric_bft": fabric_bft}
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
