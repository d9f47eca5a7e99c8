"""Exit codes: one per kind of trouble, so that a script can tell them apart."""

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable

DONE = 0
NO = 1
USAGE = 2
REFUSED = 3
INVALID = 4
UNAVAILABLE = 5
BROKEN = 6
PERSON_NEEDED = 7
STILL_RUNNING = 8
INTERRUPTED = 130


class Usage(FreeholdError):
    """The command line itself was wrong: an unknown command, option or value."""


class PersonNeeded(FreeholdError):
    """A question that only a person may answer was met without a terminal and without `--yes`."""


class StillRunning(FreeholdError):
    """`--wait` ran out; the work goes on without this command."""


class Interrupted(FreeholdError):
    """Ctrl-C: `what` says in one line what goes on without the person who left."""


KINDS: tuple[tuple[type[FreeholdError], str, int], ...] = (
    (Usage, "usage", USAGE),
    (Refused, "refused", REFUSED),
    (Invalid, "invalid", INVALID),
    (Unavailable, "unavailable", UNAVAILABLE),
    (Broken, "broken", BROKEN),
    (PersonNeeded, "person-needed", PERSON_NEEDED),
    (StillRunning, "still-running", STILL_RUNNING),
    (Interrupted, "interrupted", INTERRUPTED),
)


def kind_and_code(error: FreeholdError) -> tuple[str, int]:
    """The word and the exit code of a trouble's kind."""
    for kind, name, code in KINDS:
        if isinstance(error, kind):
            return name, code
    return "broken", BROKEN
