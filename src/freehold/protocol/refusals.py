"""The closed list of refusals: each code with what it means and what to do next.

A refusal is normal. It writes nothing, and the first failing check gives the code, in one order for every engine
(PROTOCOL-ANNEX, "Refusals"), so that a replay refuses for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Explanation(NamedTuple):
    """One code in two sentences."""

    meaning: str
    next: str


CODES: Final[Mapping[str, Explanation]] = {
    "malformed": Explanation(
        "The action's size, signature, spelling or the form of one of its values is not what the protocol says.",
        "Build the action again with a current version of Freehold; sending the same bytes cannot help.",
    ),
    "unknown": Explanation(
        "The action names something that this ledger does not know: a function, network, member, record, store, "
        "referee or method.",
        "Check the id, and that you speak to the network you meant.",
    ),
    "limit": Explanation(
        "A number or a list lies outside the limits of the protocol or of the terms.",
        "Choose a value within the limit that the message names.",
    ),
    "clock": Explanation(
        "The time that the action claims is too far from the ledger's own.",
        "Set this machine's clock (NTP), then sign and send the action again.",
    ),
    "not-yours": Explanation(
        "This member, role or key may not do this to this record.",
        "Use the profile that owns the record.",
    ),
    "exists": Explanation(
        "What the action would create exists already.",
        "Read it: an earlier attempt probably arrived. For a second one choose a fresh nonce.",
    ),
    "state": Explanation(
        "The record is not in the state from which this action leads on.",
        "Read the record: somebody, or an earlier attempt of yours, has moved it.",
    ),
    "too-late": Explanation(
        "The deadline up to which this was possible has passed.",
        "Nothing can be made up for; read the record to see what is possible now.",
    ),
    "too-early": Explanation(
        "The time from which this is possible has not come, counted with the network's grace.",
        "Wait until the time that the record names, plus the grace, then send a fresh action.",
    ),
    "not-admitted": Explanation(
        "The member has no admission that the network's registrar signed, or it has ended.",
        "Ask the registrar for an admission, and join as a new member under the same handle.",
    ),
    "withdrawn": Explanation(
        "The data owner has withdrawn the dataset: nothing new can begin on it.",
        "Choose another dataset; what has begun can still be closed and collected.",
    ),
    "no-funds": Explanation(
        "The account holds less than this needs.",
        "Collect what is due to you, have the treasury deposit more, or ask for less.",
    ),
    "full": Explanation(
        "All slots of the subset are taken.",
        "Retire a replica first if this one is to take its place.",
    ),
    "duplicate": Explanation(
        "The same member or handle would hold two slots of one subset, or two subsets share a digest or mask key.",
        "Give the slot to somebody else; make each subset's package with its own secret.",
    ),
    "not-full": Explanation(
        "The dataset lacks subsets, or a subset lacks verified replicas.",
        "Wait until every slot is verified, offering the subset to others if a cloud owner stays silent.",
    ),
    "bad-key": Explanation(
        "A subset's mask key is one of the few that would make its masks known to everybody.",
        "Make the dataset again with a fresh secret for that subset.",
    ),
    "rounds-spent": Explanation(
        "No round is left: of this training, or of all that the dataset's owner ever grants.",
        "End the training, or ask for fewer rounds.",
    ),
    "bad-opening": Explanation(
        "The secret does not open the draw that was committed to, is missing in round 1, or is told again later.",
        "Send the secret that the request committed to, in round 1 only.",
    ),
    "round-open": Explanation(
        "The last round is still being decided.",
        "Wait until every ballot is decided or its closing time and the network's grace have passed.",
    ),
    "replica-missing": Explanation(
        "A subset of this round's group has too few replicas left for a vote.",
        "Wait until its data owner replaces them, or end the training: what is unused returns.",
    ),
    "closed": Explanation(
        "The ballot of this job is no longer open.",
        "Nothing is left to do for this job.",
    ),
    "no-majority": Explanation(
        "The digest opens the commitments of no more than half of the subset's replicas.",
        "Send the digest that most replicas computed; without one the ballot becomes void by itself.",
    ),
}
"""Every refusal code."""
