"""A network of several operators: what each makes alone, what all of them share, and the folder that follows from both.

    1  each operator    `prepare`   keys in a folder of its own, and a card with what is public about them
    2  one of them      `found`     network record and all cards, as one file that everybody is given
    3  each operator    `take`      checks that its own card is in it, and derives genesis and peers

No key ever leaves the folder in which it was made. The genesis is computed from the shared file by everybody alike, so
whoever was given another file has another genesis, and its node finds nobody to talk to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from freehold.agents.private_files import private_folder
from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.errors import Invalid, Unavailable
from freehold.ledger.cometbft import configuration
from freehold.ledger.cometbft.application import chain_id
from freehold.ledger.cometbft.client import CometLedger
from freehold.node.runtime import RECORD, read_network
from freehold.node.validator import CONSORTIUM, Card, Consortium, program, read_consortium
from freehold.protocol import canonical
from freehold.protocol.network import NetworkRecord, network_id

CARD: Final = "operator.json"
LINE: Final = "0.38."
"""The release line of CometBFT that everything here was tested on."""
OPERATORS_LARGEST: Final = 64
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,200}:[0-9]{1,5}")
_CARD: Final = msgspec.json.Decoder(Card)
_CARD_LARGEST: Final = 2_048


def cometbft(environment: Mapping[str, str] = os.environ) -> Path:
    """The installed program, of the right line; Unavailable if there is none."""
    found = shutil.which(environment.get("FREEHOLD_COMETBFT", "cometbft"))
    if found is None:
        raise Unavailable(
            "CometBFT is not installed",
            next="install it (`make cometbft`) or name it in FREEHOLD_COMETBFT",
            retry=False,
        )
    try:
        done = subprocess.run([found, "version"], capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{found} does not run: {error}", retry=False) from None
    version = done.stdout.decode("ascii", "replace").strip()[:40]
    if not version.startswith(LINE):
        raise Invalid(f"{found} is CometBFT {version!r}, this needs {LINE}x", next="install v0.38.26")
    return Path(found)


def prepare(comet: Path, folder: Path, address: str) -> Card:
    """Makes an operator's keys, unless they are there, and its card; `address` is host:port for the other nodes."""
    if not _ADDRESS.fullmatch(address):
        raise Invalid(f"{address[:200]!r} is no address of a node", next="give one like 203.0.113.5:26656")
    private_folder(folder)
    validator = configuration.create_keys(comet, folder)
    card = Card(address=address, node=configuration.node_id(folder), validator=validator.key.hex())
    (folder / CARD).write_bytes(canonical.encode(card))
    return card


def read_card(data: bytes) -> Card:
    """A card as an operator handed it over; Invalid if it is none."""
    card: Card = canonical.decode_record(data, _CARD, largest=_CARD_LARGEST)
    if not _ADDRESS.fullmatch(card.address):
        raise Invalid("the card names no address of a node")
    return card


def found(record: NetworkRecord, cards: Sequence[Card], time: int) -> bytes:
    """The file that all operators share; `time` in milliseconds is when the network begins. Invalid if cards clash."""
    if not 0 < len(cards) <= OPERATORS_LARGEST:
        raise Invalid(f"a network has 1 to {OPERATORS_LARGEST} operators, not {len(cards)}")
    for name in ("node", "validator", "address"):
        if len({getattr(card, name) for card in cards}) != len(cards):
            raise Invalid(f"two operators' cards name the same {name}", next="ask each for the card of its own folder")
    network: dict[str, Any] = msgspec.json.decode(record.encode())
    return canonical.encode(Consortium(network=network, operators=tuple(cards), time=time))


def take(folder: Path, data: bytes) -> NetworkRecord:
    """Puts the shared file into an operator's prepared folder; Invalid if its own card is not in it, or if the folder
    has another already."""
    consortium = read_consortium(data)
    own = read_card((folder / CARD).read_bytes())
    if own not in consortium.operators:
        raise Invalid("this operator's card is not among those of the network", next="hand over operator.json again")
    if (folder / CONSORTIUM).exists() and (folder / CONSORTIUM).read_bytes() != data:
        raise Invalid(f"{folder} belongs to another network already", next="give another folder")
    record = NetworkRecord.parse(canonical.encode(consortium.network))
    validators = [
        configuration.Validator(key=bytes.fromhex(card.validator), name=card.node[:8]) for card in consortium.operators
    ]
    content = configuration.genesis(chain_id(network_id(record)), validators, time=_rfc_3339(consortium.time))
    configuration.write_genesis(folder, content)
    (folder / RECORD).write_bytes(record.encode())
    # The shared file comes last: a folder that has it is complete.
    (folder / CONSORTIUM).write_bytes(data)
    return record


def start(comet: Path, folder: Path, *, pause: int = 100, idle: int = 5_000) -> CometLedger:
    """Starts the validator whose folder this is, and waits until it answers."""
    own = read_card((folder / CARD).read_bytes())
    consortium = read_consortium((folder / CONSORTIUM).read_bytes())
    peers = [configuration.Peer(id=each.node, address=each.address) for each in consortium.operators if each != own]
    host, _, port = own.address.rpartition(":")
    # Behind a router the address that others dial is not one of this machine's.
    listen = own.address if host == "127.0.0.1" else f"0.0.0.0:{port}"
    settings = configuration.Settings(listen=listen, peers=peers, pause=pause, idle=idle)
    return CometLedger.start(comet, folder, settings, program(folder), Contract(read_network(folder)), system_clock)


def _rfc_3339(time: int) -> str:
    moment = datetime.fromtimestamp(time // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % 1_000:03}Z"
