"""What is asked for: a model, a training over one to eight datasets, and the word of each owner."""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.hashes import H
from tests.second_opinion.refusal import require


class Trainings(Books):
    """CreateMod, RequestTC, ApproveTC."""

    def CreateMod(self, arguments: Fields) -> str:
        """A model."""
        require(arguments["method"].rpartition("-")[0] == arguments["type"], "malformed")
        model = H("model", self.network_id, self.member, arguments["nonce"])
        require(self.read("model", model) is None, "exists")
        require(arguments["store"] in self.network["stores"], "unknown")
        record = dict(arguments, owner=self.member)
        del record["nonce"]
        self.write("model", model, record)
        return model

    def RequestTC(self, arguments: Fields) -> str:
        """A training with all its money in escrow."""
        model = self.must("model", arguments["model"])
        datasets = [self.must("dataset", dataset) for dataset in arguments["datasets"]]
        require(model["owner"] == self.member, "not-yours")
        couple = H("couple", self.network_id, self.member, arguments["nonce"])
        require(self.read("couple", couple) is None, "exists")
        for dataset in datasets:
            require(dataset["state"] != "withdrawn", "withdrawn")
            require(dataset["state"] == "published", "state")
        self.admitted()
        for dataset in datasets:
            require(model["method"] in dataset["terms"]["methods"], "unknown")
        terms = [dataset["terms"] for dataset in datasets]
        require(1 <= arguments["rounds"] <= min(each["rounds_per_training"] for each in terms), "limit")
        longest = max(each["commit_window"] for each in terms) + max(each["close_window"] for each in terms)
        for each in terms:
            require(each["hold"] >= 2 * longest, "limit")
        jobs = [dataset["n"] * max(map(len, dataset["groups"])) for dataset in datasets]
        require(sum(jobs) <= 96, "limit")
        escrow = arguments["rounds"] * sum(
            (count * each["price_job"] + each["price_round"] for count, each in zip(jobs, terms, strict=False))
        )
        self.take(self.member, escrow)
        self.write(
            "couple",
            couple,
            {
                "mo": self.member,
                "model": arguments["model"],
                "parts": [{"dataset": dataset, "fee": 0} for dataset in arguments["datasets"]],
                "rounds": arguments["rounds"],
                "balance": escrow,
                "draw_commitment": arguments["draw_commitment"],
                "round": 0,
                "turn": 0,
                "due": self.time + max(each["answer_window"] for each in terms),
                "state": "requested",
            },
        )
        for owner in sorted({dataset["owner"] for dataset in datasets}):
            self.tell("training-requested", couple, owner)
        return couple

    def ApproveTC(self, arguments: Fields) -> str:
        """One owner adds its share; the last share approves the training."""
        couple = self.must("couple", arguments["couple"])
        dataset = self.must("dataset", arguments["dataset"])
        part = [each for each in couple["parts"] if each["dataset"] == arguments["dataset"]]
        require(part and dataset["owner"] == self.member, "not-yours")
        part = part[0]
        require(couple["state"] == "requested" and "share" not in part, "state")
        require(dataset["state"] != "withdrawn", "withdrawn")
        require(self.time <= couple["due"], "too-late")
        budget = self.must("budget", arguments["dataset"])
        require(budget["granted"] + couple["rounds"] <= dataset["terms"]["rounds_total"], "rounds-spent")
        part["share"] = arguments["share"]
        budget["granted"] += couple["rounds"]
        self.write("budget", arguments["dataset"], budget)
        if all("share" in each for each in couple["parts"]):
            couple["state"] = "approved"
            couple["due"] = self.time + max(
                self.must("dataset", each["dataset"])["terms"]["idle_window"] for each in couple["parts"]
            )
        self.write("couple", arguments["couple"], couple)
        self.tell("training-approved", arguments["couple"], couple["mo"])
        return str(arguments["couple"])
