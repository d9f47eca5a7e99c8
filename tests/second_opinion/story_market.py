"""The first half of the story: people join, are paid, hold subsets, and datasets are published.

Each line is one step: what happens, and the code where it is refused.
"""

from typing import Any

from tests.second_opinion.reader import LARGEST
from tests.second_opinion.stage import REF, TRE, again, member, nonce, now, say, x

d1 = member("do", 16, x(64))
d2 = member("do", 24, x(65))
m = member("mo", 48, x(66))
bare = {k: v for k, v in d1["args"].items() if k != "admission"}
say("without an admission, by another key", "CreateDO", d1, bare, "not-yours", key=TRE)
say("without an admission", "CreateDO", d1, bare, "not-admitted")
say(
    "with an admission for another member",
    "CreateDO",
    d1,
    dict(d1["args"], admission=d2["args"]["admission"]),
    "not-admitted",
)
say("a millisecond more than the skew early", "CreateDO", d1, d1["args"], "clock", t=969999)
say("a millisecond more than the skew late", "CreateDO", d1, d1["args"], "clock", t=1030001)
say("as a cloud owner with the id of a data owner", "CreateCO", d1, d1["args"], "not-yours")
say("a data owner joins, as late as its clock may claim", "CreateDO", d1, d1["args"], t=1030000)
say("the same member again", "CreateDO", d1, d1["args"], "exists")
say("the same member again without an admission", "CreateDO", d1, bare, "exists")
say("another data owner joins", "CreateDO", d2, d2["args"], t=970000)
say("a model owner joins", "CreateMO", m, m["args"])
co = [member("co", 32 if i == 4 else 80 + 4 * i, x(96 + i)) for i in range(6)]
twin = member("co", 112, x(96))
brief = member("co", 120, x(111), until=1000000)
for c in [*co, twin, brief]:
    say("a cloud owner joins", "CreateCO", c, c["args"])
rot = member("co", 144, x(106))
say(
    "a stolen signing key cannot rotate",
    "RotateKey",
    co[5],
    {"version": 0, "signing_key": rot["key"], "sealing_key": x(145), "recovery_key": rot["rec"]},
    "not-yours",
)
say(
    "of a version that never was, by the recovery key",
    "RotateKey",
    co[5]["id"],
    {"version": 1, "signing_key": rot["key"], "sealing_key": x(145), "recovery_key": rot["rec"]},
    "state",
    key=co[5]["rec"],
)
say(
    "new keys for the same member",
    "RotateKey",
    co[5]["id"],
    {"version": 0, "signing_key": rot["key"], "sealing_key": x(145), "recovery_key": co[5]["rec"]},
    key=co[5]["rec"],
)
again("the same rotation again")
say("the old signing key is worth nothing", "Withdraw", co[5], {"nonce": nonce(), "amount": 1}, "not-yours")
co[5]["key"] = rot["key"]


def fund(who: Any, amount: Any) -> Any:
    """A deposit that is collected."""
    p = say("the treasury credits", "Deposit", TRE, {"nonce": nonce(), "payee": who["id"], "amount": amount})
    say("the payee collects", "Collect", who, {"payouts": [p]})


