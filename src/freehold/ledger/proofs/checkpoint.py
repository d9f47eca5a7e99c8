"""A checkpoint: one line for the size of the log and one for its root, signed by the operator.

The form is C2SP's `tlog-checkpoint`, a signed note, so a stranger's library can read and verify it. Its text is

    freehold/<network id>
    <size>
    <root, base64>

followed by an empty line and the signature line: an em dash, the name of the key (the same as the first line), and
base64 of the key's id (4 bytes) and an Ed25519 signature over the text. An operator that signs two checkpoints of
which neither log begins with the other has lied, and whoever holds both can show it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from freehold.errors import Invalid
from freehold.ledger.proofs.log import Log
from freehold.protocol import signatures

LARGEST = 4_096
"""Bytes of a signed checkpoint that are read."""

_ED25519 = b"\x01"
_DASH = "— "


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A log of one network at one size."""

    network_id: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{_origin(self.network_id)}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


def sign_checkpoint(log: Log, *, network_id: str, operator_seed: bytes) -> str:
    """The log's checkpoint as a signed note."""
    text = Checkpoint(network_id=network_id, size=log.size, root=log.root()).text()
    signature = signatures.sign(operator_seed, text.encode("ascii"))
    return text + _signature_line(network_id, signatures.public_key(operator_seed), signature)


def open_checkpoint(note: str, *, network_id: str, operator: bytes) -> Checkpoint:
    """The checkpoint that the operator (32-byte public key) signed for this network; Invalid for anything else.

    Lines of others, such as witnesses, may follow the operator's; they are not looked at (`proofs.cosignature` does).
    """
    if len(note) > LARGEST:
        raise Invalid(f"a checkpoint has at most {LARGEST} characters")
    text, _, lines = note.partition("\n\n")
    checkpoint = read_text(text + "\n", network_id)
    first, _, others = lines.partition("\n")
    if others and not all(line.startswith(_DASH) for line in others.removesuffix("\n").split("\n")):
        raise Invalid("a checkpoint's text is followed by lines of signatures alone")
    signature = _unbase64(first.rpartition(" ")[2], 68)[4:]
    if f"\n{first}\n" != _signature_line(network_id, operator, signature) or not lines.endswith("\n"):
        raise Invalid("the checkpoint names another operator's key")
    if not signatures.verify(operator, checkpoint.text().encode("ascii"), signature):
        raise Invalid("the operator did not sign this checkpoint")
    return checkpoint


def read_text(text: str, network_id: str) -> Checkpoint:
    """What the signed text says; Invalid unless it is this network's, in its one spelling."""
    lines = text.split("\n")
    if len(lines) != 4 or not lines[1].isascii() or not lines[1].isdigit():
        raise Invalid("a checkpoint has three lines of text: origin, size, root")
    checkpoint = Checkpoint(network_id=network_id, size=int(lines[1][:20]), root=_unbase64(lines[2], 32))
    if checkpoint.text() != text:
        raise Invalid("the checkpoint is for another network, or not in its canonical spelling")
    return checkpoint


def verifier_key(network_id: str, operator: bytes) -> str:
    """The operator's public key in the form that tools for signed notes take."""
    key = base64.b64encode(_ED25519 + operator).decode("ascii")
    return f"{_origin(network_id)}+{_key_id(network_id, operator).hex()}+{key}"


def _signature_line(network_id: str, operator: bytes, signature: bytes) -> str:
    packed = base64.b64encode(_key_id(network_id, operator) + signature).decode("ascii")
    return f"\n{_DASH}{_origin(network_id)} {packed}\n"


def _key_id(network_id: str, operator: bytes) -> bytes:
    return sha256(_origin(network_id).encode("ascii") + b"\n" + _ED25519 + operator).digest()[:4]


def _origin(network_id: str) -> str:
    return f"freehold/{network_id}"


def _unbase64(text: str, size: int) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != size:
        raise Invalid(f"expected {size} bytes in base64")
    return data
