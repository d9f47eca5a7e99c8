"""Trouble as a person or a program reads it: what happened, why, what to do next, where to read on, what is true."""

import json
from collections.abc import Sequence

from freehold.cli.exits import kind_and_code
from freehold.errors import FreeholdError, Refused
from freehold.terminal.colors import Ink
from freehold.terminal.symbols import Symbols


def as_text(error: FreeholdError, symbols: Symbols, ink: Ink) -> str:
    """The five parts, one under the other; parts that nobody knows are left out."""
    kind, exit_code = kind_and_code(error)
    parts = _parts(error)
    head = f"{symbols.failed} {kind}:{error.code}" if error.code else f"{symbols.failed} {kind}"
    lines = [f"{ink.warn(head)}   {error.what}"]
    lines += [f"  {ink.dim(name.ljust(5))} {text}" for name, text in parts if text]
    lines[-1] += ink.dim(f"   (exit {exit_code})")
    return "\n".join(lines)


def as_json(error: FreeholdError) -> str:
    """The same five parts as one JSON document."""
    kind, exit_code = kind_and_code(error)
    document: dict[str, object] = {"schema": "freehold/error/1", "kind": kind, "code": error.code, "what": error.what}
    document.update(_parts(error))
    document["exit"] = exit_code
    return json.dumps(document)


def _parts(error: FreeholdError) -> Sequence[tuple[str, str]]:
    why, following = error.why, error.next
    if isinstance(error, Refused) and not (why and following):
        from freehold.protocol.refusals import CODES

        explanation = CODES.get(error.code)
        if explanation is not None:
            why, following = why or explanation.meaning, following or explanation.next
    more = f"docs/errors.md#{error.code}" if isinstance(error, Refused) else ""
    return ("why", why), ("next", following), ("more", more), ("now", error.now)
