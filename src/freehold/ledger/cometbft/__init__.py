"""A ledger of several operators: CometBFT orders, this package executes, and more than two thirds have to agree.

    abci            the few messages of ABCI 2.0 that pass between a node and its application
    snapshot_messages  those of them that are about snapshots
    file            what the application has committed, on disk: whole blocks or nothing
    admission       whose actions may wait: signatures remembered, members known, quotas
    bundle          several actions in one transaction
    seats           who signs blocks and who may connect, as the ledger's records say
    snapshots       the whole chain in pieces, for nodes that join
    restoration     such a snapshot on its way in, from whoever sends it
    application     the answers to the node's requests: the rules, run over the blocks that were decided
    desk            the one thread in which the application answers
    server          the application on its Unix socket, and the bell that says that there is more
    configuration   a node's folder: keys, genesis and settings
    supervisor      application and node as a pair that lives and dies together
    rpc             sending to the node
    light           headers for nodes that join, and nothing else of the node
    replica         the application's file followed from another process: state, history, refusals
    waiting         what was sent and not answered yet
    client          the engine that a node of Freehold serves

An accepted action enters a block of `ledger.blocks` here as on every other engine, so history, replay and the state's
root are the same; only who vouches for them differs: the validators, whose headers name the newest one's digest.
"""
