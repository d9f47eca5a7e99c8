"""One block of Fabric gives the blocks that every engine would make of the same actions, or is Broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from freehold.errors import Broken
from freehold.ledger import blocks
from freehold.ledger.fabric import derived
from freehold.ledger.fabric.clock import KEY, STEP_LEAST, Clock, Version, encode
from freehold.ledger.fabric.derived import Derived
from freehold.ledger.fabric.endorsements import Endorsers
from freehold.ledger.fabric.envelope import Place, propose
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.transactions import FabricBlock, read_block
from freehold.ledger.protobuf import bytes_field, message_field, number_field
from freehold.ports.machine import Executed
from tests.engines.notebook import Notebook, add, note
from tests.fabric.channel import PLACE, block_bytes, identity, payload_of, read_write_set, transaction
from tests.fabric.organisations import authorities, endorsers, organisations

WHO = identity()
TIME = 1_800_000_000_000
CLOCK = Clock(TIME, (1, 0))


def done(action: bytes, time: int = TIME) -> Executed:
    return Notebook().execute(lambda keys: [None] * len(keys), action, time)


def envelope(
    action: bytes,
    *,
    time: int = TIME,
    clock: Mapping[str, Version | None] | None = None,
    arguments: Sequence[bytes] | None = None,
    results: bytes | None = None,
    payload: bytes | None = None,
    chaincode: str = PLACE.chaincode,
    status: int = 200,
    by: tuple[Identity, ...] | None = None,
) -> bytes:
    """An envelope of an action that was accepted after the tick of CLOCK, but for what is given."""
    executed = done(action, time)
    proposal = propose(WHO, PLACE, [b"execute", action] if arguments is None else arguments, time + 77)
    reads = {KEY: CLOCK.version} if clock is None else clock
    inner = transaction(
        proposal,
        read_write_set(executed.writes, reads=reads) if results is None else results,
        payload_of(executed) if payload is None else payload,
        chaincode=chaincode,
        status=status,
        by=by,
    )
    return bytes_field(1, inner)


def tick(
    time: int,
    read: Version | None,
    *,
    writes: Mapping[str, bytes] | None = None,
    arguments: Sequence[bytes] = (b"tick",),
    status: int = 200,
    extra: bytes = b"",
    by: tuple[Identity, ...] | None = None,
) -> bytes:
    """An envelope that sets the clock, but for what is given."""
    results = read_write_set({KEY: encode(time)} if writes is None else writes, reads={KEY: read}, extra=extra)
    proposal = propose(WHO, PLACE, arguments, time)
    return bytes_field(1, transaction(proposal, results, encode(time), status=status, by=by))


def written(writes: Mapping[str, bytes], extra: bytes = b"") -> bytes:
    """What an action read and wrote, or tried to."""
    return read_write_set(writes, extra=extra, reads={KEY: CLOCK.version})


def block(*envelopes: bytes, codes: Sequence[int] | None = None) -> FabricBlock:
    return read_block(block_bytes(7, b"\x01" * 32, envelopes, codes or [0] * len(envelopes)))


def derive(block: FabricBlock, clock: Clock = CLOCK, place: Place = PLACE) -> tuple[list[Derived], Clock]:
    return derived.derive(block, place, Endorsers(authorities()), clock)


def test_the_accepted_actions_of_a_block_are_in_it_and_the_others_are_not() -> None:
    actions = [note("one", "a"), note("two", "b"), note("three", "c")]
    ordered = block(envelope(actions[0]), envelope(actions[1]), b"rubbish", envelope(actions[2]), codes=[0, 11, 5, 0])

    (made,), clock = derive(ordered)

    expected = blocks.Contents.of([actions[0], actions[2]], [done(actions[0]), done(actions[2])])
    assert made.contents == expected
    assert made.contents.encode() == expected.encode()
    assert (made.time, clock) == (TIME, CLOCK)


def test_a_block_without_accepted_actions_gives_none() -> None:
    configuration = bytes_field(1, message_field(1, bytes_field(1, number_field(1, 1) + bytes_field(4, b"channel"))))
    reading = envelope(note("one", "a"), arguments=[b"read", b"note/one"], results=b"", payload=b"")
    ordered = block(configuration, envelope(note("one", "a")), reading, codes=[0, 11, 0])

    assert derive(ordered) == ([], CLOCK)


def test_a_tick_ends_a_block_and_begins_the_next_and_each_has_the_time_of_its_actions() -> None:
    later = TIME + STEP_LEAST
    ordered = block(
        envelope(note("one", "a")),
        envelope(note("two", "b")),
        tick(later, CLOCK.version),
        tick(later + 9_999, CLOCK.version),
        envelope(note("three", "c"), time=later, clock={KEY: (7, 2)}),
        tick(later + 5_000, (7, 2)),
        codes=[0, 0, 0, 11, 0, 0],
    )

    made, clock = derive(ordered)

    assert [(each.time, len(each.contents.actions)) for each in made] == [(TIME, 2), (later, 1)]
    assert clock == Clock(later + 5_000, (7, 5))
    # Each runs at the time of its block, which is not what its proposal claims.
    assert made[1].contents == blocks.Contents.of([note("three", "c")], [done(note("three", "c"), later)])


def test_ticks_without_actions_between_them_make_no_empty_blocks() -> None:
    first = block(tick(TIME, None), tick(TIME + STEP_LEAST, (7, 0)))

    assert derive(first, Clock()) == ([], Clock(TIME + STEP_LEAST, (7, 1)))


def test_more_actions_than_a_block_holds_give_several() -> None:
    actions = [add("c", 1, nonce) for nonce in range(blocks.ACTIONS_LARGEST + 3)]

    made, _ = derive(block(*map(envelope, actions)))

    assert [len(each.contents.actions) for each in made] == [blocks.ACTIONS_LARGEST, 3]
    assert [each.time for each in made] == [TIME, TIME]
    assert [action for each in made for action in each.contents.actions] == actions


def test_what_other_chaincodes_do_in_their_own_namespaces_is_passed_over() -> None:
    elsewhere = read_write_set({"anything": b"goes"}, "other")
    other = envelope(note("one", "a"), chaincode="other", results=elsewhere, by=())

    assert derive(block(other)) == ([], CLOCK)
    own = block(envelope(note("one", "a")))
    assert derive(own, place=Place(channel="channel", chaincode="another")) == ([], CLOCK)


@pytest.mark.parametrize("read", [{}, {KEY: None}, {KEY: (1, 1)}, {KEY: (0, 0)}, {"other": (1, 0)}])
def test_what_was_endorsed_before_a_tick_is_not_taken_for_valid_after_it(read: dict[str, Version | None]) -> None:
    with pytest.raises(Broken, match="did not read the clock"):
        derive(block(envelope(note("one", "a"), clock=read)))


def test_an_action_before_the_first_tick_stops_the_ledger() -> None:
    with pytest.raises(Broken, match="before the ledger's clock was set"):
        derive(block(envelope(note("one", "a"), clock={KEY: None})), Clock())


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (tick(TIME + STEP_LEAST - 1, CLOCK.version), "less than a second"),
        (tick(TIME, CLOCK.version), "less than a second"),
        (tick(TIME - 60_000, CLOCK.version), "back"),
        (tick(TIME + 5_000, None), "did not read the clock"),
        (tick(TIME + 5_000, CLOCK.version, writes={KEY: encode(TIME + 6_000)}), "something else"),
        (tick(TIME + 5_000, CLOCK.version, writes={KEY: b"0%d" % (TIME + 5_000)}), "something else"),
        (tick(TIME + 5_000, CLOCK.version, writes={}), "something else"),
        (tick(TIME + 5_000, CLOCK.version, writes={KEY: encode(TIME + 5_000), "note/x": b"{}"}), "more than"),
        (tick(TIME + 5_000, CLOCK.version, extra=message_field(4, bytes_field(1, b"note/a"))), "more than"),
        (tick(TIME + 5_000, CLOCK.version, arguments=(b"tick", b"now")), "no tick"),
        (tick(TIME + 5_000, CLOCK.version, status=202), "no tick"),
        (tick(TIME + 5_000, CLOCK.version, arguments=(b"tock",)), "is no action"),
        (tick(TIME + 5_000, CLOCK.version, by=endorsers()[:1]), "endorsed by Org1MSP"),
    ],
)
def test_a_tick_that_the_chaincode_would_not_make_stops_the_ledger(wrong: bytes, match: str) -> None:
    with pytest.raises(Broken, match=match):
        derive(block(wrong))


def other_members() -> tuple[Identity, ...]:
    """Of both organisations, but no peers."""
    return tuple(each.identity("client") for each in organisations())


def strangers() -> tuple[Identity, ...]:
    """Who say that they are peers of both organisations."""
    return identity("Org1MSP"), identity("Org2MSP")


def one_for_both() -> tuple[Identity, ...]:
    """One organisation, that calls a peer of its own one of the other's."""
    return organisations()[0].identity(), organisations()[0].identity(name="Org2MSP")


