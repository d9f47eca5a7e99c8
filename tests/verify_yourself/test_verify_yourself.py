"""The verifier that shares no code with the product says what the product says, about whole files and damaged ones."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from freehold.agents.auditor.evidence import encode
from freehold.agents.auditor.verify import Report, verify
from freehold.errors import Invalid
from tests.agents.auditor.recordings import evidence_of
from tests.market import Market, Training
from tests.verify_yourself.mutations import MUTATIONS

PROGRAM = Path(__file__).parents[2] / "docs" / "verify-yourself" / "verify.py"
FILES = 1_000


def loaded() -> ModuleType:
    """The program as a module, so that a thousand files need one process."""
    specification = spec_from_file_location("verify_yourself", PROGRAM)
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


STRANGER = loaded()


@pytest.fixture(scope="module")
def training() -> Training:
    """A training with every verdict, a ruling, a void round, a subset that found another holder, and changed keys."""
    market = Market()
    training = market.trains(subsets=2, replicas=3, rounds=3)
    void, closed = training.starts_round().ballots
    for ballot in (void, closed):
        honest, liar, _ = ballot.replicas
        honest.commits()
        liar.commits(b"noise")
    closed.replicas[2].commits()
    closed.closes_with(b"gradient")
    training.owner.rotates()
    market.waits_until_after(training.record["close_until"])

    ballots = training.starts_round().ballots
    for ballot in ballots:
        for replica in ballot.replicas[:2]:
            replica.commits()
    ballot.replicas[2].commits(b"noise")
    market.waits_until_after(training.record["commit_until"])
    for each in ballots:
        each.closes_with(b"gradient")
    ballot.is_ruled(b"gradient")
    dataset = training.datasets[0]
    (emptied,) = [index for index in range(2) if len(dataset.slots(index)) < 3]
    dataset.is_held_by(emptied)
    training.starts_round().is_agreed()
    training.ends()
    return training


@pytest.fixture(scope="module")
def file(training: Training) -> bytes:
    return encode(evidence_of(training))


def strangers_word(data: bytes) -> str | None:
    """What the program finds wrong, None if nothing."""
    try:
        list(STRANGER.verify(data))
    except STRANGER.Wrong as wrong:
        return str(wrong)
    return None


def our_word(data: bytes) -> Report | str:
    """What the product shows, or what it finds wrong."""
    try:
        return verify(data)
    except Invalid as invalid:
        return invalid.what


def test_it_is_short_and_shares_no_code_with_the_product() -> None:
    text = PROGRAM.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    imported = {
        (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported == {"base64", "hashlib", "json", "sys", "cryptography"}


def test_both_show_the_same_votes(file: bytes) -> None:
    report = our_word(file)
    assert isinstance(report, Report)
    ours = Counter(vote for round in report.account.rounds for ballot in round.ballots for vote in ballot.votes)
    lines = "\n".join(line for line in STRANGER.verify(file) if line.startswith("  round"))
    names = {"accepted": "accepted", "rejected": "out-voted", "missing": "missing", "undecided": "undecided"}
    assert {names[vote]: count for vote, count in ours.items()} == {
        name: lines.count(f" {name}") for name in names.values() if f" {name}" in lines
    }
    assert set(ours) >= {"accepted", "rejected", "missing"}


@pytest.mark.parametrize("name", MUTATIONS)
def test_both_say_the_same_about_a_thousand_damaged_files(name: str, file: bytes) -> None:
    passed = 0
    for seed in range(-(-FILES // len(MUTATIONS))):
        damaged = MUTATIONS[name](file, Random(f"{name} {seed}"))
        ours, theirs = our_word(damaged), strangers_word(damaged)
        assert isinstance(ours, Report) == (theirs is None), f"seed {seed}: we say {ours}, it says {theirs}"
        passed += isinstance(ours, Report) and damaged != file
    # a shorter history, or one without its checkpoint, is a whole history too; nothing else may pass
    assert passed == 0 or name in ("drops the checkpoint", "drops the last blocks and the checkpoint")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b"null", b'{"blocks":[]}', b"9" * 5_000])
def test_what_is_no_evidence_at_all_gets_one_line_and_exit_code_1(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_bytes(data)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "evidence.json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("wrong: ")
    assert len(done.stderr.splitlines()) == 1


def test_it_is_told_which_network_is_meant(file: bytes) -> None:
    with pytest.raises(STRANGER.Wrong, match="the file is about network"):
        list(STRANGER.verify(file, "00" * 32))
