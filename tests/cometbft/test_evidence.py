"""G-5 with several operators: a real network's file verifies offline, and whatever somebody does to one is found.

`tests/vectors/cometbft/evidence.json.xz` was made by a network of CometBFT v0.38.26 (`tests.cometbft.evidence`): four
operators, of whom three approve a fifth, so that the validators change once.
"""

from __future__ import annotations

import lzma
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from freehold.agents.auditor.evidence import Evidence, encode, parse, parse_seal
from freehold.agents.auditor.verify import Report, verify
from freehold.errors import Invalid
from freehold.ledger.cometbft.seal import (
    Seal,
    Signed,
    Vote,
    Voter,
    chain_id,
    check_seal,
    header_hash,
    in_order,
    signed_bytes,
    validators_hash,
)
from freehold.protocol import canonical, signatures
from freehold.protocol.network import network_id
from tests.cometbft.evidence import VECTOR, evidence_of_a_network
from tests.engines.cometbft import program as cometbft_program

FILE = lzma.decompress(VECTOR.read_bytes())
EVIDENCE = parse(FILE)
NETWORK = network_id(EVIDENCE.recording.network)


def sealed(evidence: Evidence = EVIDENCE) -> Seal:
    """The seal of a file that has one."""
    assert isinstance(evidence.recording.seal, Seal)
    return evidence.recording.seal


def with_seal(seal: Seal) -> bytes:
    """The file with another seal."""
    return encode(replace(EVIDENCE, recording=replace(EVIDENCE.recording, seal=seal)))


def with_newest(**changes: Any) -> bytes:
    """The file with another newest header."""
    return with_seal(msgspec.structs.replace(sealed(), newest=msgspec.structs.replace(sealed().newest, **changes)))


def looks_whole(report: Report) -> None:
    """What an honest file of the story shows."""
    assert report.operator == ""
    assert len(report.operators) == 5
    assert 4 <= len(report.signers) <= 5
    assert set(report.signers) <= set(report.operators)
    assert report.account.state == "ended"
    assert report.money.deposited > 0


def test_the_file_of_several_operators_verifies_without_any_of_them() -> None:
    looks_whole(verify(FILE, network=NETWORK))
    assert len(sealed().handovers) == 1
    assert parse_seal(canonical.encode(sealed())) == sealed()


@pytest.mark.processes
@pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)")
def test_a_network_hands_out_evidence_that_anybody_can_check(tmp_path: Path) -> None:
    file = evidence_of_a_network(tmp_path)
    looks_whole(verify(file))
    assert verify(file).blocks > 1


FORGERIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a newest header with two of five signatures": (
        lambda: with_newest(votes=sealed().newest.votes[:2]),
        "two thirds",
    ),
    "no signature at all": (lambda: with_newest(votes=()), "two thirds"),
    "the handover left out": (lambda: with_seal(msgspec.structs.replace(sealed(), handovers=())), "hands over"),
    "the handover twice": (
        lambda: with_seal(msgspec.structs.replace(sealed(), handovers=sealed().handovers * 2)),
        "order of their heights",
    ),
    "the newest header in the place of the handover": (
        lambda: with_seal(msgspec.structs.replace(sealed(), handovers=(sealed().newest,))),
        "order of their heights",
    ),
    "one vote counted twice": (
        lambda: with_newest(votes=(*sealed().newest.votes[:1] * 2, *sealed().newest.votes[2:])),
        "one for each",
    ),
    "votes in another order": (lambda: with_newest(votes=sealed().newest.votes[::-1]), "order of the validators"),
    "a vote of nobody": (
        lambda: with_newest(votes=(*sealed().newest.votes, msgspec.structs.replace(sealed().newest.votes[0], index=9))),
        "order of the validators",
    ),
    "validators of the forger's own": (lambda: with_seal(forged_by_strangers()), "others than those who may"),
    "a validator left out of the set": (
        lambda: with_newest(validators=sealed().newest.validators[:4]),
        "others than those who may",
    ),
    "a validator twice in the set": (
        lambda: with_newest(validators=sealed().newest.validators[:1] * 5),
        "others than those who may",
    ),
    "the seal of an earlier block": (lambda: with_blocks(-1), "another history"),
    "another round": (lambda: with_newest(round=sealed().newest.round + 1), "signature does not fit"),
}


