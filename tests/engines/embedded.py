"""The embedded engine under the rules of the notebook; imports little, so that processes of a test start quickly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.ledger.embedded.ledger import EmbeddedLedger
from tests.engines.notebook import Notebook

SEED = b"\x07" * 32


def clock() -> int:
    """This machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


@contextmanager
def embedded(folder: Path) -> Iterator[EmbeddedLedger]:
    """The ledger in `folder`, closed at the end of the block."""
    ledger = EmbeddedLedger.open(folder / "ledger.sqlite", Notebook(), SEED, clock)
    try:
        yield ledger
    finally:
        ledger.close()
