"""How long the engine waits for what, and how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """In seconds."""

    start: float = 60.0
    """For a peer to answer when the ledger is opened."""
    outcome: float = 30.0
    """For an action as a whole."""
    block: float = 3.0
    """For a block with a transaction that the orderers have; after it they may have lost it."""
    disagreement: float = 5.0
    """For peers to agree with the rules here."""
    soon: float = 0.2
    """After something that should pass."""
    conflict: float = 0.02
    """After the first lost conflict; twice as long after each further one."""
    clock: float = 2.0
    """How old the ledger's clock may be when something is sent."""
