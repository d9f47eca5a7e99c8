"""The second half of the story: a training over two datasets, its rounds, rulings, end, and what is paid out."""

from typing import Any

from tests.second_opinion.hashes import H
from tests.second_opinion.stage import REF, REF2, again, nonce, now, s, say, x
from tests.second_opinion.story_market import (
    A,
    Bd,
    C,
    D,
    co,
    d1,
    d2,
    fund,
    inst,
    joins,
    left,
    m,
    offer,
    subs,
    verify_,
)

mod = {
    "nonce": x(83),
    "type": "linear",
    "method": "linear-1",
    "map": x(123),
    "material": x(124),
    "hash": x(125),
    "store": "main",
}
M = say("a model is registered", "CreateMod", m, mod)
say("the same nonce with a method of another type", "CreateMod", m, dict(mod, method="statistics-1"), "malformed")
say("the same nonce with an unknown store", "CreateMod", m, dict(mod, store="spare"), "exists")
say("an unknown store", "CreateMod", m, dict(mod, nonce=nonce(), store="spare"), "unknown")
say("a version of nought", "CreateMod", m, dict(mod, nonce=nonce(), method="linear-0"), "malformed")
M2 = say(
    "a model of a method that nobody lists",
    "CreateMod",
    m,
    dict(mod, nonce=nonce(), type="open-model", method="open-model-1"),
)
TC = H("couple", s.network_id, m["id"], x(84))
sec = x(96)
both = sorted([A, Bd])
req = {"nonce": x(84), "model": M, "datasets": both, "rounds": 3, "draw_commitment": H("draw", TC, m["id"], sec)}


def ask(what: Any, code: Any, **k: Any) -> Any:
    """A request that is refused."""
    say(what, "RequestTC", m, dict(req, **k), code)


ask("a draft, a method that nobody lists, and too many rounds", "state", model=M2, rounds=4)
say("a dataset is published", "PublishDS", d2, {"dataset": Bd})
ask("a method that nobody lists, and too many rounds", "unknown", model=M2, rounds=4)
ask("more rounds than one of the datasets gives", "limit", rounds=4)
ask("no round", "limit", rounds=0)
ask("datasets in the wrong order", "malformed", datasets=both[::-1])
ask("one dataset twice", "malformed", datasets=[A, A])
ask("nine datasets", "limit", datasets=sorted([A] + [x(224 + i) for i in range(8)]))
ask("a dataset that does not exist, by the way", "unknown", datasets=sorted([A, x(238)]))
couple = say("a training over two datasets is requested", "RequestTC", m, req)
again("requested twice")
assert couple == TC
say("another model owner's model", "RequestTC", m, dict(req, nonce=nonce(), model=x(238)), "unknown")
poor = say("more than the account holds", "RequestTC", m, dict(req, nonce=nonce(), datasets=[A]), None)
now[0] += 10


def ap(who: Any, d: Any, sh: Any, what: Any, code: Any = None, c: Any = TC) -> Any:
    """A share."""
    return say(what, "ApproveTC", who, {"couple": c, "dataset": d, "share": sh}, code)


ap(d2, A, x(97), "for a dataset of somebody else", "not-yours")
ap(d2, C, x(97), "for a dataset that is no part", "not-yours")
say("a round before the approval", "StartRound", m, {"couple": TC, "round": 1, "base": x(85), "secret": sec}, "state")
ap(d1, A, x(97), "one owner approves")
again("approved twice")
ap(d1, A, x(97), "the second training takes more rounds than are left", "rounds-spent", poor)
ap(d2, Bd, x(98), "the other approves: the training can begin")
now[0] = s.records["couple/" + poor]["due"]
ap(d1, A, x(97), "at the last moment, still too many rounds", "rounds-spent", poor)
now[0] += 1
ap(d1, A, x(97), "a moment later it is too late, whatever else is wrong", "too-late", poor)
say("a stranger ends it before its grace is over", "EndTC", co[4], {"couple": poor}, "too-early", t=None)
say("a stranger names a final claim", "EndTC", co[4], {"couple": poor, "final": x(126)}, "not-yours")


