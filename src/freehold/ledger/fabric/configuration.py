"""Settings of our own for every program of Fabric, and the packages by which a peer knows its chaincode.

Fabric reads YAML, and JSON is YAML: so settings are plain data here, and no name or path can be mistaken for anything
else. What is not said is left to Fabric's defaults, as far as it has any.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import Any, Final

import msgspec

from freehold.ledger.fabric.layout import (
    HOST,
    LABEL,
    ORDERER_MSP,
    Files,
    Layout,
    Orderer,
    Peer,
    msp,
)

MESSAGE_LARGEST: Final = 32 * 2**20
"""Bytes of one message to a peer or orderer; blocks have ten million at most."""
_LIMIT: Final = 20_000
"""Calls at the same time: a gateway that is left at its 500 refuses under load."""
_BCCSP: Final = {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}}
_ANYWHERE: Final = f"{HOST}:0"
"""A door that nobody here needs and that Fabric opens anyway."""

WHERE: Final = "FREEHOLD_CHAINCODE"
"""In a peer's environment: where its chaincode listens."""
_ADDRESS: Final = "@address@"

DETECT: Final = '#!/bin/sh\ngrep -q \'"type"[^"]*"ccaas"\' "$2/metadata.json"\n'
BUILD: Final = '#!/bin/sh\ncp "$1/connection.json" "$3/connection.json"\n'
RELEASE: Final = f"""#!/bin/sh
server="$2/chaincode/server"
mkdir -p "$server" && sed "s|{_ADDRESS}|${WHERE}|" "$1/connection.json" > "$server/connection.json"
"""
"""The external builder: nothing is built, since the chaincode runs already. An organisation has one package for all its
peers, and each of them has a chaincode of its own: so the address is filled in here."""


def written(content: object) -> bytes:
    """Settings as a file."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2)


def orderer_yaml(orderer: Orderer, files: Files) -> dict[str, Any]:
    """Settings of an orderer."""
    keys, data = files.orderer(orderer), files.node(orderer.name) / "data"
    tls = {
        "Enabled": True,
        "PrivateKey": str(keys / "tls" / "server.key"),
        "Certificate": str(keys / "tls" / "server.crt"),
    }
    return {
        "General": {
            "ListenAddress": HOST,
            "ListenPort": orderer.port,
            "TLS": tls | {"RootCAs": [str(keys / "tls" / "ca.crt")]},
            "BootstrapMethod": "none",
            "LocalMSPDir": str(keys / "msp"),
            "LocalMSPID": ORDERER_MSP,
            "BCCSP": _BCCSP,
            "MaxRecvMsgSize": MESSAGE_LARGEST,
            "MaxSendMsgSize": MESSAGE_LARGEST,
            "Authentication": {"TimeWindow": "15m"},
        },
        "FileLedger": {"Location": str(data)},
        "Operations": {"ListenAddress": _ANYWHERE},
        "Metrics": {"Provider": "disabled"},
        "Admin": {
            "ListenAddress": f"{HOST}:{orderer.admin_port}",
            "TLS": tls | {"ClientAuthRequired": True, "ClientRootCAs": [str(keys / "tls" / "ca.crt")]},
        },
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "1 MB"},
        "Consensus": {"WALDir": str(data / "wal"), "SnapDir": str(data / "snapshots")},
    }


def core_yaml(peer: Peer, layout: Layout, files: Files) -> dict[str, Any]:
    """Settings of a peer."""
    keys, data = files.peer(peer), files.node(peer.name) / "data"
    settings = client_yaml(peer, files)
    settings["peer"] |= {
        "id": peer.name,
        "listenAddress": peer.address,
        "chaincodeListenAddress": _ANYWHERE,
        "gateway": {"enabled": True, "endorsementTimeout": "30s", "broadcastTimeout": "30s", "dialTimeout": "10s"},
        "gossip": _gossip(peer, layout),
        "authentication": {"timewindow": "15m"},
        "fileSystemPath": str(data),
        "mspConfigPath": str(keys / "msp"),
        "deliveryclient": {
            "blockGossipEnabled": False,
            "reconnectTotalTimeThreshold": "3600s",
            "connTimeout": "3s",
            "reConnectBackoffThreshold": "2s",
            "blockCensorshipTimeoutKey": "30s",
            "minimalReconnectInterval": "100ms",
            "policy": "cluster",
        },
        "handlers": {
            "authFilters": [{"name": "DefaultAuth"}, {"name": "ExpirationCheck"}]
            + ([{"name": "TimeWindowCheck"}] if layout.line != "2.5" else []),
            "decorators": [{"name": "DefaultDecorator"}],
            "endorsers": {"escc": {"name": "DefaultEndorsement"}},
            "validators": {"vscc": {"name": "DefaultValidation"}},
        },
        "discovery": {"enabled": True, "authCacheEnabled": True, "authCacheMaxSize": 1_000},
        "limits": {
            "concurrency": {"endorserService": _LIMIT, "deliverService": _LIMIT, "gatewayService": _LIMIT},
        },
        "maxRecvMsgSize": MESSAGE_LARGEST,
        "maxSendMsgSize": MESSAGE_LARGEST,
    }
    return settings | {
        # No Docker.
        "vm": {"endpoint": ""},
        "chaincode": {
            "externalBuilders": [
                {"name": "freehold", "path": str(files.builder), "propagateEnvironment": [WHERE]},
            ],
            "installTimeout": "60s",
            "startuptimeout": "60s",
            "executetimeout": "30s",
            "mode": "net",
            "system": dict.fromkeys(("_lifecycle", "cscc", "lscc", "qscc"), "enable"),
            "logging": {"level": "info", "shim": "warning"},
            "runtimeParams": {"useWriteBatch": True, "useGetMultipleKeys": True},
        },
        "ledger": {
            "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100_000},
            "history": {"enableHistoryDatabase": False},
            "snapshots": {"rootDir": str(data / "snapshots")},
        },
        "operations": {"listenAddress": _ANYWHERE},
        "metrics": {"provider": "disabled"},
    }


def client_yaml(peer: Peer, files: Files) -> dict[str, Any]:
    """Settings of the commands by which an organisation's administrator speaks to a peer."""
    tls = files.peer(peer) / "tls"
    return {
        "peer": {
            "address": peer.address,
            "networkId": "freehold",
            "localMspId": msp(peer.organisation),
            "localMspType": "bccsp",
            "mspConfigPath": str(files.user(peer.organisation, "Admin") / "msp"),
            "BCCSP": _BCCSP,
            "client": {"connTimeout": "3s"},
            "tls": {
                "enabled": True,
                "clientAuthRequired": False,
                "cert": {"file": str(tls / "server.crt")},
                "key": {"file": str(tls / "server.key")},
                "rootcert": {"file": str(files.tls_ca(peer.organisation))},
            },
        }
    }


