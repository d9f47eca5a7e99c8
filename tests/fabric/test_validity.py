"""Which transactions count follows from what was signed and read, whatever the orderers put into a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import utils

from freehold.errors import Invalid
from freehold.ledger.fabric.authorities import Authorities
from freehold.ledger.fabric.envelope import found
from freehold.ledger.fabric.folding import PEM
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.seal import cut
from freehold.ledger.fabric.transactions import DUPLICATE, READ_CONFLICT, VALID
from freehold.ledger.fabric.validity import BAD_CREATOR, INVALID, POLICY_FAILURE, Validity
from freehold.ledger.protobuf import bytes_field, message_field, number_field, octets
from tests.fabric.channel import PLACE, identity, read_write_set
from tests.fabric.ordered import CLIENT, ORDERERS, Ordered, action, call, configuration, network, tick
from tests.fabric.ordered import TIME as NOW
from tests.fabric.organisations import Organisation, endorsers, organisations

FIRST, SECOND = endorsers()
OTHER = Organisation("Org1MSP")
"""Another authority that calls itself as the first organisation does."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CLOCK = (1, 0)


def judged(*blocks: tuple[bytes, ...]) -> list[list[int]]:
    """The codes of the blocks that follow the first tick."""
    authorities = Authorities(network().authorities or (), [each[0] for each in PEM.finditer(configuration())])
    validity = Validity(channel=PLACE.channel, authorities=authorities, chaincode=PLACE.chaincode)
    ordered = Ordered()
    ordered.block(tick(NOW, None))
    for each in blocks:
        ordered.block(*each)
    codes = [list(validity.codes(number, cut(row))) for number, row in enumerate(ordered.rows)]
    assert codes[:2] == [[VALID], [VALID]]
    return codes[2:]


