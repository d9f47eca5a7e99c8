"""The channel's constitution: who takes part, who orders, and that both organisations have to endorse.

It stands in the channel's first block, in the words of `configtxgen`; everybody's keys come from `cryptogen`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from freehold.ledger.fabric.layout import (
    HOST,
    ORDERER_DOMAIN,
    ORDERER_MSP,
    ORGANISATIONS,
    Files,
    Layout,
    Orderer,
    domain,
    msp,
)

PROFILE: Final = "Freehold"


def crypto_config(layout: Layout) -> dict[str, Any]:
    """What `cryptogen` makes."""
    orderers = [{"Hostname": each.name, "SANS": [HOST]} for each in layout.orderers]
    return {
        "OrdererOrgs": [{"Name": "Orderer", "Domain": ORDERER_DOMAIN, "EnableNodeOUs": True, "Specs": orderers}],
        "PeerOrgs": [
            {
                "Name": f"Org{number}",
                "Domain": domain(number),
                "EnableNodeOUs": True,
                "Template": {"Count": len(layout.of(number)), "SANS": [HOST]},
                "Users": {"Count": 1},
            }
            for number in ORGANISATIONS
        ],
    }


def configtx(layout: Layout, files: Files) -> dict[str, Any]:
    """The channel: who takes part, who orders, and that a majority of both organisations has to endorse."""
    orderers = _organisation(ORDERER_MSP, files.orderers() / "msp")
    orderers["OrdererEndpoints"] = [each.address for each in layout.orderers]
    members = []
    for number in ORGANISATIONS:
        member = _organisation(msp(number), files.organisation(number) / "msp")
        member["AnchorPeers"] = [{"Host": HOST, "Port": layout.of(number)[0].port}]
        members.append(member)
    endorsing = {name: _implicit("MAJORITY Endorsement") for name in ("Endorsement", "LifecycleEndorsement")}
    channel = {
        "Policies": _policies(),
        "Capabilities": {"V3_0" if layout.ordering == "bft" else "V2_0": True},
        "Orderer": _orderer_group(layout, files, orderers),
        "Application": {
            "Organizations": members,
            "Policies": _policies() | endorsing,
            "Capabilities": {"V2_5": True},
        },
    }
    return {"Profiles": {PROFILE: channel}}


def _organisation(name: str, folder: Path) -> dict[str, Any]:
    rules = {"Readers": "member", "Writers": "member", "Admins": "admin", "Endorsement": "peer"}
    return {
        "Name": name,
        "ID": name,
        "MSPDir": str(folder),
        "Policies": {policy: {"Type": "Signature", "Rule": f"OR('{name}.{role}')"} for policy, role in rules.items()},
    }


def _policies() -> dict[str, Any]:
    rules = {"Readers": "ANY Readers", "Writers": "ANY Writers", "Admins": "MAJORITY Admins"}
    return {policy: _implicit(rule) for policy, rule in rules.items()}


def _implicit(rule: str) -> dict[str, str]:
    return {"Type": "ImplicitMeta", "Rule": rule}


def _orderer_group(layout: Layout, files: Files, organisation: dict[str, Any]) -> dict[str, Any]:
    consenters = []
    for each in layout.orderers:
        certificate = str(files.orderer(each) / "tls" / "server.crt")
        consenters.append({"Host": HOST, "Port": each.port, "ClientTLSCert": certificate, "ServerTLSCert": certificate})
    group: dict[str, Any] = {
        "Addresses": [],
        "BatchTimeout": f"{layout.pause}ms",
        "BatchSize": {"MaxMessageCount": 500, "AbsoluteMaxBytes": "10 MB", "PreferredMaxBytes": "2 MB"},
        "Organizations": [organisation],
        "Policies": _policies() | {"BlockValidation": _implicit("ANY Writers")},
        "Capabilities": {"V2_0": True},
    }
    if layout.ordering == "raft":
        options = {
            "TickInterval": "200ms",
            "ElectionTick": 10,
            "HeartbeatTick": 1,
            "MaxInflightBlocks": 5,
            "SnapshotIntervalSize": "16 MB",
        }
        return group | {"OrdererType": "etcdraft", "EtcdRaft": {"Consenters": consenters, "Options": options}}
    mapping = []
    for orderer, consenter in zip(layout.orderers, consenters, strict=True):
        signs = files.orderer(orderer) / "msp" / "signcerts" / f"{orderer.name}.{ORDERER_DOMAIN}-cert.pem"
        mapping.append(consenter | {"ID": orderer.number + 1, "MSPID": ORDERER_MSP, "Identity": str(signs)})
    return group | {"OrdererType": "BFT", "SmartBFT": _smart_bft(layout.pause), "ConsenterMapping": mapping}


def _consenter(orderer: Orderer, files: Files) -> dict[str, Any]:
    certificate = str(files.orderer(orderer) / "tls" / "server.crt")
    return {"Host": HOST, "Port": orderer.port, "ClientTLSCert": certificate, "ServerTLSCert": certificate}


def _smart_bft(pause: int) -> dict[str, Any]:
    return {
        "RequestBatchMaxCount": 500,
        "RequestBatchMaxInterval": f"{pause}ms",
        "RequestForwardTimeout": "2s",
        "RequestComplainTimeout": "6s",
        "RequestAutoRemoveTimeout": "3m0s",
        "ViewChangeResendInterval": "2s",
        "ViewChangeTimeout": "10s",
        "LeaderHeartbeatTimeout": "10s",
        "LeaderHeartbeatCount": 10,
        "CollectTimeout": "1s",
        "RequestBatchMaxBytes": 10_485_760,
        "IncomingMessageBufferSize": 200,
        "RequestPoolSize": 100_000,
        "LeaderRotation": 0,
    }
