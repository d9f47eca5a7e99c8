"""A network of several operators: what each makes alone, what all of them share, and the folder that follows from both.

    1  each operator    `prepare`   keys in a folder of its own, and a card with what is public about them
    2  one of them      `found`     the network record with all cards, as one file that everybody is given
    3  each operator    `take`      checks that its own card is in it, and derives genesis and peers

No key ever leaves the folder in which it was made. The cards stand in the network record, so the network's id stands
for exactly these operators: whoever was given another file has another network, and its node finds nobody to talk to.
Whoever joins later prepares and takes in the same way, and is proposed and approved on the ledger.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from freehold.agents.private_files import private_folder
from freehold.agents.world import system_clock
from freehold.contract import stored
from freehold.contract.host import Contract
from freehold.errors import Invalid, Unavailable
from freehold.ledger.blocks import decode_body
from freehold.ledger.cometbft import configuration
from freehold.ledger.cometbft.client import FILE, CometLedger
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.cometbft.seats import POWER
from freehold.node.runtime import OPERATOR_KEY, RECORD, read_network, seed_of
from freehold.node.validator import MarketSeats, program
from freehold.protocol import canonical, forms, signatures
from freehold.protocol.assets import Operators
from freehold.protocol.identifiers import NodeAddress, NodeName, PublicKey
from freehold.protocol.network import NetworkRecord, Operator, clashing, network_id

CARD: Final = "operator.json"
CONSORTIUM: Final = "consortium.json"
"""What all operators of a network share."""
LINES: Final = ("0.38.", "0.39.", "0.40.")
"""The release lines of CometBFT that everything here was tested on; v0.40.0 calls itself 0.39.0."""
_LARGEST: Final = 65_536
_IDLE: Final = 5_000
_BUSY: Final = 250
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,200}:[0-9]{1,5}")


class Consortium(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that all operators share."""

    network: dict[str, Any]
    time: int
    """When the network begins, milliseconds: the same for all, since it stands in the genesis."""


_CONSORTIUM: Final = msgspec.json.Decoder(Consortium)


