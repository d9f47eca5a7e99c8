"""A fifth node joins four validators with a snapshot, on a real network, honest and hostile members in it."""

from __future__ import annotations

import os
import random
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest

from freehold.errors import Unavailable
from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.configuration import Joining, Settings, create_keys
from freehold.ledger.cometbft.supervisor import NODE_LOG
from freehold.protocol.digests import sha256
from tests.cometbft.giving import EVERY, giving
from tests.cometbft.test_network import level, root, until
from tests.engines.cometbft import Network, free_ports, program
from tests.engines.embedded import clock
from tests.engines.engines import send
from tests.engines.notebook import Notebook, add, note

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


AFTER = 8
"""Blocks since the newest honest snapshot."""


class Joinable:
    """A network of four validators that serve headers, and a fifth folder."""

    def __init__(self, folder: Path, hows: Sequence[str]) -> None:
        self.network = Network(folder, 4)
        self.hows = hows
        self.light = [f"127.0.0.1:{port}" for port in free_ports(4)]
        self.folder = folder / "fifth"
        comet = program()
        assert comet is not None
        self.comet = comet

    @contextmanager
    def running(self) -> Iterator[list[CometLedger]]:
        with ExitStack() as stack:
            ledgers = []
            for number, how in enumerate(self.hows):
                ledgers.append(self.network.start(number, giving(how), light=self.light[number]))
                stack.callback(ledgers[-1].close)
            yield ledgers

    def join(self, joining: Joining | None) -> CometLedger:
        """Starts the fifth node, from the beginning or with a snapshot."""
        create_keys(self.comet, self.folder)
        (self.folder / "config/genesis.json").write_bytes(
            (self.network.folders[0] / "config/genesis.json").read_bytes()
        )
        (port,) = free_ports(1)
        settings = Settings(
            listen=f"127.0.0.1:{port}",
            peers=self.network.peers,
            idle=2_000,
            pause=20,
            log="statesync:info,*:error",
            joining=joining,
        )
        command = giving("honest")(self.folder)
        return CometLedger.start(self.comet, self.folder, settings, command, Notebook(), clock)


def filled(ledgers: list[CometLedger], notes: int) -> None:
    """A history of long notes, refusals among them, settled for a while."""
    chance = random.Random(5)
    for first in range(0, notes, 20):
        ledgers[0].submit_all([note(f"n{first + number}", chance.randbytes(5_000).hex()) for number in range(20)])
    ledgers[1].submit_all([note("n0", "again"), add("c", 1, 1)])
    send(ledgers[2], add("c", 1, 2))
    # Then the newest honest snapshot is some blocks old, and hostile ones of later blocks are tried first.
    for number in range(3, 3 * EVERY):
        if ledgers[0].trusted_header()[0] % EVERY == AFTER:
            break
        send(ledgers[3], add("c", 1, number))
    level(ledgers)


def test_a_node_that_joins_with_a_snapshot_has_everything_and_follows_on(tmp_path: Path) -> None:
    joinable = Joinable(tmp_path, ["honest"] * 4)
    with joinable.running() as ledgers:
        filled(ledgers, 200)
        height, digest = ledgers[3].trusted_header()
        servers = [f"http://{each}" for each in joinable.light[:2]]
        fifth = joinable.join(Joining(servers=servers, height=height, hash=digest))
        try:
            until(lambda: fifth.info().size == ledgers[0].info().size, 60)
            assert (joinable.folder / NODE_LOG).read_text().count("Snapshot restored") == 1
            level([*ledgers, fifth])
            assert root(fifth) == root(ledgers[0])
            assert fifth.export(0, 1_000) == ledgers[0].export(0, 1_000)
            assert fifth.events(0) == ledgers[0].events(0)
            first = note("n0", random.Random(5).randbytes(5_000).hex())
            assert fifth.resolve(first) == ledgers[0].resolve(first)
            assert fifth.prove_action(sha256(first)) == ledgers[0].prove_action(sha256(first))

            send(fifth, note("later", "through the fifth"))
            send(ledgers[0], note("later still", "through the first"))
            level([*ledgers, fifth])
            assert root(fifth) == root(ledgers[0])
            assert fifth.events(0) == ledgers[0].events(0)
        finally:
            fifth.close()
        send(ledgers[1], note("meanwhile", "while the fifth was away"))

        fifth = joinable.join(Joining(servers=servers, height=height, hash=digest))
        try:
            until(lambda: fifth.info().size == ledgers[1].info().size, 60)
            assert root(fifth) == root(ledgers[1])
            assert fifth.export(0, 1_000) == ledgers[1].export(0, 1_000)
        finally:
            fifth.close()


