"""A process that records some notes and says what it was told; system calls of it are made to fail.

python -m tests.ledger.recorder FOLDER    prints a line for whatever happens, and never a traceback
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from freehold.errors import FreeholdError
from tests.engines.embedded import embedded
from tests.engines.notebook import note

NOTES = 5
TEXT = "x" * 1_500


def main(folder: Path) -> None:
    """Opens, records, asks after each what is there, and closes."""
    try:
        with embedded(folder) as ledger:
            say("open")
            for number in range(NOTES):
                name = f"n{number}"
                try:
                    say(f"accepted {name} {ledger.submit(note(name, TEXT)).position}")
                except FreeholdError as error:
                    say(f"refused {name} {type(error).__name__} {error.now}")
                say(f"read {len(ledger.evaluate('notes', {}))} {ledger.info().size} {len(ledger.export(0, 100))}")
            say("closing")
    except FreeholdError as error:
        say(f"trouble {type(error).__name__} {error.what}")
    say("end")


def say(line: str) -> None:
    """One write, so that a kill never leaves half a line."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