def st(n: Any, what: Any, code: Any = None, **k: Any) -> Any:
    """A round."""
    return say(what, "StartRound", m, dict(couple=TC, round=n, base=x(85 + n), **k), code)


st(2, "the second round before the first, with a wrong secret", "state", secret=x(0))
st(1, "without the secret", "bad-opening")
st(1, "with another secret", "bad-opening", secret=x(0))
st(1, "the first round: the draw is opened, a ballot for each subset", secret=sec)
again("the first round again")


def b(n: Any, d: Any, k: Any) -> Any:
    """The id of a ballot."""
    return H("ballot", TC, n, subs[d, k])


def jb(n: Any, d: Any, k: Any, c: Any) -> Any:
    """The id of a job."""
    return H("job", b(n, d, k), inst[d, k, c["id"]])


R, L_ = (x(101), x(108))


def commit(
    n: Any,
    d: Any,
    k: Any,
    c: Any,
    res: Any = R,
    what: Any = "a replica commits",
    code: Any = None,
    com: Any = None,
    non: Any = None,
) -> Any:
    """A commitment."""
    j = jb(n, d, k, c)
    non = non or nonce()
    com = com or H("result", j, c["id"], non, res)
    say(what, "UpdateTJ", c, {"job": j, "commitment": com, "nonce": non, "locator": "cd" * 560}, code)
    return (com, non)


def close(
    n: Any, d: Any, k: Any, who: Any = None, dig: Any = R, what: Any = "the ballot is closed", code: Any = None
) -> Any:
    """A ballot is closed."""
    say(what, "CloseRound", who or co[0], {"ballot": b(n, d, k), "digest": dig}, code)


first = commit(1, A, 0, co[0])
again("committed twice")
commit(1, A, 0, co[1], com=first[0], non=first[1], what="another copies the commitment")
say(
    "for somebody else",
    "UpdateTJ",
    co[1],
    {"job": jb(1, A, 0, co[2]), "commitment": x(1), "nonce": x(2), "locator": "cd" * 560},
    "not-yours",
)
close(1, A, 0, what="closed while one has not committed", code="too-early")
commit(1, A, 0, co[2])
close(1, A, 0, who=d2, dig=L_, what="a digest that nobody committed to", code="no-majority")
close(1, A, 0, who=m, what="closed by the model owner: the copier is out-voted")
again("closed twice")
commit(1, A, 1, co[0])
commit(1, A, 1, co[1], L_)
for c in co[:3]:
    commit(1, Bd, 0, c)
close(1, Bd, 0)
commit(1, Bd, 1, co[0])
commit(1, Bd, 1, co[1])


def rl(n: Any, d: Any, k: Any, r: Any, what: Any, code: Any = None, who: Any = REF) -> Any:
    """A ruling."""
    return say(what, "ReportFraud", who, {"ballot": b(n, d, k), "ruling": r}, code)


rl(1, A, 1, R, "a ruling on an open ballot", "state")
rl(1, Bd, 0, R, "a ruling that the terms do not provide for", "not-yours")
rl(1, A, 0, R, "a ruling by somebody whom the network does not list", "not-yours", who=REF2)
now[0] = s.records["ballot/" + b(1, A, 0)]["commit_until"] + 1
commit(1, A, 1, co[2], what="too late to commit", code="too-late")
close(1, Bd, 1, what="the grace is not over", code="too-early")
now[0] += 59999
close(1, Bd, 1, what="the last moment of the grace", code="too-early")
now[0] += 1
close(1, Bd, 1, what="two of three decide, the third is missing")
close(1, A, 1, what="one of three is no majority", code="no-majority")
st(2, "a round is open still, and the secret is told again", "bad-opening", secret=sec)
st(2, "a round is open still", "round-open")
say("the model owner ends while a round is open", "EndTC", m, {"couple": TC}, "round-open")
say(
    "a verified replica of a published dataset retires: its stake is held",
    "RetireCI",
    d1,
    {"instance": inst[A, 0, co[1]["id"]]},
)
held = H("payout", inst[A, 0, co[1]["id"]], co[1]["id"])
say("the stake before its time", "Collect", co[1], {"payouts": [held]}, "too-early")
now[0] = s.records["ballot/" + b(1, A, 1)]["close_until"] + 60001
close(1, A, 1, what="still no majority after the closing time", code="no-majority")
st(2, "the second round: the first was incomplete, its fees return, the same groups again")
commit(1, A, 1, co[2], what="the ballot is void", code="closed")
rl(1, A, 0, R, "a ruling: the copier's stake, due already, is burned")
again("a second ruling")
rl(1, A, 0, L_, "another ruling", "exists")
rl(1, A, 1, L_, "a ruling on a void ballot: the stake in the instance is burned and its slot freed")
say("a burned stake cannot be collected", "Collect", co[1], {"payouts": [held]}, "state")
for c in (co[0], co[2]):
    commit(2, A, 0, c)
