"""One move for each thing that somebody may want, chosen among the records that there are."""

from __future__ import annotations

from tests.second_opinion.habits import Habits


class HolderMoves(Habits):
    """What owners of data and clouds want."""

    def join_(self) -> None:
        """Somebody joins."""
        self.join(self.random.choice(["do", "co", "co", "mo"]))

    def fund_(self) -> None:
        """Somebody gets money."""
        self.fund(self.pick("member")[0], self.random.choice([1, 1000, 10**6, 2**53 - 1]))

    def dataset_(self) -> None:
        """A whole dataset, most often."""
        if len(self.every("dataset")) < 12:
            self.dataset()

    def ds_(self) -> None:
        """A draft."""
        self.do(
            "CreateDS",
            self.mem("do"),
            {
                "nonce": self.fresh(),
                "m": self.random.choice([2, 3]),
                "n": 3,
                "terms": self.terms(2),
                "card_digest": self.fresh(),
            },
        )

    def dss_(self) -> None:
        """A subset."""
        d, v = self.pick("dataset", lambda v: v["state"] == "draft")
        self.do(
            "CreateDSS",
            v["owner"] if v else self.mem("do"),
            {
                "dataset": d,
                "index": self.random.randint(0, 5),
                "digest": self.fresh(),
                "mask_key": self.random.choice(
                    [self.fresh(), "00" * 32, "ed" + "ff" * 30 + "7f", self.fresh()[:-2] + "00"]
                ),
            },
        )

    def ci_(self) -> None:
        """An offer."""
        x, v = self.pick("subset")
        if not v:
            return
        self.do(
            "CreateCI",
            self.opinion.records["dataset/" + v["dataset"]]["owner"],
            {"subset": x, "co": self.mem("co"), "nonce": self.fresh(), "object": self.fresh(), "locator": "00" * 560},
        )

    def hold_(self) -> None:
        """A replica from the offer to the slot."""
        d, v = self.pick("dataset", lambda v: v["state"] != "withdrawn")
        if v:
            self.hold(d, self.random.randrange(v["m"]))

    def joinci_(self) -> None:
        """An offer is taken."""
        i, v = self.pick("instance", lambda v: v["state"] == "free")
        if v:
            self.do("JoinCI", v["co"], {"instance": i, "receipt": self.fresh(), "nonce": self.fresh()})

    def verify_(self) -> None:
        """A verdict on a replica."""
        i, v = self.pick("instance", lambda v: v["state"] == "joined")
        if v:
            self.do(
                "VerifyCI",
                self.own(v),
                {"instance": i, "verdict": self.random.choice(["verified", "verified", "rejected"])},
            )

    def retire_(self) -> None:
        """A replica leaves."""
        i, v = self.pick("instance", lambda v: v["state"] == "verified")
        if v:
            self.do("RetireCI", self.random.choice([v["co"], self.own(v)]), {"instance": i})

    def publish_(self) -> None:
        """A draft is published."""
        d, v = self.pick("dataset", lambda v: v["state"] == "draft")
        if v:
            self.do("PublishDS", v["owner"], {"dataset": d})

    def withdrawds_(self) -> None:
        """Now and then a dataset is withdrawn, and who has an offer of it may not know yet."""
        if self.random.random() < 0.1:
            d, v = self.pick("dataset")
            if v:
                self.do("WithdrawDS", v["owner"], {"dataset": d})
                self.late(d)

    def late(self, d: str) -> None:
        """An offer of a dataset is taken, whatever became of the dataset."""
        offers = [
            (i, v)
            for i, v in self.every("instance")
            if v["state"] == "free" and self.opinion.records["subset/" + v["subset"]]["dataset"] == d
        ]
        for i, v in offers[:1]:
            self.do("JoinCI", v["co"], {"instance": i, "receipt": self.fresh(), "nonce": self.fresh()}, None, True)

    def flawed_(self) -> None:
        """Now and then a dataset is held in full whose subsets are alike, or one of which everybody can unmask."""
        if self.random.random() < 0.2 and len(self.every("dataset")) < 12:
            same = self.fresh()[:-2] + "00"
            self.dataset(keys=self.random.choice([[same, same], ["00" * 32], ["ff" * 32], ["01" + "00" * 31]]))
