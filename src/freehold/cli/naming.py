"""How a person names a thing: a full id, or a beginning of it that nothing else has."""

import difflib
from collections.abc import Sequence

from freehold.errors import Invalid

SHORTEST = 6
"""Characters of an id that may stand for all of it."""


def one_of(wanted: str, known: Sequence[str], what: str) -> str:
    """The id that `wanted` means; Invalid if none of the known ones begins so, or more than one."""
    wanted = wanted.strip().lower()
    found = [id for id in known if id.startswith(wanted)] if len(wanted) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    if len(wanted) < SHORTEST:
        raise Invalid(f"{wanted!r} is too short for a {what}.", code="id", next=f"give at least {SHORTEST} characters")
    if found:
        listed = ", ".join(id[:12] for id in found[:4])
        raise Invalid(f"{len(found)} {what}s begin with {wanted}.", code="id", next=f"give more characters: {listed} …")
    near = difflib.get_close_matches(wanted, [id[: len(wanted)] for id in known], n=1)
    hint = f"did you mean {near[0]}?" if near else _listed(known, what)
    raise Invalid(f"There is no {what} {wanted[:64]}.", code="id", next=hint)


def _listed(known: Sequence[str], what: str) -> str:
    return f"known are {', '.join(id[:8] for id in known[:6])}" if known else f"there is no {what} at all, so far"
