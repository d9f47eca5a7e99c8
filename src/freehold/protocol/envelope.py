"""An action: what a member says, signed, as it travels and as it stays.

    signing key 32 ‖ signature 64 ‖ body
    body = canonical JSON {"arguments", "function", "member", "network", "time"}

The signature covers T(action) ‖ body, so nothing else that a member ever signs can be taken for an action, and it
can be checked before anything is parsed. A liar could send the body of one market in another (the network id is
inside), a second spelling of the same body (only the canonical one is read), somebody else's member id (the host
compares the key with that member's record), or the same action again (the contract refuses: an id that exists, a
state that was left). There are no sequence numbers to lose or to race for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from freehold.errors import Invalid, Refused
from freehold.protocol import actions, canonical, forms, limits, signatures
from freehold.protocol.actions import Arguments
from freehold.protocol.digests import T, sha256
from freehold.protocol.identifiers import Digest, MemberId, NetworkId, PublicKey
from freehold.protocol.records import Record

_KEY_END: Final = 32
_BODY_START: Final = 96


class _Body(Record, kw_only=True):
    arguments: dict[str, Any]
    function: str
    member: MemberId
    network: NetworkId
    time: int


class Envelope(Record, kw_only=True):
    """An action whose signature, spelling and arguments were checked; nothing is known yet about who may send it."""

    raw: bytes
    key: PublicKey
    function: str
    member: MemberId
    network: NetworkId
    time: int
    """The time that the signer claims (milliseconds)."""
    arguments: Arguments


def sign_action(
    seed: bytes,
    *,
    network: NetworkId,
    function: str,
    member: MemberId,
    time: int,
    arguments: Arguments | Mapping[str, Any],
) -> bytes:
    """The action as bytes, signed by the key of the 32-byte `seed`; Invalid if it has no canonical spelling.

    Whether the function and its arguments make sense is for the reader to say.
    """
    plain = actions.encode(arguments) if isinstance(arguments, Arguments) else dict(arguments)
    body = {"arguments": plain, "function": function, "member": member, "network": network, "time": time}
    return sign_body(seed, canonical.encode(body))


def sign_body(seed: bytes, body: bytes) -> bytes:
    """The action whose body is `body`, whatever it holds."""
    return signatures.public_key(seed) + signatures.sign(seed, T("action") + body) + body


def check_signature(raw: bytes) -> None:
    """Check size and signature of an action without parsing it; Refused `malformed`."""
    if not limits.ACTION_SMALLEST <= len(raw) <= limits.ACTION_LARGEST:
        allowed = f"{limits.ACTION_SMALLEST} to {limits.ACTION_LARGEST}"
        raise Refused("malformed", f"an action has {allowed} bytes, this one {len(raw)}")
    if not signatures.verify(raw[:_KEY_END], T("action") + raw[_BODY_START:], raw[_KEY_END:_BODY_START]):
        raise Refused("malformed", "the signature does not fit the key and the body")


def open_action(raw: bytes, *, signature_checked: bool = False) -> Envelope:
    """The action that `raw` holds; Refused `malformed`, `unknown` (the function) or `limit`, the first that applies.

    `signature_checked` says that `check_signature(raw)` has passed already, in another process for instance.
    """
    if not signature_checked:
        check_signature(raw)
    try:
        body = canonical.decode(raw[_BODY_START:], largest=limits.ACTION_LARGEST)
    except Invalid as invalid:
        raise Refused("malformed", f"the body is not an action: {invalid.what}") from None
    fields = forms.read(_Body, body, "the body")
    return Envelope(
        raw=raw,
        key=PublicKey(raw[:_KEY_END].hex()),
        function=fields.function,
        member=fields.member,
        network=fields.network,
        time=fields.time,
        arguments=actions.parse(fields.function, fields.arguments),
    )


def action_digest(raw: bytes) -> Digest:
    """SHA-256 of the whole action: its name wherever a single action is asked for."""
    return Digest(sha256(raw).hex())
