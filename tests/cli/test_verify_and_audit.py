"""`verify` and `audit` as a stranger types them: from a file, a running node's ledger file, and junk."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_file_that_this_user_may_not_read_is_not_a_mistake_of_the_command_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.chmod(0)
    assert run(["verify", str(file)]) == 5
    assert "Permission denied" in capsys.readouterr().err


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


def copy_of(path: Path, copy: Path, *changes: tuple[str, tuple[object, ...]]) -> Path:
    """A copy of a ledger's file in which somebody changed something."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for statement, values in changes:
            target.execute(statement, values)
        target.commit()
    return copy


def column_of(path: Path, column: str, height: int) -> bytes:
    with closing(sqlite3.connect(path)) as ledger:
        value = ledger.execute(f"SELECT {column} FROM blocks WHERE height = ?", (height,)).fetchone()[0]
    return bytes(value)


def test_a_ledger_is_damaged_wherever_a_byte_of_a_block_is_another(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    out = tmp_path / "evidence.json"
    for column in ("header", "signature", "actions", "results", "events", "writes"):
        value = bytearray(column_of(path, column, 7))
        value[-3] ^= 1
        change = (f"UPDATE blocks SET {column} = ? WHERE height = 7", (bytes(value),))
        copy = copy_of(path, tmp_path / f"{column}.sqlite", change)
        assert run(["audit", str(copy), "--couple", training.id, "--out", str(out)]) == 1, column
        assert "first thing that is wrong" in capsys.readouterr().out
    assert not out.exists()


def test_a_ledger_from_which_a_block_was_taken_or_moved_is_a_no(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    for number, change in enumerate(("DELETE FROM blocks WHERE height = 7", "UPDATE blocks SET height = height + 100")):
        copy = copy_of(path, tmp_path / f"{number}.sqlite", (change, ()))
        assert run(["audit", str(copy), "--couple", training.id]) == 1
        assert "missing from the file" in capsys.readouterr().out


def test_pages_of_a_ledger_that_hold_anything_at_all_are_a_no_or_change_nothing(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    whole = copy_of(path, tmp_path / "whole.sqlite").read_bytes()
    source = random.Random(5)
    damaged = tmp_path / "damaged.sqlite"
    # the first page holds the text of the tables, the others blocks
    for place in [*source.sample(range(4096), 40), *source.sample(range(len(whole)), 20)]:
        broken = bytearray(whole)
        broken[place] ^= 0xC0
        damaged.write_bytes(bytes(broken))
        assert run(["audit", str(damaged), "--couple", training.id]) in (0, 1)
        assert capsys.readouterr().err == ""


def test_text_in_a_ledger_that_is_not_unicode_is_a_no(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    copy = copy_of(path, tmp_path / "copy.sqlite")
    copy.write_bytes(copy.read_bytes().replace(b"CREATE TABLE blocks", b"CREATE TABLE bl\xffcks"))
    assert run(["audit", str(copy), "--couple", training.id]) == 1
    assert "cannot be read as a ledger" in capsys.readouterr().out


def test_the_evidence_does_not_take_the_place_of_the_ledger(
    open_ledger: tuple[Path, Training], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, training = open_ledger
    copy = copy_of(path, tmp_path / "copy.sqlite")
    assert run(["audit", str(copy), "--couple", training.id, "--out", str(copy)]) == 2
    assert run(["audit", str(copy), "--couple", training.id]) == 0
    capsys.readouterr()


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"not a database at all" * 100)
    (tmp_path / "empty.sqlite").write_bytes(b"")
    for name in ("x.sqlite", "empty.sqlite"):
        assert run(["audit", str(tmp_path / name), "--couple", "ab" * 32]) == 1
    for name in ("absent.sqlite", "."):
        assert run(["audit", str(tmp_path / name), "--couple", "ab" * 32]) == 5
    assert "Traceback" not in capsys.readouterr().err


def test_a_ledger_without_any_training_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ledger.sqlite"
    opened: list[EmbeddedLedger] = []

    def engine(machine: object, clock: object) -> EmbeddedLedger:
        opened.append(EmbeddedLedger.open(path, machine, OPERATOR, clock))  # type: ignore[arg-type]
        return opened[0]

    Market(engine=engine)
    opened[0].close()
    assert run(["audit", str(path), "--couple", "ab" * 32]) == 4
    assert "there is no training at all" in capsys.readouterr().err


def test_an_address_that_cannot_be_one_is_a_mistake_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "http://:9x9", "--couple", "ab" * 32]) == 2
    assert run(["audit", "http://127.0.0.1:1", "--couple", "ab" * 32]) == 5
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_to_which_nobody_writes_and_a_device_without_end_are_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for endless in (str(pipe), "/dev/zero", "/dev/null"):
        assert run(["verify", endless]) == 5
        assert "it is not a file" in capsys.readouterr().err
    assert run(["audit", str(pipe), "--couple", "ab" * 32]) == 5
    assert run(["verify", str(tmp_path / "absent"), "--checkpoint", str(pipe)]) == 5


def test_the_network_that_is_meant_is_named_in_full_and_in_any_case(
    file: Path, training: Training, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file), "--network", training.market.id.upper()]) == 0
    for beginning in (training.market.id[:12], "", "zz" * 32):
        assert run(["verify", str(file), "--network", beginning]) == 2
        assert "64 hexadecimal characters" in capsys.readouterr().err


def test_what_is_left_to_trust_is_said_with_the_result(
    file: Path, training: Training, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(file), "--network", training.market.id]) == 0
    text = capsys.readouterr().out
    assert "the file says itself: compare" in text
    assert "UTC by the ledger's clock; what came later is not in this file" in text
