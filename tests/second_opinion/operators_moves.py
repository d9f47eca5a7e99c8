"""What operators want: a new one among them, one gone, new keys, and sometimes nonsense."""

from __future__ import annotations

from tests.second_opinion.books import Fields
from tests.second_opinion.habits import Habits


class OperatorMoves(Habits):
    """Proposals and approvals."""

    def operator_keys(self) -> list[str]:
        """The keys of those who are operators now."""
        return [each["key"] for each in self.opinion.present()] or [self.fresh()]

    def governs(self, moves: int) -> None:
        """So many moves of operators, of which many are refused, and one accepted action sent again at times."""
        for _ in range(moves):
            self.random.choice([self.propose, self.agree])()

    def propose(self) -> None:
        """Somebody is to join, to leave, or to have another card."""
        who, now = self.random.choice(self.operator_keys()), self.opinion.present()
        place = self.random.choice([*self.operator_keys()[:3], self.key()])
        asked: Fields = {"nonce": self.fresh(), "operator": place}
        if self.random.random() < 0.8:
            asked["card"] = self.card(self.random.choice([place, place, place, self.key()]))
            if now and self.random.random() < 0.2:
                other = self.random.choice(now)
                asked["card"] |= {field: other[field] for field in self.random.choice([("node",), ("address",), other])}
        self.do("ProposeOperator", who, asked, who)

    def agree(self) -> None:
        """Some operators approve, one after the other."""
        name, proposal = self.pick("proposal", lambda each: each["state"] == "open")
        keys = self.operator_keys()
        for who in self.random.sample(keys, self.random.randint(1, len(keys))):
            self.do("ApproveOperator", who, {"proposal": name}, who, smart=self.random.random() < 0.7)
            proposal = self.opinion.records.get(f"proposal/{name}")
            if not proposal or proposal["state"] != "open":
                return
