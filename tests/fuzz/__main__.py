"""`python -m tests.fuzz [FORMAT …]`: invents bytes for the readers of strangers' formats, and tells what they did."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.campaign import Found, campaign
from tests.fuzz.formats import FORMATS


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries the formats that were asked for; 1 if anything was found, 2 if nothing could be tried, 130 if ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(FORMATS)}; else all")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each format; 10 unless given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="formats at a time; else one a processor")
    parser.add_argument("--out", type=Path, help="folder of the corpora, to go on from; else a temporary one")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text unless given")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.formats if name not in FORMATS]:
        parser.error(f"there is no format {unknown[0]!r}, choose of {', '.join(FORMATS)}")
    if asked.minutes <= 0 or asked.jobs <= 0:
        parser.error("minutes and jobs are above zero")
    try:
        found = _try_all(asked.formats or list(FORMATS), asked, tell=asked.format == "text")
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    if asked.format == "json":
        print(json.dumps([asdict(each) for each in found], indent=2))
    if any(not each.executions for each in found):
        return 2
    return 1 if any(each.crashes for each in found) else 0


def _try_all(names: Sequence[str], asked: argparse.Namespace, *, tell: bool) -> list[Found]:
    with ExitStack() as stack:
        out = asked.out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-fuzz-")))
        pool = stack.enter_context(ThreadPoolExecutor(asked.jobs))
        found = []
        for each in pool.map(lambda name: campaign(name, out / name, asked.minutes * 60), names):
            found.append(each)
            if tell:
                print(_as_text(each), flush=True)
        return found


def _as_text(found: Found) -> str:
    if not found.executions:
        return f"{found.format:<12} did not run: {found.trouble or 'the fuzzer said nothing'}"
    figures = f"{found.executions:>12,} executions {found.edges:>6,} edges {found.corpus:>6,} in the corpus"
    return "\n".join(
        [
            f"{found.format:<12}{figures} {len(found.crashes):>3} crashes",
            *(f"    {crash.vector}: {crash.what}" for crash in found.crashes),
        ]
    )


if __name__ == "__main__":
    # whoever is asked to end cleans up as after Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
