"""What Caliper is given: actions that every engine takes in the order of the rounds; and how its report is read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.contract.host import Contract
from freehold.ledger.frames import frame, unframe
from freehold.ledger.memory import MemoryLedger
from freehold.protocol.envelope import open_action

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    """The folder of the benchmarks, as when one of them runs."""
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))


def test_within_a_stage_no_action_waits_for_another_and_stages_follow_each_other() -> None:
    from caliper.generate import STAGES, sign, staged

    signed = sign(3)
    stages = staged(signed.markets)
    ledger = MemoryLedger(Contract(signed.network), lambda: signed.now + 60_000)
    for actions in stages.values():
        for action in reversed(actions):
            ledger.submit(action)

    assert tuple(stages) == STAGES
    assert ledger.info().size == sum(map(len, signed.markets)) == sum(map(len, stages.values()))


def test_the_stages_are_the_paper_s_fifteen_and_three_of_ours() -> None:
    from caliper.generate import NOT_IN_THE_PAPER, STAGES
    from ledgers.node import FUNCTIONS_OF_THE_PAPER

    assert set(STAGES) - set(NOT_IN_THE_PAPER) == set(FUNCTIONS_OF_THE_PAPER)
    assert len(FUNCTIONS_OF_THE_PAPER) == 15


def test_lanes_keep_the_order_of_every_market_and_lose_nothing() -> None:
    from caliper.generate import by_market, by_turns, encode, sign

    markets = sign(4).markets
    lanes = by_market(markets, 3)

    assert lanes[0] == [*markets[0], *markets[3]]
    assert sorted(action for lane in by_turns(lanes[0], 5) for action in lane) == sorted(lanes[0])
    read = [unframe(lane, largest=1 << 20, most=1_000) for lane in unframe(encode(lanes), largest=1 << 24, most=10)]
    assert read == lanes


def test_a_round_whose_workers_would_get_different_numbers_is_refused(tmp_path: Path) -> None:
    from caliper.launching import Round

    with pytest.raises(ValueError, match="same number"):
        Round(name="uneven", lanes=[[b"a"], [b"b", b"c"]], rate=1).spec(tmp_path)
    spec = Round(name="even", lanes=[[b"a", b"b"], [b"c", b"d"]], batch=2, load=8).spec(tmp_path)

    assert spec["txNumber"] == 4
    assert spec["rateControl"] == {"type": "./bounded-load.js", "opts": {"unanswered": 8}}
    assert (tmp_path / "even.frames").read_bytes() == frame([frame([b"a", b"b"]), frame([b"c", b"d"])])


def test_the_table_of_rounds_is_found_among_the_others_of_a_report() -> None:
    from caliper.launching import summary

    head = [
        "Name",
        "Succ",
        "Fail",
        "Send Rate (TPS)",
        "Max Latency (s)",
        "Min Latency (s)",
        "Avg Latency (s)",
        "Throughput (TPS)",
    ]
    row = ["UpdateTJ", "120", "0", "574.2", "0.07", "0.01", "0.03", "538.1"]
    cells = "".join(f"<th>{name}</th>" for name in head), "".join(f"<td> {value}\n</td>" for value in row)
    other = "<table><tr><td>Metric</td></tr></table>"

    assert summary(f"<html>{other}<table><tr>{cells[0]}</tr><tr>{cells[1]}</tr></table></html>") == [
        dict(zip(head, row, strict=True))
    ]
    with pytest.raises(RuntimeError, match="no table of rounds"):
        summary(other)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_frames_in_javascript_are_frames_in_python(tmp_path: Path) -> None:
    parts = [b"", b"a", bytes(range(256)) * 300]
    (tmp_path / "python").write_bytes(frame(parts))
    script = (
        "const fs = require('fs'); const { frame, unframe } = require(process.argv[1]);"
        "fs.writeFileSync(process.argv[3], frame(unframe(fs.readFileSync(process.argv[2])).reverse()));"
        "try { unframe(fs.readFileSync(process.argv[2]).subarray(0, 20)); process.exit(3); } catch (error) { }"
    )
    files = [str(BENCH / "caliper" / "frames.js"), str(tmp_path / "python"), str(tmp_path / "javascript")]
    subprocess.run(["node", "-e", script, *files], check=True, timeout=30)

    assert (tmp_path / "javascript").read_bytes() == frame(reversed(parts))


def test_every_function_of_a_small_market_is_there() -> None:
    from caliper.generate import STAGES, sign

    (market,) = sign(1).markets

    assert {open_action(action, signature_checked=True).function for action in market} == set(STAGES)
