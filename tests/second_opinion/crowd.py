"""People who send actions: right ones, and ones with one, two or three faults at once.

A fault is another caller, another key, another network, a broken signature, another function, or an argument that is
missing, strange, too large, of another kind or of somebody else. The time of an action may stand at the edge of the
skew.
"""

from __future__ import annotations

from random import Random
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from tests.second_opinion.books import Fields
from tests.second_opinion.faults import mutated, spell
from tests.second_opinion.forms import FORMS
from tests.second_opinion.hashes import T, sha256
from tests.second_opinion.opinion import SecondOpinion

OPERATORS = {"ProposeOperator", "ApproveOperator"}


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """The verdict of libsodium."""
    try:
        VerifyKey(key).verify(message, signature)
    except (BadSignatureError, ValueError, TypeError):
        return False
    return True


class Crowd:
    """Keys, secrets and the second opinion by which the crowd knows what there is."""

    def __init__(self, random: Random, *, permissioned: bool, rich: bool, wide: bool, operators: int = 0) -> None:
        self.random, self.count, self.rich, self.wide = random, 0, rich, wide
        self.keys: dict[str, SigningKey] = {}
        self.treasury, self.registrar, *self.refs = [self.key() for _ in range(4)]
        network: Fields = {
            "grace": 500,
            "nonce": "01" * 32,
            "referees": sorted(self.refs),
            "skew": 250,
            "stores": ["main", "spare"],
            "treasury": self.treasury,
        }
        if operators:
            network["operators"] = sorted(
                (self.card(self.key()) for _ in range(operators)), key=lambda each: str(each["key"])
            )
        self.permissioned = permissioned
        if permissioned:
            network["registrar"] = self.registrar
        self.network = network
        self.opinion = SecondOpinion(network, verify)
        self.now = 1_000_000
        self.secret: dict[str, str] = {}
        self.accepted: list[tuple[bytes, int]] = []
        self.handles = [self.fresh() for _ in range(4)]
        self.result = [self.fresh() for _ in range(3)]

    def send(self, action: bytes) -> str | None:
        """Sends an action; the id of what it made or moved, or nothing if it was refused."""
        raise NotImplementedError

    def fresh(self) -> str:
        """Bytes that nobody used before."""
        self.count += 1
        return sha256(b"%d/%d" % (self.random.getrandbits(64), self.count)).hex()

    def key(self) -> str:
        """A new signing key."""
        s = bytes.fromhex(self.fresh())
        k = SigningKey(s)
        p = bytes(k.verify_key).hex()
        self.keys[p] = k
        return p

    def card(self, key: str) -> Fields:
        """An operator's card."""
        node = self.fresh()[:40]
        return {"address": f"{node[:8]}.example:26656", "key": key, "node": node, "validator": self.fresh()}

    def sign(self, f: str, m: Any, key: Any, args: Any, t: Any = None, net: Any = None, badsig: bool = False) -> bytes:
        """A signed action, well formed or not."""
        body = spell(
            {
                "arguments": args,
                "function": f,
                "member": m,
                "network": net or self.opinion.network_id,
                "time": self.now if t is None else t,
            }
        ).encode("utf-8", "surrogatepass")
        if badsig:
            sig = b"\x01" * 64
        elif key not in self.keys:
            sig = b"\x02" * 64
        else:
            sig = self.keys[key].sign(T("action") + body).signature
        return bytes.fromhex(key) + sig + body

    def every(self, kind: str) -> list[tuple[str, Fields]]:
        """All records of a kind."""
        return [(k.split("/")[1], v) for k, v in self.opinion.records.items() if k.startswith(kind + "/")]

    def pick(self, kind: str, cond: Any = lambda v: True) -> tuple[str, Any]:
        """A record of a kind, most often one that the move is good for."""
        x = self.every(kind)
        g = [i for i in x if cond(i[1])]
        return (
            self.random.choice(g)
            if g and self.random.random() < 0.9
            else self.random.choice(x)
            if x
            else (self.fresh(), None)
        )

    def signer(self, m: Any) -> str:
        """The key with which a member signs."""
        v = self.opinion.records.get("member/" + m)
        return str(v["signing_key"]) if v else self.random.choice(list(self.keys))

    def mem(self, role: str) -> str:
        """A member of a role."""
        return self.pick("member", lambda v: v["role"] == role)[0]

    def do(self, f: str, m: Any, args: Any, key: Any = None, smart: bool = False) -> str | None:
        """Sends an action; unless it is careful, with up to three faults and a time at the edge of the skew."""
        r = self.random
        key = key or (
            self.signer(m)
            if m in {k for k, _ in self.every("member")}
            else m
            if m in self.keys
            else r.choice(list(self.keys))
        )
        t = self.now + (0 if r.random() < 0.7 else r.choice([-250, -249, 250, 1, -1, 251, -251]) if not smart else 0)
        net = None
        bad = False
        if not smart:
            n = r.choices([0, 1, 2, 3], [60, 25, 10, 5])[0]
            for _ in range(n):
                q = r.random()
                if q < 0.2:
                    m = r.choice([k for k, _ in self.every("member")] + [self.fresh()])
                    key = self.signer(m) if r.random() < 0.7 else key
                elif q < 0.25:
                    key = r.choice(list(self.keys))
                elif q < 0.28:
                    net = self.fresh()
                elif q < 0.3:
                    bad = True
                elif q < 0.34:
                    f = r.choice([*(each for each in FORMS if each not in OPERATORS), "Nope", "createDO", ""])
                else:
                    ids = [name.split("/")[1] for name in self.opinion.records]
                    args = mutated(args, r, ids, list(self.keys), self.fresh)
        return self.send(self.sign(f, m, key, args, t, net, bad))