@pytest.mark.parametrize(
    "by",
    [(), endorsers()[:1], endorsers()[1:], endorsers()[:1] * 2, other_members(), strangers(), one_for_both()],
    ids=["nobody", "one", "the other", "one twice", "no peers", "strangers", "one for both"],
)
def test_a_transaction_that_not_both_organisations_endorsed_stops_the_ledger(by: tuple[Identity, ...]) -> None:
    """A peer of a hostile operator says that it is valid."""
    with pytest.raises(Broken, match="is endorsed by"):
        derive(block(envelope(note("one", "a"), by=by)))


@pytest.mark.parametrize("arguments", [None, [b"read", b"note/one"], [b"nothing"]], ids=["execute", "read", "unknown"])
def test_what_one_organisation_writes_into_its_own_collection_is_none_of_the_ledgers(
    arguments: list[bytes] | None,
) -> None:
    """Fabric finds it valid with that one endorsement: `_implicit_org_Org1MSP` is nobody else's."""
    hashed = bytes_field(1, b"_implicit_org_Org1MSP") + bytes_field(2, b"hashed")
    aside = message_field(2, bytes_field(1, PLACE.chaincode.encode()) + message_field(3, hashed))
    lone = envelope(note("two", "b"), arguments=arguments, results=aside, by=endorsers()[:1])

    (made,), _ = derive(block(envelope(note("one", "a")), lone))

    assert made.contents.actions == (note("one", "a"),)


