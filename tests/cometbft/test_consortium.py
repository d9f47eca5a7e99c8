"""Founding a network of several operators, each in a folder of its own, and running it under the market's rules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.cometbft.rpc import Rpc
from freehold.node import consortium
from freehold.node.validator import CONSORTIUM, Card
from freehold.protocol.network import network_id
from tests.engines.cometbft import free_ports
from tests.engines.cometbft import program as cometbft_program
from tests.engines.embedded import clock
from tests.market import Market

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]
HOUR = 3_600_000


def comet() -> Path:
    """The program under test."""
    found = cometbft_program()
    assert found is not None
    return consortium.cometbft({"FREEHOLD_COMETBFT": str(found), "PATH": os.environ["PATH"]})


def prepared(folder: Path, operators: int) -> tuple[list[Path], list[Card]]:
    """Folders of operators that have made their keys, and their cards."""
    folders = [folder / f"operator{number}" for number in range(operators)]
    ports = free_ports(operators)
    return folders, [
        consortium.prepare(comet(), each, f"127.0.0.1:{port}") for each, port in zip(folders, ports, strict=True)
    ]


def test_four_operators_found_a_market_and_an_outsider_may_not_connect(tmp_path: Path) -> None:
    market = Market(seed="consortium", now=clock(), skew=HOUR, grace=2 * HOUR)
    folders, cards = prepared(tmp_path, 5)
    shared = consortium.found(market.network, cards[:4], market.now)
    for folder in folders[:4]:
        assert network_id(consortium.take(folder, shared)) == market.id
    with pytest.raises(Invalid, match="not among"):
        consortium.take(folders[4], shared)
    assert len({(folder / "config/genesis.json").read_bytes() for folder in folders[:4]}) == 1

    member = market.data_owner()
    actions = [action for block in market.ledger.export(0, 100) for action in block.actions]
    with ExitStack() as stack:
        ledgers = []
        for folder in folders[:4]:
            ledgers.append(consortium.start(comet(), folder, pause=20))
            stack.callback(ledgers[-1].close)
        accepted = [ledgers[2].submit(action) for action in actions]
        assert accepted[0].id == member.id
        deadline = time.monotonic() + 20
        while any(ledger.resolve(actions[0]) != accepted[0] for ledger in ledgers):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        rpc = Rpc(ledgers[0].pair.rpc_socket)
        stack.callback(rpc.close)
        rpc.query(f"/p2p/filter/id/{cards[1].node}", b"")
        with pytest.raises(Unavailable):
            rpc.query(f"/p2p/filter/id/{cards[4].node}", b"")


def test_cards_that_clash_and_a_second_network_in_one_folder_are_refused(tmp_path: Path) -> None:
    market, other = Market(seed="one"), Market(seed="other")
    folders, cards = prepared(tmp_path, 1)
    with pytest.raises(Invalid, match="same node"):
        consortium.found(market.network, [cards[0], cards[0]], 0)
    with pytest.raises(Invalid, match="no address"):
        consortium.prepare(comet(), folders[0], 'nowhere"')
    consortium.take(folders[0], consortium.found(market.network, cards, 0))

    with pytest.raises(Invalid, match="another network"):
        consortium.take(folders[0], consortium.found(other.network, cards, 0))
    assert consortium.prepare(comet(), folders[0], cards[0].address) == cards[0]


def test_a_supervisor_that_is_killed_leaves_neither_application_nor_node_behind(tmp_path: Path) -> None:
    market = Market(seed="orphans")
    folders, cards = prepared(tmp_path, 1)
    consortium.take(folders[0], consortium.found(market.network, cards, clock()))
    script = (
        "import sys, time; from pathlib import Path; from freehold.node import consortium\n"
        "ledger = consortium.start(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(*ledger.pair.processes, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(comet()), str(folders[0])], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        processes = [int(word) for word in supervisor.stdout.readline().split()]
        supervisor.send_signal(signal.SIGKILL)

    assert len(processes) == 2
    deadline = time.monotonic() + 20
    while any(_runs(process) for process in processes):
        assert time.monotonic() < deadline, "somebody was left behind"
        time.sleep(0.05)
    assert (folders[0] / CONSORTIUM).exists()


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
