"""Checks an evidence file of Freehold and shares not one line with it: python verify.py evidence.json [NETWORK-ID]
 spelling      the file is canonical JSON: one spelling for one history, so no byte can hide a change
 the chain     each block names the one before it, is signed by one operator, and its header holds the size and the
               RFC 6962 root of the log of all actions and results so far; a checkpoint says the same
 the actions   each is signed by its member's present key by a strict rule, for this network, once, near its block's
               time; datasets, subsets, replicas, models and trainings have the ids that follow from their makers
 the training  subsets are trained in the groups and the order that the draw gives; a result that was paid for is one
               to which more than half of the replicas had committed, each for its own job, before it was opened

It reads files of one operator, and does not run the rules of money and deadlines again: `freehold verify` does more.
Exit 1: the first thing that is wrong.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
EIGHT = 0x5FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
LOW, LARGEST = {0, 1, P - 1, EIGHT, P - EIGHT}, 512 * 2**20  # y of small order: such keys sign any message


class Wrong(Exception):
    """The first thing in the file that does not hold."""


def need(holds, what):
    if not holds:
        raise Wrong(what)


def T(name):
    return hashlib.sha256(b"freehold/1/" + name.encode()).digest()


def H(name, *fields):
    """A tagged hash; fields are ids in hex, bytes, or numbers as eight bytes."""
    raw = [f.to_bytes(8, "big") if isinstance(f, int) else unhex(f) if isinstance(f, str) else f for f in fields]
    need(all(len(r) in (8, 32) for r in raw), f"a field of {name} has the wrong length")
    return hashlib.sha256(T(name) + b"".join(raw)).hexdigest()


def unhex(text, size=32):
    try:
        data = bytes.fromhex(text)
    except (TypeError, ValueError):
        data = b""
    need(len(data) == size and data.hex() == text, f"{str(text)[:40]!r} is not {size} bytes in lower-case hex")
    return data


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        data = b""
    need(base64.b64encode(data).decode() == text, "base64 is malformed or has a second spelling")
    return data


def encode(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decode(data, names):
    """A JSON object with exactly these names, in the only spelling that it has; a name with ? may be absent."""
    try:
        value = json.loads(data)
        check_values(value)
        same = encode(value) == data
    except (ValueError, RecursionError) as error:
        raise Wrong(f"not canonical JSON: {str(error)[:80]}") from None
    need(same and isinstance(value, dict), "no JSON object in the canonical spelling")
    required = {name for name in names.split() if name[-1] != "?"}
    need(required <= set(value) <= set(names.replace("?", "").split()), f"not the fields {names}")
    return value


def check_values(value):
    if isinstance(value, dict | list):
        for each in (*value, *(value.values() if isinstance(value, dict) else ())):
            check_values(each)
    elif isinstance(value, str):
        need(all(" " <= c <= "~" and c not in '"\\' for c in value), "a character that canonical JSON does not have")
    else:
        need(type(value) is int and 0 <= value < 2**53, "only whole numbers from 0 to 2^53 - 1 are allowed")


def signed(key, message, signature):
    """Ed25519 by the strict rule: canonical, no small order, S < L, and the equation itself (OpenSSL compares R)."""
    ys = [int.from_bytes(point, "little") & (2**255 - 1) for point in (key, signature[:32])]
    if any(y >= P or y in LOW for y in ys) or int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def append(edge, size, leaf):
    """RFC 6962: the roots of the full subtrees at the right edge are enough to append to a log of `size` leaves."""
    node = hashlib.sha256(b"\0" + leaf).digest()
    while size & 1:
        node = hashlib.sha256(b"\1" + edge.pop() + node).digest()
        size >>= 1
    edge.append(node)


def root(edge):
    *lefts, node = edge or [hashlib.sha256(b"").digest()]
    for left in reversed(lefts):
        node = hashlib.sha256(b"\1" + left + node).digest()
    return node


def actions_of(file, network, operator):
    """Every action with its result and its block's time, once chain and signatures are checked."""
    previous, before, size, edge = network, 0, 0, []
    for height, block in enumerate(file["blocks"], start=1):
        block = decode(encode(block), "actions header results signature")
        header = decode(encode(block["header"]), "events height previous root size state time writes")
        message = T("block") + encode(header)
        need(signed(operator, message, unhex(block["signature"], 64)), f"block {height} is not signed by the operator")
        need(header["previous"] == previous and header["height"] == height, f"block {height} does not follow the last")
        need(header["time"] >= before, f"block {height} is earlier than the one before it")
        need(len(block["actions"]) == len(block["results"]) > 0, f"block {height} has not one result for each action")
        for action, result in zip(block["actions"], block["results"], strict=True):
            action = unbase64(action)
            append(edge, size, len(action).to_bytes(4, "big") + action + encode(result))
            size += 1
            yield action, decode(encode(result), "id")["id"], header["time"]
        need((header["size"], header["root"]) == (size, root(edge).hex()), f"block {height} has another log")
        previous, before = hashlib.sha256(message).hexdigest(), header["time"]
    if "checkpoint" in file:
        # a signed note of C2SP: one line each for the log's name, size and root, and the operator's signature
        note, origin = unbase64(file["checkpoint"]).decode("utf-8", "replace"), f"freehold/{network}"
        text = f"{origin}\n{size}\n{base64.b64encode(root(edge)).decode()}\n"
        signature = unbase64(note.rstrip("\n").rpartition(" ")[2])
        key_id = hashlib.sha256(f"{origin}\n\x01".encode() + operator).digest()[:4]
        line = f"\n\N{EM DASH} {origin} {base64.b64encode(key_id + signature[4:]).decode()}\n"
        need(note == text + line, "the checkpoint is about another log, or names another key")
        need(signed(operator, text.encode(), signature[4:]), "the checkpoint is not signed by the operator")


