"""`python -m tests.planted [NAME …]`: plants each bug alone and tells which test caught it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from tests.planted import report
from tests.planted.patches import QUICK, BadPatch, Bug, named
from tests.planted.trial import Verdict, trials


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries the bugs that were asked for; 1 if any was not caught or could not be tried, 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="bugs, by the beginning of their names; else all")
    parser.add_argument("--quick", action="store_true", help="only those whose tests are quickest")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text unless given")
    asked = parser.parse_args(arguments)
    try:
        bugs = named([*asked.names, *(QUICK if asked.quick else ())])
        verdicts = _try_all(bugs, tell=asked.format == "text")
    except BadPatch as bad:
        print(bad, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was left behind.", file=sys.stderr)
        return 130
    print(report.as_json(verdicts) if asked.format == "json" else report.total(verdicts))
    return 0 if all(verdict.is_caught and not verdict.trouble for verdict in verdicts) else 1


def _try_all(bugs: Sequence[Bug], *, tell: bool) -> list[Verdict]:
    progress, verdicts = report.Progress(), []
    with trials() as bench:
        progress.checks(bugs)
        bench.run_unpatched(bugs)
        for place, bug in enumerate(bugs):
            progress.begins(place, bugs)
            verdicts.append(bench.try_out(bug))
            progress.clear()
            if tell:
                print(report.as_text(verdicts[-1]), flush=True)
    return verdicts


if __name__ == "__main__":
    # whoever is asked to end cleans up as after Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
