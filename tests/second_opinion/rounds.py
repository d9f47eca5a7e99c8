"""What happens in a round: a ballot for each subset of the turn, a commitment for each replica, one opening.

What a round leaves behind is settled by whatever comes next: the following round, or the end.
"""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.draw import shuffle
from tests.second_opinion.hashes import H
from tests.second_opinion.refusal import require


class Rounds(Books):
    """StartRound, UpdateTJ, CloseRound, EndTC."""

    def turn_subsets(self, couple: Fields, seed: str, turn: int) -> list[tuple[str, str]]:
        """The subsets of a turn, in the order of parts and indexes."""
        found = []
        for position, part in enumerate(couple["parts"]):
            dataset = self.must("dataset", part["dataset"])
            count = len(dataset["groups"])
            group = shuffle(H("order", seed, position, turn // count), count)[turn % count]
            found += [(part["dataset"], H("subset", part["dataset"], index)) for index in dataset["groups"][group]]
        return found

    def settle(self, name: str, couple: Fields) -> None:
        """Ends the round that was started, found by computing its ballots and, as a check, by looking at all."""
        if couple["round"] == 0:
            return
        ballots = [
            H("ballot", name, couple["round"], subset)
            for _, subset in self.turn_subsets(couple, couple["seed"], couple["turn"])
        ]
        scan = {
            key[7:]
            for key, value in self.records.items()
            if key.startswith("ballot/") and value["couple"] == name and (value["round"] == couple["round"])
        }
        assert scan == set(ballots)
        records = [(ballot, self.must("ballot", ballot)) for ballot in ballots]
        for _, record in records:
            require(record["state"] == "decided" or self.after(record["close_until"]), "round-open")
        full = all((record["state"] == "decided" for _, record in records))
        for ballot, record in records:
            couple["balance"] += record["left"]
            record["left"] = 0
            if record["state"] == "open":
                record["state"] = "void"
                self.tell("ballot-void", ballot, couple["mo"])
            self.write("ballot", ballot, record)
        for part in couple["parts"]:
            if full:
                self.pay(
                    self.must("dataset", part["dataset"])["owner"],
                    part["fee"],
                    H("fee", name, couple["round"], part["dataset"]),
                )
            else:
                couple["balance"] += part["fee"]
            part["fee"] = 0
        if full:
            couple["turn"] += 1

    def StartRound(self, arguments: Fields) -> str:
        """Ballots and jobs, paid from the balance."""
        name: str = arguments["couple"]
        couple = self.must("couple", name)
        datasets = {part["dataset"]: self.must("dataset", part["dataset"]) for part in couple["parts"]}
        require(couple["mo"] == self.member, "not-yours")
        require(couple["state"] in ("approved", "training") and arguments["round"] == couple["round"] + 1, "state")
        require(arguments["round"] <= couple["rounds"], "rounds-spent")
        for each in datasets.values():
            require(each["state"] == "published", "withdrawn")
        require(("secret" in arguments) == (arguments["round"] == 1), "bad-opening")
        if arguments["round"] == 1:
            require(H("draw", name, couple["mo"], arguments["secret"]) == couple["draw_commitment"], "bad-opening")
            couple["seed"] = H("seed", name, arguments["secret"], *[part["share"] for part in couple["parts"]])
        self.settle(name, couple)
        subsets = [
            (dataset, subset, self.must("subset", subset))
            for dataset, subset in self.turn_subsets(couple, couple["seed"], couple["turn"])
        ]
        for dataset, _, record in subsets:
            require(len(record["slots"]) >= (datasets[dataset]["n"] + 1) // 2, "replica-missing")
        require(sum((len(record["slots"]) for _, _, record in subsets)) <= 96, "limit")
        terms = [each["terms"] for each in datasets.values()]
        commit_until = self.time + max(each["commit_window"] for each in terms)
        close_until = commit_until + max(each["close_window"] for each in terms)
        for part in couple["parts"]:
            part["fee"] = datasets[part["dataset"]]["terms"]["price_round"]
            couple["balance"] -= part["fee"]
        for dataset, subset, record in subsets:
            ballot = H("ballot", name, arguments["round"], subset)
            price = datasets[dataset]["terms"]["price_job"]
            left = price * len(record["slots"])
            couple["balance"] -= left
            jobs = []
            for slot in record["slots"]:
                job = H("job", ballot, slot["instance"])
                jobs.append(job)
                self.write(
                    "job", job, {"ballot": ballot, "instance": slot["instance"], "co": slot["co"], "state": "open"}
                )
                self.tell("job-open", job, slot["co"])
            self.write(
                "ballot",
                ballot,
                {
                    "couple": name,
                    "round": arguments["round"],
                    "subset": subset,
                    "base": arguments["base"],
                    "jobs": jobs,
                    "n": datasets[dataset]["n"],
                    "price": price,
                    "left": left,
                    "commit_until": commit_until,
                    "close_until": close_until,
                    "state": "open",
                },
            )
        couple.update(
            round=arguments["round"],
            base=arguments["base"],
            commit_until=commit_until,
            close_until=close_until,
            due=close_until + max(each["idle_window"] for each in terms),
            state="training",
        )
        assert couple["balance"] >= 0
        self.write("couple", name, couple)
        return name

    def UpdateTJ(self, arguments: Fields) -> str:
        """A replica commits."""
        job = self.must("job", arguments["job"])
        ballot = self.must("ballot", job["ballot"])
        require(job["co"] == self.member, "not-yours")
        require(job["state"] == "open", "state")
        require(ballot["state"] == "open", "closed")
        require(self.time <= ballot["commit_until"], "too-late")
        job.update(
            state="committed",
            commitment=arguments["commitment"],
            nonce=arguments["nonce"],
            locator=arguments["locator"],
        )
        self.write("job", arguments["job"], job)
        return str(arguments["job"])

    def CloseRound(self, arguments: Fields) -> str:
        """One digest opens a majority, or nothing happens."""
        ballot = self.must("ballot", arguments["ballot"])
        couple = self.must("couple", ballot["couple"])
        jobs = [(job, self.must("job", job)) for job in ballot["jobs"]]
        require(ballot["state"] == "open", "state")
        require(
            all((job["state"] == "committed" for _, job in jobs)) or self.after(ballot["commit_until"]), "too-early"
        )
        opened = [name for name, job in jobs if self.opens(name, job, arguments["digest"])]
        require(len(opened) > ballot["n"] / 2, "no-majority")
        ballot.update(state="decided", digest=arguments["digest"], left=ballot["left"] - len(opened) * ballot["price"])
        self.write("ballot", arguments["ballot"], ballot)
        self.tell("ballot-decided", arguments["ballot"], couple["mo"])
        for name, job in jobs:
            verdict = "accepted" if name in opened else "rejected" if job["state"] == "committed" else "missing"
            job["state"] = verdict
            self.write("job", name, job)
            if verdict == "accepted":
                self.pay(job["co"], ballot["price"], name)
            self.tell("job-" + verdict, name, job["co"])
        return str(arguments["ballot"])

    def EndTC(self, arguments: Fields) -> str:
        """Unused rounds go back to the budget, the balance to the model owner."""
        name: str = arguments["couple"]
        couple = self.must("couple", name)
        datasets = {part["dataset"]: self.must("dataset", part["dataset"]) for part in couple["parts"]}
        people = sorted({couple["mo"]} | {dataset["owner"] for dataset in datasets.values()})
        require("final" not in arguments or couple["mo"] == self.member, "not-yours")
        require(couple["state"] != "ended", "state")
        require(self.member in people or self.after(couple["due"]), "too-early")
        self.settle(name, couple)
        for part in couple["parts"]:
            if "share" in part:
                budget = self.must("budget", part["dataset"])
                budget["granted"] -= couple["rounds"] - couple["round"]
                self.write("budget", part["dataset"], budget)
        self.pay(couple["mo"], couple["balance"], name)
        couple.update(balance=0, state="ended", final=arguments.get("final"))
        self.write("couple", name, couple)
        for person in people:
            self.tell("training-ended", name, person)
        return name
