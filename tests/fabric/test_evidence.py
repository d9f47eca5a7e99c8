"""Evidence from a channel of Fabric: a real network's file verifies offline, and whatever is done to one is found.

`tests/vectors/fabric/evidence.json.xz` was made by a network of Fabric v3.1.5 (`python -m tests.fabric.evidence`): two
organisations, both endorsing, and three orderers of Raft. Nothing of Fabric, and no gRPC, is needed to check it.
"""

from __future__ import annotations

import lzma
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from freehold.agents.auditor.evidence import Evidence, encode, parse, parse_seal
from freehold.agents.auditor.verify import verify
from freehold.contract.host import Contract
from freehold.errors import Invalid
from freehold.ledger.blocks import block_digest
from freehold.ledger.fabric.folding import Folding, Unfolding
from freehold.ledger.fabric.seal import Seal, check_seal, cut
from freehold.ledger.fabric.transactions import read_call
from freehold.ledger.protobuf import bytes_field
from freehold.protocol import canonical
from freehold.protocol.network import NetworkRecord, network_id

VECTOR = Path(__file__).parent.parent / "vectors" / "fabric" / "evidence.json.xz"
FILE = lzma.decompress(VECTOR.read_bytes())
EVIDENCE = parse(FILE)
RECORD = EVIDENCE.recording.network
NETWORK = network_id(RECORD)
EVERYBODY = ("OrdererMSP", "Org1MSP", "Org2MSP")


def sealed() -> Seal:
    """The seal of the file."""
    assert isinstance(EVIDENCE.recording.seal, Seal)
    return EVIDENCE.recording.seal


def rows() -> list[bytes]:
    """Of each of the channel's blocks its envelopes."""
    unfolding = Unfolding(sealed().certificates, 2**30)
    return [unfolding.unfold(each) for each in sealed().blocks]


def with_seal(seal: Seal) -> bytes:
    """The file with another seal."""
    return encode(replace(EVIDENCE, recording=replace(EVIDENCE.recording, seal=seal)))


def changed(**changes: Any) -> bytes:
    """The file with these fields of its seal changed."""
    return with_seal(msgspec.structs.replace(sealed(), **changes))


def with_rows(listed: list[bytes]) -> bytes:
    """The file with other blocks of the channel under the same signature."""
    folding = Folding()
    folded = tuple(map(folding.fold, listed))
    unfolding = Unfolding(sealed().certificates, 2**30)
    for each in sealed().blocks:
        unfolding.unfold(each)
    signatures = tuple(
        msgspec.structs.replace(each, header=folding.fold(unfolding.unfold(each.header or ())))
        for each in sealed().signatures
    )
    return changed(blocks=folded, certificates=folding.certificates, signatures=signatures)


def believed(file: bytes) -> bool:
    """Whether a reader who means this network takes a file for evidence."""
    try:
        verify(file, network=NETWORK)
    except Invalid:
        return False
    return True


def test_the_file_of_two_organisations_verifies_without_either() -> None:
    report = verify(FILE, network=NETWORK)

    assert report.operator == ""
    assert report.operators == report.signers == EVERYBODY
    assert report.account.state == "ended"
    assert report.money.deposited > 0
    assert parse_seal(canonical.encode(sealed())) == sealed()
    assert believed(with_rows(rows()))


def test_whoever_checks_it_needs_no_grpc() -> None:
    check = (
        "import sys, lzma; sys.modules['grpc'] = None\n"
        "from freehold.agents.auditor.verify import verify\n"
        "print(verify(lzma.decompress(open(sys.argv[1], 'rb').read())).network)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check, str(VECTOR)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == NETWORK


def test_the_seal_holds_no_more_of_the_channel_than_what_it_proves() -> None:
    (newest,) = [block.header for block in EVIDENCE.recording.blocks[-1:]]
    records = Contract(RECORD).genesis()

    found = check_seal(sealed(), RECORD, records, block_digest(newest))
    assert found.height == len(sealed().blocks) - 1
    accepted = [
        envelope
        for row in rows()
        for envelope in cut(row)
        if (call := _call(envelope)) is not None and call.arguments[:1] == (b"execute",)
    ]
    assert len(accepted) >= sum(len(block.actions) for block in EVIDENCE.recording.blocks)


def _call(envelope: bytes) -> Any:
    assert RECORD.channel is not None
    return read_call(envelope, RECORD.channel.name)


def other_record(**changes: Any) -> NetworkRecord:
    return msgspec.structs.replace(RECORD, **changes)


def with_record(record: NetworkRecord) -> bytes:
    """The file about another network."""
    return encode(replace(EVIDENCE, recording=replace(EVIDENCE.recording, network=record)))


FORGERIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "no orderer's signature": (lambda: changed(signatures=()), "too few orderers"),
    "a signature twice": (lambda: changed(signatures=sealed().signatures * 2), "twice"),
    "another value": (lambda: changed(value="AAAA"), "does not fit"),
    "the last block left out": (lambda: with_rows(rows()[:-1]), "does not fit"),
    "the first block left out": (lambda: with_rows(rows()[1:]), "configuration"),
    "a block in the middle left out": (lambda: with_rows([*rows()[:9], *rows()[10:]]), ""),
    "two blocks swapped": (lambda: with_rows([*rows()[:9], rows()[10], rows()[9], *rows()[11:]]), ""),
    "a block twice": (lambda: with_rows([*rows(), rows()[-1]]), ""),
    "a transaction left out": (lambda: with_rows([*rows()[:-1], *_without_one(rows()[-1:])]), ""),
    "the last of ours left out": (lambda: encode(_shorter(1)), "another history"),
    "all of ours left out": (lambda: encode(_shorter(len(EVIDENCE.recording.blocks))), "seal is missing"),
    "no block of the channel": (lambda: changed(blocks=()), ""),
    "a certificate more": (lambda: changed(certificates=(*sealed().certificates, "AAAA")), "other certificates"),
    "certificates in another order": (lambda: changed(certificates=sealed().certificates[::-1]), ""),
    "no certificates": (lambda: changed(certificates=()), "no certificate 0"),
}


