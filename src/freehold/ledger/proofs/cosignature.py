"""Cosignatures: what a witness says that has seen a checkpoint, and that the log only grew (C2SP `tlog-cosignature`).

A witness signs, with the time, the text of a checkpoint that the operator signed. Its line stands below the operator's:
an em dash, the witness's name, and base64 of its key's id (4 bytes), the time in seconds (8 bytes, big-endian) and the
Ed25519 signature (64 bytes) over

    cosignature/v1
    time <seconds>
    <the checkpoint's text>

Whoever asks for the lines of most of some witnesses need not trust the operator not to show somebody else another log.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from freehold.errors import Invalid
from freehold.protocol import signatures

LINES_LARGEST = 16
"""Lines of others that are looked at."""

_ALGORITHM = b"\x04"
_DASH = "— "
_NAME = re.compile(r"[!-*,-~]{1,128}", re.ASCII)
_TIME_BYTES = 8
_KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness has seen a checkpoint."""

    witness: str
    time: int
    """Seconds since 1970, by its own clock."""


def checked_name(name: str) -> str:
    """The name of a witness: printable ASCII without blanks and plus signs; Invalid for any other."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:40]!r} is no name of a witness", next="take an address without a scheme, like w.example.org"
        )
    return name


def cosign(text: str, *, name: str, seed: bytes, time: int) -> str:
    """The line that a witness puts below a checkpoint with this text."""
    signature = signatures.sign(seed, _message(text, time))
    packed = _key_id(name, signatures.public_key(seed)) + time.to_bytes(_TIME_BYTES, "big") + signature
    return f"{_DASH}{name} {base64.b64encode(packed).decode('ascii')}\n"


def cosignatures(note: str, witnesses: Mapping[str, bytes]) -> list[Cosignature]:
    """Who of these witnesses (names and 32-byte public keys) has cosigned the note; a false line counts as none."""
    text, _, lines = note.partition("\n\n")
    found: dict[str, Cosignature] = {}
    for line in lines.split("\n")[1 : LINES_LARGEST + 1]:
        name, _, packed = line.removeprefix(_DASH).partition(" ")
        key = witnesses.get(name)
        if key is not None and line.startswith(_DASH) and (time := _opened(text + "\n", name, key, packed)) is not None:
            found[name] = Cosignature(witness=name, time=time)
    return list(found.values())


def require_quorum(note: str, witnesses: Mapping[str, bytes], quorum: int) -> None:
    """Invalid unless so many of the witnesses have cosigned the note."""
    found = cosignatures(note, witnesses)
    if len(found) < quorum:
        names = ", ".join(each.witness for each in found) or "nobody"
        raise Invalid(
            f"{len(found)} of {len(witnesses)} witnesses have seen this checkpoint, {quorum} are needed: {names}",
            next="wait a moment and ask again, or find out whether the witnesses run",
        )


def witness_key(name: str, public: bytes) -> str:
    """A witness's public key in the form that tools for signed notes take."""
    return f"{name}+{_key_id(name, public).hex()}+{base64.b64encode(_ALGORITHM + public).decode('ascii')}"


def parse_witness_key(text: str) -> tuple[str, bytes]:
    """Name and public key that `witness_key` wrote; Invalid for anything else."""
    name, _, rest = text.partition("+")
    try:
        key = base64.b64decode(rest.partition("+")[2], validate=True)[1:]
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != signatures.KEY_BYTES or witness_key(checked_name(name), key) != text:
        raise Invalid(
            f"{text[:80]!r} is no key of a witness", next="ask its operator for what `freehold witness` prints"
        )
    return name, key


def _opened(text: str, name: str, key: bytes, packed: str) -> int | None:
    """The time at which the key cosigned the text; None if it did not."""
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return None
    start, end = _KEY_ID_BYTES, _KEY_ID_BYTES + _TIME_BYTES
    if len(data) != end + signatures.SIGNATURE_BYTES or data[:start] != _key_id(name, key):
        return None
    time = int.from_bytes(data[start:end], "big")
    return time if signatures.verify(key, _message(text, time), data[end:]) else None


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode("ascii") + b"\n" + _ALGORITHM + public).digest()[:_KEY_ID_BYTES]
