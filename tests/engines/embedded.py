"""The embedded engine under the rules of the notebook; imports little, so that processes of a test start quickly."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.ledger.embedded.front import FrontLedger
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


def start_front(folder: Path) -> FrontLedger:
    """The ledger in `folder`, whose executor is a process of its own. The notebook's actions carry no signature."""
    program = [sys.executable, "-m", "tests.engines.executor", str(folder)]
    return FrontLedger.start(folder / "ledger.sqlite", program, check=lambda _: None)


@contextmanager
def front(folder: Path) -> Iterator[FrontLedger]:
    """The ledger of two processes in `folder`, closed at the end of the block."""
    ledger = start_front(folder)
    try:
        yield ledger
    finally:
        ledger.close()
