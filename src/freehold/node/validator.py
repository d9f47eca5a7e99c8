"""The program beside a CometBFT node: `python -m freehold.node.validator FOLDER SOCKET BELL`, started by a supervisor.

It executes the rules over the blocks that the validators decide, and tells its node whose actions may wait.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

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
from freehold.ports.state_view import Read
from freehold.protocol import canonical
from freehold.protocol.actions import CreateMember
from freehold.protocol.assets import Member
from freehold.protocol.envelope import check_signature, open_action

CONSORTIUM: Final = "consortium.json"
"""What all operators of a network share (see `node.consortium`)."""
CONSORTIUM_LARGEST: Final = 65_536


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is public about an operator."""

    address: str
    """host:port of its CometBFT node."""
    node: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}$")]
    """The node's name."""
    validator: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """The public key that signs blocks."""


class Consortium(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network record and its operators."""

    network: dict[str, Any]
    operators: tuple[Card, ...]
    time: int


_CONSORTIUM: Final = msgspec.json.Decoder(Consortium)


def read_consortium(data: bytes) -> Consortium:
    """The file that all operators share; Invalid for any spelling but the canonical one."""
    consortium: Consortium = canonical.decode_record(data, _CONSORTIUM, largest=CONSORTIUM_LARGEST)
    return consortium


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


def program(folder: Path) -> Program:
    """The command of the application of the network in a folder."""
    return lambda door, bell: [sys.executable, "-m", "freehold.node.validator", str(folder), str(door), str(bell)]


def main(arguments: Sequence[str]) -> None:
    """Serves the network in the folder until the supervisor or the node has had enough."""
    folder, door, bell = map(Path, arguments)
    contract = Contract(read_network(folder))
    with closing(CommitFile.open(folder / FILE, contract.network.encode())) as file:
        shared = folder / CONSORTIUM
        peers = {card.node for card in read_consortium(shared.read_bytes()).operators} if shared.exists() else None
        application = Application(file, CheckedContract(contract), MarketIntroduction(contract), peers)
        serve(application, door, bell, lifeline=sys.stdin.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