def package(peer: Peer, files: Files) -> bytes:
    """The chaincode's package for a peer and the others of its organisation: how it is to be dialled.

    The same content gives the same bytes, and so the same name: `package_id`. An organisation approves one, so its
    peers have to have the same.
    """
    client = files.user(peer.organisation, "Admin") / "tls"
    connection = {
        "address": _ADDRESS,
        "dial_timeout": "10s",
        "tls_required": True,
        "root_cert": files.tls_ca(peer.organisation).read_text(),
        "client_auth_required": True,
        "client_cert": (client / "client.crt").read_text(),
        "client_key": (client / "client.key").read_text(),
    }
    code = _archive({"connection.json": msgspec.json.encode(connection)})
    metadata = msgspec.json.encode({"type": "ccaas", "label": LABEL})
    return _archive({"metadata.json": metadata, "code.tar.gz": code})


def package_id(content: bytes) -> str:
    """The name under which a peer knows an installed package."""
    return f"{LABEL}:{hashlib.sha256(content).hexdigest()}"


def _archive(parts: dict[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def _gossip(peer: Peer, layout: Layout) -> dict[str, Any]:
    """Peers find each other by gossip, and a gateway needs both before anything is endorsed: shorter than usual."""
    return {
        "bootstrap": " ".join(each.address for each in layout.of(peer.organisation)),
        "externalEndpoint": peer.address,
        "endpoint": peer.address,
        "useLeaderElection": False,
        "orgLeader": True,
        "membershipTrackerInterval": "2s",
        "requestStateInfoInterval": "1s",
        "publishStateInfoInterval": "1s",
        "aliveTimeInterval": "1s",
        "aliveExpirationTimeout": "10s",
        "reconnectInterval": "2s",
        "pullInterval": "1s",
        "publishCertPeriod": "10s",
        "state": {"enabled": False},
        "pvtData": {
            "implicitCollectionDisseminationPolicy": {"requiredPeerCount": 0, "maxPeerCount": 1},
            "transientstoreMaxBlockRetention": 1_000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "1m",
            "reconciliationEnabled": True,
            "pullRetryThreshold": "10s",
        },
    }
