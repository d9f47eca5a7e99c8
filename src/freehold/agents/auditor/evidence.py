"""Evidence: a whole market's history in one file, for a reader who trusts nobody and asks nobody.

The file is one canonical JSON object: what network it is, whose signatures stand under its blocks, every block with its
header, signature, signed actions and results, a checkpoint, and the training that it is shown for. Where several
operators run the ledger there is a seal in the place of one operator's signatures: what more than two thirds of them
signed about the newest block, or, on Fabric, what organisations endorsed and orderers signed. Nothing in the file is a
summary: whoever reads it executes every action again and finds out for itself.

A forger could alter a byte (then a signature, a hash, or the spelling itself no longer fits: one value has one
spelling, and base64 is read only as it would be written), leave out or swap blocks (the chain breaks), or write another
history and sign it with a key of its own (then the file says so: it is *signed by* that key and *about* that network,
and a reader compares both with what it trusts; see `verify`).
"""

import base64
import binascii
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from freehold.contract.host import Contract
from freehold.errors import Invalid
from freehold.ledger.blocks import decode_body, first_tip, follow
from freehold.ledger.cometbft import seal as cometbft
from freehold.ledger.embedded.file import BlockFile, Row
from freehold.ledger.fabric import seal as fabric
from freehold.ledger.proofs.state_tree import StateTree
from freehold.ports.ledger import Block, Ledger
from freehold.protocol import canonical
from freehold.protocol.digests import raw
from freehold.protocol.identifiers import CoupleId, PublicKey
from freehold.protocol.network import NetworkRecord, network_id
from freehold.protocol.records import Record

SCHEMA: Final = "freehold/evidence/1"
LARGEST: Final = 512 * 1024 * 1024
"""Bytes of an evidence file that are read at all."""
_SIZE: Final = "evidence:size"
_BYTES_OF_A_VALUE: Final = 32
"""A genuine file has four times as many bytes for each of its values on average, and a forged one of a few megabytes
could hold millions of empty ones, each of which costs more memory than it has bytes."""
_FEW_VALUES: Final = 200
"""What a file without blocks may hold."""
PAGE: Final = 200
"""Blocks that are asked of a ledger at once."""

Seal: TypeAlias = cometbft.Seal | fabric.Seal
"""What several operators signed, in the form of the engine that they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A ledger's whole history as it was handed out, well-formed and not yet believed."""

    network: NetworkRecord
    operator: PublicKey | None
    """Ed25519 key under whose signatures the blocks and the checkpoint stand; None where several operators seal."""
    blocks: tuple[Block, ...]
    seal: Seal | None = None
    """What several operators signed about the last block; None where one signs each, and before the first."""
    checkpoint: str | None = None
    """C2SP signed note over the log of all actions of the blocks; a ledger's bare file holds none, and the signed
    header of the last block says the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an evidence file says: a history, and the training that it is shown for."""

    recording: Recording
    couple: CoupleId


class _BlockFields(Record, kw_only=True):
    actions: tuple[str, ...]
    header: dict[str, Any]
    results: tuple[dict[str, str], ...]
    signature: str | None = None


class _FileFields(Record, kw_only=True):
    blocks: tuple[_BlockFields, ...]
    checkpoint: str | None = None
    couple: str
    network: dict[str, Any]
    operator: str | None = None
    schema: str
    seal: Seal | None = None


_READER: Final = msgspec.json.Decoder(_FileFields)
_SEAL: Final = msgspec.json.Decoder(Seal)


def record(ledger: Ledger) -> Recording:
    """Everything that a ledger hands out; raises Unavailable."""
    info = ledger.info()
    network = NetworkRecord.parse(info.network)
    sealed = network.is_sealed and info.height > 0
    return Recording(
        network=network,
        operator=None if network.is_sealed else PublicKey(info.operator),
        blocks=tuple(_bounded(_blocks_up_to(ledger, info.height))),
        seal=parse_seal(ledger.seal(info.height)) if sealed else None,
        checkpoint=info.checkpoint or None,
    )


def parse_seal(data: bytes) -> Seal:
    """The seal that a node handed out; Invalid for any spelling but the canonical one."""
    seal: Seal = canonical.decode_record(data, _SEAL, largest=fabric.LARGEST)
    return seal


def read_ledger_file(path: Path) -> Recording:
    """Everything that a ledger's file holds, read beside whoever may be writing it; raises Invalid and Unavailable."""
    with closing(BlockFile.read(path)) as file:
        network = NetworkRecord.parse(file.title.network)
        return Recording(
            network=network,
            operator=PublicKey(file.title.operator.hex()),
            blocks=tuple(_bounded(_blocks_of_rows(network, file.rows(0, sys.maxsize)))),
        )


def _blocks_of_rows(network: NetworkRecord, rows: Iterator[Row]) -> Iterator[Block]:
    # A replay computes events and written records anew. Those that the file holds are what a node would go on with, so
    # they are compared here: a file in which somebody altered them is not whole, though its actions are.
    tip, tree = first_tip(network_id(network)), StateTree(Contract(network).genesis())
    for row in rows:
        if row.height != tip.height + 1:
            raise Invalid(f"Block {tip.height + 1} is missing from the file.", next="restore it from a copy")
        contents = decode_body(row.body)
        change = tree.changed(contents.writes)
        tip = follow(tip, row.header, contents, row.body, state=change.root)
        tree.apply(change)
        yield Block(header=row.header, signature=row.signature, actions=contents.actions, results=contents.results)