say("a member is no treasury", "Deposit", d1, {"nonce": x(80), "payee": x(238), "amount": 7}, "not-yours")
say("a payee that does not exist", "Deposit", TRE, {"nonce": x(80), "payee": x(238), "amount": 7}, "unknown")
say("an amount of nothing", "Deposit", TRE, {"nonce": x(80), "payee": x(238), "amount": 0}, "limit")
p7 = say("the deposit of the annex", "Deposit", TRE, {"nonce": x(80), "payee": d1["id"], "amount": 7})
again("the same deposit again")
say(
    "the same nonce for another payee is another payout",
    "Deposit",
    TRE,
    {"nonce": x(80), "payee": d2["id"], "amount": 1},
)
say(
    "more than all money that may ever be",
    "Deposit",
    TRE,
    {"nonce": nonce(), "payee": d2["id"], "amount": LARGEST - 7},
    "limit",
)
say(
    "somebody else collects what is due, and what does not exist",
    "Collect",
    d2,
    {"payouts": sorted([p7, x(238)])},
    "unknown",
)
say("somebody else collects what is due", "Collect", d2, {"payouts": [p7]}, "not-yours")
say("twice the same payout", "Collect", d1, {"payouts": [p7, p7]}, "malformed")
say("no payout", "Collect", d1, {"payouts": []}, "limit")
say("sixty-five payouts, one of them no id", "Collect", d1, {"payouts": [str(i) for i in range(65)]}, "limit")
say("the payee collects", "Collect", d1, {"payouts": [p7]})
again("collected twice")
for c in [*co[:3], twin]:
    fund(c, 4000)
fund(co[3], 2000)
fund(co[4], 1999)
fund(m, 20000)
T_ = {
    "answer_window": 200000,
    "close_window": 120000,
    "commit_window": 150000,
    "group_min": 2,
    "hold": 600000,
    "idle_window": 300000,
    "methods": ["linear-1", "statistics-1"],
    "price_job": 100,
    "price_round": 400,
    "referee": REF,
    "rounds_per_training": 3,
    "rounds_total": 5,
    "stake": 1000,
    "store": "main",
}
TB = dict(T_, commit_window=120000, price_job=7, price_round=0, rounds_total=4, stake=0)
del TB["referee"]
base = {"nonce": x(81), "m": 2, "n": 3, "terms": T_, "card_digest": x(122)}


def ds(what: Any, code: Any, n: Any = 3, **t: Any) -> Any:
    """A draft that is refused."""
    say(what, "CreateDS", d1, dict(base, n=n, terms=dict(T_, **t)), code)


say("a model owner drafts", "CreateDS", m, base, "not-yours")
ds("an even number of replicas and an unknown store", "limit", n=4, store="elsewhere")
ds("a group larger than the dataset", "limit", group_min=3)
ds("a window shorter than two graces", "limit", idle_window=119999)
ds("a window longer than thirty days", "limit", answer_window=2592000001)
ds("a hold shorter than two rounds", "limit", hold=539999)
ds("an unknown store before an unlisted referee", "unknown", store="elsewhere", referee=x(9))
ds("a referee that the network does not list", "unknown", referee=x(9))
say("a stake without a referee", "CreateDS", d1, dict(base, terms=dict(TB, stake=1)), "limit")
ds(
    "a method out of order, and a price above the limit after it",
    "malformed",
    methods=["statistics-1", "linear-1"],
    price_job=10**9 + 1,
)
ds("a price above the limit, and a store that is no name after it", "limit", price_job=10**9 + 1, store="Main")
A = say("a dataset is drafted", "CreateDS", d1, base)
again("the same draft again")
Bd = say("another owner drafts one without a stake", "CreateDS", d2, dict(base, terms=TB))


def sub(d: Any, o: Any, k: Any, digest: Any, key: Any) -> Any:
    """A subset."""
    return say("a subset is named", "CreateDSS", o, {"dataset": d, "index": k, "digest": digest, "mask_key": key})


say(
    "a subset of somebody else",
    "CreateDSS",
    d2,
    {"dataset": A, "index": 2, "digest": x(161), "mask_key": x(0)},
    "not-yours",
)
say(
    "a subset beyond the last", "CreateDSS", d1, {"dataset": A, "index": 2, "digest": x(161), "mask_key": x(0)}, "limit"
)
subs: dict[tuple[str, int], str] = {}
for d, o, k0 in ((A, d1, 160), (Bd, d2, 176)):
    for k in range(2):
        subs[d, k] = sub(d, o, k, x(k0 + k), "%02x" % (k0 + 8 + k) * 31 + "00")
again("the same subset again")
say("published before anybody holds it", "PublishDS", d1, {"dataset": A}, "not-full")


