"""A CometBFT application under the rules of the notebook: `python -m tests.engines.application FOLDER SOCKET BELL`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from freehold.ledger.cometbft.admission import Sender
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.file import CommitFile
from freehold.ledger.cometbft.server import serve
from freehold.ports.state_view import Read
from freehold.protocol.digests import sha256
from tests.engines.notebook import NETWORK, Notebook


class Everybody:
    """The notebook's actions carry no signature, and everybody may write; satisfies `admission.Introduction`."""

    def check(self, action: bytes) -> None:
        """Nothing to check."""

    def sender(self, read: Read, action: bytes) -> Sender:
        return Sender(name=sha256(action).hex(), known=True)


if __name__ == "__main__":
    folder, socket, bell = map(Path, sys.argv[1:])
    with closing(CommitFile.open(folder / FILE, NETWORK.encode())) as file:
        serve(Application(file, Notebook(), Everybody()), socket, bell, lifeline=sys.stdin.fileno())
