"""Operators: who runs the ledger together, and how they decide about one another.

The network record names those who begin. From then on one operator proposes how a place among them is to be held, by a
new card or by nobody any more, and what more than two thirds of the present ones approve comes into force. The engine
reads the record that this leaves behind: these validators sign, these nodes may connect. On an engine that knows its
operators by other means nobody is an operator, and so nobody can propose.

An approval counts as long as its giver is an operator. One place changes at a time, so that those who agreed on a block
and those who agree on the next have nearly all validators in common.
"""

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.view import View
from freehold.protocol import actions, events
from freehold.protocol.assets import Operators, Proposal, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId, ProposalId, proposal_id
from freehold.protocol.limits import OPERATORS
from freehold.protocol.network import Operator, clashing


def propose_operator(call: Call[actions.ProposeOperator], view: View) -> Effects:
    """Proposes who holds a place among the operators, and approves it. Refuses: exists, state, duplicate, limit."""
    asked = call.arguments
    proposal = proposal_id(call.network_id, call.key, asked.nonce)
    require(view.find(Proposal, proposal) is None, "exists")
    proposed = Proposal(operator=asked.operator, card=asked.card, approvals=(), state="open")
    return _approved(proposal, proposed, call, view)


def approve_operator(call: Call[actions.ApproveOperator], view: View) -> Effects:
    """Approves a proposal, which comes into force with more than two thirds. Refuses: unknown, state, exists."""
    proposal = view.get(Proposal, call.arguments.proposal)
    require(proposal.state == "open", "state")
    require(call.key not in proposal.approvals, "exists")
    return _approved(call.arguments.proposal, proposal, call, view)


def _approved(id: ProposalId, proposal: Proposal, call: Call[actions.Arguments], view: View) -> Effects:
    """The proposal with one more approval, and what follows from it."""
    present = view.get(Operators, call.network_id).operators
    after = _changed(present, proposal)
    approvals = tuple(sorted((*proposal.approvals, call.key)))
    others = [Event(events.OPERATOR_PROPOSED, id, MemberId(each.key)) for each in present if each.key != call.key]
    told: list[Step] = list(others) if not proposal.approvals else []
    if 3 * len({each.key for each in present} & set(approvals)) <= 2 * len(present):
        return Effects(id, Put(id, with_changes(proposal, approvals=approvals)), *told)
    everybody = sorted({each.key for each in (*present, *after)})
    return Effects(
        id,
        Put(id, with_changes(proposal, approvals=approvals, state="accepted")),
        Put(call.network_id, Operators(operators=after)),
        *told,
        *(Event(events.OPERATORS_CHANGED, id, MemberId(key)) for key in everybody),
    )


def _changed(present: tuple[Operator, ...], proposal: Proposal) -> tuple[Operator, ...]:
    """The operators once a proposal is in force; refuses one that cannot be."""
    others = tuple(each for each in present if each.key != proposal.operator)
    joins = len(others) == len(present)
    if proposal.card is None:
        require(not joins and bool(others), "state")
        return others
    require(not joins or proposal.card.key == proposal.operator, "state")
    after = tuple(sorted((*others, proposal.card)))
    require(clashing(after) is None and after != present, "duplicate")
    require(len(after) <= OPERATORS, "limit")
    return after
