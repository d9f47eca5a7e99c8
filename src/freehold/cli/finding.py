"""From what a person typed to an id on the ledger."""

from typing import TYPE_CHECKING, Any

from freehold.cli.naming import one_of

if TYPE_CHECKING:
    from freehold.ports.ledger import Ledger

_PAGE = 1000


def find(ledger: "Ledger", kind: str, wanted: str, what: str) -> str:
    """The id of the record of `kind` that `wanted` means: the full id, or a beginning that nothing else has."""
    if len(wanted) == 64 and ledger.evaluate("get", {"kind": kind, "id": wanted.lower()}) is not None:
        return wanted.lower()
    return one_of(wanted, ids(ledger, kind), what)


def ids(ledger: "Ledger", kind: str) -> list[str]:
    """Every id of a kind, ascending."""
    found: list[str] = []
    while True:
        question: dict[str, Any] = {"kind": kind, "limit": _PAGE}
        page = ledger.evaluate("list", question if not found else {**question, "after": found[-1]})
        found += [str(record["id"]) for record in page]
        if len(page) < _PAGE:
            return found
