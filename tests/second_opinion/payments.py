"""How money enters, is collected, and leaves."""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.hashes import H
from tests.second_opinion.reader import LARGEST
from tests.second_opinion.refusal import require


class Payments(Books):
    """Deposit, Collect, Withdraw."""

    def Deposit(self, arguments: Fields) -> str:
        """The treasury credits a payee."""
        self.must("member", arguments["payee"])
        cause = H("deposit", self.network_id, arguments["nonce"])
        payout = H("payout", cause, arguments["payee"])
        require(self.read("payout", payout) is None, "exists")
        deposits = self.must("deposits", self.network_id)
        require(deposits["amount"] + arguments["amount"] <= LARGEST, "limit")
        deposits["amount"] += arguments["amount"]
        self.write("deposits", self.network_id, deposits)
        self.pay(arguments["payee"], arguments["amount"], cause)
        return payout

    def Collect(self, arguments: Fields) -> str:
        """What is due becomes free."""
        payouts = [(payout, self.must("payout", payout)) for payout in arguments["payouts"]]
        require(all((payout["payee"] == self.member for _, payout in payouts)), "not-yours")
        require(all((payout["state"] == "due" for _, payout in payouts)), "state")
        require(all((payout["from"] <= self.time for _, payout in payouts)), "too-early")
        account = self.must("account", self.member)
        for name, payout in payouts:
            payout["state"] = "collected"
            account["free"] += payout["amount"]
            self.write("payout", name, payout)
        self.write("account", self.member, account)
        return self.member

    def Withdraw(self, arguments: Fields) -> str:
        """What is free leaves the market."""
        withdrawal = H("withdrawal", self.network_id, self.member, arguments["nonce"])
        require(self.read("withdrawal", withdrawal) is None, "exists")
        self.take(self.member, arguments["amount"])
        self.write("withdrawal", withdrawal, {"member": self.member, "amount": arguments["amount"], "time": self.time})
        return withdrawal
