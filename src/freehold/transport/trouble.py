"""An error as it travels: its kind and its five parts, as one JSON object.

Whoever receives it gets the same kind of trouble with the same words. It comes from a stranger: every part is bounded
and control characters are dropped before a person sees it.
"""

from __future__ import annotations

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.protocol.refusals import CODES

TROUBLE_LARGEST = 16_384
_PART_LARGEST = 1_000


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The JSON of an error; `kind` is refused, invalid, unavailable or broken."""

    kind: str
    what: str
    code: str = ""
    why: str = ""
    next: str = ""
    now: str = ""
    retry: bool = True
    retry_after: float | None = None


def trouble_of(error: FreeholdError) -> Trouble:
    """The error as it travels."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(error, kind))
    retry, retry_after = True, None
    if isinstance(error, Unavailable):
        retry, retry_after = error.retry, error.retry_after
    return Trouble(
        kind=kind,
        what=error.what,
        code=error.code,
        why=error.why,
        next=error.next,
        now=error.now,
        retry=retry,
        retry_after=retry_after,
    )


def error_of(trouble: Trouble) -> FreeholdError:
    """The error that travelled; what makes no sense is Invalid."""
    what, why, following, now = (_plain(part) for part in (trouble.what, trouble.why, trouble.next, trouble.now))
    code = _plain(trouble.code)
    if trouble.kind == "refused" and code in CODES:
        return Refused(code, what, why=why, next=following, now=now)
    if trouble.kind == "unavailable":
        wait = trouble.retry_after
        return Unavailable(
            what,
            code=code,
            why=why,
            next=following,
            now=now,
            retry=trouble.retry,
            retry_after=wait if wait is not None and 0 <= wait < 3600 else None,
        )
    kind = {"broken": Broken, "invalid": Invalid}.get(trouble.kind)
    if kind is None:
        return Invalid(f"a node answered with an error of an unknown kind: {what}")
    return kind(what, code=code, why=why, next=following, now=now)


_KINDS: dict[str, type[FreeholdError]] = {
    "refused": Refused,
    "invalid": Invalid,
    "unavailable": Unavailable,
    "broken": Broken,
}


def _plain(text: str) -> str:
    return "".join(character for character in text[:_PART_LARGEST] if character.isprintable())
