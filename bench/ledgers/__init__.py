"""How fast a ledger is: one workload for Postgres, for the engine alone, and for a node over HTTP."""
