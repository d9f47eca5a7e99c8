"""What the rules cost: one call of the contract in pure Python, for every function, without the signature's check.

A story is played once on a small market of real keys: a dataset of 64 subsets with three replicas each, trained in
rounds of 32 subsets, and whatever else there is. Then its actions are executed again and again on a fresh state, and
each is timed. Beside it stand what nobody can avoid: reading and writing the same records as JSON, and one signature.

    python bench/contract.py [--times N]        prints a table, writes bench/results/contract.json
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics as middle
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.market import Market
from tests.market.people import Signer

from freehold.ledger.state import State
from freehold.protocol import assets, envelope, signatures
from freehold.protocol.actions import FUNCTIONS
from freehold.protocol.canonical import plain
from freehold.protocol.identifiers import MemberId, NodeAddress, NodeName, PublicKey
from freehold.protocol.network import Operator

GOAL: Final = 60.0
"""Microseconds that a call may take on average over the story."""
RESULTS: Final = Path(__file__).parent / "results" / "contract.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One action: microseconds, and what it read and wrote."""

    function: str
    spent: float
    read: int
    written: int
    bytes: int
    records: float
    """Microseconds to decode what it read and encode what it wrote, and nothing else."""


def story(subsets: int, rounds: int) -> Market:
    """A market in which everything happens that can: every function at least once, and mostly what a training does."""
    market = Market(operators=[card(number) for number in range(4)])
    training = market.trains(subsets, 3, rounds, group_min=max(2, subsets // 2))
    for _ in range(rounds - 1):
        training.starts_round().is_agreed()
    last = training.starts_round().ballots
    for ballot in last[1:]:
        ballot.is_agreed()
    liar, *honest = last[0].replicas
    liar.commits(b"something else")
    for replica in honest:
        replica.commits()
    last[0].closes_with(b"gradient", by=honest[0].person)
    last[0].is_ruled(b"gradient")
    training.ends()
    for person in list(market.people.values()):
        person.collects()
    honest[0].person.does("Withdraw", nonce=market.fresh(), amount=10)
    honest[0].person.rotates()
    slot = training.datasets[0].slots(1)[0]
    market.people[slot["co"]].does("RetireCI", instance=slot["instance"])
    training.datasets[0].owner.does("WithdrawDS", dataset=training.datasets[0].id)
    first, second, fifth = (Signer(market, seed(number), MemberId(card(number).key)) for number in (0, 1, 4))
    proposed = first.does("ProposeOperator", nonce=market.fresh(), operator=fifth.id, card=plain(card(4)))
    second.does("ApproveOperator", proposal=proposed.id)
    return market


def seed(number: int) -> bytes:
    """Of an operator's key."""
    return bytes([80 + number]) * 32


def card(number: int) -> Operator:
    """An operator's card."""
    key = signatures.public_key(seed(number)).hex()
    node, address = NodeName(f"{number:02x}" * 20), NodeAddress(f"ledger-{number}.example:26656")
    return Operator(key=PublicKey(key), address=address, node=node, validator=PublicKey(f"{number:02x}" * 32))


def measure(market: Market, times: int) -> list[Cost]:
    """The middle cost of each action of a story over several replays."""
    blocks = market.ledger.export(0, 1 << 30)
    actions = [(block.actions[0], json.loads(block.header)["time"]) for block in blocks]
    found: list[list[Cost]] = [replay(market, actions) for _ in range(times)]
    return [
        msgspec.convert(
            {
                "function": each[0].function,
                "spent": middle.median(cost.spent for cost in each),
                "read": each[0].read,
                "written": each[0].written,
                "bytes": each[0].bytes,
                "records": middle.median(cost.records for cost in each),
            },
            Cost,
        )
        for each in zip(*found, strict=True)
    ]


def replay(market: Market, actions: Sequence[tuple[bytes, int]]) -> list[Cost]:
    """Executes a story from its beginning, and times each call."""
    contract, costs = market.contract, []
    state = State(contract.genesis())
    for action, at in actions:
        read: dict[str, bytes] = {}

        def remembering(keys: Sequence[str], read: dict[str, bytes] = read) -> list[bytes | None]:
            values = state.read(keys)
            read.update({key: value for key, value in zip(keys, values, strict=True) if value is not None})
            return values

        contract.execute(remembering, action, at, signature_checked=True)
        began = time.perf_counter()
        done = contract.execute(state.read, action, at, signature_checked=True)
        spent = time.perf_counter() - began
        costs.append(
            Cost(
                function=envelope.open_action(action, signature_checked=True).function,
                spent=1e6 * spent,
                read=len(read),
                written=len(done.writes),
                bytes=sum(map(len, done.writes.values())),
                records=records_alone(read, done.writes),
            )
        )
        state.apply(done.writes)
    return costs


_DECODERS: Final = {kind: msgspec.json.Decoder(record) for kind, record in assets.KINDS.items()}
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def records_alone(read: dict[str, bytes], written: Any) -> float:
    """Microseconds that the library takes for the same records, without any rule."""
    decoders = [(_DECODERS[key.partition("/")[0]], value) for key, value in read.items()]
    results = [_DECODERS[key.partition("/")[0]].decode(value) for key, value in written.items()]
    began = time.perf_counter()
    for decoder, value in decoders:
        decoder.decode(value)
    for record in results:
        _ENCODER.encode(record)
    return 1e6 * (time.perf_counter() - began)


def signature_us(action: bytes, times: int = 200) -> float:
    """Microseconds of one signature's check, the middle of several."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        envelope.check_signature(action)
        spent.append(1e6 * (time.perf_counter() - began))
    return middle.median(spent)


def row(function: str, costs: Sequence[Cost]) -> dict[str, Any]:
    """The figures of one function, or of the whole story."""
    spent = sorted(cost.spent for cost in costs)
    return {
        "function": function,
        "calls": len(costs),
        "mean_us": middle.fmean(spent),
        "median_us": middle.median(spent),
        "p99_us": spent[min(len(spent) - 1, len(spent) * 99 // 100)],
        "records_us": middle.fmean(cost.records for cost in costs),
        "read": max(cost.read for cost in costs),
        "written": max(cost.written for cost in costs),
        "bytes": max(cost.bytes for cost in costs),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as text, aligned; what is read and written is the most of one call."""
    titles = ("function", "calls", "mean µs", "median", "p99", "records alone", "read", "written", "bytes")
    lines = [titles] + [
        tuple(f"{value:.1f}" if isinstance(value, float) else str(value) for value in each.values()) for each in rows
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def main() -> int:
    """Measures every function; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description="What a call of the contract costs.")
    parser.add_argument("--times", type=int, default=5, help="replays of the story")
    market = story(64, 6)
    costs = measure(market, max(1, parser.parse_args().times))
    by_function: dict[str, list[Cost]] = defaultdict(list)
    for cost in costs:
        by_function[cost.function].append(cost)
    rows = [row(function, by_function[function]) for function in FUNCTIONS if function in by_function]
    whole = row("the whole story", costs)
    missing = [function for function in FUNCTIONS if function not in by_function]
    signature = signature_us(market.ledger.export(0, 1)[0].actions[0])
    RESULTS.parent.mkdir(exist_ok=True)
    result = {"python": platform.python_version(), "machine": platform.machine(), "goal_us": GOAL}
    result |= {"signature_us": signature, "whole": whole, "functions": rows, "missing": missing}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(table([*rows, whole]))
    met = whole["mean_us"] <= GOAL
    print(f"one signature's check: {signature:.1f} µs")
    print(f"goal: mean ≤ {GOAL:g} µs: {whole['mean_us']:.1f}, {'met' if met else 'missed'}")
    return 0 if met and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