def test_hostile_members_who_offer_snapshots_keep_nobody_out(tmp_path: Path) -> None:
    joinable = Joinable(tmp_path, ["honest", "garbage", "invented", "damaged"])
    with joinable.running() as ledgers:
        filled(ledgers, 400)
        height, digest = ledgers[0].trusted_header()
        servers = [f"unix://{ledgers[0].pair.rpc_socket}", f"http://{joinable.light[1]}"]
        fifth = joinable.join(Joining(servers=servers, height=height, hash=digest))
        try:
            until(lambda: fifth.info().size == ledgers[0].info().size, 90)
            log = (joinable.folder / NODE_LOG).read_text()
            assert log.count("Snapshot senders rejected") == 1
            assert log.count("Snapshot rejected") == 1
            assert log.count("Snapshot restored") == 1
            assert root(fifth) == root(ledgers[0])
            assert fifth.export(0, 1_000) == ledgers[0].export(0, 1_000)
            assert fifth.events(0) == ledgers[0].events(0)
            assert fifth.resolve(note("i0", "invented")) is None
            send(fifth, note("later", "text"))
            level([*ledgers, fifth])
        finally:
            fifth.close()


def test_a_node_that_is_killed_while_it_takes_a_snapshot_begins_again_and_joins(tmp_path: Path) -> None:
    joinable = Joinable(tmp_path, ["honest"] * 4)
    with joinable.running() as ledgers:
        filled(ledgers, 400)
        height, digest = ledgers[0].trusted_header()
        servers = [f"http://{each}" for each in joinable.light[:2]]
        fifth = joinable.join(Joining(servers=servers, height=height, hash=digest))
        try:
            until(lambda: "chunk=0" in (joinable.folder / NODE_LOG).read_text())
            application, node = fifth.pair.processes
            os.kill(application, signal.SIGKILL)
            os.kill(node, signal.SIGKILL)
            until(lambda: fifth.pair.starts == 2)
            until(lambda: fifth.info().size == ledgers[0].info().size, 60)
            assert root(fifth) == root(ledgers[0])
            assert fifth.export(0, 1_000) == ledgers[0].export(0, 1_000)
        finally:
            fifth.close()


def test_a_header_that_is_not_the_network_s_is_found_out_and_nothing_is_taken(tmp_path: Path) -> None:
    joinable = Joinable(tmp_path, ["honest"] * 4)
    with joinable.running() as ledgers:
        filled(ledgers, 20)
        servers = [f"http://{each}" for each in joinable.light[:2]]
        height, _ = ledgers[0].trusted_header()
        fifth = joinable.join(Joining(servers=servers, height=height, hash="AB" * 32))
        try:
            until(lambda: fifth.trouble is not None)
            with pytest.raises(Unavailable, match="could not join"):
                fifth.submit(note("later", "text"))
            assert fifth.info().size == 0
        finally:
            fifth.close()


def test_whoever_joins_may_ask_for_headers_and_for_nothing_else(tmp_path: Path) -> None:
    network = Network(tmp_path, 1)
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    ledger = network.start(0, light=address)

    def asked(method: str, parameters: dict[str, object], size: int = 0) -> tuple[int, bytes]:
        with closing(HTTPConnection(address, timeout=10)) as connection:
            call = {"jsonrpc": "2.0", "id": 5, "method": method, "params": parameters}
            connection.request("POST", "/", msgspec.json.encode(call) + b" " * size)
            answer = connection.getresponse()
            return answer.status, answer.read()

    try:
        send(ledger, note("one", "hello"))
        height, digest = ledger.trusted_header()
        status, said = asked("commit", {"height": str(height)})
        answer = msgspec.json.decode(said)
        assert (status, answer["id"]) == (200, 5)
        assert answer["result"]["signed_header"]["commit"]["block_id"]["hash"] == digest
        assert asked("validators", {"height": str(height), "page": "1", "per_page": "100"})[0] == 200
        assert asked("consensus_params", {})[0] == 200
        assert b"must be less than or equal" in asked("commit", {"height": str(height + 1_000)})[1]

        for method in ("broadcast_tx_async", "subscribe", "abci_query", "status", "unsafe_flush_mempool", "dial_peers"):
            assert asked(method, {"tx": "aGVsbG8="})[0] == 400
        assert asked("commit", {"height": "1; drop"})[0] == 400
        assert asked("commit", {"height": "9" * 40})[0] == 400
        assert asked("commit", {"tx": "1"})[0] == 400
        assert asked("commit", {}, 5_000)[0] == 413
        with closing(HTTPConnection(address, timeout=10)) as connection:
            connection.request("GET", "/commit")
            assert connection.getresponse().status == 501
        with ExitStack() as stack:
            for _ in range(16):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            late = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            late.settimeout(5)
            assert late.recv(1) == b""
        until(lambda: asked_again(asked))
    finally:
        ledger.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port)).close()


def asked_again(ask: Callable[[str, dict[str, object]], tuple[int, bytes]]) -> bool:
    """Whether there is room for a question."""
    try:
        return ask("commit", {})[0] == 200
    except OSError:
        return False