def cometbft(environment: Mapping[str, str] = os.environ) -> Path:
    """The installed program, of a line that was tested; Unavailable if there is none."""
    found = shutil.which(environment.get("FREEHOLD_COMETBFT", "cometbft"))
    if found is None:
        raise Unavailable(
            "CometBFT is not installed",
            next="go install github.com/cometbft/cometbft/cmd/cometbft@v0.38.26, or name it in FREEHOLD_COMETBFT",
            now="nothing was changed",
            retry=False,
        )
    try:
        done = subprocess.run([found, "version"], capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{found} does not run: {error}", retry=False) from None
    version = done.stdout.decode("ascii", "replace").strip()[:40]
    if not version.startswith(LINES):
        raise Invalid(f"{found} is CometBFT {version!r}, this needs {LINES[0]}x", next="install v0.38.26")
    return Path(found)


def prepare(comet: Path, folder: Path, address: str) -> Operator:
    """Makes an operator's keys, unless they are there, and its card; `address` is host:port for the other nodes."""
    if not _ADDRESS.fullmatch(address):
        raise Invalid(f"{address[:200]!r} is no address of a node", next="give one like 203.0.113.5:26656")
    private_folder(folder)
    validator = configuration.create_keys(comet, folder)
    card = Operator(
        key=PublicKey(signatures.public_key(seed_of(folder, OPERATOR_KEY)).hex()),
        address=NodeAddress(address),
        node=NodeName(configuration.node_id(folder)),
        validator=PublicKey(validator.key.hex()),
    )
    (folder / CARD).write_bytes(canonical.encode(card) + b"\n")
    return card


def read_card(data: bytes) -> Operator:
    """A card as an operator handed it over; Invalid if it is none."""
    return forms.parse(Operator, data.removesuffix(b"\n"), largest=_LARGEST, name="the operator's card")


def read_card_file(path: Path) -> Operator:
    """The card in a file that an operator handed over; Unavailable if it cannot be read, Invalid if it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", retry=False) from None
    try:
        return read_card(data)
    except Invalid as invalid:
        raise Invalid(f"{path}: {invalid.what}", next="ask its operator for DIR/operator.json") from None


def own_card(folder: Path) -> Operator:
    """The card of the operator whose folder this is; Unavailable if nobody has prepared it."""
    try:
        return read_card((folder / CARD).read_bytes())
    except OSError as error:
        raise Unavailable(
            f"{folder} is no operator's folder: {error.strerror}", next=f"freehold network join {folder}", retry=False
        ) from None


def found(record: NetworkRecord, cards: Sequence[Operator], time: int) -> bytes:
    """The file that all operators share; `time` in milliseconds is when the network begins. Invalid if cards clash."""
    if (clash := clashing(cards)) is not None:
        raise Invalid(f"two operators' cards name the same {clash}", next="ask each for the card of its own folder")
    named = NetworkRecord.parse(replace(record, operators=tuple(sorted(cards))).encode())
    network: dict[str, Any] = msgspec.json.decode(named.encode())
    return canonical.encode(Consortium(network=network, time=time)) + b"\n"


def read_consortium(data: bytes) -> tuple[NetworkRecord, int]:
    """The network of a shared file, and when it begins; Invalid for any spelling but the canonical one."""
    consortium: Consortium = canonical.decode_record(data.removesuffix(b"\n"), _CONSORTIUM, largest=_LARGEST)
    record = NetworkRecord.parse(canonical.encode(consortium.network))
    if record.operators is None:
        raise Invalid("this network has one operator, who signs its blocks", next="freehold node --follow URL")
    return record, consortium.time


def take(folder: Path, data: bytes) -> NetworkRecord:
    """Puts the shared file into an operator's prepared folder; Invalid if the folder has another already.

    Whoever is not among the founders takes it too, follows, and is no validator until the others have approved it.
    """
    record, time = read_consortium(data)
    own_card(folder)
    if (folder / CONSORTIUM).exists() and (folder / CONSORTIUM).read_bytes() != data:
        raise Invalid(
            f"{folder} belongs to another network already", next="give another folder", now="nothing was changed"
        )
    validators = [
        configuration.Validator(key=bytes.fromhex(each.validator), power=POWER, name=each.node[:8])
        for each in record.operators or ()
    ]
    content = configuration.genesis(chain_id(network_id(record)), validators, time=_rfc_3339(time))
    configuration.write_genesis(folder, content)
    (folder / RECORD).write_bytes(record.encode())
    # The shared file comes last: a folder that has it is complete.
    (folder / CONSORTIUM).write_bytes(data)
    return record


def is_consortium(folder: Path) -> bool:
    """Whether the network in a folder is run by several operators, of whom the folder's owner is one."""
    return (folder / CONSORTIUM).exists()


def known_operators(folder: Path) -> tuple[Operator, ...]:
    """The operators as this folder's file knows them: the founders, or those of the newest change it holds."""
    record = read_network(folder)
    if not (folder / FILE).exists():
        return record.operators or ()
    key, present, after = stored.key_of(Operators, network_id(record)), record.operators or (), 0
    with closing(CommitFile.read(folder / FILE, record.encode())) as file:
        while some := file.blocks(after, 256):
            after = some[-1].height
            # A change is rare: only a block whose writes name the record is read.
            for block in some:
                if key.encode("ascii") in block.body.writes:
                    data = decode_body(block.body).writes.get(key)
                    present = present if data is None else stored.decode(Operators, data).operators
    return present


def start(
    comet: Path,
    folder: Path,
    *,
    pause: int = 30,
    idle: int | None = None,
    light: str = "",
    joining: configuration.Joining | None = None,
) -> CometLedger:
    """Starts the node whose folder this is, validator or not, and waits until it answers.

    After a quiet time of `idle` milliseconds there is an empty block. An action that comes then finds a block's time at
    most that old, which has to be well within the network's skew.
    """
    own = own_card(folder)
    others = [each for each in known_operators(folder) if each.node != own.node]
    peers = [configuration.Peer(id=each.node, address=each.address) for each in others]
    host, _, port = own.address.rpartition(":")
    # Behind a router the address that others dial is not one of this machine's.
    listen = own.address if host == "127.0.0.1" else f"0.0.0.0:{port}"
    record = read_network(folder)
    if idle is None:
        idle = min(_IDLE, max(_BUSY, record.skew // 4))
    settings = configuration.Settings(
        listen=listen, peers=peers, moniker=own.node[:8], pause=pause, idle=idle, light=light, joining=joining
    )
    contract = Contract(record)
    seats = MarketSeats(contract)
    return CometLedger.start(comet, folder, settings, program(folder), contract, system_clock, seats)


def _rfc_3339(time: int) -> str:
    moment = datetime.fromtimestamp(time // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 1_000:03}Z"
