"""Seals leave a node checked, one at a time, and not at all where they would not hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from freehold.agents.auditor import evidence
from freehold.errors import Unavailable
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.fabric.seal import Chain, Seal, check_seal, cut
from freehold.ledger.fabric.sealing import Sealer
from freehold.ledger.fabric.transactions import FabricBlock
from freehold.ledger.protobuf import bytes_field, message_field, number_field
from freehold.protocol.network import NetworkRecord
from tests.engines.notebook import Notebook
from tests.fabric.ordered import ORDERER, ORDERERS, TIME, VALUE, Ordered, a_channel, action, consenters, network, tick
from tests.fabric.organisations import Organisation, endorsers
from tests.fabric.test_seal import of_consenters


def parse_seal(data: bytes) -> Seal:
    """The seal of a channel, as an auditor reads it."""
    seal = evidence.parse_seal(data)
    assert isinstance(seal, Seal)
    return seal


@dataclass
class Peer:
    """A peer that hands out a channel; satisfies `sealing.Source`."""

    ordered: Ordered
    by: Sequence[Identity] = (ORDERER,)
    numbered: bool = False
    handed: list[int] = field(default_factory=list)
    """The numbers of the blocks that it handed out."""
    wait: threading.Event | None = None

    def newest(self) -> int:
        return len(self.ordered.rows) - 1

    def after(self, number: int) -> Iterator[FabricBlock]:
        for place in range(number, len(self.ordered.rows)):
            until = Ordered(rows=self.ordered.rows[: place + 1])
            self.handed.append(place)
            if self.wait is not None:
                self.wait.wait(10)
            # The codes are a lie: nobody asks for them.
            envelopes = cut(until.rows[-1])
            metadata = self._metadata(until.header)
            codes = b"\xff" * len(envelopes)
            yield FabricBlock(
                number=place, previous=b"", digest=b"", envelopes=envelopes, codes=codes, signatures=metadata
            )

    def _metadata(self, header: bytes) -> bytes:
        signatures = b""
        for number, each in enumerate(self.by, start=1):
            said = number_field(1, number) if self.numbered else bytes_field(1, each.creator) + bytes_field(2, b"n")
            named = bytes_field(3 if self.numbered else 1, said)
            signatures += message_field(2, named + bytes_field(2, each.sign(VALUE + said + header)))
        return bytes_field(1, VALUE) + signatures


def digests(ordered: Ordered, record: NetworkRecord | None = None) -> dict[int, str]:
    """By height the digests of the blocks that follow."""
    rules = Notebook(record or network())
    chain, found = Chain(rules.network, rules.genesis()), dict[int, str]()
    for row in ordered.rows:
        chain.take(row)
        found.update((tip.height, tip.digest) for tip in chain.made)
    return found


def longer() -> Ordered:
    """A channel that gives two blocks, and goes on."""
    ordered = a_channel()
    ordered.block(tick(TIME + 2_000, (1, 0)))
    ordered.block(action(3, (3, 0)))
    ordered.block(tick(TIME + 4_000, (3, 0)))
    return ordered


def test_a_seal_goes_as_far_as_the_block_that_it_is_about() -> None:
    rules, peer = Notebook(network()), Peer(longer())
    sealer, made = Sealer(peer, rules), digests(peer.ordered)

    for height, fabric in ((1, 2), (2, 4)):
        seal = parse_seal(sealer.seal(height, made[height], known=6))
        assert check_seal(seal, rules.network, rules.genesis(), made[height]).height == fabric
    assert sealer.can


def test_what_was_checked_is_not_checked_again() -> None:
    peer, rules = Peer(longer()), Notebook(network())
    sealer, made = Sealer(peer, rules), digests(peer.ordered)

    first, again = sealer.seal(1, made[1], known=6), sealer.seal(1, made[1], known=6)
    assert [check_seal(parse_seal(each), network(), rules.genesis(), made[1]).height for each in (first, again)] == [
        2
    ] * 2
    assert peer.handed == [0, 1, 2]
    second = parse_seal(sealer.seal(2, made[2], known=6))
    assert check_seal(second, network(), rules.genesis(), made[2]).height == 4
    assert peer.handed == [0, 1, 2, 3, 4]
    # One that ends earlier is made anew.
    assert check_seal(parse_seal(sealer.seal(1, made[1], known=6)), network(), rules.genesis(), made[1]).height == 2
    assert peer.handed == [0, 1, 2, 3, 4, 0, 1, 2]


def test_after_something_went_wrong_all_is_checked_from_the_first_block_on() -> None:
    peer, rules = Peer(longer(), [Organisation("OrdererMSP").identity("orderer")]), Notebook(network())
    sealer, made = Sealer(peer, rules), digests(peer.ordered)
    with pytest.raises(Unavailable, match="too few orderers"):
        sealer.seal(1, made[1], known=6)
    peer.by = (ORDERER,)

    assert check_seal(parse_seal(sealer.seal(2, made[2], known=6)), network(), rules.genesis(), made[2]).height == 4
    assert peer.handed == [0, 1, 2, 0, 1, 2, 3, 4]


def test_only_one_seal_is_made_at_a_time() -> None:
    peer = Peer(longer(), wait=threading.Event())
    sealer, made = Sealer(peer, Notebook(network())), digests(peer.ordered)
    first = threading.Thread(target=lambda: sealer.seal(1, made[1], known=6))
    first.start()
    while not peer.handed:
        time.sleep(0.001)
    with pytest.raises(Unavailable, match="another seal"):
        sealer.seal(2, made[2], known=6)
    assert peer.wait is not None
    peer.wait.set()
    first.join()

    assert sealer.seal(2, made[2], known=6)


def test_what_orderers_signed_wrongly_is_left_out_as_long_as_enough_did_not() -> None:
    ordered, record = of_consenters()
    made = digests(ordered, record)
    own, stranger = consenters(), ORDERERS.identity("orderer")
    for by in (own[:3], (own[0], stranger, own[2], own[3]), (*own[:3], own[0])):
        seal = parse_seal(Sealer(Peer(ordered, by, numbered=True), Notebook(record)).seal(1, made[1], known=3))
        assert len(seal.signatures) == 3
    with pytest.raises(Unavailable, match="too few orderers"):
        Sealer(Peer(ordered, (own[0], own[1], stranger, own[0]), numbered=True), Notebook(record)).seal(1, made[1], 3)


def test_what_does_not_hold_is_not_handed_out() -> None:
    made, rules = digests(a_channel()), Notebook(network())
    forged = Ordered(rows=[*a_channel().rows[:2], action(1, (1, 0)) + action(2, (1, 0), by=endorsers()[:1])])
    with pytest.raises(Unavailable, match="cannot be sealed"):
        Sealer(Peer(forged), rules).seal(1, made[1], known=3)
    with pytest.raises(Unavailable, match="too few orderers"):
        Sealer(Peer(a_channel(), [Organisation("OrdererMSP").identity("orderer")]), rules).seal(1, made[1], known=3)
    with pytest.raises(Unavailable, match="as many blocks"):
        Sealer(Peer(a_channel()), rules).seal(1, made[1], known=4)
    with pytest.raises(Unavailable, match="as many blocks"):
        Sealer(Peer(a_channel()), rules).seal(2, "ab" * 32, known=3)
