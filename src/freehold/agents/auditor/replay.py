"""Runs a history again, from nothing, and stops at the first thing that is wrong.

In this order: the operator's signature under each block, the chain from block to block, every action against the rules,
its result, its events and the records that it wrote against the header, the money after each action, and at the end the
checkpoint against the log of all actions, or the seal of several operators against the digest of the last block.
Nothing is believed because it is written; only because it comes out again.
"""

from dataclasses import dataclass

from freehold.agents.auditor.books import imbalance
from freehold.agents.auditor.evidence import Recording, Seal
from freehold.agents.auditor.history import Entry, History
from freehold.contract.host import Contract
from freehold.errors import Invalid
from freehold.ledger.cometbft import seal as cometbft
from freehold.ledger.fabric import seal as fabric
from freehold.ledger.history import asset_id
from freehold.ledger.proofs.checkpoint import open_checkpoint
from freehold.ledger.proofs.log import Log, entry
from freehold.ledger.replay import Replay
from freehold.ledger.state import State
from freehold.ports.ledger import Block
from freehold.ports.machine import Executed
from freehold.protocol.digests import raw
from freehold.protocol.envelope import action_digest, open_action
from freehold.protocol.network import network_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Who stands for a history that several operators sealed."""

    operators: tuple[str, ...]
    """The keys of their validators, or the names of organisations on a channel of Fabric."""
    signers: tuple[str, ...]
    """Those of them who signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A history that came out again as it was written."""

    recording: Recording
    history: History
    log: Log
    state: str
    """Root of the state tree over all records at the end, hex: the same on every engine."""
    sealed: Sealed | None
    """What several operators signed; None where one signs each block."""


def replay(recording: Recording) -> Replayed:
    """Runs all blocks of a recording again; Invalid with the first thing that is wrong."""
    machine = Contract(recording.network)
    running = Replay(machine, None if recording.operator is None else raw(recording.operator))
    history = History(
        network=recording.network, network_id=network_id(recording.network), state=State(machine.genesis())
    )
    for block in recording.blocks:
        try:
            effects = running.apply(block)
        except Invalid as invalid:
            raise Invalid(_sentence(invalid.what), code="evidence:block") from None
        _take_over(history, running.tip.height, running.tip.time, block, effects)
    if recording.checkpoint is not None:
        _check_note(recording, recording.checkpoint, exact=True)
    sealed = None if recording.seal is None else _checked_seal(recording, recording.seal, running.tip.digest)
    return Replayed(recording=recording, history=history, log=running.tip.log, state=running.root.hex(), sealed=sealed)


def check_against(recording: Recording, note: str) -> None:
    """Invalid unless this signed note, kept from elsewhere, is about an earlier state of the same log, or the same."""
    _check_note(recording, note, exact=False)


def _checked_seal(recording: Recording, seal: Seal, digest: str) -> Sealed:
    try:
        if isinstance(seal, fabric.Seal):
            records = Contract(recording.network).genesis()
            channel = fabric.check_seal(seal, recording.network, records, digest)
            return Sealed(operators=channel.organisations, signers=channel.signers)
        founders = [each.validator for each in recording.network.operators or ()]
        headers = cometbft.check_seal(seal, cometbft.chain_id(network_id(recording.network)), founders, digest)
        return Sealed(operators=headers.validators, signers=headers.signers)
    except Invalid as invalid:
        what = _sentence(f"the operators' seal: {invalid.what}")
        raise Invalid(what, code="evidence:seal", why=invalid.why) from None


def _take_over(history: History, height: int, time: int, block: Block, effects: tuple[Executed, ...]) -> None:
    for action, executed in zip(block.actions, effects, strict=True):
        keys = list(executed.writes)
        before = dict(zip(keys, history.state.read(keys), strict=True))
        position = len(history.entries)
        if imbalance(before, executed.writes) != 0:
            raise Invalid(f"Action {position} in block {height} makes or loses money.", code="evidence:money")
        envelope = open_action(action, signature_checked=True)
        history.append(
            Entry(
                position=position,
                height=height,
                time=time,
                digest=action_digest(action),
                action=envelope,
                id=asset_id(executed.result),
                writes=executed.writes,
                events=executed.events,
            )
        )


def _check_note(recording: Recording, note: str, *, exact: bool) -> None:
    if recording.operator is None:
        raise Invalid(
            "Several operators seal this ledger; none of them signs checkpoints.",
            code="evidence:checkpoint",
            next="name the network with --network: its id stands for the operators who founded it",
        )
    try:
        checkpoint = open_checkpoint(note, network_id=network_id(recording.network), operator=raw(recording.operator))
    except Invalid as invalid:
        raise Invalid(_sentence(f"the checkpoint: {invalid.what}"), code="evidence:checkpoint") from None
    leaves = [
        entry(action, result)
        for block in recording.blocks
        for action, result in zip(block.actions, block.results, strict=True)
    ]
    if checkpoint.size > len(leaves) or (exact and checkpoint.size != len(leaves)):
        raise Invalid(
            f"The checkpoint is about {checkpoint.size} actions, the file holds {len(leaves)}.",
            code="evidence:checkpoint",
        )
    if Log().extended(leaves[: checkpoint.size]).root() != checkpoint.root:
        raise Invalid(
            f"The checkpoint is about another history: its first {checkpoint.size} actions are not those of the file.",
            code="evidence:checkpoint",
            why="the operator signed two histories of which neither begins with the other, or one of them is forged",
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
