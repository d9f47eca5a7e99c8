"""The command line: one file per command, nouns and verbs of the product's glossary.

`main` is the entry point. Nothing heavy is imported before a command knows that it needs it, so that
`freehold --version` answers at once.
"""

import sys


def main() -> None:
    """Run the command line on the process's arguments and leave with its exit code."""
    try:
        from freehold.cli.application import run
    except KeyboardInterrupt:
        # even this import takes a moment, in which nothing has begun
        raise SystemExit(130) from None
    raise SystemExit(run(sys.argv[1:]))
