"""A market on a development network of Fabric: two organisations on this machine, without Docker.

network.json                         the network record, for the chaincodes
fabric/                              the network's keys, settings, logs and data
organisation-1/, organisation-2/     what each would have of its own: `node.organisation`

All keys lie in one folder and were made by one program, so this is nobody's consortium.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from msgspec.structs import replace

from freehold.agents.private_files import private_folder, write_private
from freehold.errors import Invalid, Unavailable
from freehold.node.organisation import is_organisation, require_grpc, write_access
from freehold.node.runtime import RECORD, read_network
from freehold.protocol.identifiers import AuthorityRole, ChaincodeName, ChannelName, Digest, MspName
from freehold.protocol.network import Authority, Channel, NetworkRecord

if TYPE_CHECKING:
    from freehold.ledger.fabric.chaincode import Program
    from freehold.ledger.fabric.layout import Files, Layout, Ordering
    from freehold.ledger.fabric.network import Development

FABRIC: Final = "fabric"
ORGANISATIONS: Final = 2


def organisation_folder(folder: Path, number: int) -> Path:
    """Where the organisation with this number, from 1, has its files."""
    return folder / f"organisation-{number}"


def found_on_fabric(folder: Path, record: NetworkRecord, ordering: Ordering) -> NetworkRecord:
    """Makes a network of Fabric for a market, starts it once, and stops it; the record with what names it.

    Invalid if the folder holds a network already. An interrupted attempt begins again.
    """
    from freehold.ledger.fabric.layout import CHAINCODE, CHANNEL

    if is_development(folder):
        raise Invalid(f"{folder} holds a network already.", next="give another folder", now="nothing was written")
    private_folder(folder)
    found: list[NetworkRecord] = []

    def chaincode(place: Path) -> list[str]:
        # Keys exist by now, and the rules are about to start: the record can be written, and has to be.
        if not found:
            channel = Channel(chaincode=ChaincodeName(CHAINCODE), name=ChannelName(CHANNEL))
            named = tuple(sorted(authorities(network.files, network.layout)))
            found.append(NetworkRecord.parse(replace(record, authorities=named, channel=channel).encode()))
            (folder / RECORD).write_bytes(found[0].encode())
        return _program(folder, place)

    network = _development(folder, ordering, chaincode)
    with network:
        for number, access in enumerate(network.accesses, start=1):
            own = organisation_folder(folder, number)
            private_folder(own)
            write_private(own / RECORD, found[0].encode())
            # Last: a folder that has it is complete.
            write_access(own, access)
    return found[0]


def is_development(folder: Path) -> bool:
    """Whether a market on a development network was founded in a folder."""
    return is_organisation(organisation_folder(folder, ORGANISATIONS))


@contextmanager
def developing(folder: Path) -> Iterator[Development]:
    """The network in a folder, running while the block runs."""
    from freehold.ledger.fabric.layout import Files

    layout = Files((folder / FABRIC).absolute()).read()
    if layout is None or not is_development(folder):
        raise Unavailable(
            f"there is no development network in {folder}",
            next="freehold network create DIR --fabric raft",
            retry=False,
        )
    read_network(folder)
    with _development(folder, layout.ordering, lambda place: _program(folder, place)) as network:
        yield network


def authorities(files: Files, layout: Layout) -> list[Authority]:
    """Whom a market on this network believes."""
    from freehold.ledger.fabric.layout import ORDERER_DOMAIN, ORDERER_MSP, msp

    numbers = range(1, ORGANISATIONS + 1)
    peers = [_named(msp(number), "peer", files.ca(number).read_bytes()) for number in numbers]
    if layout.ordering == "raft":
        (ca,) = (files.orderers() / "msp" / "cacerts").iterdir()
        return [*peers, _named(ORDERER_MSP, "orderer", ca.read_bytes())]
    signed = [files.orderer(each) / "msp" / "signcerts" for each in layout.orderers]
    own = [
        folder / f"{each.name}.{ORDERER_DOMAIN}-cert.pem" for folder, each in zip(signed, layout.orderers, strict=True)
    ]
    return [*peers, *(_named(ORDERER_MSP, "consenter", each.read_bytes()) for each in own)]


def _named(organisation: str, role: str, pem: bytes) -> Authority:
    der = load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    return Authority(msp=MspName(organisation), role=AuthorityRole(role), root=Digest(hashlib.sha256(der).hexdigest()))


def _development(folder: Path, ordering: Ordering, chaincode: Program) -> Development:
    require_grpc()
    from freehold.ledger.fabric.network import Development
    from freehold.ledger.fabric.programs import programs_from_environment

    return Development(programs_from_environment(), folder / FABRIC, ordering=ordering, chaincode=chaincode)


def _program(folder: Path, place: Path) -> list[str]:
    from freehold.node.chaincode import program

    return list(program(folder.absolute())(place))
