"""What is written down about a network before any program of Fabric runs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Invalid
from freehold.ledger.fabric import channel, configuration
from freehold.ledger.fabric.layout import Files
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.processes import free_ports
from freehold.ledger.fabric.programs import Programs
from tests.engines.chaincode import program

V2_5 = Programs(folder=Path("/nowhere"), line="2.5")
V3_1 = Programs(folder=Path("/nowhere"), line="3.1")


def network(folder: Path, programs: Programs = V3_1, ordering: str = "raft") -> Development:
    return Development(programs, folder, ordering=ordering, chaincode=program)  # type: ignore[arg-type]


def test_who_takes_part_is_found_again_at_the_next_start(tmp_path: Path) -> None:
    made = network(tmp_path, ordering="bft")
    assert made.names == (
        *("orderer0", "orderer1", "orderer2", "orderer3"),
        *("org1.peer0", "org1.chaincode0", "org2.peer0", "org2.chaincode0"),
    )
    ports = [port for each in made.layout.orderers for port in (each.port, each.admin_port)]
    ports += [port for each in made.layout.peers for port in (each.port, each.chaincode_port)]
    assert len(set(ports)) == 12

    made.files.write(made.layout)
    assert network(tmp_path, ordering="bft").layout == made.layout
    for programs, ordering in ((V3_1, "raft"), (V2_5, "raft")):
        with pytest.raises(Invalid, match="another kind"):
            network(tmp_path, programs, ordering)


def test_what_makes_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Byzantine"):
        network(tmp_path, V2_5, "bft")
    with pytest.raises(Invalid, match="peers"):
        Development(V3_1, tmp_path, ordering="raft", chaincode=program, peers_per_organisation=9)
    (tmp_path / "layout.json").write_text("{}")
    with pytest.raises(Invalid, match=r"layout\.json"):
        network(tmp_path)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "crypto").mkdir()
    (tmp_path / "crypto" / "wallet").write_text("precious")

    with pytest.raises(Invalid, match="something else"):
        network(tmp_path).start()
    assert [each.name for each in tmp_path.rglob("*")] == ["crypto", "wallet"]


def test_ports_are_free_distinct_and_not_those_that_the_system_hands_out() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) < 32_768


def test_both_organisations_have_to_endorse_and_a_majority_of_them_to_change_that(tmp_path: Path) -> None:
    made = network(tmp_path)
    made_channel = channel.configtx(made.layout, made.files)["Profiles"][channel.PROFILE]
    policies = made_channel["Application"]["Policies"]
    assert len(made_channel["Application"]["Organizations"]) == 2
    for name in ("Endorsement", "LifecycleEndorsement"):
        assert policies[name] == {"Type": "ImplicitMeta", "Rule": "MAJORITY Endorsement"}


@pytest.mark.parametrize(("ordering", "kind", "capability"), [("raft", "etcdraft", "V2_0"), ("bft", "BFT", "V3_0")])
def test_the_orderers_are_of_the_kind_that_was_asked_for(
    ordering: str, kind: str, capability: str, tmp_path: Path
) -> None:
    made = network(tmp_path, ordering=ordering)
    made_channel = channel.configtx(made.layout, made.files)["Profiles"][channel.PROFILE]
    assert (made_channel["Orderer"]["OrdererType"], made_channel["Capabilities"]) == (kind, {capability: True})
    assert made_channel["Orderer"]["BatchTimeout"] == "100ms"


def test_only_a_peer_of_v3_checks_the_window_of_a_proposals_time(tmp_path: Path) -> None:
    filters = {}
    for programs in (V2_5, V3_1):
        made = network(tmp_path, programs)
        settings = configuration.core_yaml(made.layout.peers[0], made.layout, made.files)
        filters[programs.line] = [each["name"] for each in settings["peer"]["handlers"]["authFilters"]]
        assert settings["vm"] == {"endpoint": ""}
    assert filters == {
        "2.5": ["DefaultAuth", "ExpirationCheck"],
        "3.1": ["DefaultAuth", "ExpirationCheck", "TimeWindowCheck"],
    }


def test_a_package_says_how_the_chaincode_is_dialled_and_is_known_by_its_content(tmp_path: Path) -> None:
    made = network(tmp_path)
    peer = made.layout.peers[0]
    for path in (
        made.files.tls_ca(1),
        made.files.user(1, "Admin") / "tls" / "client.crt",
        made.files.user(1, "Admin") / "tls" / "client.key",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)

    content = configuration.package(peer, made.files)
    with tarfile.open(fileobj=io.BytesIO(content)) as outer:
        metadata, code = (outer.extractfile(name) for name in ("metadata.json", "code.tar.gz"))
        assert metadata is not None
        assert code is not None
        assert json.load(metadata) == {"type": "ccaas", "label": "market_1"}
        with tarfile.open(fileobj=code) as inner:
            connection = inner.extractfile("connection.json")
            assert connection is not None
            said = json.load(connection)
    assert (said["client_auth_required"], said["tls_required"], said["client_key"]) == (True, True, "client.key")

    assert configuration.package(peer, made.files) == content
    (made.files.user(1, "Admin") / "tls" / "client.crt").write_text("renewed")
    assert configuration.package_id(configuration.package(peer, made.files)) != configuration.package_id(content)


def test_the_external_builder_takes_our_kind_of_chaincode_and_no_other(tmp_path: Path) -> None:
    source, metadata, output = (tmp_path / name for name in ("source", "metadata", "output"))
    for folder in (source, metadata, output):
        folder.mkdir()
    (source / "connection.json").write_text('{"address":"@address@"}')

    def script(content: str, *arguments: Path) -> int:
        path = tmp_path / "script"
        path.write_text(content)
        path.chmod(0o755)
        environment = {"PATH": os.defpath, configuration.WHERE: "127.0.0.1:9"}
        return subprocess.run([path, *arguments], env=environment, check=False).returncode

    (metadata / "metadata.json").write_text('{"type":"golang","label":"ccaas"}')
    assert script(configuration.DETECT, source, metadata) != 0
    (metadata / "metadata.json").write_text('{"type":"ccaas","label":"market_1"}')
    assert script(configuration.DETECT, source, metadata) == 0
    assert script(configuration.BUILD, source, metadata, output) == 0
    assert script(configuration.RELEASE, output, tmp_path / "released") == 0
    released = tmp_path / "released" / "chaincode" / "server" / "connection.json"
    assert json.loads(released.read_text()) == {"address": "127.0.0.1:9"}


def test_files_of_a_network_lie_in_its_folder(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for path in (files.crypto, files.block, files.builder, files.log("orderer0"), files.tls_ca(1), files.user(2, "A")):
        assert path.is_relative_to(tmp_path)
