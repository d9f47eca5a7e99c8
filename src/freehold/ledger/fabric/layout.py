"""Who takes part in a network of Fabric on this machine, and where the keys and files of each lie.

    <folder>/layout.json        this, for the next start; written once the network is whole
    <folder>/crypto/            keys and certificates, as `cryptogen` makes them: for development only
    <folder>/channel.block      the channel's first block
    <folder>/builder/           how a peer takes our kind of chaincode
    <folder>/nodes/<name>/      settings, log and data of each process

Two organisations, each with its peers and, beside every peer, a chaincode; and one organisation of orderers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from freehold.errors import Invalid

Ordering: TypeAlias = Literal["raft", "bft"]

ORDERERS: Final = {"raft": 3, "bft": 4}
ORGANISATIONS: Final = (1, 2)
CHANNEL: Final = "freehold"
CHAINCODE: Final = "market"
LABEL: Final = "market_1"
ORDERER_MSP: Final = "OrdererMSP"
ORDERER_DOMAIN: Final = "orderer.freehold"
HOST: Final = "127.0.0.1"
_LAYOUT: Final = "layout.json"
_LARGEST: Final = 65_536


class Orderer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of those who order."""

    number: int
    port: int
    admin_port: int

    @property
    def name(self) -> str:
        """Of its process."""
        return f"orderer{self.number}"

    @property
    def address(self) -> str:
        """host:port"""
        return f"{HOST}:{self.port}"


class Peer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One peer of an organisation, with its chaincode."""

    organisation: int
    number: int
    port: int
    chaincode_port: int

    @property
    def name(self) -> str:
        """Of its process."""
        return f"org{self.organisation}.peer{self.number}"

    @property
    def chaincode_name(self) -> str:
        """Of its chaincode's process."""
        return f"org{self.organisation}.chaincode{self.number}"

    @property
    def address(self) -> str:
        """host:port; the gateway listens there too."""
        return f"{HOST}:{self.port}"

    @property
    def chaincode_address(self) -> str:
        """host:port of its chaincode."""
        return f"{HOST}:{self.chaincode_port}"


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes part."""

    line: str
    ordering: Ordering
    pause: int
    """Milliseconds for which the orderers gather transactions into a block."""
    orderers: tuple[Orderer, ...]
    peers: tuple[Peer, ...]

    def of(self, organisation: int) -> tuple[Peer, ...]:
        """The peers of an organisation."""
        return tuple(peer for peer in self.peers if peer.organisation == organisation)


@dataclass(frozen=True, slots=True)
class Files:
    """Where everything of a network lies."""

    folder: Path

    @property
    def crypto(self) -> Path:
        """All keys."""
        return self.folder / "crypto"

    @property
    def block(self) -> Path:
        """The channel's first block."""
        return self.folder / "channel.block"

    @property
    def builder(self) -> Path:
        """The external builder."""
        return self.folder / "builder"

    @property
    def nodes(self) -> Path:
        """The folders of all processes."""
        return self.folder / "nodes"

    def node(self, name: str) -> Path:
        """The folder of a process."""
        return self.nodes / name

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.node(name) / "log"

    def orderers(self) -> Path:
        """The keys of the orderers' organisation."""
        return self.crypto / "ordererOrganizations" / ORDERER_DOMAIN

    def orderer(self, orderer: Orderer) -> Path:
        """The keys of an orderer: `msp` and `tls`."""
        return self.orderers() / "orderers" / f"{orderer.name}.{ORDERER_DOMAIN}"

    def orderers_tls_ca(self) -> Path:
        """The certificate that signs the orderers' TLS certificates."""
        return self.orderers() / "tlsca" / f"tlsca.{ORDERER_DOMAIN}-cert.pem"

    def organisation(self, number: int) -> Path:
        """The keys of an organisation."""
        return self.crypto / "peerOrganizations" / domain(number)

    def peer(self, peer: Peer) -> Path:
        """The keys of a peer: `msp` and `tls`."""
        organisation = self.organisation(peer.organisation)
        return organisation / "peers" / f"peer{peer.number}.{domain(peer.organisation)}"

    def user(self, organisation: int, name: str) -> Path:
        """The keys of a user of an organisation: `msp` and `tls`."""
        return self.organisation(organisation) / "users" / f"{name}@{domain(organisation)}"

    def ca(self, organisation: int) -> Path:
        """The certificate that signs an organisation's certificates."""
        return self.organisation(organisation) / "ca" / f"ca.{domain(organisation)}-cert.pem"

    def tls_ca(self, organisation: int) -> Path:
        """The certificate that signs an organisation's TLS certificates."""
        return self.organisation(organisation) / "tlsca" / f"tlsca.{domain(organisation)}-cert.pem"

    def read(self) -> Layout | None:
        """Who takes part in the network that was made here; None if there is none."""
        path = self.folder / _LAYOUT
        if not path.exists():
            return None
        try:
            with path.open("rb") as file:
                return msgspec.json.decode(file.read(_LARGEST), type=Layout)
        except (OSError, msgspec.MsgspecError) as error:
            raise Invalid(f"{path} cannot be read: {error}", next="remove the folder and start again") from None

    def write(self, layout: Layout) -> None:
        """Says that the network is whole."""
        (self.folder / _LAYOUT).write_bytes(msgspec.json.encode(layout))


def domain(organisation: int) -> str:
    """The name of an organisation in its certificates."""
    return f"org{organisation}.freehold"


def msp(organisation: int) -> str:
    """The name of an organisation on the channel."""
    return f"Org{organisation}MSP"
