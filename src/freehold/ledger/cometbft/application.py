"""The answers to a node's requests: the rules, run over blocks that the validators have decided.

FinalizeBlock computes in memory; **Commit** writes everything of the block in one transaction and only then is there
anything to see. The node stores a block before FinalizeBlock and the answer before Commit, so the application is level
with its node or behind it, never ahead; what it lacks after a crash the node hands over again.

The validators agree on two things about a block: the digest of the newest block of `ledger.blocks` (`app_hash`), whose
header names the state's root and the whole history, and code and data of each result (`last_results_hash`). Data is
canonical JSON, `{"events", "result"}` of an accepted action and `{"refused"}`, the code alone, of another: words for
people may change between versions, so they stay beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import msgspec

from freehold.errors import Broken, FreeholdError, Invalid, Refused
from freehold.ledger import blocks, messages
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.admission import Admission, Introduction, Signatures
from freehold.ledger.cometbft.bundle import actions_of
from freehold.ledger.cometbft.file import CommitFile, Committed, Ordered, StoredBlock
from freehold.ledger.cometbft.restoration import Restoration, judged
from freehold.ledger.cometbft.seal import chain_id
from freehold.ledger.cometbft.seats import Seats, changes
from freehold.ledger.cometbft.snapshot_messages import ApplySnapshotChunk, Offered, OfferSnapshot, offer_snapshot
from freehold.ledger.cometbft.snapshots import Shelf
from freehold.ledger.embedded.execution import Outcome, in_order
from freehold.ledger.genesis import Genesis, genesis_of
from freehold.ledger.outcomes import said
from freehold.ledger.proofs.state_tree import Change, StateTree
from freehold.ledger.state import State
from freehold.ports.ledger import RecordProof
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read, RecordedView
from freehold.protocol import canonical
from freehold.protocol.digests import sha256
from freehold.transport.trouble import trouble_of

VERSION = 1
"""Of the application, as genesis and Info say it: a new one means that the rules of history changed."""
RECORD = "record"
"""The question what a record holds, with its proof: the answer is a `messages.RecordProofMessage`."""
PLACE = "place"
"""The question where a transaction was ordered, by its SHA-256."""
_FILTER = "/p2p/filter/"
_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A block that was executed and not yet committed."""

    committed: Committed
    change: Change
    writes: Mapping[str, bytes]
    tip: blocks.Tip