def forged_by_strangers() -> Seal:
    """A seal that five keys of a stranger signed as validators would."""
    seeds = [bytes([200 + number]) * 32 for number in range(5)]
    voters = in_order([Voter(key=signatures.public_key(seed).hex(), power=10) for seed in seeds])
    of = {signatures.public_key(seed).hex(): seed for seed in seeds}
    chain = chain_id(NETWORK)
    bare = msgspec.structs.replace(sealed().newest, validators=voters, votes=())
    hash = header_hash(bare.header, chain, validators_hash(voters))
    votes = []
    for index, voter in enumerate(voters):
        vote = Vote(index=index, seconds=bare.header.seconds, nanoseconds=0, signature="00" * 64)
        signature = signatures.sign(of[voter.key], signed_bytes(hash, bare, chain, vote)).hex()
        votes.append(msgspec.structs.replace(vote, signature=signature))
    newest = msgspec.structs.replace(bare, votes=tuple(votes))
    # By themselves they agree: it is only that nobody made them validators.
    founders = [each.key for each in voters]
    assert check_seal(Seal(handovers=(), newest=newest), chain, founders, newest.header.app).signers
    return Seal(handovers=(), newest=newest)


def with_blocks(end: int) -> bytes:
    """The file without its last blocks."""
    return encode(replace(EVIDENCE, recording=replace(EVIDENCE.recording, blocks=EVIDENCE.recording.blocks[:end])))


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_seal_is_found(forgery: tuple[Callable[[], bytes], str]) -> None:
    make, words = forgery
    with pytest.raises(Invalid) as caught:
        verify(make())
    assert words in f"{caught.value.what} {caught.value.why}"


def test_a_file_that_is_signed_in_another_way_than_its_network_says_is_no_evidence() -> None:
    fields = canonical.decode(FILE, largest=2**26)
    unsealed = {name: value for name, value in fields.items() if name != "seal"}
    founders = {name: value for name, value in fields["network"].items() if name != "operators"}
    for name, strange in {
        "no seal": unsealed,
        "an operator beside them": {**fields, "operator": "01" * 32},
        "an operator in their place": {**unsealed, "operator": "01" * 32},
        "a network of one": {**fields, "network": founders},
        "a checkpoint": {**fields, "checkpoint": "AA=="},
    }.items():
        assert not believed(canonical.encode(strange)), name
    with pytest.raises(Invalid, match="about network"):
        verify(FILE, network="ab" * 32)
    with pytest.raises(Invalid, match="checkpoints"):
        verify(FILE, checkpoint="freehold.example/ab\n1\nAA==\n\n— x AA==\n")


def test_headers_of_two_networks_do_not_mix() -> None:
    newest, chain = sealed().newest, chain_id("ab" * 32)
    founders = [each.validator for each in EVIDENCE.recording.network.operators or ()]
    with pytest.raises(Invalid, match="signature does not fit"):
        check_seal(sealed(), chain, founders, newest.header.app)


def test_no_field_of_a_signed_header_can_be_changed_unnoticed() -> None:
    for place, step in enumerate((*sealed().handovers, sealed().newest)):
        assert isinstance(step, Signed)
        for path, value in leaves(msgspec.to_builtins(step)):
            changed = put(msgspec.to_builtins(step), path, other(value))
            try:
                strange = msgspec.convert(changed, Signed)
            except msgspec.ValidationError:
                continue
            steps = [*sealed().handovers, sealed().newest]
            steps[place] = strange
            seal = Seal(handovers=tuple(steps[:-1]), newest=steps[-1])
            assert not seal_is_believed(seal), f"{path} of header {place}"


def seal_is_believed(seal: Seal) -> bool:
    """As a reader of the file checks it."""
    founders = [each.validator for each in EVIDENCE.recording.network.operators or ()]
    try:
        check_seal(seal, chain_id(NETWORK), founders, sealed().newest.header.app)
    except Invalid:
        return False
    return True


def believed(file: bytes) -> bool:
    """Whether a reader who means this network takes a file for evidence."""
    try:
        verify(file, network=NETWORK)
    except Invalid:
        return False
    return True


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every number and text of a value, and where it stands."""
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in leaves(inner, (*path, name))]
    if isinstance(value, list | tuple):
        return [each for place, inner in enumerate(value) for each in leaves(inner, (*path, place))]
    return [(path, value)]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at a place."""
    if not path:
        return new
    first, *rest = path
    if isinstance(value, dict):
        return {**value, first: put(value[first], tuple(rest), new)}
    return [put(inner, tuple(rest), new) if place == first else inner for place, inner in enumerate(value)]


def other(value: Any) -> Any:
    """Another value of the same form."""
    if isinstance(value, int):
        return value + 1
    return value[:-1] + ("0" if value[-1] != "0" else "1")


def test_any_flipped_byte_of_the_file_is_noticed() -> None:
    chance = random.Random(1)
    start = FILE.index(b'"seal":')
    places = [chance.randrange(len(FILE)) for _ in range(25)]
    places += [chance.randrange(start, len(FILE)) for _ in range(25)]
    for place in places:
        changed = bytearray(FILE)
        changed[place] ^= 1 << chance.randrange(7)
        assert not believed(bytes(changed)), f"byte {place}"