class HighS(Identity):
    """Signs as anybody may who does not follow Fabric's rule about s."""

    def sign(self, message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(super().sign(message))
        return utils.encode_dss_signature(r, ORDER - s)


def high(organisation: Organisation) -> Identity:
    """A peer that signs so."""
    signer = organisation.identity()
    signer.__class__ = HighS
    return signer


def test_what_both_organisations_endorsed_and_nobody_changed_meanwhile_is_valid() -> None:
    assert judged((action(1, CLOCK), action(2, CLOCK)), (action(3, CLOCK, {"note/1": (2, 0)}),)) == [[0, 0], [0]]


UNENDORSED: dict[str, Callable[[], dict[str, Any]]] = {
    "nobody endorsed": lambda: {"by": ()},
    "one organisation alone": lambda: {"by": (FIRST,)},
    "one organisation twice": lambda: {"by": (FIRST, FIRST)},
    "two peers of one organisation": lambda: {"by": (FIRST, organisations()[0].identity())},
    "another authority of the same name": lambda: {"by": (OTHER.identity(), SECOND)},
    "a certificate that it signed itself": lambda: {"by": (identity("Org1MSP"), SECOND)},
    "a peer of one as if it were of the other": lambda: {"by": (FIRST, organisations()[0].identity(name="Org2MSP"))},
    "a client of the second": lambda: {"by": (FIRST, organisations()[1].identity("client"))},
    "an administrator of the second": lambda: {"by": (FIRST, organisations()[1].identity("admin"))},
    "an orderer": lambda: {"by": (FIRST, ORDERERS.identity("peer"))},
    "the authority itself": lambda: {"by": (FIRST, authority(organisations()[1]))},
    "signatures with the higher s": lambda: {"by": (FIRST, high(organisations()[1]))},
}


def authority(organisation: Organisation) -> Identity:
    """The authority's own certificate, shown with a key that is not its own."""
    signer = organisation.identity()
    signer.creator = bytes_field(1, organisation.name.encode()) + bytes_field(2, organisation.pem)
    return signer


@pytest.mark.parametrize("changes", UNENDORSED.values(), ids=UNENDORSED.keys())
def test_what_not_both_organisations_endorsed_is_not_valid(changes: Callable[[], dict[str, Any]]) -> None:
    assert judged((action(1, CLOCK, **changes()), action(2, CLOCK))) == [[POLICY_FAILURE, VALID]]


def test_an_endorsement_of_nobody_beside_those_of_both_changes_nothing() -> None:
    assert judged((action(1, CLOCK, by=(OTHER.identity(), FIRST, SECOND)),)) == [[VALID]]


STRANGE: dict[str, tuple[dict[str, Any], int]] = {
    "another channel": ({"channel": "other"}, INVALID),
    "another id": ({"transaction": "0" * 64}, INVALID),
    "an answer to another proposal": ({"answered": b"\x01" * 32}, INVALID),
    "other arguments than were endorsed": ({"proposed": b"\x0a\x00"}, INVALID),
    "no version of the chaincode": ({"version": ""}, INVALID),
    "an event of another chaincode": ({"event": "other"}, INVALID),
    "no signature of its creator": ({"signed": b"\x30\x00"}, BAD_CREATOR),
    "a creator whom nobody knows": ({"creator": identity("Org1MSP")}, BAD_CREATOR),
    "a creator of no kind": ({"creator": organisations()[0].identity("somebody")}, BAD_CREATOR),
}


@pytest.mark.parametrize("case", STRANGE.values(), ids=STRANGE.keys())
def test_a_transaction_that_peers_do_not_take_is_not_valid(case: tuple[dict[str, Any], int]) -> None:
    changes, code = case
    assert judged((action(1, CLOCK, **changes), action(2, CLOCK))) == [[code, VALID]]


def test_what_was_read_and_has_changed_since_makes_a_transaction_invalid() -> None:
    stale = [
        action(2, (9, 9)),
        action(2, None),
        action(2, CLOCK, {"note/1": None}),
        action(2, CLOCK, {"note/1": (2, 1)}),
        action(1, CLOCK),
    ]
    assert judged((action(1, CLOCK),), tuple(stale)) == [[VALID], [READ_CONFLICT] * 5]
    # In the same block: what the one wrote the other cannot have read.
    assert judged((action(1, CLOCK), action(2, CLOCK, {"note/1": None}))) == [[VALID, READ_CONFLICT]]
    assert judged((action(1, CLOCK), action(2, CLOCK, {"note/1": (2, 0)}))) == [[VALID, READ_CONFLICT]]
    assert judged((tick(NOW + 2_000, CLOCK), action(1, CLOCK))) == [[VALID, READ_CONFLICT]]


def test_what_lost_a_conflict_or_was_not_endorsed_leaves_no_trace() -> None:
    lost = action(1, None)
    alone = action(2, CLOCK, by=(FIRST,))
    assert judged((lost, alone), (action(1, CLOCK), action(2, CLOCK))) == [[READ_CONFLICT, POLICY_FAILURE], [0, 0]]


def test_an_envelope_counts_once_however_often_it_is_ordered() -> None:
    once = action(1, CLOCK)
    assert judged((once, once), (once,)) == [[VALID, DUPLICATE], [DUPLICATE]]


def test_a_deleted_record_is_read_as_none() -> None:
    gone = message_field(3, bytes_field(1, b"note/1") + number_field(2, 1))
    deletion = call([b"delete"], read_write_set({}, extra=gone), b"{}")
    assert judged((action(1, CLOCK),), (deletion,), (action(1, CLOCK),)) == [[VALID], [VALID], [VALID]]


def approval(organisation: str, *by: Identity, also: bytes = b"", chaincode: str = "_lifecycle") -> bytes:
    """What an organisation writes of its own when it approves of a chaincode."""
    hashed = message_field(2, bytes_field(1, b"digest of a key") + bytes_field(3, b"digest of a value"))
    collection = bytes_field(1, b"_implicit_org_" + organisation.encode()) + bytes_field(2, hashed)
    results = message_field(2, bytes_field(1, b"_lifecycle") + message_field(3, collection)) + also
    return call([b"Approve"], results, b"", chaincode=chaincode, by=by)


def test_an_organisation_endorses_alone_what_is_its_own_and_nothing_else() -> None:
    records = read_write_set({"note/1": b"{}"})
    public = read_write_set({"market": b"{}"}, namespace="_lifecycle")
    assert judged(
        (
            approval("Org1MSP", FIRST),
            approval("Org2MSP", FIRST),
            approval("Org1MSP", FIRST, also=records),
            call([b"Commit"], public, b"", chaincode="_lifecycle", by=(FIRST,)),
            call([b"Commit"], public, b"", chaincode="_lifecycle"),
            # Whoever calls another chaincode needs what that one demands.
            approval("Org1MSP", FIRST, chaincode="other"),
        )
    ) == [[VALID, POLICY_FAILURE, POLICY_FAILURE, POLICY_FAILURE, VALID, POLICY_FAILURE]]


def test_what_is_no_transaction_at_all_is_not_valid() -> None:
    strange = [bytes_field(1, each) + bytes_field(2, b"s") for each in (b"\x0a", b"\x0a\x02\x0a\x00", b"\xff" * 9)]
    assert judged(tuple(strange)) == [[INVALID] * 3]


def test_a_call_that_read_a_range_of_records_is_refused_whole() -> None:
    ranged = call([b"execute", b"x"], read_write_set({}, extra=message_field(2, b"")), b"{}")
    with pytest.raises(Invalid, match="range"):
        judged((ranged,))
    # One that both did not endorse stops nobody.
    alone = call([b"execute", b"x"], read_write_set({}, extra=message_field(2, b"")), b"{}", by=(FIRST,))
    assert judged((alone,)) == [[POLICY_FAILURE]]


def respelled(envelope: bytes) -> bytes:
    """The same call as a client may spell it: its header in two parts, and fields that nobody knows."""
    message = octets(found(envelope)[1])
    parts = found(message)
    header = found(octets(parts[1]))
    again = message_field(1, bytes_field(1, octets(header[1]))) + message_field(1, bytes_field(2, octets(header[2])))
    again += b"\x9b\x06\x08\x01\x9c\x06" + bytes_field(2, octets(parts[2]) + number_field(77, 5))
    return bytes_field(1, again) + bytes_field(2, CLIENT.sign(again))


def test_no_spelling_of_a_client_s_makes_another_judgement() -> None:
    assert judged((respelled(action(1, CLOCK)), action(1, CLOCK))) == [[VALID, READ_CONFLICT]]
    assert judged((respelled(action(1, CLOCK, by=(FIRST,))),)) == [[POLICY_FAILURE]]


def test_the_client_that_carries_a_call_may_be_anybody_s() -> None:
    everybody = [CLIENT, organisations()[1].identity("admin"), ORDERERS.identity("client"), FIRST]
    codes = judged(*((action(number, CLOCK, creator=each),) for number, each in enumerate(everybody)))
    assert codes == [[VALID]] * 4