class Application:
    """One validator's copy of the ledger. One thread, one request at a time."""

    def __init__(
        self, file: CommitFile, machine: Machine, introduction: Introduction, seats: Seats | None = None
    ) -> None:
        """Reads back the file; Broken if any byte of its blocks was altered.

        Without `seats` the validators are those of the genesis, and everybody may connect.
        """
        self._genesis = genesis = genesis_of(machine)
        self._file = file
        self.shelf = Shelf(file)
        """What others can be given; the one part that may be asked from any thread."""
        self._admission = Admission(introduction)
        self._machine = CheckedMachine(machine, self._admission.signatures)
        self._seats = seats
        self._chain = chain_id(genesis.network_id)
        self._state, self._tree = State(genesis.records), StateTree(genesis.records)
        self._tip = recovered(file, genesis, self._state, self._tree)
        self.height = file.last()[0]
        self._recorded = {digest[:_SHORT] for digest in file.recorded()}
        """The beginnings of the digests of accepted actions: what is not among them need not be looked for on disk."""
        self._nodes = self._admitted()
        self._pending: Pending | None = None
        self._restoration: Restoration | None = None

    @property
    def root(self) -> bytes:
        """Of the state tree after the last commit."""
        return self._tree.root

    @property
    def agreed(self) -> bytes:
        """What the validators sign about the application (`app_hash`): the digest of the newest block, the network's id
        before the first. A root of the state alone would not say how it came about, so anybody could invent that."""
        return bytes.fromhex(self._tip.digest)

    def info(self) -> bytes:
        """How far the application has come; whatever is missing, the node hands over next."""
        return abci.info(height=self.height, agreed=self.agreed, version=VERSION)

    def init_chain(self, request: abci.InitChain) -> bytes:
        """The network's id: never empty, or an answer to an empty block would be zero bytes, which the
        node stores as nothing."""
        if request.chain != self._chain:
            raise Broken(f"the node's genesis is that of {request.chain[:50]!r}, the application serves {self._chain}")
        return abci.init_chain(self.agreed)

    def check_tx(self, request: abci.CheckTx) -> tuple[bytes, FreeholdError | None, bytes]:
        """Whether a transaction may wait, all of it or nothing; the answer, what kept it out, and the digest of the
        action that did."""
        digest, admitted = b"", list[bytes]()
        try:
            for action in actions_of(request.transaction):
                digest = sha256(action)
                known = self._file.place(digest) if digest[:_SHORT] in self._recorded else None
                if known is not None and known.refusal is None:
                    raise Refused("exists", "this action is recorded already")
                if self._admission.admit(self._state.read, action):
                    admitted.append(digest)
        except FreeholdError as trouble:
            self._admission.ordered(admitted)
            return abci.check_tx(abci.REFUSED, said(trouble), log=str(trouble)), trouble, digest
        return abci.check_tx(abci.OK), None, b""

    def prepare_proposal(self, request: abci.PrepareProposal) -> bytes:
        """As many of the waiting transactions as fit, in their order, without any that others would have to reject."""
        chosen: list[bytes] = []
        seen: set[bytes] = set()
        size = 0
        for transaction in request.transactions:
            size += len(transaction) + 8
            actions = self._sound(transaction)
            if size > request.largest or len(seen) + len(actions) > blocks.ACTIONS_LARGEST:
                break
            if actions and seen.isdisjoint(actions):
                chosen.append(transaction)
                seen.update(actions)
        return abci.prepare_proposal(tuple(chosen))

    def process_proposal(self, request: abci.ProcessProposal) -> bytes:
        """Only what every honest validator decides alike: number, size, signature, none twice. No state, no clock."""
        found = [self._sound(each) for each in request.transactions[: blocks.ACTIONS_LARGEST + 1]]
        actions = [action for each in found for action in each]
        good = all(found) and len(set(actions)) == len(actions) <= blocks.ACTIONS_LARGEST
        return abci.process_proposal(abci.ACCEPT if good else abci.REJECT)

    def finalize_block(self, request: abci.FinalizeBlock) -> bytes:
        """Executes a decided block in memory."""
        if request.height != self.height + 1:
            raise Broken(f"the node decided block {request.height}, the application has come to {self.height}")
        cut = [_cut(each) for each in request.transactions]
        actions = [action for some in cut for action in some]
        if len(actions) > blocks.ACTIONS_LARGEST:
            raise Broken(f"a decided block holds more than {blocks.ACTIONS_LARGEST} actions")
        time = max(request.time, self._tip.time)
        outcomes = in_order(self._machine, self._state, actions, time)
        pairs = list(zip(actions, outcomes, strict=True))
        done = [(action, outcome) for action, outcome in pairs if isinstance(outcome, Executed)]
        contents = blocks.Contents.of([action for action, _ in done], [outcome for _, outcome in done])
        change = self._tree.changed(contents.writes)
        tip, block = self._tip, None
        if done:
            body = contents.encode()
            header, tip = blocks.next_block(tip, time, contents, body, state=change.root)
            block = StoredBlock(height=tip.height, header=header, body=body)
        ordered = [_ordered(request.height, place, *pair) for place, pair in enumerate(pairs)]
        committed = Committed(height=request.height, root=change.root, ordered=ordered, block=block)
        self._pending = Pending(committed=committed, change=change, writes=contents.writes, tip=tip)
        left = iter(outcomes)
        results = tuple(result_of(list(islice(left, len(some)))) for some in cut)
        return abci.finalize_block(results, bytes.fromhex(tip.digest), self._validators_after(contents.writes))

    def commit(self) -> bytes:
        """Makes the executed block durable, and then known."""
        pending = self._pending
        if pending is None:
            raise Broken("the node commits a block that was not executed")
        self._file.append(pending.committed)
        self._tree.apply(pending.change)
        self._state.apply(pending.writes)
        self._tip, self.height, self._pending = pending.tip, pending.committed.height, None
        ordered = pending.committed.ordered
        self._recorded.update(each.digest[:_SHORT] for each in ordered if each.refusal is None)
        self._admission.ordered(each.digest for each in ordered)
        if self._seats is not None and any(key.startswith(self._seats.watched) for key in pending.writes):
            self._nodes = self._admitted()
        return abci.commit()

    def offer_snapshot(self, request: OfferSnapshot) -> bytes:
        """Whether a snapshot of others is wanted; what came of an earlier one is forgotten."""
        if self._restoration is not None:
            self._restoration.discard()
            self._restoration = None
        manifest = judged(request)
        if isinstance(manifest, Offered):
            return offer_snapshot(manifest)
        self._restoration = Restoration(self._file.restoring(), self._genesis, manifest, request.snapshot.height)
        return offer_snapshot(Offered.ACCEPT)

    def apply_snapshot_chunk(self, request: ApplySnapshotChunk) -> bytes:
        """Takes a piece of the snapshot; after the last one the application has come to where the snapshot was made."""
        restoration = self._restoration
        if restoration is None:
            raise Broken("the node has a piece of a snapshot that was not accepted")
        answer = restoration.apply(request)
        if restoration.done:
            self._state, self._tree, self._tip = restoration.state, restoration.tree, restoration.tip
            self.height = restoration.height
            self._nodes = self._admitted()
        if restoration.over:
            self._restoration = None
        return answer

    def query(self, request: abci.Query) -> bytes:
        """Single keys with their proof, places of transactions, and who may connect. This thread is the consensus's:
        whatever takes longer is asked of the file, from another process."""
        if request.path.startswith(_FILTER):
            kind, _, name = request.path.removeprefix(_FILTER).partition("/")
            welcome = kind == "addr" or self._nodes is None or name in self._nodes
            return abci.query(abci.OK if welcome else abci.REFUSED)
        if request.path == PLACE:
            found = self._file.place(request.data)
            place = {} if found is None else {"height": found.height, "place": found.place}
            return abci.query(abci.OK, canonical.encode(place), height=self.height)
        if request.path == RECORD and request.data.isascii():
            return self._proven(request.data.decode("ascii"))
        return abci.query(abci.REFUSED, log="there is no such question")

    def _admitted(self) -> frozenset[str] | None:
        return None if self._seats is None else self._seats.nodes(self._state)

    def _validators_after(self, writes: Mapping[str, bytes]) -> Iterator[tuple[bytes, int]]:
        """Which validators come and go with a block that writes this."""
        if self._seats is None or not any(key.startswith(self._seats.watched) for key in writes):
            return iter(())
        after = self._seats.validators(partial(self._state.read_over, writes))
        return changes(self._seats.validators(self._state.read), after)

    def _proven(self, key: str) -> bytes:
        if not self._tip.height:
            return abci.query(abci.REFUSED, log="no block names a state yet")
        (value,), proof = self._state.read([key]), self._tree.prove(key)
        (newest,) = self._file.blocks(self._tip.height - 1, 1)
        proven = RecordProof(
            value=value, bucket=proof.bucket, siblings=proof.siblings, header=newest.header, signature=b""
        )
        shown = msgspec.json.encode(messages.record_proof_message(proven))
        return abci.query(abci.OK, shown, height=self.height)

    def _sound(self, transaction: bytes) -> tuple[bytes, ...]:
        """The actions of a transaction; none if its form or one of its signatures is not good."""
        try:
            actions = actions_of(transaction)
            for action in actions:
                self._admission.signatures.check(action)
        except (Refused, Invalid):
            return ()
        return actions


