"""What `freehold verify` does: a file of bytes in, and either all that it shows or the first thing that is wrong.

It opens no connection and reads no other file. Whose word is left to trust is said with the result: the operator's key
and the network's id stand in the file itself, so a reader who knows the right ones names them (`network`, `checkpoint`)
and nobody can show it another market's history, or a second history of the same market.
"""

from dataclasses import dataclass

from freehold.agents.auditor.account import MarketMoney, TrainingAccount, account_of, market_money
from freehold.agents.auditor.evidence import Recording, parse
from freehold.agents.auditor.questions import Answer, answers
from freehold.agents.auditor.replay import Replayed, check_against, replay
from freehold.agents.auditor.training import Training
from freehold.errors import Invalid
from freehold.protocol.network import network_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a whole and honest file shows."""

    network: str
    operator: str
    """Whose signatures stand under the blocks; empty where several operators seal them."""
    operators: tuple[str, ...]
    """The validators' keys of several operators at the last block; on Fabric the names of organisations."""
    signers: tuple[str, ...]
    """Those of them who signed."""
    network_was_named: bool
    """Whether the reader named the network, so that the file could not choose it."""
    checkpoint_was_named: bool
    blocks: int
    actions: int
    until: int
    """The ledger's own time of the last action, milliseconds; 0 without any."""
    checkpoint: str
    """Root of the log of all actions, hex."""
    account: TrainingAccount
    answers: tuple[Answer, ...]
    money: MarketMoney


def verify(data: bytes, *, network: str | None = None, checkpoint: str | None = None) -> Report:
    """Everything that the bytes of an evidence file show; Invalid with the first thing that is wrong.

    `network` is the id of the network that the reader means, `checkpoint` a signed note that it kept from elsewhere.
    """
    evidence = parse(data)
    replayed = check(evidence.recording, network=network, checkpoint=checkpoint)
    return report_on(replayed, evidence.couple, network=network, checkpoint=checkpoint)


def check(recording: Recording, *, network: str | None = None, checkpoint: str | None = None) -> Replayed:
    """The history of a recording, run again and compared with what the reader trusts; Invalid otherwise."""
    id = network_id(recording.network)
    if network is not None and network != id:
        raise Invalid(
            f"This is about network {id}, not about {network[:64]}.",
            code="evidence:network",
            next="ask for the file of the network that you mean",
        )
    replayed = replay(recording)
    if checkpoint is not None:
        check_against(recording, checkpoint)
    return replayed


def report_on(replayed: Replayed, couple: str, *, network: str | None = None, checkpoint: str | None = None) -> Report:
    """What a checked history shows about one training; Invalid if it knows none of that id."""
    training = Training(replayed.history, couple)
    return Report(
        network=replayed.history.network_id,
        operator=replayed.recording.operator or "",
        operators=() if replayed.sealed is None else replayed.sealed.operators,
        signers=() if replayed.sealed is None else replayed.sealed.signers,
        network_was_named=network is not None,
        checkpoint_was_named=checkpoint is not None,
        blocks=len(replayed.recording.blocks),
        actions=len(replayed.history.entries),
        until=replayed.history.entries[-1].time if replayed.history.entries else 0,
        checkpoint=replayed.log.root().hex(),
        account=account_of(training),
        answers=answers(training),
        money=market_money(replayed.history),
    )
