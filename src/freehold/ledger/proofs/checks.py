"""What somebody checks who takes a proof home: nothing but the network's id and the operator's key is believed.

Each function says what is proved, or raises Invalid. Nothing here asks a node anything.
"""

from __future__ import annotations

from freehold.errors import Invalid
from freehold.ledger import blocks
from freehold.ledger.history import result_of
from freehold.ledger.proofs import paths
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.ledger.proofs.log import entry, leaf_hash
from freehold.ledger.proofs.state_tree import StateProof, holds
from freehold.ports.ledger import ActionProof, RecordProof


def require_recorded(proof: ActionProof, action: bytes, *, network_id: str, operator: bytes) -> Checkpoint:
    """The signed checkpoint whose log holds the action with the result that the proof names."""
    checkpoint = open_checkpoint(proof.checkpoint, network_id=network_id, operator=operator)
    leaf = leaf_hash(entry(action, result_of(proof.accepted.id)))
    if checkpoint.size != proof.size:
        raise Invalid("the proof is about another log than its checkpoint")
    if not paths.includes(proof.path, leaf, proof.accepted.position, proof.size, checkpoint.root):
        raise Invalid("the proof does not show that this action is recorded there with this result")
    return checkpoint


def require_growth(path: tuple[bytes, ...], old: Checkpoint, new: Checkpoint) -> None:
    """The log of the new checkpoint begins with that of the old one."""
    if old.size == 0 or (old.size == new.size and old.root == new.root):
        return
    if not paths.grew(path, old.size, old.root, new.size, new.root):
        raise Invalid(
            f"the log of {new.size} actions does not begin with that of {old.size}",
            why="whoever signed both checkpoints has shown two histories",
            next="keep both: together they prove it",
        )


def require_held(proof: RecordProof, key: str, *, operator: bytes) -> blocks.Header:
    """The block after which the record `key` held what the proof says, or nothing if it says none."""
    header = blocks.parse_header(proof.header)
    blocks.check_signature(header.height, proof.header, proof.signature, operator)
    tree = StateProof(bucket=proof.bucket, siblings=proof.siblings)
    if not holds(tree, key, proof.value, bytes.fromhex(header.state)):
        raise Invalid(f"the proof does not show what {key} holds after block {header.height}")
    return header
