"""Faults of links and lies of operators, on real networks; `python bench/consortium.py --only faults` makes more."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from freehold.errors import FreeholdError
from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.configuration import Peer, Settings, create_keys
from freehold.ledger.cometbft.rpc import Rpc
from freehold.node.validator import program as market_program
from freehold.ports.ledger import Accepted
from tests.cometbft import liars
from tests.cometbft.test_market import a_story
from tests.cometbft.test_network import level, root, until
from tests.engines import toxiproxy
from tests.engines.cometbft import Network, application_in, free_ports, program
from tests.engines.embedded import clock
from tests.engines.links import Links
from tests.engines.notebook import Notebook, add, note

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]
PROXIES = toxiproxy.find_program()
needs_proxies = pytest.mark.skipif(PROXIES is None, reason="toxiproxy-server is not installed")
ALL = (0, 1, 2, 3)


class Linked(Network):
    """Four validators who reach each other through proxies alone."""

    def __init__(self, folder: Path, links: Links) -> None:
        super().__init__(folder, len(ALL))
        way = links.between([each.address for each in self.peers])
        self._settings = [
            Settings(
                listen=self.peers[own].address,
                peers=[Peer(id=self.peers[other].id, address=way(own, other)) for other in ALL if other != own],
                pause=20,
                idle=2_000,
            )
            for own in ALL
        ]


@contextmanager
def linked(folder: Path) -> Iterator[tuple[Links, list[CometLedger]]]:
    """A running network and its links."""
    assert PROXIES is not None
    with toxiproxy.started(PROXIES) as server:
        links = Links(server)
        with Linked(folder, links).running() as ledgers:
            ledgers[0].submit(note("before", "text"))
            level(ledgers)
            yield links, ledgers


def asked(ledgers: list[CometLedger], name: str) -> list[Future[list[Accepted | FreeholdError]]]:
    """Something that is said at each of these operators, with the answers to come."""
    return [ledger.enqueue([add(name, 1, number)]) for number, ledger in enumerate(ledgers)]


def accepted(answers: list[Future[list[Accepted | FreeholdError]]]) -> bool:
    """Whether all of it is accepted within the time that senders wait."""
    return all(isinstance(answer.result(30)[0], Accepted) for answer in answers)


@needs_proxies
def test_halves_of_a_network_decide_nothing_until_they_meet_again(tmp_path: Path) -> None:
    with linked(tmp_path) as (links, ledgers):
        links.part(ALL[:2], ALL[2:])
        time.sleep(0.5)
        halves = asked(ledgers, "halves")
        time.sleep(2)
        assert not any(each.done() for each in halves)
        assert [ledger.evaluate("notes", {}) for ledger in ledgers] == [["text"]] * 4
        links.heal()
        assert accepted(halves)

        level(ledgers)
        assert {ledger.evaluate("counter", {"name": "halves"}) for ledger in ledgers} == {4}
        assert len({root(ledger) for ledger in ledgers}) == 1


@needs_proxies
def test_three_go_on_over_slow_links_and_the_fourth_behind_dead_ones_decides_nothing_alone(tmp_path: Path) -> None:
    with linked(tmp_path) as (links, ledgers):
        links.delay(40)
        assert accepted(asked(ledgers, "slow"))

        links.swallow(ALL[:3], ALL[3:])
        time.sleep(0.5)
        (alone,) = asked(ledgers[3:], "alone")
        assert accepted(asked(ledgers[:3], "three"))
        assert not alone.done()
        links.heal()
        assert accepted([alone])

        level(ledgers)
        assert [ledger.export(0, 1_000) for ledger in ledgers[1:]] == [ledgers[0].export(0, 1_000)] * 3


def test_what_one_operator_forges_into_its_proposals_is_recorded_nowhere(tmp_path: Path) -> None:
    market, story = a_story()
    network = Network(tmp_path, 4, machine=lambda: market.contract, record=market.network, application=market_program)
    honest = [network.start(number) for number in ALL[:3]]
    liar = network.start(3, liars.lying(liars.FORGING))
    ledgers = [*honest, liar]
    try:
        answers = honest[0].submit_all(story)
        level(ledgers)
        chains = [[action for block in each.export(0, 1_000) for action in block.actions] for each in ledgers]
    finally:
        for each in ledgers:
            each.close()

    assert [isinstance(each, Accepted) for each in answers] == [True] * (len(story) - 2) + [False] * 2
    assert chains == [story[:-2]] * 4


def test_a_key_that_signs_on_two_machines_is_proven_guilty_and_the_others_go_on(tmp_path: Path) -> None:
    network = Network(tmp_path, 4)
    twin = tmp_path / "twin"
    comet = program()
    assert comet is not None
    create_keys(comet, twin)
    for name in ("priv_validator_key.json", "genesis.json"):
        shutil.copyfile(network.folders[3] / "config" / name, twin / "config" / name)
    with network.running() as ledgers:
        settings = Settings(listen=f"127.0.0.1:{free_ports(1)[0]}", peers=network.peers[:3], pause=20, idle=2_000)
        second = CometLedger.start(comet, twin, settings, application_in(twin), Notebook(), clock)
        heights = count(1)
        rpc = Rpc(ledgers[0].pair.rpc_socket)
        try:
            until(lambda: _is_guilty(rpc, ledgers[0], next(heights)), 40)
        finally:
            rpc.close()
            second.close()
        assert accepted(asked(ledgers[:3], "after"))
        level(ledgers[:3])
        assert len({root(ledger) for ledger in ledgers[:3]}) == 1


def _is_guilty(rpc: Rpc, ledger: CometLedger, number: int) -> bool:
    """Whether a block holds evidence of a misbehaviour, once one more action made one more block."""
    ledger.submit(add("busy", 1, number))
    block = rpc.ask("block", {"height": str(rpc.height())})["block"]
    return bool((block.get("evidence") or {}).get("evidence"))