def _shorter(less: int) -> Evidence:
    blocks = EVIDENCE.recording.blocks[:-less]
    return replace(EVIDENCE, recording=replace(EVIDENCE.recording, blocks=blocks))


def _without_one(listed: list[bytes]) -> list[bytes]:
    """A row without its last envelope, and with half a one if it had but one."""
    return [b"".join(cut(row)[:-1]) or row[: len(row) // 2] for row in listed]


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_seal_is_found(forgery: tuple[Callable[[], bytes], str]) -> None:
    make, words = forgery
    with pytest.raises(Invalid) as caught:
        verify(make())
    assert words in f"{caught.value.what} {caught.value.why}"


def test_a_file_about_other_certificates_channels_or_chaincodes_is_about_another_network() -> None:
    authorities, channel = RECORD.authorities, RECORD.channel
    assert authorities is not None
    assert channel is not None
    swapped = [
        msgspec.structs.replace(each, root=other.root) if each.role == "peer" else each
        for each, other in zip(authorities, (authorities[0], *authorities[:0:-1]), strict=True)
    ]
    for record in (
        other_record(authorities=tuple(sorted(swapped))),
        other_record(authorities=(*authorities[:-1], msgspec.structs.replace(authorities[-1], root="ab" * 32))),
        other_record(channel=msgspec.structs.replace(channel, chaincode="other")),
        other_record(channel=msgspec.structs.replace(channel, name="other")),
        other_record(channel=None, authorities=None),
    ):
        file = with_record(record)
        with pytest.raises(Invalid, match=r"about network|not an evidence file"):
            verify(file, network=NETWORK)
        # Nobody's actions are about it either.
        with pytest.raises(Invalid):
            verify(file)


def test_a_file_that_is_signed_in_another_way_than_its_network_says_is_no_evidence() -> None:
    fields = canonical.decode(FILE, largest=2**26)
    unsealed = {name: value for name, value in fields.items() if name != "seal"}
    comet = canonical.decode(
        lzma.decompress((VECTOR.parents[1] / "cometbft" / "evidence.json.xz").read_bytes()), largest=2**26
    )
    for name, strange in {
        "no seal": unsealed,
        "an operator beside them": {**fields, "operator": "01" * 32},
        "an operator in their place": {**unsealed, "operator": "01" * 32},
        "a checkpoint": {**fields, "checkpoint": "AA=="},
        "a seal of CometBFT": {**fields, "seal": comet["seal"]},
        "a seal of another engine": {**fields, "seal": {**fields["seal"], "engine": "cometbft"}},
        "a network of CometBFT": {**fields, "network": comet["network"]},
        "a seal of Fabric on CometBFT": {**comet, "seal": fields["seal"]},
    }.items():
        with pytest.raises(Invalid, match="not an evidence file"):
            verify(canonical.encode(strange))
        assert name


def test_an_envelope_whose_endorsements_are_cut_off_is_none_of_the_channel_s() -> None:
    listed = rows()
    place = len(listed) - 1
    *before, last = cut(listed[place])
    for strange in (last[:-1], last.replace(b"Org2MSP", b"Org1MSP"), bytes_field(1, b"x") + bytes_field(2, b"y")):
        assert not believed(with_rows([*listed[:place], b"".join([*before, strange])]))


def test_any_flipped_byte_of_the_file_is_noticed() -> None:
    chance = random.Random(1)
    start = FILE.index(b'"seal":')
    places = [chance.randrange(len(FILE)) for _ in range(10)]
    places += [chance.randrange(start, len(FILE)) for _ in range(10)]
    places += [chance.randrange(FILE.index(b'"signatures":'), len(FILE)) for _ in range(10)]
    for place in places:
        flipped = bytearray(FILE)
        flipped[place] ^= 1 << chance.randrange(7)
        assert not believed(bytes(flipped)), f"byte {place}"
