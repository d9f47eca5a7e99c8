"""Trouble has four kinds, and they are never mixed.

    FreeholdError
    ├── Refused       a rule of the market said no: normal, with a code of a closed list (protocol.refusals)
    ├── Invalid       something is malformed or forged: never retried
    ├── Unavailable   the outside world did not answer: says whether and when to retry
    └── Broken        an invariant of ours failed: stop, keep the evidence

An error speaks to a person in five parts: *what* happened, *why* it is so, what to do *next*, what is true
*now* (nothing was sent, the outcome is unknown, …), and a stable *code* under which more can be read.
"""

from __future__ import annotations


class FreeholdError(Exception):
    """Any trouble that Freehold names; the parts that are not known are empty strings."""

    def __init__(self, what: str, *, code: str = "", why: str = "", next: str = "", now: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.why = why
        self.next = next
        self.now = now

    def __str__(self) -> str:
        return self.what


class Refused(FreeholdError):
    """A rule said no; `code` is one of `protocol.refusals.CODES`. Nothing was written."""

    def __init__(self, code: str, what: str = "", *, why: str = "", next: str = "", now: str = "") -> None:
        super().__init__(what or code, code=code, why=why, next=next, now=now)


class Invalid(FreeholdError):
    """Bytes, a file or an argument are malformed or forged; trying again cannot help."""


class Unavailable(FreeholdError):
    """The outside world did not answer: `retry` says whether trying again makes sense, `retry_after` in seconds."""

    def __init__(
        self,
        what: str,
        *,
        code: str = "",
        why: str = "",
        next: str = "",
        now: str = "",
        retry: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, code=code, why=why, next=next, now=now)
        self.retry = retry
        self.retry_after = retry_after


class Broken(FreeholdError):
    """An invariant failed: whoever catches this stops, and keeps what shows it."""
