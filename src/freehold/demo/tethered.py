"""A process that ends with the demo that started it, however that ends.

    python -m freehold.demo.tethered MODULE ARGUMENTS…

Its standard input is a pipe of which the demo alone holds the other end, and into which nobody ever writes. When the
demo ends, and be it by `kill -9`, the system closes that end and reading comes back with nothing: then the process asks
itself to end, and after a while insists. No process has to be found or watched for this, and every system has pipes.
"""

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

_INPUT: Final = 0
_PATIENCE: Final = 5.0
"""Seconds that the process gets to end in order."""


def _ends_with_its_input() -> None:
    while os.read(_INPUT, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


def main() -> None:
    """Runs a module as if it had been named to Python itself, with the tether beside it."""
    sys.argv = sys.argv[1:]
    threading.Thread(target=_ends_with_its_input, name="tether", daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
