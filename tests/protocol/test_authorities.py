"""Whom a network record believes about a channel of Fabric."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.errors import Invalid
from freehold.protocol import canonical
from freehold.protocol.limits import AUTHORITIES
from freehold.protocol.network import NetworkRecord, network_id

PLAIN: dict[str, Any] = {
    "grace": 60_000,
    "nonce": "01" * 32,
    "referees": [],
    "skew": 30_000,
    "stores": ["shared"],
    "treasury": "02" * 32,
}
BOTH = [
    {"msp": "OrdererMSP", "role": "orderer", "root": "0a" * 32},
    {"msp": "Org1MSP", "role": "peer", "root": "0b" * 32},
    {"msp": "Org2MSP", "role": "peer", "root": "0c" * 32},
]
CHANNEL = {"chaincode": "market", "name": "freehold"}
OPERATOR = {"address": "a:1", "key": "03" * 32, "node": "04" * 20, "validator": "05" * 32}


def parsed(authorities: list[dict[str, Any]], **more: Any) -> NetworkRecord:
    """The record with these authorities."""
    return NetworkRecord.parse(canonical.encode(PLAIN | {"authorities": authorities, "channel": CHANNEL} | more))


def test_the_network_s_id_stands_for_the_certificates_that_are_believed() -> None:
    record = parsed(BOTH)

    assert record.encode() == canonical.encode(PLAIN | {"authorities": BOTH, "channel": CHANNEL})
    assert [each.msp for each in record.authorities or ()] == ["OrdererMSP", "Org1MSP", "Org2MSP"]
    other = parsed([*BOTH[:2], BOTH[2] | {"root": "0d" * 32}])
    elsewhere = parsed(BOTH, channel=CHANNEL | {"chaincode": "market2"})
    none = NetworkRecord.parse(canonical.encode(PLAIN))
    assert len({network_id(each) for each in (record, other, elsewhere, none)}) == 4
    assert (record.is_sealed, none.is_sealed) == (True, False)


def test_orderers_of_whom_some_may_lie_are_named_one_by_one() -> None:
    consenters = [{"msp": "OrdererMSP", "role": "consenter", "root": f"{number:02x}" * 32} for number in range(4)]

    assert len(parsed([*consenters, *BOTH[1:]]).authorities or ()) == 6


@pytest.mark.parametrize(
    "authorities",
    {
        "nobody": [],
        "nobody who orders": BOTH[1:],
        "nobody who endorses": BOTH[:1],
        "orderers and consenters": [BOTH[0] | {"role": "consenter"}, *BOTH],
        "another order": BOTH[::-1],
        "one twice": [BOTH[0], BOTH[1], BOTH[1], BOTH[2]],
        "one certificate for two organisations": [*BOTH[:2], BOTH[2] | {"root": BOTH[1]["root"]}],
        "another role": [*BOTH, {"msp": "Org3MSP", "role": "admin", "root": "0d" * 32}],
        "no digest": [*BOTH[:2], BOTH[2] | {"root": "0C" * 32}],
        "a name of anything": [*BOTH, BOTH[2] | {"msp": "p p"}],
        "too many": [BOTH[0]]
        + [{"msp": f"Org{number:02}", "role": "peer", "root": f"{number:064x}"} for number in range(AUTHORITIES)],
    }.items(),
    ids=lambda case: case[0],
)
def test_what_does_not_say_who_endorses_and_who_orders_is_no_record(authorities: tuple[str, Any]) -> None:
    with pytest.raises(Invalid):
        parsed(authorities[1])


def test_a_record_names_validators_or_authorities_and_never_both() -> None:
    assert NetworkRecord.parse(canonical.encode(PLAIN | {"operators": [OPERATOR]})).operators
    with pytest.raises(Invalid, match="operators and authorities"):
        parsed(BOTH, operators=[OPERATOR])


@pytest.mark.parametrize(
    "fields",
    [
        {"authorities": BOTH},
        {"channel": CHANNEL},
        {"authorities": BOTH, "channel": CHANNEL | {"name": "Freehold"}},
        {"authorities": BOTH, "channel": CHANNEL | {"name": ""}},
        {"authorities": BOTH, "channel": CHANNEL | {"chaincode": "a.b"}},
        {"authorities": BOTH, "channel": {"name": "freehold"}},
    ],
)
def test_a_record_names_a_channel_and_who_is_believed_about_it_or_neither(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        NetworkRecord.parse(canonical.encode(PLAIN | fields))


def test_an_organisation_may_have_one_authority_for_peers_and_orderers() -> None:
    assert parsed([{"msp": "Org1MSP", "role": role, "root": "0b" * 32} for role in ("orderer", "peer")])
