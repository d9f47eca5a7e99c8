"""A ledger of several operators on Hyperledger Fabric: each organisation's peer runs the rules before it endorses.

    messages        what passes between a peer and its chaincode
    conversation    the order in which it passes, without the wire
    clock           the ledger's time: a key that a call of its own sets
    functions       what the chaincode does when it is called
    chaincode       chaincode as a service: the gRPC server that a peer dials

    layout          who takes part in a network, and where the keys and files of each lie
    channel         the channel's constitution: who takes part, who has to endorse
    configuration   settings of our own for every program of Fabric
    programs        Fabric's programs, as an operator installed them
    tethered        a program that ends with whoever started it
    processes       the processes of a network, started and ended together
    founding        how a network comes to be: keys, channel, chaincode
    readiness       waiting until a network takes actions
    network         a whole network on this machine, for development and tests

    envelope        proposals and transactions, as they are signed and as they stand in blocks
    identity        the certificate and key that carry actions to Fabric
    gateway         endorse, submit, ask, through one peer
    planning        which actions would get into each other's way
    patience        how long is waited for what
    ticking         setting the ledger's clock before something is sent
    submitting      an envelope's way to the orderers, until a block says what became of it
    sending         the way of one action, for all that are under way

    deliver         the channel's blocks, as a peer hands them out
    lenient         messages that a stranger wrote, read as the peers read them
    transactions    what stands in them
    endorsements    who endorsed a transaction, found out here
    authorities     the certificates by which signers are judged
    validity        which transactions are valid, found out from the blocks alone
    derived         blocks of `ledger.blocks`, from the channel's
    file            those blocks on disk, and how far the channel's have been read
    follower        the state, the history and the outcomes that follow from them
    folding         blocks as text in which each certificate stands once
    seal            what was endorsed and signed, and how a reader checks it by itself
    sealing         making seals
    client          the engine that a node of Freehold serves

An action is a transaction: its envelope is ours, signed by the member; what Fabric adds is which organisations ran the
rules on it and came to the same.
"""
