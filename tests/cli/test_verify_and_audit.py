"""`verify` and `audit` as a stranger types them: from a file, a running node's ledger file, and junk."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.agents.auditor.evidence import encode
from freehold.cli.application import run
from freehold.ledger.embedded.ledger import EmbeddedLedger
from tests.agents.auditor.recordings import OPERATOR, evidence_of
from tests.market import Market, Training


@pytest.fixture(scope="module")
def training() -> Training:
    training = Market().trains(subsets=2)
    first, second = training.starts_round().ballots
    worker, copier, honest = first.replicas
    worker.commits()
    copier.commits_bytes_of(worker)
    honest.commits()
    first.closes_with(b"gradient")
    second.is_agreed()
    training.ends()
    return training


@pytest.fixture
def file(training: Training, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.json"
    path.write_bytes(encode(evidence_of(training)))
    return path


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[tuple[Path, Training]]:
    """A ledger's file that a node still has open."""
    path = tmp_path / "ledger.sqlite"
    opened: list[EmbeddedLedger] = []

    def engine(machine: object, clock: object) -> EmbeddedLedger:
        opened.append(EmbeddedLedger.open(path, machine, OPERATOR, clock))  # type: ignore[arg-type]
        return opened[0]

    training = Market(engine=engine).trains(subsets=2)
    training.starts_round().is_agreed()
    yield path, training
    opened[0].close()


def test_a_whole_file_gives_a_readable_account(
    file: Path, training: Training, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file)]) == 0
    text = capsys.readouterr().out
    assert "0 differences" in text
    assert f"training {training.id[:8]}" in text
    assert "1 ●✕●" in text
    assert "out-voted in 1 of 1 jobs; if most replicas of this subset were honest" in text
    assert text.count("?") >= 8
    assert "compare with the one you trust" in text


def test_the_same_as_json(file: Path, training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(file), "--format", "json", "--network", training.market.id]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "freehold/verification/1"
    assert document["valid"] is True
    assert document["network_was_named"] is True
    assert [answer["number"] for answer in document["answers"]] == list(range(1, 9))


def test_another_network_or_a_foreign_checkpoint_is_a_no(
    file: Path, training: Training, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file), "--network", "ab" * 32]) == 1
    assert "about network" in capsys.readouterr().out
    note = tmp_path / "note"
    note.write_text("nonsense", "utf-8")
    assert run(["verify", str(file), "--checkpoint", str(note)]) == 1
    checkpoint = evidence_of(training).recording.checkpoint
    assert checkpoint is not None
    note.write_text(checkpoint, "utf-8")
    assert run(["verify", str(file), "--checkpoint", str(note)]) == 0
    assert "goes on from your checkpoint" in capsys.readouterr().out


def test_whatever_bytes_it_gets_the_answer_is_no_and_never_a_traceback(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = file.read_bytes()
    source = random.Random(3)
    for place in source.sample(range(len(whole)), 12):
        broken = bytearray(whole)
        broken[place] ^= 4
        target = tmp_path / "broken.json"
        target.write_bytes(bytes(broken))
        assert run(["verify", str(target)]) == 1
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert "first thing that is wrong" in said.out
    for junk in (b"", b"\0", b"{}", b"[" * 10_000, source.randbytes(5_000)):
        target.write_bytes(junk)
        assert run(["verify", str(target), "--format", "json"]) == 1
        assert json.loads(capsys.readouterr().out)["valid"] is False


def test_a_file_that_cannot_be_read_is_not_called_false(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(tmp_path)]) == 5
    assert run(["verify", str(tmp_path / "absent")]) == 5
    assert "cannot be read" in capsys.readouterr().err


def test_a_ledger_is_audited_while_a_node_writes_it(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    out = tmp_path / "deep" / "evidence.json"
    assert run(["audit", str(path), "--couple", training.id[:8], "--out", str(out)]) == 0
    assert f"freehold verify {out}" in capsys.readouterr().out
    training.starts_round()
    assert run(["verify", str(out), "--network", training.market.id]) == 0
    assert training.id[:8] in capsys.readouterr().out


def test_a_training_that_is_not_there_is_told_with_those_that_are(
    open_ledger: tuple[Path, Training], capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    assert run(["audit", str(path), "--couple", "ab" * 32]) == 4
    assert training.id[:8] in capsys.readouterr().err


def test_a_damaged_ledger_is_a_no_and_no_evidence_is_written(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    copy = tmp_path / "copy.sqlite"
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        header = target.execute("SELECT header FROM blocks WHERE height = 7").fetchone()[0]
        other = header.replace(b'"height":7,', b'"height":8,')
        target.execute("UPDATE blocks SET header = ? WHERE height = 7", (other,))
        target.commit()
    target.close()
    source.close()
    out = tmp_path / "evidence.json"
    assert run(["audit", str(copy), "--couple", training.id, "--out", str(out)]) in (1, 4)
    assert not out.exists()


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"not a database at all" * 100)
    assert run(["audit", str(tmp_path / "x.sqlite"), "--couple", "ab" * 32]) in (1, 4, 5)
    assert "Traceback" not in capsys.readouterr().err
