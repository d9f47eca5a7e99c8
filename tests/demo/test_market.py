"""One whole market of real processes: what it leaves behind is checked field by field, and trouble leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from freehold.agents.auditor.evidence import parse, read_ledger_file
from freehold.agents.auditor.verify import verify

pytestmark = pytest.mark.processes

ROUNDS = 3


def demo(out: Path, *arguments: str) -> subprocess.Popen[str]:
    """A demo as somebody types it; in a session of its own, as in a terminal of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "freehold", "demo", "--out", str(out), "--rounds", str(ROUNDS), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=out.parent,
        env={**os.environ, "TMPDIR": str(out.parent)},
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """The folder of a market with a cheater of every kind that shows, its summary, and the story that was told."""
    out = tmp_path_factory.mktemp("market") / "demo-out"
    process = demo(out, "--cheat", "copying", "--cheat", "lazy", "--cheat", "noisy", "--cheat", "silent")
    said, story = process.communicate(timeout=150)
    assert process.returncode == 0, story
    assert "same weights as plaintext: yes" in said
    return out, json.loads((out / "summary.json").read_text("utf-8")), story


def test_the_folder_holds_all_that_was_promised_and_nothing_is_left_beside_it(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    names = {path.name for path in out.iterdir()}
    assert names >= {"summary.json", "report.html", "ledger.sqlite", "evidence.json", summary["model"], "test.csv"}
    assert [path.name for path in out.parent.iterdir()] == ["demo-out"]


def test_the_summary_says_what_was_trained_on_what(market: tuple[Path, Any, str]) -> None:
    _, summary, _ = market
    assert summary["schema"] == "freehold/demo/1"
    assert summary["dataset"] == {"name": "Wisconsin breast cancer", "rows": 426, "features": 30, "classes": 2}
    training = summary["training"]
    assert (training["rounds"], training["subsets"], training["replicas"]) == (ROUNDS, 4, 3)
    assert training["map"] == "standard"
    assert len(training["round_seconds"]) == ROUNDS
    assert 0 < training["cloud_round_ms"] < 30_000
    assert 100_000 < training["bytes_down"] < 1_500_000
    assert 50_000 < training["bytes_up"] < 250_000
    assert training["seconds"] == pytest.approx(sum(training["round_seconds"]))


def test_the_ledger_that_is_left_behind_is_the_one_that_the_evidence_and_the_summary_are_about(
    market: tuple[Path, Any, str],
) -> None:
    out, summary, _ = market
    evidence = parse((out / "evidence.json").read_bytes()).recording
    assert read_ledger_file(out / "ledger.sqlite").blocks == evidence.blocks
    assert summary["ledger"]["blocks"] == len(evidence.blocks)
    assert summary["ledger"]["transactions"] == sum(len(block.actions) for block in evidence.blocks)
    assert summary["ledger"]["checkpoint"] == evidence.checkpoint


def test_the_model_is_the_one_that_plaintext_gives_and_nearly_as_good_as_central(market: tuple[Path, Any, str]) -> None:
    _, summary, _ = market
    assert summary["weights_equal_plaintext"] is True
    accuracy = summary["accuracy"]
    assert accuracy["freehold"] == accuracy["by_round"][-1]
    assert accuracy["freehold"] > accuracy["majority"] + 0.2
    assert accuracy["freehold"] >= accuracy["central"] - 0.06
    assert accuracy["test_rows"] == 142


def test_every_cheater_that_shows_is_named_and_unpaid_and_nobody_honest_is_blamed(
    market: tuple[Path, Any, str],
) -> None:
    out, summary, _ = market
    planted, blamed = summary["cheaters"]["planted"], summary["cheaters"]["blamed"]
    assert sorted(planted.values()) == ["copying", "lazy", "noisy", "silent"]
    assert set(blamed) == set(planted)
    report = verify((out / "evidence.json").read_bytes(), network=summary["ledger"]["network"])
    for id, kind in planted.items():
        assert id not in report.account.money.by_member
        assert ("missing" if kind == "silent" else "out-voted") in blamed[id]
    copied = {remark.member for remark in report.answers[5].remarks}
    assert copied == {id for id, kind in planted.items() if kind == "copying"}


def test_a_silent_cloud_owner_is_replaced_by_a_spare(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    report = verify((out / "evidence.json").read_bytes())
    silent = next(id for id, kind in summary["cheaters"]["planted"].items() if kind == "silent")
    blame = next(each for each in report.account.blamed if each.member == silent)
    assert blame.missing == 1
    assert blame.jobs == 1
    last = report.account.rounds[-1].ballots
    assert silent not in {id for ballot in last for id in ballot.members}
    assert sum(len(ballot.members) for ballot in last) == 12


def test_money_adds_up_and_everybody_honest_is_paid(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    money = summary["money"]
    assert money["withdrawn"] == 0
    assert money["burned"] == 0
    assert money["held"] == money["deposited"] == sum(money["by_role"].values())
    escrow = money["escrow"]
    assert escrow["locked"] == ROUNDS * (12 * 250_000 + 3_000_000)
    assert escrow["locked"] == escrow["cloud owners"] + escrow["data owner"] + escrow["returned"]
    assert escrow["data owner"] == ROUNDS * 3_000_000
    report = verify((out / "evidence.json").read_bytes())
    for round in report.account.rounds:
        for ballot in round.ballots:
            for id, vote in zip(ballot.members, ballot.votes, strict=True):
                assert (vote == "accepted") == (id not in summary["cheaters"]["planted"])


def test_the_ledger_is_the_one_of_the_evidence(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    ledger = sqlite3.connect(f"file:{out / 'ledger.sqlite'}?mode=ro", uri=True)
    (blocks,) = ledger.execute("SELECT count(*) FROM blocks").fetchone()
    ledger.close()
    report = verify((out / "evidence.json").read_bytes())
    assert blocks >= summary["ledger"]["blocks"] == report.blocks
    assert summary["ledger"]["transactions"] == report.actions
    assert summary["ledger"]["checkpoint"].startswith(f"freehold/{report.network}\n{report.actions}\n")
    assert list(summary["questions"].values()) == [answer.verdict for answer in report.answers]


def test_the_commands_that_it_names_work(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    couple, network = summary["training"]["couple"], summary["ledger"]["network"]
    for arguments in (
        ["verify", "evidence.json", "--network", network],
        ["audit", "ledger.sqlite", "--couple", couple, "--network", network],
        ["predict", summary["model"], "test.csv", "--out", str(out.parent / "scores.csv")],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "freehold", *arguments], cwd=out, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    (out.parent / "scores.csv").unlink()


def test_the_story_tells_who_joined_who_cheats_and_how_each_round_went(market: tuple[Path, Any, str]) -> None:
    _, _, story = market
    for said in ("founded", "R1, R2 hold", "published", "sealed to", "cheater", "requested", "approved", "round 3"):
        assert said in story
    assert "✕" in story
    assert "○" in story
    assert "\x1b" not in story


def test_the_report_names_everybody(market: tuple[Path, Any, str]) -> None:
    out, summary, _ = market
    html = (out / "report.html").read_text("utf-8")
    for member in summary["members"].values():
        assert member["name"] in html
    assert "out-voted" in html
    assert "missing" in html


def test_withholding_costs_nobody_anything_and_groups_take_turns(tmp_path: Path) -> None:
    out = tmp_path / "demo-out"
    # two subsets train together: half of the rows for each feature, so a map with fewer of them
    options = ("--subsets", "4", "--group-min", "2", "--rounds", "4", "--map", "identity")
    process = demo(out, "--cheat", "withholding", *options, "--quiet")
    said, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert errors == ""
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["training"]["rounds"] == 4
    assert summary["weights_equal_plaintext"] is True
    assert summary["cheaters"]["blamed"] == {}
    assert list(summary["cheaters"]["planted"].values()) == ["withholding"]
    assert "votes do not show it" in said


def test_ctrl_c_ends_every_process_and_leaves_nothing(tmp_path: Path) -> None:
    process = demo(tmp_path / "demo-out")
    assert process.stderr is not None
    for line in process.stderr:
        if "founded" in line:
            break
    time.sleep(2.0)
    assert members_of(tmp_path)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == ""
    assert "nothing of it is left behind" in errors
    assert list(tmp_path.iterdir()) == []
    assert not members_of(tmp_path)


def members_of(folder: Path) -> list[int]:
    """Processes whose working folder lies below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink().is_relative_to(folder) and (entry / "exe").exists():
                    found.append(int(entry.name))
            except OSError:
                continue
    return [number for number in found if number != os.getpid()]


def test_an_impossible_wish_starts_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("size,outcome\n1,good\n2,bad\n3,good\n4,bad\n")
    process = demo(tmp_path / "demo-out", "--data", str(tmp_path / "few.csv"), "--target", "outcome")
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 4
    assert said == ""
    assert "next" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["few.csv"]
