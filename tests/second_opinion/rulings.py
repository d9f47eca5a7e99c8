"""What a referee may do: once for each ballot, with its own result in hand.

A stake that is still held, or due and uncollected, is burned and pays nobody.
"""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.hashes import H
from tests.second_opinion.refusal import require


class Rulings(Books):
    """ReportFraud."""

    def ReportFraud(self, arguments: Fields) -> str:
        """A finding for each commitment that does not open to the ruling."""
        ballot = self.must("ballot", arguments["ballot"])
        subset = self.must("subset", ballot["subset"])
        dataset = self.must("dataset", subset["dataset"])
        jobs = [(job, self.must("job", job)) for job in ballot["jobs"]]
        require(dataset["terms"].get("referee") == self.key, "not-yours")
        require("ruling" not in ballot, "exists")
        require(ballot["state"] in ("decided", "void") or self.after(ballot["close_until"]), "state")
        require(self.time <= ballot["close_until"] + dataset["terms"]["hold"], "too-late")
        ballot["ruling"] = arguments["ruling"]
        self.write("ballot", arguments["ballot"], ballot)
        for name, job in jobs:
            if "commitment" in job and (not self.opens(name, job, arguments["ruling"])):
                instance = self.must("instance", job["instance"])
                payout = H("payout", job["instance"], job["co"])
                if instance["state"] != "retired":
                    stake = instance["stake"]
                    instance.update(state="retired", stake=0)
                    self.write("instance", job["instance"], instance)
                    self.free_slots(instance["subset"], [job["instance"]])
                    self.pay(job["co"], stake, job["instance"], state="burned")
                else:
                    record = self.read("payout", payout)
                    if record and record["state"] == "due":
                        record["state"] = "burned"
                        self.write("payout", payout, record)
                finding = H("finding", name)
                self.write(
                    "finding",
                    finding,
                    {
                        "job": name,
                        "co": job["co"],
                        "ruling": arguments["ruling"],
                        "commitment": job["commitment"],
                        "nonce": job["nonce"],
                    },
                )
                self.tell("finding", finding, job["co"])
        return str(arguments["ballot"])
