"""What `freehold verify` does: a file of bytes in, and either all that it shows or the first thing that is wrong.

It opens no connection and reads no other file. Whose word is left to trust is said with the result: the operator's key
and the network's id stand in the file itself, so a reader who knows the right ones names them (`network`, `checkpoint`)
and nobody can show it another market's history, or a second history of the same market.
"""

from dataclasses import dataclass

from freehold.agents.auditor.account import MarketMoney, TrainingAccount, account_of, market_money
from freehold.agents.auditor.evidence import Evidence, parse
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
    network_was_named: bool
    """Whether the reader named the network, so that the file could not choose it."""
    checkpoint_was_named: bool
    blocks: int
    actions: int
    checkpoint: str
    """Root of the log of all actions, hex."""
    account: TrainingAccount
    answers: tuple[Answer, ...]
    money: MarketMoney


def verify(data: bytes, *, network: str | None = None, checkpoint: str | None = None) -> Report:
    """Everything that the bytes of an evidence file show; Invalid with the first thing that is wrong.

    `network` is the id of the network that the reader means, `checkpoint` a signed note that it kept from elsewhere.
    """
    return examine(parse(data), network=network, checkpoint=checkpoint)[0]


def examine(
    evidence: Evidence, *, network: str | None = None, checkpoint: str | None = None
) -> tuple[Report, Replayed]:
    """The same for evidence that has been read; also hands out the history."""
    id = network_id(evidence.network)
    if network is not None and network != id:
        raise Invalid(
            f"This is evidence about network {id}, not about {network}.",
            code="evidence:network",
            next="ask for the file of the network that you mean",
        )
    replayed = replay(evidence)
    if checkpoint is not None:
        check_against(evidence, checkpoint)
    training = Training(replayed.history, evidence.couple)
    report = Report(
        network=id,
        operator=evidence.operator,
        network_was_named=network is not None,
        checkpoint_was_named=checkpoint is not None,
        blocks=replayed.blocks,
        actions=len(replayed.history.entries),
        checkpoint=replayed.log.root().hex(),
        account=account_of(training),
        answers=answers(training),
        money=market_money(replayed.history),
    )
    return report, replayed
