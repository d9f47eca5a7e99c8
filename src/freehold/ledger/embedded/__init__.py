"""A ledger on one machine in one SQLite file: blocks with a hash chain, a signing operator and group commit.

    file         the blocks on disk: whole or absent, also after a power loss
    recovery     from the file back to the state in memory, checking every byte
    execution    one block of actions against the state, in order
    executor     the path of an action from a block's beginning to its answer, with the crash argument at each step
    writer       the one thread that writes: takes everybody who waits as one block
    ledger       the engine in one process: executor, writer, and the history that followers wait on
    strict       the same engine made unpleasant on purpose, for tests

What is promised, and why it holds after a crash at any moment, stands in `executor`.
"""