class CheckedMachine:
    """The rules behind the check of the signature, which is remembered; satisfies `ports.machine.Machine`."""

    def __init__(self, machine: Machine, signatures: Signatures) -> None:
        self._machine = machine
        self._signatures = signatures

    def genesis(self) -> Mapping[str, bytes]:
        """As the rules'."""
        return self._machine.genesis()

    def execute(self, read: Read, action: bytes, time: int) -> Executed:
        """As the rules', once the signature holds."""
        self._signatures.check(action)
        return self._machine.execute(read, action, time)

    def query(self, view: RecordedView, name: str, arguments: Mapping[str, object]) -> object:
        """As the rules'."""
        return self._machine.query(view, name, arguments)


def recovered(file: CommitFile, genesis: Genesis, state: State, tree: StateTree) -> blocks.Tip:
    """Fills state and tree from the file's blocks, checking each as a stranger would, and returns the tip."""
    tip = blocks.first_tip(genesis.network_id)
    while some := file.blocks(tip.height, 64):
        for block in some:
            contents = blocks.decode_body(block.body)
            change = tree.changed(contents.writes)
            tip = blocks.follow(tip, block.header, contents, block.body, state=change.root)
            tree.apply(change)
            state.apply(contents.writes)
    _, root = file.last()
    if root not in (None, tree.root):
        raise Broken(
            "the application's file was changed or damaged: its records do not give the root that was agreed on",
            next="keep it as evidence, remove it, and start again: the node hands over every block",
        )
    return tip


def result_of(outcomes: Sequence[Outcome]) -> abci.TransactionResult:
    """The result of a transaction that the validators agree on: of one action, or a list of those of several. Its code
    says whether all were accepted; a node forgets one of which some were not, so that it may come again."""
    data = [said(each) for each in outcomes]
    refused = next((each for each in outcomes if not isinstance(each, Executed)), None)
    joined = data[0] if len(data) == 1 else b"[" + b",".join(data) + b"]"
    if refused is None:
        return abci.TransactionResult(abci.OK, joined)
    return abci.TransactionResult(abci.REFUSED, joined, log=str(refused))


def _cut(transaction: bytes) -> tuple[bytes, ...]:
    """The actions of a decided transaction; one that no honest validator would have let in is refused as it is."""
    try:
        return actions_of(transaction)
    except Invalid:
        return (transaction,)


def _ordered(height: int, place: int, action: bytes, outcome: Outcome) -> Ordered:
    refusal = None if isinstance(outcome, Executed) else msgspec.json.encode(trouble_of(outcome))
    return Ordered(height=height, place=place, digest=sha256(action), refusal=refusal)
