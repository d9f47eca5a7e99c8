"""Rules: may this happen, and what follows. Pure functions over a state view, the same on every ledger."""
