"""A node of two processes under the rules of the notebook: `python -m tests.ledger.node FOLDER PORT`.

Prints its URL and the number of its executor's process once it answers; ends when its executor is gone, as nodes do.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from freehold.errors import Unavailable
from freehold.ledger.embedded.front import FrontLedger
from freehold.node.server import Node
from freehold.objects.folder import FolderStore
from tests.engines.embedded import start_front

_PATIENCE_SECONDS = 5.0


def main(folder: Path, port: int) -> None:
    """Serves until it is killed, or its executor is."""
    ledger = _opened(folder)
    node = Node(ledger, FolderStore(folder / "objects"), port=port)
    ledger.when_lost(node.stop)
    node.run(lambda url: print(url, ledger._process.pid, flush=True))
    ledger.close()


def _opened(folder: Path) -> FrontLedger:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return start_front(folder)
        except Unavailable:
            # The executor of a node that was just killed may still write its last block.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
