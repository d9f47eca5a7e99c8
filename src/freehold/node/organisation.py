"""A node over Hyperledger Fabric: one organisation's, behind a peer of its own.

network.json     the network record, which names the channel and whose signatures count on it
fabric.json      how to reach the organisation's peer, and the certificate and key that carry actions to it
fabric.sqlite    what was read of the channel so far
objects/         packages, bases, results

Fabric's own tools make the channel and put the chaincode on it; `python -m freehold.node.chaincode` runs beside each
peer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from freehold.agents.private_files import write_private
from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.errors import Invalid, Unavailable
from freehold.node.runtime import read_network

if TYPE_CHECKING:
    from freehold.ledger.fabric.client import FabricLedger
    from freehold.ledger.fabric.readiness import Access

FABRIC: Final = "fabric.json"
FILE: Final = "fabric.sqlite"
_LARGEST: Final = 65_536
_Addresses = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=64)]


class Reached(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file; paths are relative to its folder."""

    authorities: dict[str, str]
    """By the name of each organisation the certificate that signs those of its peers."""
    certificate: str
    chaincode: str
    channel: str
    gateway: str
    """host:port of the organisation's peer."""
    key: str
    msp: str
    orderers: _Addresses
    orderers_tls_ca: str
    peers: _Addresses
    tls_ca: str
    """The certificate that signs the TLS certificates of the organisation's peers."""


_REACHED: Final = msgspec.json.Decoder(Reached)


def is_organisation(folder: Path) -> bool:
    """Whether the network in a folder is on Fabric, and the folder is that of one of its organisations."""
    return (folder / FABRIC).exists()


def write_access(folder: Path, access: Access) -> None:
    """Says in an organisation's folder how its peer is reached."""

    def near(path: Path) -> str:
        return os.path.relpath(path, folder)

    reached = Reached(
        authorities={name: near(path) for name, path in access.authorities.items()},
        certificate=near(access.certificate),
        chaincode=access.chaincode,
        channel=access.channel,
        gateway=access.gateway,
        key=near(access.key),
        msp=access.msp,
        orderers=access.orderers,
        orderers_tls_ca=near(access.orderers_tls_ca),
        peers=access.peers,
        tls_ca=near(access.tls_ca),
    )
    write_private(folder / FABRIC, msgspec.json.format(msgspec.json.encode(reached), indent=1) + b"\n")


def read_access(folder: Path) -> Access:
    """How the peer of an organisation is reached; Invalid if the file does not say."""
    from freehold.ledger.fabric.readiness import Access

    try:
        with (folder / FABRIC).open("rb") as file:
            reached = _REACHED.decode(file.read(_LARGEST))
    except OSError as error:
        raise Unavailable(f"{folder / FABRIC} cannot be read: {error.strerror}", retry=False) from None
    except msgspec.MsgspecError as error:
        raise Invalid(f"{folder / FABRIC} is not usable: {error}", next="see docs/fabric.md") from None
    return Access(
        gateway=reached.gateway,
        tls_ca=folder / reached.tls_ca,
        msp=reached.msp,
        certificate=folder / reached.certificate,
        key=folder / reached.key,
        channel=reached.channel,
        chaincode=reached.chaincode,
        peers=reached.peers,
        orderers=reached.orderers,
        orderers_tls_ca=folder / reached.orderers_tls_ca,
        authorities={name: folder / path for name, path in reached.authorities.items()},
    )


def open_organisation(folder: Path) -> FabricLedger:
    """The ledger behind the peer of the organisation whose folder this is; Unavailable if the peer does not answer."""
    require_grpc()
    from freehold.ledger.fabric.client import FabricLedger

    record, access = read_network(folder), read_access(folder)
    named = record.channel
    if named is None or (named.name, named.chaincode) != (access.channel, access.chaincode):
        raise Invalid(f"the network record in {folder} names another channel than {FABRIC}")
    try:
        opened = access.opened()
    except OSError as error:
        raise Unavailable(f"{error.filename} cannot be read: {error.strerror}", retry=False) from None
    return FabricLedger.open(opened, folder / FILE, Contract(record), system_clock)


def require_grpc() -> None:
    """Unavailable unless what speaks to Fabric is installed."""
    try:
        import grpc  # noqa: F401
    except ImportError:
        raise Unavailable(
            "gRPC is not installed", next="install freehold with its extra, as freehold[fabric]", retry=False
        ) from None
