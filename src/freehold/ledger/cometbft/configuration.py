"""A node's folder: its keys, the network's genesis, and settings of our own for everything that matters.

    <folder>/config/priv_validator_key.json     signs blocks; on one machine only, ever
    <folder>/config/node_key.json               names the node to the others
    <folder>/config/genesis.json                the same for everybody
    <folder>/config/config.toml                 written at each start
    <folder>/data/                              CometBFT's blocks, and what this validator has signed

CometBFT makes the keys (`cometbft init`); the genesis is made here, from the validators' public keys.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from freehold.errors import Invalid, Unavailable
from freehold.ledger.cometbft.application import VERSION
from freehold.ledger.cometbft.snapshots import PIECES_LARGEST
from freehold.protocol.limits import DAY

BLOCK_LARGEST: Final = 2 * 2**20
_READ_LARGEST: Final = 2**20
_NANOSECONDS: Final = 1_000_000
TRUST_HOURS: Final = 7 * 24
"""How old a trusted header may be: half the time in which a validator that signed two histories can be named."""
_SERVER: Final = re.compile(r"(https?://[A-Za-z0-9.\-\[\]:]{1,200}:[0-9]{1,5}|unix:///[A-Za-z0-9._/\-]{1,100})")
_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")

# An action passes five hops: to the proposer, in a proposal, two rounds of votes, and the answer. Each waits for a
# flush and, on average, half a look of the gossip, so these two are most of what an idle network takes: 49 instead of
# 72 ms, for 5 ms of processor a second more. With a pause of 30 ms fifteen actions in a row take a second; under load
# the blocks' own work is longer than any pause.
_SETTINGS: Final = """\
proxy_app = "unix://{application}"
moniker = "{moniker}"
abci = "socket"
log_level = "{log}"
filter_peers = true

[rpc]
laddr = "unix://{rpc}"
cors_allowed_origins = []
unsafe = false
pprof_laddr = ""
max_open_connections = 200
max_request_batch_size = 100
max_body_bytes = 2000000

[p2p]
laddr = "tcp://{listen}"
persistent_peers = "{peers}"
unconditional_peer_ids = "{ids}"
private_peer_ids = "{ids}"
pex = false
max_num_inbound_peers = 100
max_num_outbound_peers = 0
addr_book_strict = false
allow_duplicate_ip = true
flush_throttle_timeout = "2ms"

[mempool]
type = "flood"
recheck = false
broadcast = true
size = 5000
max_txs_bytes = 67108864
max_tx_bytes = 65536
cache_size = 20000

[statesync]
enable = {sync}
rpc_servers = "{servers}"
trust_height = {trust_height}
trust_hash = "{trust_hash}"
trust_period = "{trust_hours}h"
discovery_time = "5s"
temp_dir = "{temporary}"
chunk_request_timeout = "10s"
chunk_fetchers = "4"
max_snapshot_chunks = {pieces}

[consensus]
timeout_propose = "1s"
timeout_propose_delta = "200ms"
timeout_prevote = "200ms"
timeout_prevote_delta = "200ms"
timeout_precommit = "200ms"
timeout_precommit_delta = "200ms"
timeout_commit = "{pause}ms"
skip_timeout_commit = false
create_empty_blocks = false
create_empty_blocks_interval = "{idle}ms"
peer_gossip_sleep_duration = "5ms"
block_time_tolerance = "30s"

[storage]
discard_abci_responses = false

[tx_index]
indexer = "null"

[instrumentation]
prometheus = false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another operator's node."""

    id: str
    """Forty hex digits: the first half of the SHA-256 of its public key."""
    address: str
    """host:port"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """How a new node joins with a snapshot of others instead of executing everything since the beginning.

    Without blocks of its own it believes one header: that with this height and hash, which its operator was told by
    somebody it trusts. All else hangs on that and on the signatures of more than two thirds of the validators.
    """

    servers: Sequence[str]
    """Where headers are asked for (`light`), such as http://203.0.113.5:26657: at least two, of different operators.
    The first is asked, and what it says is compared with what the others say."""
    height: int
    """Of the trusted header."""
    hash: str
    """Of the trusted header: 64 hex digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs from node to node."""

    listen: str
    """host:port for other nodes."""
    peers: Sequence[Peer] = field(default=())
    moniker: str = "freehold"
    pause: int = 30
    """Milliseconds between blocks under load, in which votes that are late still count."""
    idle: int = 5_000
    """Milliseconds after which an empty block is made: an action after a quiet time finds a clock at most this old."""
    log: str = "error"
    joining: Joining | None = None
    """Counts only while the node has no block."""
    light: str = ""
    """host:port where nodes that join may ask for headers; nowhere if it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """Who signs blocks."""

    key: bytes
    """Ed25519, 32 bytes."""
    power: int = 10
    name: str = ""


