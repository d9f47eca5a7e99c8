"""Who may read from a node that serves members alone.

The network's record (`/`) is open, or nobody could tell which network this is; actions carry signatures of their own,
and what became of one may be asked by whoever has its bytes. Everything else must be signed by the key of a member,
of somebody whom the record names, or of a reader whom the operator named, such as a newcomer before joining.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from starlette.types import Scope

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ports.ledger import Engine
from freehold.protocol.digests import sha256
from freehold.protocol.network import NetworkRecord, network_id
from freehold.transport.signed_reads import MEMBERS_ONLY, SignedRead, open_header

_REMEMBERED_SECONDS = 60.0
_REMEMBERED_LARGEST = 4_096
_SIGNED = "freehold.signed"


class MembersOnly(Unavailable):
    """Somebody reads who did not show to be a member."""


class Readers:
    """The members of one ledger, as those who read; used by one thread for signatures, by others for questions."""

    def __init__(self, engine: Engine, also: Sequence[str] = (), *, clock: Callable[[], float] = time.time) -> None:
        record = NetworkRecord.parse(engine.info().network)
        self._engine = engine
        self._network = network_id(record)
        named = (record.treasury, *record.referees, *([record.registrar] if record.registrar else []))
        self._named = frozenset({*named, *also})
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()

    def signed(self, scope: Scope) -> SignedRead | None:
        """Who signed this request, None if it may be read by anybody; MembersOnly."""
        path = scope["path"]
        if path in ("/", "/actions", "/openapi.json") or path.startswith("/actions/"):
            return None
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        target = scope["raw_path"].decode("ascii", "replace")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("ascii", "replace")
        try:
            read = open_header(
                header.decode("ascii", "replace"),
                network=self._network,
                method=scope["method"],
                target=target,
                now=int(self._clock() * 1000),
            )
        except Invalid as error:
            raise _members_only(error.what, error.next) from None
        scope[_SIGNED] = read
        return read

    def admit(self, read: SignedRead) -> None:
        """Lets a member in; MembersOnly for anybody else. Asks the ledger once a minute."""
        if read.key in self._named:
            return
        now, asked = self._clock(), (read.key, read.member)
        if now - self._known.get(asked, 0.0) < _REMEMBERED_SECONDS:
            return
        try:
            found = self._engine.evaluate("get", {"kind": "member", "id": read.member})
        except (Invalid, LookupError):
            found = None
        if not isinstance(found, dict) or found.get("signing_key") != read.key:
            raise _members_only("the key is not that of a member", "join, or ask the node's operator to name the key")
        self._known[asked] = now
        if len(self._known) > _REMEMBERED_LARGEST:
            self._known.popitem(last=False)


def check_body(scope: Scope, body: bytes) -> None:
    """The body is the one that was signed, if one was."""
    read = scope.get(_SIGNED)
    if isinstance(read, SignedRead) and read.body != sha256(body).hex():
        raise _members_only("the body is not the one that was signed", "sign the body that is sent")


def _members_only(what: str, following: str) -> FreeholdError:
    return MembersOnly(
        f"this node serves members alone: {what}",
        code=MEMBERS_ONLY,
        next=following,
        now="nothing was read or sent to the ledger",
        retry=False,
    )
