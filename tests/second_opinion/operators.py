"""Who runs the ledger together, and how a place among them changes hands.

The list is counted anew with every approval; whoever left since has none.
"""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.hashes import H
from tests.second_opinion.refusal import require


class Operators(Books):
    """ProposeOperator and ApproveOperator."""

    def present(self) -> list[Fields]:
        """The operators now; nobody where one operator signs."""
        record = self.read("operators", self.network_id)
        return record["operators"] if record else []

    def ProposeOperator(self, arguments: Fields) -> str:
        """A proposal with its first approval."""
        name = H("proposal", self.network_id, self.key, arguments["nonce"])
        require(self.read("proposal", name) is None, "exists")
        proposal = {"operator": arguments["operator"], "approvals": [], "state": "open"}
        if "card" in arguments:
            proposal["card"] = arguments["card"]
        return self.agree(name, proposal)

    def ApproveOperator(self, arguments: Fields) -> str:
        """One approval more."""
        proposal = self.must("proposal", arguments["proposal"])
        require(proposal["state"] == "open", "state")
        require(self.key not in proposal["approvals"], "exists")
        return self.agree(arguments["proposal"], proposal)

    def agree(self, name: str, proposal: Fields) -> str:
        """Counts, and changes the list if that is enough."""
        now = self.present()
        place = proposal["operator"]
        then = [each for each in now if each["key"] != place]
        card = proposal.get("card")
        if card is None:
            require(then != now and len(then) > 0, "state")
        else:
            require(then != now or card["key"] == place, "state")
            then = sorted([*then, card], key=lambda each: str(each["key"]))
            for field in ("address", "key", "node", "validator"):
                require(len({each[field] for each in then}) == len(then), "duplicate")
            require(then != now, "duplicate")
            require(len(then) <= 32, "limit")
        if not proposal["approvals"]:
            for each in now:
                if each["key"] != self.key:
                    self.tell("operator-proposed", name, each["key"])
        proposal["approvals"] = sorted([*proposal["approvals"], self.key])
        votes = sum(each["key"] in proposal["approvals"] for each in now)
        if votes > len(now) * 2 / 3:
            proposal["state"] = "accepted"
            self.write("operators", self.network_id, {"operators": then})
            for key in sorted({each["key"] for each in now + then}):
                self.tell("operators-changed", name, key)
        self.write("proposal", name, proposal)
        return name
