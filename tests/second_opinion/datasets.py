"""What is trained on: a dataset, its subsets, and who holds them.

A subset has n slots; a cloud owner is offered one, joins with its stake, is verified or rejected, and may retire.
"""

from __future__ import annotations

from tests.second_opinion.books import Books, Fields
from tests.second_opinion.draw import groups
from tests.second_opinion.hashes import H
from tests.second_opinion.refusal import require

LOW_ORDER = {
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
}
"""Mask keys with which everybody can compute."""


class Datasets(Books):
    """CreateDS to WithdrawDS."""

    def CreateDS(self, arguments: Fields) -> str:
        """A draft with its terms and its budget."""
        dataset = H("dataset", self.network_id, self.member, arguments["nonce"])
        require(self.read("dataset", dataset) is None, "exists")
        self.admitted()
        terms = arguments["terms"]
        require(arguments["n"] in (3, 5, 7, 9), "limit")
        require(2 <= terms["group_min"] <= arguments["m"], "limit")
        for window in ("answer", "close", "commit", "idle"):
            require(2 * self.network["grace"] <= terms[window + "_window"] <= 2592000000, "limit")
        require(2 * (terms["commit_window"] + terms["close_window"]) <= terms["hold"] <= 7776000000, "limit")
        require(terms["store"] in self.network["stores"], "unknown")
        if "referee" in terms:
            require(terms["referee"] in self.network["referees"], "unknown")
        else:
            require(terms["stake"] == 0, "limit")
        self.write(
            "dataset",
            dataset,
            {
                "owner": self.member,
                "m": arguments["m"],
                "n": arguments["n"],
                "terms": terms,
                "card_digest": arguments["card_digest"],
                "state": "draft",
            },
        )
        self.write("budget", dataset, {"granted": 0})
        return dataset

    def CreateDSS(self, arguments: Fields) -> str:
        """One subset of a draft."""
        dataset = self.must("dataset", arguments["dataset"])
        require(dataset["owner"] == self.member, "not-yours")
        subset = H("subset", arguments["dataset"], arguments["index"])
        require(self.read("subset", subset) is None, "exists")
        require(dataset["state"] == "draft", "state")
        require(arguments["index"] <= dataset["m"] - 1, "limit")
        self.write(
            "subset",
            subset,
            {
                "dataset": arguments["dataset"],
                "index": arguments["index"],
                "digest": arguments["digest"],
                "mask_key": arguments["mask_key"],
                "slots": [],
            },
        )
        return subset

    def CreateCI(self, arguments: Fields) -> str:
        """One subset is offered to one cloud owner."""
        subset = self.must("subset", arguments["subset"])
        member = self.must("member", arguments["co"])
        dataset = self.must("dataset", subset["dataset"])
        require(dataset["owner"] == self.member, "not-yours")
        instance = H("instance", arguments["subset"], arguments["co"], arguments["nonce"])
        require(self.read("instance", instance) is None, "exists")
        require(dataset["state"] in ("draft", "published"), "state")
        require(member["role"] == "co", "unknown")
        self.write(
            "instance",
            instance,
            {
                "subset": arguments["subset"],
                "co": arguments["co"],
                "object": arguments["object"],
                "locator": arguments["locator"],
                "stake": 0,
                "state": "free",
            },
        )
        self.tell("instance-offered", instance, arguments["co"])
        return instance

    def instance_and_dataset(self, name: str) -> tuple[Fields, Fields, Fields]:
        """An instance with the subset and the dataset it leads to."""
        instance = self.must("instance", name)
        subset = self.must("subset", instance["subset"])
        return (instance, subset, self.must("dataset", subset["dataset"]))

    def JoinCI(self, arguments: Fields) -> str:
        """The offer is taken; the stake moves into the instance."""
        instance, _, dataset = self.instance_and_dataset(arguments["instance"])
        require(instance["co"] == self.member, "not-yours")
        require(instance["state"] == "free", "state")
        require(dataset["state"] != "withdrawn", "withdrawn")
        self.admitted()
        self.take(self.member, dataset["terms"]["stake"])
        instance.update(
            state="joined", receipt=arguments["receipt"], nonce=arguments["nonce"], stake=dataset["terms"]["stake"]
        )
        self.write("instance", arguments["instance"], instance)
        self.tell("instance-joined", arguments["instance"], dataset["owner"])
        return str(arguments["instance"])

    def VerifyCI(self, arguments: Fields) -> str:
        """The owner checked the receipt: a slot, or the stake back at once."""
        name: str = arguments["instance"]
        instance, subset, dataset = self.instance_and_dataset(name)
        require(dataset["owner"] == self.member, "not-yours")
        require(instance["state"] == "joined", "state")
        if arguments["verdict"] == "verified":
            require(len(subset["slots"]) < dataset["n"], "full")
            handle = self.must("member", instance["co"])["handle"]
            for slot in subset["slots"]:
                require(slot["co"] != instance["co"] and slot["handle"] != handle, "duplicate")
            subset["slots"].append({"instance": name, "co": instance["co"], "handle": handle})
            self.write("subset", instance["subset"], subset)
            instance["state"] = "verified"
            self.write("instance", name, instance)
            self.tell("instance-verified", name, instance["co"])
        else:
            stake = instance["stake"]
            instance.update(state="rejected", stake=0)
            self.write("instance", name, instance)
            self.pay(instance["co"], stake, name)
            self.tell("instance-rejected", name, instance["co"])
        return name

    def RetireCI(self, arguments: Fields) -> str:
        """A replica leaves; after publication its stake is held for a while."""
        name: str = arguments["instance"]
        instance, _, dataset = self.instance_and_dataset(name)
        require(self.member in (instance["co"], dataset["owner"]), "not-yours")
        require(instance["state"] in ("free", "joined", "verified"), "state")
        since = (
            self.time + dataset["terms"]["hold"]
            if instance["state"] == "verified" and "groups" in dataset
            else self.time
        )
        stake = instance["stake"]
        self.free_slots(instance["subset"], [name])
        instance.update(state="retired", stake=0)
        self.write("instance", name, instance)
        self.pay(instance["co"], stake, name, since)
        self.tell("instance-retired", name, dataset["owner"] if self.member == instance["co"] else instance["co"])
        return name

    def PublishDS(self, arguments: Fields) -> str:
        """The groups are dealt for the life of the dataset."""
        dataset = self.must("dataset", arguments["dataset"])
        require(dataset["owner"] == self.member, "not-yours")
        require(dataset["state"] == "draft", "state")
        named = [self.read("subset", H("subset", arguments["dataset"], index)) for index in range(dataset["m"])]
        subsets = [subset for subset in named if subset]
        full = [subset for subset in subsets if len(subset["slots"]) == dataset["n"]]
        require(len(full) == dataset["m"], "not-full")
        require(
            len({subset["digest"] for subset in subsets}) == len(subsets)
            and len({subset["mask_key"] for subset in subsets}) == len(subsets),
            "duplicate",
        )
        for subset in subsets:
            require(
                subset["mask_key"] not in LOW_ORDER
                and int.from_bytes(bytes.fromhex(subset["mask_key"]), "little") < 2**255 - 19,
                "bad-key",
            )
        dataset["groups"] = groups(
            arguments["dataset"], [subset["digest"] for subset in subsets], dataset["terms"]["group_min"]
        )
        dataset["state"] = "published"
        self.write("dataset", arguments["dataset"], dataset)
        return str(arguments["dataset"])

    def WithdrawDS(self, arguments: Fields) -> str:
        """Nothing new from here on."""
        dataset = self.must("dataset", arguments["dataset"])
        require(dataset["owner"] == self.member, "not-yours")
        require(dataset["state"] != "withdrawn", "state")
        dataset["state"] = "withdrawn"
        self.write("dataset", arguments["dataset"], dataset)
        return str(arguments["dataset"])
