"""What an adversary sees of each member, and what that makes of a pair of members.

Everything of `Ledger` is read from the recorded blocks: the signed actions with the times that they claim, the blocks'
times, and the order. Beside it stands what only some people see: when results lay in the store, whose connection an
action came over, and to whose bank account the treasury paid.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from freehold.protocol import assets
from freehold.protocol.envelope import open_action
from pseudonyms.market import Recorded

Numbers = npt.NDArray[np.float64]
KINDS: Final = ("join", "funded", "offered", "took", "commit", "close", "collect", "withdraw", "rotate", "silent")
"""What a member does, or what happens to it, by time."""
FUNCTION_KINDS: Final = {
    "CreateCO": "join",
    "JoinCI": "took",
    "UpdateTJ": "commit",
    "CloseRound": "close",
    "Collect": "collect",
    "Withdraw": "withdraw",
    "RotateKey": "rotate",
}
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "when members join": ("join:", "funded:"),
    "the times that actions claim": ("claim:",),
    "when payouts are collected": ("collect:",),
    "when jobs are done": ("commit:", "close:", "reaction:"),
    "when offers come and are taken": ("offered:", "took:", "answer:"),
    "when money is taken out, keys rotated": ("withdraw:", "rotate:"),
    "when members are silent": ("silent:",),
    "which work is taken": ("work:",),
    "ids, keys, sizes": ("bytes:",),
    "order on the ledger": ("order:",),
    "when results are uploaded": ("upload:",),
    "the connection": ("connection:",),
    "the bank account": ("bank:",),
}
FAR: Final = 1e10
"""A gap between two things of which one never happened (ms)."""


class Seen:
    """Members of cloud owners as the ledger shows them, in the order in which they joined."""

    def __init__(self, recorded: Recorded) -> None:
        self.members: list[str] = []
        self.times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.order: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.claims: dict[str, list[float]] = defaultdict(list)
        self.reactions: dict[str, list[float]] = defaultdict(list)
        self.answers: dict[str, list[float]] = defaultdict(list)
        self.collected: dict[str, list[float]] = defaultdict(list)
        self.taken: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.prices: dict[str, dict[bool, list[float]]] = defaultdict(lambda: {True: [], False: []})
        self.keys: dict[str, str] = {}
        self.connections: dict[str, int] = {}
        self.banks: dict[str, int] = {}
        self._records: dict[str, Any] = recorded.records
        self._offered_at: dict[str, float] = {}
        self._started: dict[tuple[str, int], float] = {}
        position = itertools.count()
        for block in recorded.blocks:
            time = float(msgspec.json.decode(block.header)["time"])
            for raw, result in zip(block.actions, block.results, strict=True):
                at = next(position)
                self._reads(raw, msgspec.json.decode(result)["id"], time, at, recorded.connections[at])
        self._silences()
        for at, member in recorded.delivered:
            self.times[member]["upload"].append(float(at))
        self.banks = {member: recorded.owner_of[member] for member in self.members if self.times[member]["withdraw"]}

    def _reads(self, raw: bytes, id: str, time: float, position: int, connection: int) -> None:
        action = open_action(raw, signature_checked=True)
        member, asked = action.member, action.arguments
        if action.function == "CreateCO":
            self.members.append(member)
            self.keys[member] = asked.sealing_key  # type: ignore[attr-defined]
            self.connections[member] = connection
        elif action.function == "CreateCI":
            self._offered_at[id] = time
            self.times[asked.co]["offered"].append(time)  # type: ignore[attr-defined]
        elif action.function == "Deposit":
            self.times[asked.payee]["funded"].append(time)  # type: ignore[attr-defined]
        elif action.function == "StartRound":
            self._started[asked.couple, asked.round] = time  # type: ignore[attr-defined]
        elif action.function == "JoinCI":
            self.answers[member].append(time - self._offered_at[id])
        elif action.function == "UpdateTJ":
            ballot = self._records[f"ballot/{self._records[f'job/{id}'].ballot}"]
            self.reactions[member].append(time - self._started[ballot.couple, ballot.round])
        elif action.function == "Collect":
            self.collected[member].append(len(asked.payouts))  # type: ignore[attr-defined]
        kind = FUNCTION_KINDS.get(action.function)
        if kind is not None:
            self.times[member][kind].append(time)
            self.order[member][kind].append(float(position))
            self.claims[member].append(action.time - time)

    def _silences(self) -> None:
        """Jobs that were missed, and the terms of offers that were taken or left."""
        for record in self._records.values():
            if isinstance(record, assets.TrainJob) and record.state == "missing":
                ballot = self._records[f"ballot/{record.ballot}"]
                self.times[record.co]["silent"].append(float(ballot.commit_until))
            if isinstance(record, assets.CloudInstance):
                subset = self._records[f"subset/{record.subset}"]
                terms = self._records[f"dataset/{subset.dataset}"].terms
                took = record.receipt is not None
                self.prices[record.co][took].append(float(terms.price_job))
                if took:
                    self.taken[record.co].append((subset.dataset, record.subset))


def pair_features(seen: Seen, members: list[str]) -> tuple[dict[str, Numbers], npt.NDArray[np.intp]]:
    """Every feature of every pair of these members, and the pairs (k × 2 places in `members`)."""
    first, second = np.triu_indices(len(members), k=1)
    matrices: dict[str, Numbers] = {}
    for kind in (*KINDS, "upload"):
        times = [np.sort(np.asarray(seen.times[member][kind])) for member in members]
        matrices[f"{kind}:nearest"], matrices[f"{kind}:usual"] = _gaps(times)
    for kind in ("join", "commit", "close", "collect", "withdraw"):
        places = [np.sort(np.asarray(seen.order[member][kind])) for member in members]
        matrices[f"order:{kind} nearest"], matrices[f"order:{kind} usual"] = _gaps(places)
    for name, of in (("claim:", seen.claims), ("reaction:", seen.reactions), ("answer:", seen.answers)):
        for part, quantile in (("low", 10), ("middle", 50), ("high", 90)):
            matrices[f"{name}{part}"] = _apart([_quantile(of[member], quantile) for member in members])
    matrices["collect:payouts"] = _apart([float(np.mean(seen.collected[member] or [0])) for member in members])
    matrices |= _work(seen, members)
    ids = np.array([list(bytes.fromhex(member)) for member in members], dtype=np.float64)
    keys = np.array([list(bytes.fromhex(seen.keys[member])) for member in members], dtype=np.float64)
    matrices["bytes:ids"] = np.abs(ids[:, None, :] - ids[None, :, :]).sum(axis=2)
    matrices["bytes:keys"] = (keys[:, None, :] == keys[None, :, :]).sum(axis=2).astype(np.float64)
    matrices["connection:same"] = _same([seen.connections[member] for member in members])
    known = np.array([seen.banks.get(member, -1) for member in members])
    both = (known[:, None] >= 0) & (known[None, :] >= 0)
    matrices["bank:same"] = np.where(both, np.where(known[:, None] == known[None, :], 1.0, -1.0), 0.0)
    return {name: matrix[first, second] for name, matrix in matrices.items()}, np.stack([first, second], axis=1)


def of_group(names: list[str], group: str) -> list[str]:
    """The features of one group."""
    return [name for name in names if name.startswith(GROUPS[group])]


def _gaps(times: list[Numbers]) -> tuple[Numbers, Numbers]:
    """For each pair: the logarithm of the smallest gap, and of the usual (median) gap to the other's nearest."""
    size = len(times)
    nearest = np.full((size, size), np.log1p(FAR))
    usual = nearest.copy()
    ends = np.cumsum([0, *(len(each) for each in times)])
    everything = np.concatenate(times) if ends[-1] else np.empty(0)
    owner = np.repeat(np.arange(size), np.diff(ends))
    for place, own in enumerate(times):
        if not len(own) or not len(everything):
            continue
        right = np.searchsorted(own, everything).clip(1, len(own)) if len(own) > 1 else np.ones(len(everything), int)
        gaps = np.abs(everything - own[right - 1])
        if len(own) > 1:
            gaps = np.minimum(gaps, np.abs(everything - own[np.minimum(right, len(own) - 1)]))
        logs = np.log1p(gaps)
        sorted_by_owner = np.lexsort((logs, owner))
        ordered = logs[sorted_by_owner]
        counts = np.diff(ends)
        there = np.flatnonzero(counts)
        nearest[there, place] = ordered[ends[:-1][there]]
        usual[there, place] = ordered[ends[:-1][there] + counts[there] // 2]
    return np.minimum(nearest, nearest.T), np.minimum(usual, usual.T)


def _apart(values: list[float]) -> Numbers:
    """How far two members' numbers are apart, as a logarithm; what is not there is far."""
    array = np.asarray(values)
    gap: Numbers = np.log1p(np.abs(array[:, None] - array[None, :]))
    return np.where(np.isnan(gap), np.log1p(FAR), gap)


def _quantile(values: list[float], which: int) -> float:
    return float(np.percentile(values, which)) if values else float("nan")


def _same(values: list[int]) -> Numbers:
    array = np.asarray(values)
    same: Numbers = (array[:, None] == array[None, :]).astype(np.float64)
    return same


def _work(seen: Seen, members: list[str]) -> dict[str, Numbers]:
    """Common datasets and subsets, and whether the prices that two took and left could be those of one owner."""
    least = np.array([min(seen.prices[member][True], default=np.nan) for member in members])
    left = np.array([max(seen.prices[member][False], default=np.nan) for member in members])
    datasets = [{dataset for dataset, _ in seen.taken[member]} for member in members]
    subsets = [{subset for _, subset in seen.taken[member]} for member in members]
    clash = np.nan_to_num((left[:, None] >= least[None, :]).astype(np.float64))
    return {
        "work:price": _apart(list(least)),
        "work:clash": np.maximum(clash, clash.T),
        "work:dataset": _common(datasets),
        "work:subset": _common(subsets),
    }


def _common(sets: list[set[str]]) -> Numbers:
    names = {name: place for place, name in enumerate(sorted(set().union(*sets)))}
    table = np.zeros((len(sets), max(1, len(names))))
    for place, held in enumerate(sets):
        table[place, [names[name] for name in held]] = 1.0
    common: Numbers = table @ table.T
    return common
