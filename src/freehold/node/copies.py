"""The folder of a copy of another operator's ledger, and what makes it the ledger itself.

network.json     the network record
operator.pub     whose signatures count: the operator's public key, 64 hex digits, in the place of its key
ledger.sqlite    the blocks, with the operator's signatures
checkpoint.txt   the operator's last note that the copy agreed with
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from freehold.agents.private_files import private_folder, read_private, write_private
from freehold.agents.world import system_clock
from freehold.contract.host import Contract
from freehold.errors import Invalid
from freehold.ledger.embedded.copy import CopiedLedger
from freehold.ledger.embedded.keeping import check
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.ledger.proofs.cosignature import require_quorum
from freehold.node.following import NOTE, Following, Told
from freehold.node.runtime import LEDGER, OPERATOR_KEY, RECORD, read_network, read_seed
from freehold.ports.ledger import Ledger
from freehold.protocol import signatures
from freehold.protocol.digests import raw
from freehold.protocol.network import NetworkRecord, network_id

COPIED_OPERATOR = "operator.pub"


def begin_copy(folder: Path, leader: Ledger, *, network: str, operator: str) -> None:
    """Makes the folder of a copy of the ledger that `leader` serves; does nothing if it is one already.

    Raises Invalid if the leader serves another network or signs by another key, or another network lies there.
    """
    if (folder / RECORD).exists():
        if network_id(read_network(folder)) != network or copied_operator(folder).hex() != operator:
            raise Invalid(f"{folder} holds another network", next="give another folder", now="nothing was changed")
        return
    info = leader.info()
    record = NetworkRecord.parse(info.network)
    if network_id(record) != network or info.operator != operator:
        raise Invalid(
            f"that node serves network {network_id(record)} and signs by {info.operator}",
            why="it is not the one that you named",
            next="ask somebody you trust for the network's id and its operator's key",
            now="nothing was changed",
        )
    private_folder(folder)
    write_private(folder / COPIED_OPERATOR, operator.encode("ascii") + b"\n")
    write_private(folder / RECORD, record.encode())


def copied_operator(folder: Path) -> bytes:
    """The public key of the operator whose ledger a folder holds a copy of; Invalid if it holds none."""
    return raw(read_private(folder / COPIED_OPERATOR, largest=256).decode("ascii", "replace").strip())


@contextmanager
def open_copy(folder: Path, leader: Ledger, url: str, told: Told) -> Iterator[CopiedLedger]:
    """The copy in a folder, following `leader` (at `url`) for as long as the block runs."""
    record, operator = read_network(folder), copied_operator(folder)
    ledger = CopiedLedger.begin(folder / LEDGER, Contract(record), operator, system_clock, url)
    id = network_id(record)
    with closing(ledger):
        following = Following(leader, ledger, folder, network_id=id, operator=operator, told=told)
        with closing(following):
            following.start()
            yield ledger


def promote(folder: Path, key: Path, note: str, witnesses: Mapping[str, bytes], quorum: int) -> Checkpoint:
    """Makes the copy in a folder the ledger itself, with the operator's own key from the file at `key`.

    `note` is the newest checkpoint that a quorum of witnesses has cosigned: the copy must hold all of it, so that
    nothing is lost that was acknowledged to them. Raises Invalid if it does not, or the key is another's.
    """
    record, operator = read_network(folder), copied_operator(folder)
    seed = read_seed(key)
    if signatures.public_key(seed) != operator:
        raise Invalid(f"{key} is not the key of the operator {operator.hex()}", now="nothing was changed")
    checkpoint = open_checkpoint(note, network_id=network_id(record), operator=operator)
    require_quorum(note, witnesses, quorum)
    # Checks every block, action and root again, and that the log passes through the checkpoint.
    check(folder / LEDGER, Contract(record), note=note, told=lambda *_: None)
    write_private(folder / OPERATOR_KEY, seed.hex().encode("ascii") + b"\n")
    (folder / COPIED_OPERATOR).unlink()
    (folder / NOTE).unlink(missing_ok=True)
    return checkpoint
