"""A two-process ledger's executor under the rules of the notebook: `python -m tests.engines.executor FOLDER SOCKET`."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from freehold.ledger.embedded.executor import Executor
from freehold.ledger.embedded.service import serve
from tests.engines.embedded import SEED, clock
from tests.engines.notebook import Notebook

if __name__ == "__main__":
    path, descriptor = Path(sys.argv[1]) / "ledger.sqlite", int(sys.argv[2])
    with socket.socket(fileno=descriptor) as connection:
        serve(lambda: Executor.open(path, Notebook(), SEED, clock), connection)
