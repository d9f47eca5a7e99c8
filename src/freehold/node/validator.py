"""The program beside a CometBFT node: `python -m freehold.node.validator FOLDER SOCKET BELL`, started by a supervisor.

It executes the rules over the blocks that the validators decide, and tells its node whose actions may wait.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from freehold.contract import stored
from freehold.contract.host import Contract
from freehold.contract.registry import RULES
from freehold.contract.view import View
from freehold.errors import Refused
from freehold.ledger.cometbft.admission import Sender
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.server import serve
from freehold.ledger.cometbft.supervisor import Program
from freehold.node.executor import CheckedContract
from freehold.node.runtime import read_network
from freehold.ports.state_view import Read, StateView
from freehold.protocol.actions import CreateMember
from freehold.protocol.assets import Member, Operators, Proposal
from freehold.protocol.envelope import check_signature, open_action


class MarketIntroduction:
    """Who is who in the market; satisfies `admission.Introduction`."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def check(self, action: bytes) -> None:
        """Raises Refused `malformed` unless size and signature are good."""
        check_signature(action)

    def sender(self, read: Read, action: bytes) -> Sender:
        """The member, treasury or referee whose key signed; a newcomer if the rules would let it join.

        Raises Refused for a form that is none, for another network, and for a key that is not the sender's.
        """
        envelope = open_action(action, signature_checked=True)
        if envelope.network != self._contract.network_id:
            raise Refused("unknown", "the action is for another network")
        view, name = View(read), str(envelope.member)
        if isinstance(envelope.arguments, CreateMember):
            self._contract.execute(read, action, envelope.time, signature_checked=True)
            return Sender(name=name, known=False, joins=True)
        try:
            RULES[envelope.function].caller(envelope, self._contract.network, view)
        except Refused as refused:
            # Perhaps an action of this sender that joins waits already: then this one may wait behind it.
            if refused.code == "unknown" and view.find(Member, envelope.member) is None:
                return Sender(name=name, known=False)
            raise
        return Sender(name=name, known=True)


class MarketSeats:
    """Who takes part, as the market's records say; satisfies `seats.Seats`."""

    watched = ("operators/", "proposal/")

    def __init__(self, contract: Contract) -> None:
        self._network_id = contract.network_id

    def validators(self, read: Read) -> frozenset[bytes] | None:
        """Those of the present operators."""
        present = View(read).find(Operators, self._network_id)
        return None if present is None else frozenset(bytes.fromhex(each.validator) for each in present.operators)

    def nodes(self, state: StateView) -> frozenset[str] | None:
        """Those of the present operators, and those that one of them has proposed: a node first catches up and is then
        approved, so that no vote is missing meanwhile."""
        present = View(state.read).find(Operators, self._network_id)
        if present is None:
            return None
        proposals = [stored.decode(Proposal, data) for _, data in state.scan("proposal/")]
        proposed = {each.card.node for each in proposals if each.state == "open" and each.card is not None}
        return frozenset(each.node for each in present.operators) | proposed


def program(folder: Path) -> Program:
    """The command of the application of the network in a folder."""
    return lambda door, bell: [sys.executable, "-m", "freehold.node.validator", str(folder), str(door), str(bell)]


def main(arguments: Sequence[str]) -> None:
    """Serves the network in the folder until the supervisor or the node has had enough."""
    folder, door, bell = map(Path, arguments)
    contract = Contract(read_network(folder))
    with closing(CommitFile.open(folder / FILE, contract.network.encode())) as file:
        introduction, seats = MarketIntroduction(contract), MarketSeats(contract)
        application = Application(file, CheckedContract(contract), introduction, seats)
        serve(application, door, bell, lifeline=sys.stdin.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