def _blocks_up_to(ledger: Ledger, height: int) -> Iterator[Block]:
    # a node goes on while it is read: what comes after the checkpoint that was taken first is not part of the file
    after = 0
    while after < height:
        page = ledger.export(after, min(PAGE, height - after))
        if not page:
            raise Invalid(f"the ledger says that it has {height} blocks and hands out {after}", code="evidence:ledger")
        yield from page
        after += len(page)


def _bounded(blocks: Iterator[Block]) -> Iterator[Block]:
    # a node may say that it has any number of blocks, and hand out one after the other for ever
    size = 0
    for block in blocks:
        size += len(block.header) + sum(map(len, block.actions)) + sum(map(len, block.results))
        if size > LARGEST:
            raise Invalid(f"The ledger holds more than {LARGEST:,} bytes, which is the most that is read.", code=_SIZE)
        yield block


def encode(evidence: Evidence) -> bytes:
    """The file: canonical JSON, one spelling for one history."""
    recording = evidence.recording
    fields = _FileFields(
        blocks=tuple(
            _BlockFields(
                actions=tuple(_to_base64(action) for action in block.actions),
                header=msgspec.json.decode(block.header),
                results=tuple(msgspec.json.decode(result) for result in block.results),
                signature=block.signature.hex() or None,
            )
            for block in recording.blocks
        ),
        checkpoint=_to_base64(recording.checkpoint.encode("utf-8")) if recording.checkpoint is not None else None,
        couple=evidence.couple,
        network=msgspec.json.decode(recording.network.encode()),
        operator=recording.operator,
        schema=SCHEMA,
        seal=recording.seal,
    )
    data = canonical.encode(fields)
    if len(data) > LARGEST:
        raise Invalid(f"The evidence would have more than {LARGEST:,} bytes, which nobody reads.", code=_SIZE)
    return data


def parse(data: bytes) -> Evidence:
    """The evidence that a file holds; Invalid for anything but the canonical spelling of one."""
    if len(data) > LARGEST:
        raise Invalid(
            f"This is not an evidence file: it has more than {LARGEST:,} bytes.",
            code=_SIZE,
            next="ask for the file again, from whoever made it",
        )
    try:
        return _read(data)
    except Invalid as invalid:
        what = f"This is not an evidence file: {invalid.what}"
        raise Invalid(what, code="evidence:form", next="ask for the file again, from whoever made it") from None


def _read(data: bytes) -> Evidence:
    values = sum(data.count(mark) for mark in (b"[", b"{", b","))
    if values > _FEW_VALUES + len(data) // _BYTES_OF_A_VALUE:
        raise Invalid("it holds more values than its blocks can have")
    fields: _FileFields = canonical.decode_record(data, _READER, largest=LARGEST)
    if fields.schema != SCHEMA:
        raise Invalid(f"its schema is {fields.schema[:60]!r}, this version reads {SCHEMA}")
    raw(fields.couple)
    network = NetworkRecord.parse(canonical.encode(fields.network))
    _require_its_kind_of_proof(network, fields)
    recording = Recording(
        network=network,
        operator=None if fields.operator is None else PublicKey(fields.operator),
        seal=fields.seal,
        blocks=tuple(_block(height, block) for height, block in enumerate(fields.blocks, start=1)),
        checkpoint=_text(fields.checkpoint) if fields.checkpoint is not None else None,
    )
    return Evidence(recording=recording, couple=CoupleId(fields.couple))


def _require_its_kind_of_proof(network: NetworkRecord, fields: _FileFields) -> None:
    """Invalid unless the file is signed as its network record says: by one operator, or by several."""
    if not network.is_sealed:
        if fields.operator is None or fields.seal is not None:
            raise Invalid("one operator signs the blocks of its network, and the file does not say who")
        raw(fields.operator)
        return
    signed = any(block.signature is not None for block in fields.blocks)
    if fields.operator is not None or fields.checkpoint is not None or signed:
        raise Invalid("several operators seal the blocks of its network, and the file is signed by one")
    if (fields.seal is None) != (not fields.blocks):
        raise Invalid("several operators seal the blocks of its network, and their seal is missing")
    kind = cometbft.Seal if network.authorities is None else fabric.Seal
    if fields.seal is not None and not isinstance(fields.seal, kind):
        raise Invalid("the seal is of another engine than its network has")


def _block(height: int, fields: _BlockFields) -> Block:
    if len(fields.actions) != len(fields.results):
        raise Invalid(f"block {height} has {len(fields.actions)} actions and {len(fields.results)} results")
    return Block(
        header=canonical.encode(fields.header),
        signature=b"" if fields.signature is None else raw(fields.signature, 64),
        actions=tuple(_from_base64(action) for action in fields.actions),
        results=tuple(canonical.encode(result) for result in fields.results),
    )


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("a value that should be base64 is not") from None
    # the last character of base64 has spare bits: a second spelling of the same bytes would hide an altered byte
    if _to_base64(data) != text:
        raise Invalid("a value is not in the canonical spelling of base64")
    return data


def _text(encoded: str) -> str:
    try:
        return _from_base64(encoded).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the checkpoint is not text") from None