class Market:
    """Who said what, as far as keys, ids and votes need it; a function of the ledger is a method of its name."""

    def __init__(self, record, network):
        self.record, self.network, self.seen = record, network, set()
        self.keys, self.recovery, self.assets, self.ballots, self.jobs = {}, {}, {}, {}, {}

    def act(self, data, result, time):
        need(97 <= len(data) <= 12288 and data not in self.seen, "an action is too short, too long, or there twice")
        self.seen.add(data)
        body = decode(data[96:], "arguments function member network time")
        function, member, a = body["function"], body["member"], body["arguments"]
        need(signed(data[:32], T("action") + data[96:], data[32:96]), f"a {function} is not signed by its key")
        need(body["network"] == self.network, f"a {function} is for another network")
        need(abs(body["time"] - time) <= self.record["skew"], f"a {function} was not made when it was recorded")
        self.check_key(function, member, a, data[:32].hex())
        getattr(self, function, lambda *_: None)(member, a)
        id = made(self.network, function, member, a)
        if id:
            need(id == result, f"the id of a {function} does not follow from its makers")
            self.assets[id] = {**a, "owner": member, "slots": [], "shares": {}, "ballots": [], "round": 0, "turn": 0}

    def check_key(self, function, member, a, key):
        if function in ("CreateDO", "CreateCO", "CreateMO"):
            keys = (a["signing_key"], a["sealing_key"], a["recovery_key"])
            id = H("member/" + function[-2:].lower(), self.network, *keys)
            need((member, key) == (id, a["signing_key"]), "a member's id does not follow from its keys")
        elif function == "RotateKey":
            need(self.recovery.get(member) == key, "keys were changed without the recovery key")
        elif function in ("Deposit", "ReportFraud"):
            listed = [self.record["treasury"]] if function == "Deposit" else self.record["referees"]
            need(member == key and key in listed, f"a {function} is by a stranger")
        else:
            need(self.keys.get(member) == key, f"a {function} is signed by a key that is not its member's")
        if "recovery_key" in a:
            self.keys[member], self.recovery[member] = a["signing_key"], a["recovery_key"]

    def VerifyCI(self, member, a):
        slots = self.assets[self.assets[a["instance"]]["subset"]]["slots"]
        slots += [a["instance"]] if a["verdict"] == "verified" else []

    def RetireCI(self, member, a):
        slots = self.assets[self.assets[a["instance"]]["subset"]]["slots"]
        slots[:] = [each for each in slots if each != a["instance"]]

    def PublishDS(self, member, a):
        dataset = self.assets[a["dataset"]]
        m, count = dataset["m"], dataset["m"] // dataset["terms"]["group_min"]
        ids = [H("subset", a["dataset"], index) for index in range(m)]
        drawn = shuffle(H("groups", a["dataset"], m, *(self.assets[id]["digest"] for id in ids)), m)
        dataset["groups"] = [[ids[i] for i in sorted(drawn[k::count])] for k in range(count)]

    def ApproveTC(self, member, a):
        couple = self.assets[a["couple"]]
        need(self.assets[a["dataset"]]["owner"] == member, "somebody approved for another")
        couple["shares"][a["dataset"]] = a["share"]

    def StartRound(self, member, a):
        id, couple = a["couple"], self.assets[a["couple"]]
        need(couple["owner"] == member and a["round"] == couple["round"] + 1 <= couple["rounds"], "a round out of turn")
        if a["round"] == 1:
            need(H("draw", id, member, a["secret"]) == couple["draw_commitment"], "the draw's secret does not fit")
            couple["seed"] = H("seed", id, a["secret"], *(couple["shares"][each] for each in couple["datasets"]))
        last = [ballot for ballot in couple["ballots"] if ballot["round"] == couple["round"]]
        couple["turn"] += bool(last) and all(ballot["digest"] for ballot in last)
        couple["round"], turn = a["round"], couple["turn"]
        for part, dataset in enumerate(couple["datasets"]):
            groups = self.assets[dataset]["groups"]
            order = shuffle(H("order", couple["seed"], part, turn // len(groups)), len(groups))
            for subset in groups[order[turn % len(groups)]]:
                ballot_id, slots = H("ballot", id, a["round"], subset), self.assets[subset]["slots"]
                jobs = {H("job", ballot_id, i): {**self.assets[i], "instance": i} for i in slots}
                ballot = {**a, "subset": subset, "digest": None, "n": self.assets[dataset]["n"], "jobs": jobs}
                self.ballots[ballot_id] = ballot
                self.jobs |= {id: (ballot, job) for id, job in jobs.items()}
                couple["ballots"].append(ballot)

    def UpdateTJ(self, member, a):
        ballot, job = self.jobs[a["job"]]
        need(job["co"] == member and "commitment" not in job, "somebody committed for another, or twice")
        need(ballot["digest"] is None, "a commitment was made after the result was known")
        job |= {"id": a["job"], "commitment": a["commitment"], "opening": a["nonce"]}

    def CloseRound(self, member, a):
        ballot = self.ballots[a["ballot"]]
        opened = sum(vote(job, a["digest"]) == "accepted" for job in ballot["jobs"].values())
        need(ballot["digest"] is None and 2 * opened > ballot["n"], "a result was paid for without a majority")
        ballot["digest"] = a["digest"]

    def ReportFraud(self, member, a):
        for job in self.ballots[a["ballot"]]["jobs"].values():
            if vote(job, a["ruling"]) == "out-voted":
                self.RetireCI(member, job)


def made(network, function, member, a):
    """The id that an action's asset must have, by its makers or its place; None if it makes none that matters here."""
    if kind := {"CreateDS": "dataset", "CreateMod": "model", "RequestTC": "couple"}.get(function):
        return H(kind, network, member, a["nonce"])
    if function == "CreateCI":
        return H("instance", a["subset"], a["co"], a["nonce"])
    return H("subset", a["dataset"], a["index"]) if function == "CreateDSS" else None


def vote(job, digest):
    """What became of a job whose ballot was closed with this digest."""
    if "commitment" not in job or digest is None:
        return "undecided" if "commitment" in job else "missing"
    opening = H("result", job["id"], job["co"], job["opening"], digest)
    return "accepted" if opening == job["commitment"] else "out-voted"


def shuffle(seed, n):
    """The draw: numbers from a stream of tagged hashes, without the bias that a remainder would bring."""
    stream = (int.from_bytes(bytes.fromhex(H("stream", seed, i // 4))[8 * (i % 4) :][:8], "big") for i in range(2**20))
    a = list(range(n))
    for i in range(n - 1, 0, -1):
        j = next(value for value in stream if value < 2**64 - 2**64 % (i + 1)) % (i + 1)
        a[i], a[j] = a[j], a[i]
    return a


def verify(data, network=None):
    """What the file shows about its training, as lines; raises Wrong."""
    file = decode(data, "blocks checkpoint? couple network operator schema")
    need(file["schema"] == "freehold/evidence/1", "this is no evidence file of version 1")
    id = H("network", hashlib.sha256(encode(file["network"])).hexdigest())
    need(network in (None, id), f"the file is about network {id}")
    market, operator = Market(file["network"], id), unhex(file["operator"])
    try:
        for action, result, time in actions_of(file, id, operator):
            market.act(action, result, time)
        couple = market.assets[file["couple"]]
        title = f"training {file['couple']}: {couple['round']} of at most {couple['rounds']} rounds"
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise Wrong(f"something is named that is not there: {str(error)[:80]}") from None
    yield f"{len(market.seen)} signed actions in one chain, of network {id}, signed by operator {file['operator']}"
    yield title
    for ballot in couple["ballots"]:
        marks = [f"{job['co'][:8]} {vote(job, ballot['digest'])}" for job in ballot["jobs"].values()]
        yield f"  round {ballot['round']}, subset {ballot['subset'][:8]}: {', '.join(marks)}"
    yield "Whoever was out-voted gave other bytes than most; that it cheated follows only if most replicas were honest."
    yield "Not shown: that no holder leaked its rows, that the data are good, that no other history was signed."


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as evidence:
            print("\n".join(verify(evidence.read(LARGEST + 1), *sys.argv[3:4])))
    except Wrong as wrong:
        sys.exit(f"wrong: {wrong}")
