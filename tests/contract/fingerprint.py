"""Prints one digest of everything that a crowd's history did: writes in their order, results, events and refusals.

Run as a program by the test of determinism, in a process of its own.
"""

import hashlib
import sys

from freehold.errors import Refused
from freehold.ledger.state import State
from tests.contract.crowd import Crowd


def fingerprint(seed: int) -> str:
    """The digest of the history of one crowd, and of what becomes of its actions when they are sent again."""
    crowd = Crowd(seed)
    crowd.lives(150)
    contract = crowd.market.contract
    state, digest = State(contract.genesis()), hashlib.sha256()
    for action, time in crowd.machine.accepted:
        executed = contract.execute(state.read, action, time)
        state.apply(executed.writes)
        digest.update(repr((list(executed.writes.items()), executed.result, executed.events)).encode())
    for action, time in crowd.machine.accepted:
        try:
            contract.execute(state.read, action, time)
        except Refused as refusal:
            digest.update(refusal.code.encode())
    return digest.hexdigest()


if __name__ == "__main__":
    print(fingerprint(int(sys.argv[1])))
