"""The stage of the story: a permissioned network with known keys, and somebody who writes down what happens."""

from typing import Any

from nacl.signing import SigningKey

from tests.second_opinion.crowd import verify
from tests.second_opinion.hashes import H, T, sha256
from tests.second_opinion.opinion import SecondOpinion
from tests.second_opinion.reader import encode, parse
from tests.second_opinion.refusal import Refused

KEY: dict[str, SigningKey] = {}


def sk(n: int) -> str:
    """The signing key of a seed of one byte repeated."""
    key = SigningKey(bytes([n]) * 32)
    public = bytes(key.verify_key).hex()
    KEY[public] = key
    return public


def x(n: int) -> str:
    """One byte, 32 times."""
    return f"{n:02x}" * 32


TRE, REG, REF, REF2 = sk(2), sk(3), sk(4), sk(5)
NET = {
    "grace": 60_000,
    "nonce": x(1),
    "referees": [REF],
    "registrar": REG,
    "skew": 30_000,
    "stores": ["main"],
    "treasury": TRE,
}
s = SecondOpinion(NET, verify)
now = [1_000_000]
out: list[dict[str, Any]] = []


def act(f: Any, m: Any, key: Any, a: Any, t: Any) -> Any:
    """A signed action."""
    body = encode({"arguments": a, "function": f, "member": m, "network": s.network_id, "time": t}).encode()
    return bytes.fromhex(key) + KEY[key].sign(T("action") + body).signature + body


def say(
    what: Any, f: Any, who: Any, a: Any, expect: Any = None, key: Any = None, t: Any = None, raw: Any = None
) -> Any:
    """Sends an action and writes down its fate, which is the expected one."""
    m = who if isinstance(who, str) else who["id"]
    key = key or (who if isinstance(who, str) else who["key"])
    raw = raw or act(f, m, key, a, now[0] if t is None else t)
    before = dict(s.records)
    entry: dict[str, Any] = {"what": what, "time": now[0], "action": raw.hex()}
    assert not out or out[-1]["time"] <= now[0]
    out.append(entry)
    refused = None
    try:
        res, w, ev = s.execute(raw, now[0])
    except Refused as e:
        entry["refused"] = refused = e.code
    assert refused == expect, (what, refused, expect)
    if refused is not None:
        return raw
    entry.update(
        result=encode({"id": res}),
        changed={k: encode(v) for k, v in sorted(w.items()) if before.get(k) != v},
        events=[list(e) for e in ev],
    )
    return res


def again(what: Any) -> Any:
    """The last accepted action again."""
    e = [e for e in out if "result" in e][-1]
    raw = bytes.fromhex(e["action"])
    f = parse(raw[96:])["function"]
    code = {"RotateKey": "state"}.get(f) or (
        "exists"
        if f.startswith("Create") or f in ("RequestTC", "Deposit", "Withdraw")
        else "exists"
        if f == "ReportFraud"
        else "state"
    )
    keep = now[0]
    now[0] = e["time"]
    say(what, None, TRE, None, code, raw=raw)
    now[0] = keep


nn = [128]


def nonce() -> Any:
    """The next nonce."""
    nn[0] += 1
    return sha256(b"nonce %d" % nn[0]).hex()


def member(role: Any, n: Any, handle: Any, until: Any = 2**40, **k: Any) -> Any:
    """Keys, id and admission of somebody."""
    sg, rec = (sk(n), sk(n + 2))
    a: dict[str, Any] = {"signing_key": sg, "sealing_key": x(n + 1), "recovery_key": rec}
    id = H("member/" + role, s.network_id, sg, a["sealing_key"], rec)
    msg = (
        T("admission")
        + bytes.fromhex(s.network_id)
        + bytes.fromhex(id)
        + bytes.fromhex(handle)
        + until.to_bytes(8, "big")
    )
    a["admission"] = {"handle": handle, "until": until, "signature": KEY[REG].sign(msg).signature.hex()}
    return {"id": id, "key": sg, "rec": rec, "args": a, "role": role}
