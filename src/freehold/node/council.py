"""What an operator says on the ledger about who runs it: proposals and approvals, signed with the key in its folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from freehold.agents.world import system_clock
from freehold.errors import Invalid, Unavailable
from freehold.node.consortium import own_card
from freehold.node.runtime import OPERATOR_KEY, read_network, read_seed
from freehold.ports.ledger import Accepted, Ledger
from freehold.protocol.actions import ApproveOperator, Arguments, ProposeOperator
from freehold.protocol.digests import DIGEST_BYTES
from freehold.protocol.envelope import sign_action
from freehold.protocol.identifiers import MemberId, Nonce, ProposalId, PublicKey
from freehold.protocol.network import NetworkRecord, Operator, network_id


def propose(
    ledger: Ledger,
    folder: Path,
    operator: PublicKey,
    card: Operator | None,
    random: Callable[[int], bytes] = os.urandom,
) -> Accepted:
    """Proposes who holds the place of `operator`, as the operator in `folder`; raises what `submit` raises."""
    return _say(ledger, folder, ProposeOperator(nonce=Nonce(random(DIGEST_BYTES).hex()), operator=operator, card=card))


def approve(ledger: Ledger, folder: Path, proposal: ProposalId) -> Accepted:
    """Approves a proposal, as the operator in `folder`; raises what `submit` raises."""
    return _say(ledger, folder, ApproveOperator(proposal=proposal))


def operators(ledger: Ledger) -> list[dict[str, Any]]:
    """The cards of those who run the ledger together now; empty if one operator does."""
    found = ledger.evaluate("list", {"kind": "operators"})
    return list(found[0]["operators"]) if found else []


def proposals(ledger: Ledger) -> list[dict[str, Any]]:
    """What is proposed and not decided, each record with its id."""
    found: list[dict[str, Any]] = ledger.evaluate("list", {"kind": "proposal", "where": {"state": "open"}})
    return found


def _say(ledger: Ledger, folder: Path, arguments: Arguments) -> Accepted:
    id, card = network_id(read_network(folder)), own_card(folder)
    served = network_id(NetworkRecord.parse(ledger.info().network))
    if served != id:
        raise Invalid(f"that node serves network {served}, {folder} belongs to {id}", now="nothing was sent")
    if not (folder / OPERATOR_KEY).exists():
        raise Unavailable(f"{folder} has no {OPERATOR_KEY}", next="use the folder of an operator", retry=False)
    return ledger.submit(
        sign_action(
            read_seed(folder / OPERATOR_KEY),
            network=id,
            function=type(arguments).__name__,
            member=MemberId(card.key),
            time=system_clock(),
            arguments=arguments,
        )
    )
