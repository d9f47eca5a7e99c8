"""The moves of trainings, rounds, rulings and money, and what no honest member would send."""

from tests.second_opinion.hashes import H, T
from tests.second_opinion.moves import HolderMoves


class Moves(HolderMoves):
    """All moves; each may be refused."""

    def mod_(self) -> None:
        """A model."""
        self.do(
            "CreateMod",
            self.mem("mo"),
            {
                "nonce": self.fresh(),
                "type": "linear",
                "method": self.random.choice(["linear-1", "linear-2", "linear-1"]),
                "map": self.fresh(),
                "material": self.fresh(),
                "hash": self.fresh(),
                "store": "main",
            },
        )

    def request_(self) -> None:
        """A training over one to eight datasets."""
        mo, v = self.pick("model")
        if not v:
            return
        ds = [
            d for d, x in self.every("dataset") if x["state"] == "published" and v["method"] in x["terms"]["methods"]
        ] or [d for d, _ in self.every("dataset")]
        if not ds:
            return
        ds = sorted(
            self.random.sample(ds, min(len(ds), self.random.choice([1, 6, 7, 8] if self.wide else [1, 1, 2, 3, 5])))
        )
        n = self.fresh()
        s = self.fresh()
        c = H("couple", self.opinion.network_id, v["owner"], n)
        self.secret[c] = s
        if (
            self.opinion.records["account/" + v["owner"]]["free"] < (10**13 if self.rich else 20000)
            and self.random.random() < 0.7
        ):
            self.fund(v["owner"], 10**14 if self.rich else 50000, True)
        self.do(
            "RequestTC",
            v["owner"],
            {
                "nonce": n,
                "model": mo,
                "datasets": ds,
                "rounds": self.random.choice([1, 2, 3, 3, 5]),
                "draw_commitment": H("draw", c, v["owner"], s),
            },
        )

    def approve_(self) -> None:
        """Owners add their shares."""
        c, v = self.pick("couple", lambda v: v["state"] == "requested")
        if not v:
            return
        for p in v["parts"]:
            if "share" not in p and self.random.random() < 0.8:
                self.do(
                    "ApproveTC",
                    self.opinion.records["dataset/" + p["dataset"]]["owner"],
                    {"couple": c, "dataset": p["dataset"], "share": self.fresh()},
                )

    def start_(self) -> None:
        """A round."""
        c, v = self.pick("couple", lambda v: v["state"] in ("approved", "training"))
        if not v:
            return
        a = {"couple": c, "round": v["round"] + 1, "base": self.fresh()}
        if (v["round"] == 0) != (self.random.random() < 0.03):
            a["secret"] = self.secret.get(c, self.fresh())
        self.do("StartRound", v["mo"], a)

    def commit_(self) -> None:
        """Some replicas commit, most of them to the same result."""
        js = [(j, v) for j, v in self.every("job") if v["state"] == "open"]
        for j, v in self.random.sample(js, min(len(js), 3)) or [self.pick("job")]:
            if not v:
                return
            n = self.fresh()
            res = self.random.choice([self.result[0]] * 6 + [self.result[1]])
            com = H("result", j, v["co"], n, res)
            self.do(
                "UpdateTJ",
                v["co"],
                {"job": j, "commitment": com, "nonce": n, "locator": "cd" * 560},
                None,
                self.random.random() < 0.8,
            )

    def close_(self) -> None:
        """A ballot is closed, often when all have committed."""
        b, v = self.pick("ballot", lambda v: v["state"] == "open")
        if not v:
            return
        if self.random.random() < 0.5:
            for j in v["jobs"]:
                jv = self.opinion.records["job/" + j]
                if (
                    jv["state"] == "open"
                    and v["state"] == "open"
                    and (self.now <= v["commit_until"])
                    and (self.random.random() < 0.95)
                ):
                    n = self.fresh()
                    self.do(
                        "UpdateTJ",
                        jv["co"],
                        {
                            "job": j,
                            "commitment": H(
                                "result", j, jv["co"], n, self.random.choice([self.result[0]] * 6 + [self.result[1]])
                            ),
                            "nonce": n,
                            "locator": "cd" * 560,
                        },
                        None,
                        True,
                    )
        self.do(
            "CloseRound",
            self.pick("member")[0],
            {"ballot": b, "digest": self.random.choice([self.result[0]] * 6 + [self.result[1]])},
        )

    def end_(self) -> None:
        """Somebody ends a training."""
        c, v = self.pick("couple", lambda v: v["state"] != "ended")
        if not v:
            return
        who = self.random.choice(
            [v["mo"], self.pick("member")[0]]
            + [self.opinion.records["dataset/" + p["dataset"]]["owner"] for p in v["parts"]]
        )
        a = {"couple": c}
        if self.random.random() < 0.4:
            a["final"] = self.fresh()
        self.do("EndTC", who, a)

    def rule_(self) -> None:
        """A referee rules."""
        b, v = self.pick("ballot", lambda v: "ruling" not in v)
        if not v:
            return
        ref = self.opinion.records["dataset/" + self.opinion.records["subset/" + v["subset"]]["dataset"]]["terms"].get(
            "referee"
        ) or self.random.choice(self.refs)
        if self.random.random() < 0.1:
            ref = self.random.choice(self.refs)
        self.do("ReportFraud", ref, {"ballot": b, "ruling": self.random.choice(self.result)}, ref)

    def collect_(self) -> None:
        """Somebody collects."""
        p, v = self.pick("payout", lambda v: v["state"] == "due")
        if not v:
            return
        mine = [
            i
            for i, x in self.every("payout")
            if x["payee"] == v["payee"]
            and ((x["state"] == "due" and x["from"] <= self.now) or self.random.random() < 0.05)
        ]
        self.do("Collect", v["payee"], {"payouts": sorted({*mine[:5], p})})

    def withdraw_(self) -> None:
        """Money leaves."""
        m, _v = self.pick("member")
        self.do(
            "Withdraw",
            m,
            {
                "nonce": self.fresh(),
                "amount": self.random.choice([1, 10, self.opinion.records["account/" + m]["free"] or 1]),
            },
        )

    def rotate_(self) -> None:
        """Keys are renewed."""
        m, v = self.pick("member")
        if not v:
            return
        a = {
            "version": v["version"],
            "signing_key": self.random.choice([self.key(), v["signing_key"]]),
            "sealing_key": self.fresh(),
            "recovery_key": self.random.choice([self.key(), v["recovery_key"]]),
        }
        self.do("RotateKey", m, a, v["recovery_key"] if self.random.random() < 0.9 else v["signing_key"])

    def again_(self) -> None:
        """An accepted action is sent again."""
        raw, e = self.random.choice(self.accepted[-200:] if self.random.random() < 0.8 else self.accepted)
        keep = self.now
        self.now = e if self.random.random() < 0.8 else self.now
        before = len(self.accepted)
        self.send(raw)
        assert len(self.accepted) == before, "replay accepted"
        self.now = keep

    def time_(self) -> None:
        """Time passes: a moment, or to the edge of a deadline, its grace or its hold."""
        r = self.random
        q = r.random()
        if q < 0.5:
            self.now += r.choice([1, 10, 300, 800])
        else:
            ds = []
            for k, v in self.opinion.records.items():
                times = [v[f] for f in ("due", "commit_until", "close_until", "from") if f in v]
                ds += [time for time in times if time >= self.now - 600]
                if k.startswith("ballot/") and v["state"] != "x":
                    hh = (
                        v["close_until"]
                        + self.opinion.records["dataset/" + self.opinion.records["subset/" + v["subset"]]["dataset"]][
                            "terms"
                        ]["hold"]
                    )
                    if hh >= self.now:
                        ds.append(hh)
            ds = sorted(set(ds))[:6]
            if ds:
                self.now = max(self.now, r.choice(ds) + r.choice([-1, 0, 1, 500, 501]))

    def junk_(self) -> None:
        """Bytes that are no action."""
        r = self.random
        k = r.choice(list(self.keys))
        body = r.choice(
            [
                b"",
                b"{}",
                b"[]",
                b'{"a":1}',
                b"null",
                b'{"arguments":{},"function":"X","member":"%s","network":"%s","time":1}'
                % (k.encode(), self.opinion.network_id.encode()),
                b'{"arguments":{"a":[[[[[[[[1]]]]]]]]},"function":"Deposit"}',
                b"x" * 12193,
                b"x" * 12192,
            ]
        )
        self.send(bytes.fromhex(k) + self.keys[k].sign(T("action") + body).signature + body)
