"""The seven formats that strangers send, each with the product's own reader and what must hold of it.

Every function here takes any bytes at all, says whether they were read, and raises `Surprise` (or whatever the reader
let out) when the reader did wrong. None needs a fuzzer: the ordinary tests call them too.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from freehold.agents.auditor import evidence as evidence_file
from freehold.agents.auditor.verify import verify
from freehold.learning import wire
from freehold.learning.card import Card
from freehold.learning.rows import Rows
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.protocol import actions, canonical, packages, signatures
from freehold.protocol.digests import raw
from freehold.protocol.envelope import Envelope, open_action
from tests.fuzz import seeds
from tests.fuzz.oracle import Surprise, patched, read

_LARGEST_PACKAGE: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format: what to do with any bytes, genuine ones to begin with, and how many bytes are worth trying."""

    read: Callable[[bytes], bool]
    seeds: Callable[[], Sequence[bytes]]
    largest: int


def action(data: bytes) -> bool:
    """An action as a node reads it, and once more as if its signature were good."""
    signed = read(open_action, data, _action_again)
    if signed and not signatures.verify(data[:32], sha256(b"freehold/1/action").digest() + data[96:], data[32:96]):
        raise Surprise("an action was read whose signature does not fit")
    return read(lambda each: open_action(each, signature_checked=True), data, _action_again) or signed


def package(data: bytes) -> bool:
    """A package as a cloud owner reads it: header, rows, and the rows against the card."""
    card, _ = seeds.prepared()
    if not read(lambda each: packages.unpack(each, _LARGEST_PACKAGE), data, _package_again):
        return False
    rows = bytes(packages.unpack(data).rows)
    if not read(Rows.parse, rows, lambda value: value.encode()):  # type: ignore[attr-defined]
        return False
    return read(lambda each: card.check_rows(Rows.parse(each)), rows)


def base(data: bytes) -> bool:
    """The base of a round as a cloud owner reads it, with and without a cipher, and the zero object of its training."""
    with_cipher, _, zero = seeds.bases()
    found = [_input(data, 1), _input(data, 0), _zero(data)]
    return any([*found, _input(patched(with_cipher, data), 1), _zero(patched(zero, data))])


def answer(data: bytes) -> bool:
    """An answer as a model owner reads it, for one pair of statistics and for two."""
    found = [_answer(data, pairs) for pairs in (1, 2)]
    return any([*found, *(_answer(patched(each, data), pairs) for pairs, each in enumerate(seeds.answers(), start=1))])


def evidence(data: bytes) -> bool:
    """An evidence file as `freehold verify` reads it, executed from its first action to its last."""
    if not read(evidence_file.parse, data, lambda value: evidence_file.encode(value)):  # type: ignore[arg-type]
        return False
    return read(verify, data)


def checkpoint(data: bytes) -> bool:
    """A note that somebody shows, and its text once more under the operator's true signature."""
    network, seed = seeds.checkpoint_trust()
    operator = signatures.public_key(seed)
    text = data.partition(b"\n\n")[0] + b"\n"
    resigned = text + _signature_line(network, operator, signatures.sign(seed, text))

    def opened(note: bytes) -> Checkpoint:
        return open_checkpoint(note.decode("utf-8", "replace"), network_id=network, operator=operator)

    def again(value: object) -> bytes:
        assert isinstance(value, Checkpoint)
        text = value.text().encode("ascii")
        return text + _signature_line(network, operator, signatures.sign(seed, text))

    found = read(opened, data, again)
    return read(opened, resigned, again) or found


def summary(data: bytes) -> bool:
    """What is public of a table, and what a subset tells without a cipher: a card, and masked sums."""
    if data[:2] == b"FH":
        return read(
            lambda each: wire.parse_sums(each, seeds.FIRST, seeds.SECOND, seeds.FEATURES, seeds.OUTPUTS),
            data,
            lambda words: wire.encode_sums(seeds.FIRST, seeds.SECOND, words),  # type: ignore[arg-type]
        )
    return read(Card.parse, data, lambda card: card.encode())  # type: ignore[attr-defined]


FORMATS: Final[Mapping[str, Format]] = {
    "action": Format(read=action, seeds=seeds.actions, largest=13_000),
    "package": Format(read=package, seeds=seeds.packed, largest=4_096),
    "base": Format(read=base, seeds=seeds.bases, largest=200_000),
    "answer": Format(read=answer, seeds=seeds.answers, largest=140_000),
    "evidence": Format(read=evidence, seeds=seeds.evidences, largest=200_000),
    "checkpoint": Format(read=checkpoint, seeds=seeds.checkpoints, largest=5_000),
    "summary": Format(read=summary, seeds=seeds.summaries, largest=16_384),
}


def _action_again(value: object) -> bytes:
    assert isinstance(value, Envelope)
    body = {
        "arguments": actions.encode(value.arguments),
        "function": value.function,
        "member": value.member,
        "network": value.network,
        "time": value.time,
    }
    return raw(value.key) + value.raw[32:96] + canonical.encode(body)


def _package_again(value: object) -> bytes:
    assert isinstance(value, packages.Package)
    return packages.pack(value.network, value.dataset, value.index, value.secret, value.rows)


def _input(data: bytes, inputs: int) -> bool:
    def again(value: object) -> bytes:
        assert isinstance(value, wire.Input)
        return wire.encode_input(value.context, value.zero_digest, value.seeds, list(value.words))

    return read(lambda each: wire.parse_input(each, seeds.FIRST, seeds.SECOND, inputs), data, again)


def _zero(data: bytes) -> bool:
    return read(
        lambda each: wire.parse_zero(each, seeds.FIRST, seeds.SECOND),
        data,
        lambda words: wire.encode_zero(seeds.FIRST, seeds.SECOND, words),  # type: ignore[arg-type]
    )


def _answer(data: bytes, pairs: int) -> bool:
    def again(value: object) -> bytes:
        assert isinstance(value, wire.Answer)
        return wire.encode_answer(value.label, value.subset, value.outputs, value.traces)

    return read(lambda each: wire.parse_answer(each, seeds.FIRST, seeds.SECOND, seeds.CUT, pairs), data, again)


def _signature_line(network: str, operator: bytes, signature: bytes) -> bytes:
    """The line of a signed note, made here a second time from C2SP's words."""
    origin = f"freehold/{network}"
    key_id = sha256(origin.encode() + b"\n\x01" + operator).digest()[:4]
    return f"\n— {origin} {base64.b64encode(key_id + signature).decode()}\n".encode()
