"""Whose endorsements count: those that the network record names, and where it names none those that a node is given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from freehold.errors import Invalid
from freehold.ledger.fabric.endorsements import Endorsers, endorsers_of
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.transactions import Endorsement
from freehold.protocol.identifiers import AuthorityRole, ChaincodeName, ChannelName, Digest, MspName
from freehold.protocol.network import Authority, Channel
from tests.engines.notebook import NETWORK
from tests.fabric.channel import PLACE
from tests.fabric.organisations import Organisation, authorities, organisations
from tests.market import Market

ANSWER = b"what the chaincode came to"
CHANNEL = Channel(name=ChannelName(PLACE.channel), chaincode=ChaincodeName(PLACE.chaincode))


def endorsed(*by: Identity) -> tuple[Endorsement, ...]:
    return tuple(Endorsement(endorser=each.creator, signature=each.sign(ANSWER + each.creator)) for each in by)


def named(some: Sequence[Organisation], role: str = "peer") -> list[Authority]:
    digests = [load_pem_x509_certificate(each.pem).public_bytes(Encoding.DER) for each in some]
    return [
        Authority(msp=MspName(each.name), role=AuthorityRole(role), root=Digest(hashlib.sha256(digest).hexdigest()))
        for each, digest in zip(some, digests, strict=True)
    ]


def record(some: Sequence[Organisation]) -> bytes:
    listed = [*named(some), *named(some[:1], "orderer")]
    return Market(seed="endorsements", authorities=listed, channel=CHANNEL).network.encode()


def test_where_the_record_names_nobody_those_count_that_the_node_is_given() -> None:
    first, second = organisations()
    endorsers = endorsers_of(NETWORK.encode(), PLACE, authorities())

    endorsers.check(ANSWER, endorsed(first.identity(), second.identity()))
    with pytest.raises(Invalid, match="endorsed by Org1MSP, where 2 of Org1MSP, Org2MSP have to"):
        endorsers.check(ANSWER, endorsed(first.identity(), first.identity()))


def test_whoever_the_record_names_counts_and_nobody_else_that_a_node_is_given() -> None:
    first, second = organisations()
    third = Organisation("Org3MSP")
    certificates = {**authorities(), third.name: third.pem}
    endorsers = endorsers_of(record([first, second]), PLACE, certificates)

    endorsers.check(ANSWER, endorsed(third.identity(), first.identity(), second.identity()))
    with pytest.raises(Invalid, match="endorsed by Org1MSP"):
        endorsers.check(ANSWER, endorsed(first.identity(), third.identity()))


def test_of_three_organisations_two_are_enough() -> None:
    three = [*organisations(), Organisation("Org3MSP")]
    endorsers = Endorsers({each.name: each.pem for each in three})

    endorsers.check(ANSWER, endorsed(three[0].identity(), three[2].identity()))
    with pytest.raises(Invalid, match="2 of"):
        endorsers.check(ANSWER, endorsed(three[2].identity()))


def test_another_authority_of_the_same_name_is_not_the_one_that_the_record_names() -> None:
    first, second = organisations()
    impostor = Organisation(second.name)

    with pytest.raises(Invalid, match="Org2MSP"):
        endorsers_of(record([first, second]), PLACE, {first.name: first.pem, second.name: impostor.pem})
    both = endorsers_of(record([first, second]), PLACE, {**authorities(), second.name: second.pem + impostor.pem})
    with pytest.raises(Invalid, match="endorsed by Org1MSP"):
        both.check(ANSWER, endorsed(first.identity(), impostor.identity()))


def test_a_node_opens_no_other_channel_or_chaincode_than_the_record_names() -> None:
    for place in (replace(PLACE, channel="other"), replace(PLACE, chaincode="other")):
        with pytest.raises(Invalid, match="not on"):
            endorsers_of(record(organisations()), place, authorities())


@pytest.mark.parametrize("given", [{}, {"Org1MSP": b""}, {"Org1MSP": b"-----BEGIN CERTIFICATE-----\n"}])
def test_without_certificates_nothing_is_believed(given: dict[str, bytes]) -> None:
    with pytest.raises(Invalid):
        Endorsers(given)
    with pytest.raises(Invalid):
        endorsers_of(record(organisations()), PLACE, given)
