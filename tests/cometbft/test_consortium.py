"""Founding a network of several operators, each in a folder of its own, and running it under the market's rules."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.cometbft.client import CometLedger
from freehold.ledger.cometbft.rpc import Rpc
from freehold.node import consortium
from freehold.node.consortium import CONSORTIUM
from freehold.node.runtime import OPERATOR_KEY, read_seed
from freehold.ports.ledger import Ledger
from freehold.protocol import actions
from freehold.protocol.actions import ApproveOperator, ProposeOperator
from freehold.protocol.envelope import sign_action
from freehold.protocol.identifiers import MemberId, NodeAddress, Nonce, ProposalId
from freehold.protocol.network import Operator, network_id
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


def prepared(folder: Path, operators: int) -> tuple[list[Path], list[Operator]]:
    """Folders of operators that have made their keys, and their cards."""
    folders = [folder / f"operator{number}" for number in range(operators)]
    ports = free_ports(operators)
    return folders, [
        consortium.prepare(comet(), each, f"127.0.0.1:{port}") for each, port in zip(folders, ports, strict=True)
    ]


def test_four_operators_found_a_market_and_an_outsider_may_not_connect(tmp_path: Path) -> None:
    folders, cards = prepared(tmp_path, 5)
    market = Market(seed="consortium", now=clock(), skew=HOUR, grace=2 * HOUR, operators=cards[:4])
    shared = consortium.found(market.network, cards[:4], market.now)
    for folder in folders:
        assert network_id(consortium.take(folder, shared)) == market.id
    assert len({(folder / "config/genesis.json").read_bytes() for folder in folders}) == 1

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


class Council:
    """Operators who propose and approve, each with the key in its folder."""

    def __init__(self, market: Market, folders: list[Path]) -> None:
        self.market, self.folders = market, folders

    def says(self, ledger: Ledger, who: int, arguments: actions.Arguments) -> str:
        """An operator says something on the ledger."""
        seed = read_seed(self.folders[who] / OPERATOR_KEY)
        member = MemberId(consortium.own_card(self.folders[who]).key)
        action = sign_action(
            seed,
            network=self.market.id,
            function=type(arguments).__name__,
            member=member,
            time=clock(),
            arguments=arguments,
        )
        return ledger.submit(action).id

    def agrees(self, ledger: Ledger, proposal: ProposeOperator, voices: list[int]) -> None:
        """The first of these operators proposes, the others approve."""
        id = ProposalId(self.says(ledger, voices[0], proposal))
        for who in voices[1:]:
            self.says(ledger, who, ApproveOperator(proposal=id))


def validators(ledger: CometLedger) -> set[str]:
    """The keys of those who sign the next block."""
    with closing(Rpc(ledger.pair.rpc_socket)) as rpc:
        listed = rpc.ask("validators", {"height": str(rpc.height()), "per_page": "100"})["validators"]
    return {base64.b64decode(each["pub_key"]["value"]).hex() for each in listed}


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def test_operators_decide_who_joins_who_leaves_and_whose_key_changes(tmp_path: Path) -> None:
    folders, cards = prepared(tmp_path, 5)
    market = Market(seed="council", now=clock(), skew=HOUR, grace=2 * HOUR, operators=cards[:4])
    shared = consortium.found(market.network, cards[:4], market.now)
    for folder in folders:
        consortium.take(folder, shared)
    council = Council(market, folders)
    with ExitStack() as stack:
        ledgers = [consortium.start(comet(), folder, pause=20, idle=500) for folder in folders[:4]]
        for each in ledgers:
            stack.callback(each.close)
        first = ledgers[0]

        # A fifth joins: proposed, it may connect and catch up; approved by three of four, it signs.
        proposal = ProposeOperator(nonce=Nonce("01" * 32), operator=cards[4].key, card=cards[4])
        id = ProposalId(council.says(first, 0, proposal))
        fifth = consortium.start(comet(), folders[4], pause=20, idle=500)
        stack.callback(fifth.close)
        eventually(lambda: fifth.info().height == first.info().height)
        council.says(first, 1, ApproveOperator(proposal=id))
        assert validators(first) == {each.validator for each in cards[:4]}
        council.says(fifth, 2, ApproveOperator(proposal=id))
        eventually(lambda: validators(first) == {each.validator for each in cards})

        # The second leaves, and its node may connect no more.
        council.agrees(first, ProposeOperator(nonce=Nonce("02" * 32), operator=cards[1].key), [0, 2, 3, 4])
        eventually(lambda: validators(first) == {cards[place].validator for place in (0, 2, 3, 4)})
        with closing(Rpc(first.pair.rpc_socket)) as rpc, pytest.raises(Unavailable):
            rpc.query(f"/p2p/filter/id/{cards[1].node}", b"")

        # The fourth has a new machine, with a new validator's and a new node's key.
        ledgers[3].close()
        (port,) = free_ports(1)
        moved = tmp_path / "moved"
        moved.mkdir(mode=0o700)
        shutil.copy2(folders[3] / OPERATOR_KEY, moved / OPERATOR_KEY)
        card = consortium.prepare(comet(), moved, f"127.0.0.1:{port}")
        assert card.key == cards[3].key
        assert card.validator != cards[3].validator
        consortium.take(moved, shared)
        proposal = ProposeOperator(nonce=Nonce("03" * 32), operator=card.key, card=card)
        council.agrees(first, proposal, [0, 2, 4])
        ledgers[3] = consortium.start(comet(), moved, pause=20, idle=500)
        stack.callback(ledgers[3].close)
        eventually(lambda: ledgers[3].info().height == first.info().height)
        expected = {cards[0].validator, cards[2].validator, card.validator, cards[4].validator}
        eventually(lambda: validators(first) == expected)
        stands = {each.key: each for each in consortium.known_operators(moved)}
        assert stands == {each.key: each for each in (cards[0], cards[2], card, cards[4])}

        # And the four decide without the one that left.
        ledgers[1].close()
        address = NodeAddress("203.0.113.9:26656")
        changed = Operator(key=cards[0].key, address=address, node=cards[0].node, validator=cards[0].validator)
        council.agrees(fifth, ProposeOperator(nonce=Nonce("04" * 32), operator=cards[0].key, card=changed), [0, 4, 3])
        assert changed in consortium.known_operators(folders[4])


def test_cards_that_clash_and_a_second_network_in_one_folder_are_refused(tmp_path: Path) -> None:
    folders, cards = prepared(tmp_path, 1)
    market, other = Market(seed="one"), Market(seed="other")
    with pytest.raises(Invalid, match="same key"):
        consortium.found(market.network, [cards[0], cards[0]], 0)
    with pytest.raises(Invalid, match="no address"):
        consortium.prepare(comet(), folders[0], 'nowhere"')
    consortium.take(folders[0], consortium.found(market.network, cards, 0))

    with pytest.raises(Invalid, match="another network"):
        consortium.take(folders[0], consortium.found(other.network, cards, 0))
    assert consortium.prepare(comet(), folders[0], cards[0].address) == cards[0]


def test_a_supervisor_that_is_killed_leaves_neither_application_nor_node_behind(tmp_path: Path) -> None:
    folders, cards = prepared(tmp_path, 1)
    market = Market(seed="orphans")
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