def test_an_action_that_also_writes_into_a_collection_is_none_of_the_rules() -> None:
    hashed = bytes_field(1, b"_implicit_org_Org1MSP") + bytes_field(2, b"hashed")
    executed = done(note("one", "a"), CLOCK.time)
    public = written(executed.writes)
    both = public + message_field(2, bytes_field(1, PLACE.chaincode.encode()) + message_field(3, hashed))
    with pytest.raises(Broken, match="no record"):
        derive(block(envelope(note("one", "a"), results=both)))


def test_others_may_have_endorsed_beside_those_who_count() -> None:
    (made,), _ = derive(block(envelope(note("one", "a"), by=(*strangers(), *endorsers()))))

    assert made.contents.actions == (note("one", "a"),)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        (b'"text":"hello"', b'"text":"hullo"'),
        (b"note-written", b"note-wrotten"),
        (b'"name":"one"', b'"name":"two"'),
        (b"\x0a\x05clock", b"\x0a\x05block"),
    ],
    ids=["the action and its record", "its event", "the action alone", "what was read"],
)
def test_whatever_is_changed_in_an_endorsed_transaction_its_endorsements_no_longer_fit(
    said: bytes, forged: bytes
) -> None:
    honest = envelope(note("one", "hello"))
    assert honest.count(said) >= 1
    assert derive(block(honest))[0]

    for occurrence in range(honest.count(said)):
        parts = honest.split(said)
        changed = said.join(parts[: occurrence + 1]) + forged + said.join(parts[occurrence + 1 :])
        with pytest.raises(Broken, match="endorse"):
            derive(block(changed))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"chaincode": "other"}, "is no action"),
        ({"arguments": [b"read", b"note/one"]}, "is no action"),
        ({"arguments": [b"execute", b"a", b"b"]}, "one action"),
        ({"arguments": [b"execute", b"x" * 20_000]}, "one action"),
        ({"status": 202}, "answered well"),
        ({"payload": b'{"result":{"id":"one"},"events":[]}'}, "canonical"),
        ({"payload": b'{"events":[],"result":{"name":"one"}}'}, "without an id"),
        ({"payload": b""}, "."),
        ({"results": written({"note": b"{}"})}, "no record's key"),
        ({"results": written({KEY: encode(TIME + 5_000)})}, "no record's key"),
        ({"results": written({"note/one\n": b"{}"})}, "no record's key"),
        ({"results": written({"note/one": b"no record"})}, "."),
        ({"results": written({"note/one": b""})}, "."),
        ({"results": written({}, extra=message_field(3, bytes_field(1, b"note/a") + number_field(2, 1)))}, "no"),
        ({"results": written({}, extra=message_field(4, bytes_field(1, b"note/a")))}, "no record"),
        ({"results": written({"note/a": b"{}"}) + read_write_set({"note/a": b"{}"})}, "no record"),
        (
            {
                "results": written(
                    {"note/a": b"{}"}, extra=message_field(3, bytes_field(1, b"note/a") + bytes_field(3, b"{}"))
                )
            },
            "twice",
        ),
    ],
)
def test_whatever_the_rules_did_not_write_stops_the_ledger(wrong: dict[str, object], match: str) -> None:
    honest, forged = envelope(note("zero", "a")), envelope(note("one", "a"), **wrong)  # type: ignore[arg-type]

    with pytest.raises(Broken, match=match):
        derive(block(honest, forged))
    # The same envelope, found invalid, changed nothing and is nobody's trouble.
    (made,), _ = derive(block(honest, forged, codes=[0, 10]))
    assert made.contents.actions == (note("zero", "a"),)
