"""An operator's node of a CometBFT network, as a process: `python bench/caliper/operator_node.py COMETBFT FOLDER`.

Prints where it answers and which processes belong to it, and ends with its standard input.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path

from freehold.node import consortium
from freehold.node.runtime import open_store
from freehold.node.server import serving


def main() -> None:
    """Serves until nobody listens any more. No rates: all clients of a benchmark have one address."""
    comet, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with closing(consortium.start(comet, folder)) as ledger, serving(ledger, open_store(folder)) as url:
        application, node = ledger.pair.processes
        print(json.dumps({"url": url, "front": os.getpid(), "application": application, "node": node}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
