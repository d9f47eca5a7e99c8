"""Strangers' bytes, invented by the million: what a reader may do with them, and what it may never do."""
