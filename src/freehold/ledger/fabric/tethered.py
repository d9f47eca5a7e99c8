"""A program that ends with whoever started it, however that ends: `python -I -S tethered.py PROGRAM ARGUMENT…`

Fabric's programs do not know that they were started for a while only. So each has this process between it and its
starter, whose standard input is a pipe of which the starter alone holds the other end and into which nobody ever
writes. When the starter ends, and be it by `kill -9`, reading comes back with nothing, and the program is ended: asked
first, then forced. It needs the standard library alone and imports nothing of Freehold, so it is there in no time.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

_INPUT = 0
_PATIENCE = 10.0
"""Seconds that the program gets to end in order."""


def main() -> int:
    """Runs the program until it ends, and hands on with which code it did."""
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603

    def end(number: int, _: FrameType | None) -> None:
        program.send_signal(number)

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=_watch, args=(program,), name="tether", daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


def _watch(program: "subprocess.Popen[bytes]") -> None:
    while os.read(_INPUT, 1):
        pass
    program.terminate()
    try:
        program.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    sys.exit(main())
