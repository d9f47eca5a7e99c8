"""What takes several actions: taking part, having money, a dataset that is held and published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.second_opinion.books import Fields
from tests.second_opinion.crowd import Crowd
from tests.second_opinion.hashes import H, T


class Habits(Crowd):
    """Moves of several steps."""

    def join(self, role: str) -> str | None:
        """Somebody asks to take part."""
        r = self.random
        f = "Create" + role.upper()
        sk, rk = (self.key(), self.key())
        if r.random() < 0.05:
            sk = r.choice(list(self.keys))
        a: Fields = {"signing_key": sk, "sealing_key": self.fresh(), "recovery_key": rk}
        m = H("member/" + role, self.opinion.network_id, sk, a["sealing_key"], rk)
        if self.permissioned:
            h = r.choice(self.handles) if r.random() < 0.5 else self.fresh()
            u = r.choice([self.now - 1, self.now, self.now + 10**5, 10**12, 2**53 - 1])
            msg = (
                T("admission")
                + bytes.fromhex(self.opinion.network_id)
                + bytes.fromhex(m)
                + bytes.fromhex(h)
                + u.to_bytes(8, "big")
            )
            a["admission"] = {"handle": h, "until": u, "signature": self.keys[self.registrar].sign(msg).signature.hex()}
        return self.do(f, m, a, sk)

    def fund(self, m: Any, amount: int, smart: bool = False) -> None:
        """The treasury credits somebody, who collects."""
        p = self.do(
            "Deposit", self.treasury, {"nonce": self.fresh(), "payee": m, "amount": amount}, self.treasury, smart
        )
        if p:
            self.do("Collect", m, {"payouts": [p]}, None, smart)

    def terms(self, m: Any) -> Fields:
        """Legal terms."""
        r = self.random
        t: Fields = {
            "answer_window": r.choice([1000, 5000]),
            "close_window": r.choice([1000, 3000]),
            "commit_window": r.choice([1000, 2000, 3000]),
            "idle_window": r.choice([1000, 50000]),
            "group_min": r.randint(2, m),
            "methods": sorted(r.sample(["linear-1", "statistics-1", "linear-2", "open-model-1"], r.randint(1, 4)))
            if r.random() < 0.5
            else ["linear-1", "statistics-1"],
            "price_job": r.choice([0, 1, 100]),
            "price_round": r.choice([0, 7, 400]),
            "rounds_per_training": r.choice([3, 6, 1000]),
            "rounds_total": r.choice([6, 12, 100000]),
            "store": r.choice(["main", "spare"]),
            "stake": 0,
        }
        if self.wide:
            t.update(methods=["linear-1", "statistics-1"], rounds_per_training=6)
        if self.rich:
            t.update(price_job=10**9, price_round=10**9)
        t["hold"] = (8 if self.wide else r.choice([2, 3, 6])) * (t["commit_window"] + t["close_window"])
        if r.random() < 0.8:
            t["referee"] = r.choice(self.refs)
            t["stake"] = 10**12 if self.rich else r.choice([0, 1, 1000])
        return t

    def dataset(self, owner: str | None = None, keys: Sequence[str] = ()) -> None:
        """A whole dataset, most often held and published; its first mask keys are `keys`."""
        r = self.random
        m = 2 if self.wide else r.choice([2, 2, 3, 4])
        owner = owner or self.mem("do")
        n = 3 if self.wide else r.choice([3, 3, 3, 5])
        smart = self.wide or r.random() < 0.8
        d = self.do(
            "CreateDS",
            owner,
            {"nonce": self.fresh(), "m": m, "n": n, "terms": self.terms(m), "card_digest": self.fresh()},
            None,
            smart,
        )
        if not d:
            return
        o = self.opinion.records["dataset/" + d]["owner"]
        for k in range(m):
            self.do(
                "CreateDSS",
                o,
                {
                    "dataset": d,
                    "index": k,
                    "digest": self.fresh(),
                    "mask_key": keys[k] if k < len(keys) else self.fresh()[:-2] + "00",
                },
                None,
                smart,
            )
        if smart:
            for k in range(m):
                for _ in range(n):
                    self.hold(d, k)
            self.do("PublishDS", o, {"dataset": d})

    def hold(self, d: str, k: int) -> None:
        """One replica more."""
        x = H("subset", d, k)
        sub = self.opinion.records.get("subset/" + x)
        if not sub:
            return
        ds = self.opinion.records["dataset/" + d]
        hs = {q["handle"] for q in sub["slots"]}
        cands = [
            i
            for i, v in self.every("member")
            if v["role"] == "co" and v["handle"] not in hs and (v["until"] > self.now)
        ]
        if not cands:
            return
        co = self.random.choice(cands)
        i = self.do(
            "CreateCI",
            ds["owner"],
            {"subset": x, "co": co, "nonce": self.fresh(), "object": self.fresh(), "locator": "ab" * 560},
            None,
            True,
        )
        if not i:
            return
        if self.opinion.records["account/" + co]["free"] < ds["terms"]["stake"]:
            self.fund(co, 10**12 if self.rich else 5000, True)
        self.do("JoinCI", co, {"instance": i, "receipt": self.fresh(), "nonce": self.fresh()}, None, True)
        self.do("VerifyCI", ds["owner"], {"instance": i, "verdict": "verified"}, None, True)

    def own(self, v: Fields) -> str:
        """The owner of the dataset of an instance."""
        return str(self.opinion.records["dataset/" + self.opinion.records["subset/" + v["subset"]]["dataset"]]["owner"])
