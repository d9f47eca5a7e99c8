"""A referee: re-executes a disputed job from its package, and rules which result was right.

`case` is what a holder hands over, `plan` says when something is done, `agent` does it.
"""