def create_keys(program: Path, folder: Path) -> Validator:
    """Makes the keys of a new node in its folder, and returns it as a validator; existing keys are kept."""
    try:
        done = subprocess.run(  # noqa: S603
            [str(program), "init", "--home", str(folder)], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"CometBFT does not run: {error}", next="install v0.38.26 (docs/decisions/0102)", retry=False
        ) from None
    if done.returncode:
        raise Unavailable(f"cometbft init failed: {done.stderr.decode(errors='replace')[-500:]}", retry=False)
    return validator_of(folder)


def validator_of(folder: Path) -> Validator:
    """The validator whose keys lie in the folder."""
    public = _read(folder / "config" / "priv_validator_key.json").get("pub_key", {})
    return Validator(key=_key(public.get("value", ""), 32), name=folder.name)


def node_id(folder: Path) -> str:
    """The name by which other nodes know this one."""
    private = _key(_read(folder / "config" / "node_key.json").get("priv_key", {}).get("value", ""), 64)
    return hashlib.sha256(private[32:]).hexdigest()[:40]


def genesis(chain: str, validators: Sequence[Validator], *, time: str) -> bytes:
    """The genesis, the same for every node; `time` in RFC 3339."""
    if not validators:
        raise Invalid("a network needs at least one validator")
    content = {
        "genesis_time": time,
        "chain_id": chain,
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": str(BLOCK_LARGEST), "max_gas": "-1"},
            "evidence": {
                "max_age_num_blocks": "1000000",
                "max_age_duration": str(14 * DAY * _NANOSECONDS),
                "max_bytes": "65536",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": str(VERSION)},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [_listed(each) for each in validators],
        "app_hash": "",
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2)


def write_genesis(folder: Path, content: bytes) -> None:
    """Puts the genesis into a node's folder."""
    (folder / "config" / "genesis.json").write_bytes(content)


def write_settings(folder: Path, settings: Settings, *, application: Path, rpc: Path) -> None:
    """Writes config.toml; `application` and `rpc` are Unix sockets."""
    peers = ",".join(f"{peer.id}@{peer.address}" for peer in settings.peers)
    parts = {"application": str(application), "rpc": str(rpc), "peers": peers, "moniker": settings.moniker}
    parts |= {"listen": settings.listen, "log": settings.log, "ids": ",".join(peer.id for peer in settings.peers)}
    # Pieces of a snapshot wait for their turn here, and not where the system may keep files in memory.
    parts |= {"temporary": str(folder / "data"), **_sync(settings.joining)}
    if any(character in '"\\' or not character.isprintable() for part in parts.values() for character in part):
        raise Invalid("an address or name of a node holds a character that its settings cannot")
    numbers = {"pause": settings.pause, "idle": settings.idle, "pieces": PIECES_LARGEST, "trust_hours": TRUST_HOURS}
    text = _SETTINGS.format(**parts, **numbers)
    (folder / "config" / "config.toml").write_text(text)


def _sync(joining: Joining | None) -> dict[str, str]:
    """The settings of a node that joins with a snapshot; Invalid if they are none."""
    if joining is None:
        return {"sync": "false", "servers": "", "trust_height": "0", "trust_hash": ""}
    if len(joining.servers) < 2 or not all(map(_SERVER.fullmatch, joining.servers)):
        raise Invalid(
            "a node that joins with a snapshot asks at least two others for headers",
            next="give their addresses like http://203.0.113.5:26657, of different operators",
        )
    if joining.height < 1 or not _HASH.fullmatch(joining.hash):
        raise Invalid(
            "a node that joins with a snapshot needs one header to trust",
            next="ask an operator whom you trust for height and hash of a recent header",
        )
    servers = ",".join(joining.servers)
    return {"sync": "true", "servers": servers, "trust_height": str(joining.height), "trust_hash": joining.hash.upper()}


def _listed(validator: Validator) -> dict[str, Any]:
    return {
        "address": hashlib.sha256(validator.key).hexdigest()[:40].upper(),
        "pub_key": {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(validator.key).decode()},
        "power": str(validator.power),
        "name": validator.name,
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content: dict[str, Any] = msgspec.json.decode(file.read(_READ_LARGEST), type=dict)
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid(f"{path} cannot be read: {error}", next="restore it, or join with new keys") from None
    return content


def _key(text: object, size: int) -> bytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except ValueError:
        key = b""
    if len(key) != size:
        raise Invalid(f"a key file holds no Ed25519 key of {size} bytes")
    return key