def offer(d: Any, o: Any, k: Any, c: Any, n: Any, what: Any = "a subset is offered", code: Any = None) -> Any:
    """An offer."""
    return say(
        what,
        "CreateCI",
        o,
        {"subset": subs[d, k], "co": c["id"], "nonce": n, "object": x(192 + k), "locator": "ab" * 560},
        code,
    )


offer(A, d2, 0, m, nonce(), "an offer of somebody else's subset to a model owner", "not-yours")
offer(A, d1, 0, m, nonce(), "an offer to a model owner", "unknown")


def joins(i: Any, c: Any, what: Any = "a cloud owner joins it", code: Any = None) -> Any:
    """An offer is taken."""
    return say(what, "JoinCI", c, {"instance": i, "receipt": nonce(), "nonce": nonce()}, code)


def verify_(o: Any, i: Any, v: Any = "verified", what: Any = "it is verified", code: Any = None) -> Any:
    """A verdict."""
    return say(what, "VerifyCI", o, {"instance": i, "verdict": v}, code)


inst: dict[tuple[str, int, str], str] = {}


def hold(d: Any, o: Any, k: Any, c: Any) -> Any:
    """From the offer to the slot."""
    i = offer(d, o, k, c, nonce())
    inst[d, k, c["id"]] = i
    joins(i, c)
    verify_(o, i)
    return i


i = offer(A, d1, 0, co[4], x(82))
again("the same offer again")
joins(i, co[3], "another cloud owner takes it", "not-yours")
verify_(d1, i, what="verified before it is joined", code="state")
verify_(d2, i, what="verified by another owner", code="not-yours")
i2 = offer(A, d1, 0, brief, nonce())
now[0] += 1
joins(i2, brief, "an admission has ended, and there is no money", "not-admitted")
joins(i, co[4], "with exactly enough money")
again("joined twice")
verify_(d1, i, "rejected", "it is rejected: the stake is due at once")
again("rejected twice")
say("nothing is left to retire", "RetireCI", co[4], {"instance": i}, "state")
joins(offer(A, d1, 1, co[4], nonce()), co[4], "a micro-credit is missing", "no-funds")
for d, o in ((A, d1), (Bd, d2)):
    for k in range(2):
        for c in co[:3]:
            hold(d, o, k, c)
            if d == A and k == 0 and (c is co[0]):
                t = offer(d, o, 0, twin, nonce())
                joins(t, twin)
                verify_(o, t, what="the same handle under another name", code="duplicate")
j = offer(A, d1, 0, co[3], nonce())
joins(j, co[3])
verify_(d1, j, what="no slot is free, whoever asks", code="full")
verify_(d1, t, what="no slot is free, and the handle has one", code="full")
say("a cloud owner that only joined retires: its stake is due at once", "RetireCI", co[3], {"instance": j})
again("retired twice")
say("somebody else publishes", "PublishDS", d2, {"dataset": A}, "not-yours")
say("a dataset is published: its groups are dealt", "PublishDS", d1, {"dataset": A})
again("published twice")
C = say("a third dataset is drafted", "CreateDS", d2, dict(base, nonce=x(92), terms=TB))
for k in range(2):
    subs[C, k] = sub(C, d2, k, x(208), "ee" + "ff" * 30 + "7f")
for k in range(2):
    for c in co[:3]:
        hold(C, d2, k, c)
say("equal digests and mask keys, and bad ones", "PublishDS", d2, {"dataset": C}, "duplicate")
D = say("a fourth dataset is drafted", "CreateDS", d2, dict(base, nonce=x(93), terms=TB))
for k in range(2):
    subs[D, k] = sub(D, d2, k, x(210 + k), x(17) if k else "ee" + "ff" * 30 + "7f")
for k in range(2):
    for c in co[:3]:
        hold(D, d2, k, c)
say("a mask key that everybody can compute with", "PublishDS", d2, {"dataset": D}, "bad-key")
left = offer(D, d2, 0, co[4], nonce())
