"""Reads that are signed: how a member shows a node that serves members alone who asks.

    authorization: Freehold <key>:<member>:<time>:<body>:<signature>       hex, and milliseconds in between
    signature over T(read) ‖ canonical {"body", "member", "method", "network", "target", "time"}

`body` is the SHA-256 of the request's body, of no bytes if there is none or if its address names its digest. A replay
within the window reads what its signer could read, and nothing else: the target and the question are signed, and so
is the network, so that one market's node cannot use in another what it was shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from freehold.errors import Invalid
from freehold.protocol import canonical, signatures
from freehold.protocol.digests import T, sha256
from freehold.protocol.identifiers import MemberId, NetworkId

WINDOW_MILLISECONDS = 120_000
"""How far the time of a signed read may lie from the node's."""
MEMBERS_ONLY = "members-only"
"""The code of the trouble that says that reads must be signed."""

_HEADER = re.compile("Freehold ([0-9a-f]{64}):([0-9a-f]{64}):([0-9]{1,15}):([0-9a-f]{64}):([0-9a-f]{128})", re.ASCII)


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One member of one network, as one who reads."""

    network: NetworkId
    member: MemberId
    seed: bytes = field(repr=False)
    clock: Callable[[], int] = _now

    def header(self, method: str, target: str, body: bytes) -> str:
        """The value of `authorization` for one request."""
        at, digest = self.clock(), sha256(body).hex()
        signed = signatures.sign(self.seed, _said(self.network, self.member, method, target, at, digest))
        key = signatures.public_key(self.seed).hex()
        return f"Freehold {key}:{self.member}:{at}:{digest}:{signed.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRead:
    """Who asks, proved by a signature that fits; whether this key is a member's is still to be asked."""

    key: str
    member: str
    body: str


def open_header(value: str, *, network: NetworkId, method: str, target: str, now: int) -> SignedRead:
    """Who signed this request; Invalid if nobody did, or not this one, or too long ago."""
    found = _HEADER.fullmatch(value)
    if found is None:
        raise Invalid("the request is not signed", next="sign it: freehold.transport.signed_reads")
    key, member, at, body, signature = found.groups()
    if abs(int(at) - now) > WINDOW_MILLISECONDS:
        raise Invalid("the request was signed at another time", next="set this machine's clock right")
    said = _said(network, MemberId(member), method, target, int(at), body)
    if not signatures.verify(bytes.fromhex(key), said, bytes.fromhex(signature)):
        raise Invalid("the signature of the request does not fit")
    return SignedRead(key=key, member=member, body=body)


def _said(network: NetworkId, member: MemberId, method: str, target: str, at: int, body: str) -> bytes:
    fields = {"body": body, "member": member, "method": method, "network": network, "target": target, "time": at}
    return T("read") + canonical.encode(fields)
