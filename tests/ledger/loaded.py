"""A process that writes without pause and says what was acknowledged; the tests kill it.

python -m tests.ledger.loaded FOLDER    prints `name position height` after each acknowledgement
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from pathlib import Path

from tests.engines.embedded import embedded
from tests.engines.notebook import note

TEXT = "x" * 300
_WRITERS = 6


def main(folder: Path) -> None:
    with embedded(folder) as ledger:
        say = threading.Lock()

        def write(writer: int) -> None:
            for turn in itertools.count():
                name = f"{os.getpid()}-{writer}-{turn}"
                accepted = ledger.submit(note(name, TEXT))
                with say:
                    # One write, so that a kill never leaves half a line of something acknowledged.
                    os.write(1, f"{name} {accepted.position} {accepted.height}\n".encode())

        threads = [threading.Thread(target=write, args=(writer,), daemon=True) for writer in range(_WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