close(2, A, 0, what="all that hold the subset have committed")
for c in co[:3]:
    commit(2, A, 1, c)
close(2, A, 1)
for k in range(2):
    for c in co[:3]:
        commit(2, Bd, k, c)
    close(2, Bd, k)
again("closed twice")
replacement = offer(A, d1, 0, co[3], nonce())
joins(replacement, co[3])
verify_(d1, replacement, what="a replacement is verified")
inst[A, 0, co[3]["id"]] = replacement
say("a dataset is withdrawn", "WithdrawDS", d2, {"dataset": C})
again("withdrawn twice")
offer(C, d2, 0, co[4], nonce(), "an offer of a withdrawn dataset", "state")
say("the fourth is withdrawn", "WithdrawDS", d2, {"dataset": D})
joins(left, co[4], "an offer of a withdrawn dataset is taken", "withdrawn")
say(
    "a withdrawn replica retires: its dataset was never published",
    "RetireCI",
    co[2],
    {"instance": inst[D, 1, co[2]["id"]]},
)
say("a cloud owner leaves the second subset", "RetireCI", co[2], {"instance": inst[A, 1, co[2]["id"]]})
st(3, "one of three replicas is left", "replica-missing")
fund(co[4], 1000)
spare = offer(A, d1, 1, co[4], nonce())
joins(spare, co[4])
verify_(d1, spare, what="a replacement is verified")
st(3, "the third round: the second was complete, the fees are due")
st(4, "a round more than was asked for, while one is open", "rounds-spent")
say("the last dataset is withdrawn in the middle of a training", "WithdrawDS", d2, {"dataset": Bd})
st(4, "neither a round nor a dataset is left", "rounds-spent")
for c in (co[2], co[3]):
    commit(3, A, 0, c)
due = s.records["couple/" + TC]["due"]
now[0] = due + 60000
say("a stranger, the last moment of the grace", "EndTC", co[4], {"couple": TC}, "too-early")
now[0] += 1
rl(3, A, 0, R, "a ruling on a ballot that nobody closed in time")
say("a stranger ends the training: open ballots are void, all money returns", "EndTC", co[4], {"couple": TC})
again("ended twice")
rl(3, A, 1, R, "a ruling after the hold", "too-late") if s.records["ballot/" + b(3, A, 1)][
    "close_until"
] + 600000 < now[0] else None
say("the first dataset is withdrawn", "WithdrawDS", d1, {"dataset": A})
ap(d1, A, x(97), "its dataset is withdrawn, and it is too late", "withdrawn", poor)
ask("a withdrawn dataset, and no round", "withdrawn", rounds=0, nonce=nonce())
say("the model owner ends the other, with a claim", "EndTC", m, {"couple": poor, "final": x(126)})
now[0] = s.records["ballot/" + b(3, A, 1)]["close_until"] + 600000
rl(3, A, 1, R, "the last moment of the hold")
now[0] += 1
rl(2, A, 1, R, "after the hold", "too-late")
mine = sorted(
    (
        k[7:]
        for k, v in s.records.items()
        if k.startswith("payout/") and v["payee"] == co[0]["id"] and (v["state"] == "due") and (v["from"] <= now[0])
    )
)
say("a cloud owner collects what it earned", "Collect", co[0], {"payouts": mine})
free = s.records["account/" + co[0]["id"]]["free"]
say("more than there is", "Withdraw", co[0], {"nonce": x(89), "amount": free + 1}, "no-funds")
say("all of it leaves the market", "Withdraw", co[0], {"nonce": x(89), "amount": free})
again("withdrawn twice")
