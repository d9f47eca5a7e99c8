"""Witnesses as programs, and a node that asks them: a quorum, one that is away, one that has seen another history."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from freehold.errors import Invalid
from freehold.ledger.proofs.checkpoint import open_checkpoint
from freehold.ledger.proofs.cosignature import parse_witness_key, require_quorum
from freehold.node.witnessing import AskedWitness, Witnessing
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.engines.embedded import SEED, embedded
from tests.engines.notebook import NETWORK, add

ID, OPERATOR = network_id(NETWORK), signatures.public_key(SEED)


@contextmanager
def witness(folder: Path, name: str) -> Iterator[AskedWitness]:
    """The program `freehold witness`, watching the notebook's network."""
    command = [
        sys.executable,
        "-m",
        "freehold",
        "witness",
        "--name",
        name,
        "--folder",
        str(folder / name),
        "--port",
        "0",
    ]
    command += ["--port", "0", "--watch", f"{ID}={OPERATOR.hex()}", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            known, key = parse_witness_key(said["key"])
            assert httpx.get(said["url"]).text.strip() == said["key"]
            yield AskedWitness(url=said["url"], name=known, key=key)
        finally:
            process.terminate()
            assert process.wait(10) == 0


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not done():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def witnessed_size(asking: Witnessing) -> int:
    note = asking.note()
    return open_checkpoint(note, network_id=ID, operator=OPERATOR).size if note else 0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.node.witnessing._SECONDS", 0.05)


def test_a_quorum_cosigns_what_is_recorded_while_one_of_three_is_away(tmp_path: Path) -> None:
    away = AskedWitness(url="http://127.0.0.1:1", name="away", key=bytes(32))
    with embedded(tmp_path) as ledger, witness(tmp_path, "w1") as one, witness(tmp_path, "w2") as two:
        asking = Witnessing(ledger, [one, away, two], quorum=2)
        try:
            for nonce in range(3):
                ledger.submit(add("c", 1, nonce))
                until(lambda size=nonce + 1: witnessed_size(asking) == size)  # type: ignore[misc]
            require_quorum(asking.note(), {one.name: one.key, two.name: two.key}, 2)
            with pytest.raises(Invalid, match="2 of 3 witnesses"):
                require_quorum(asking.note(), {each.name: each.key for each in (one, away, two)}, 3)
            assert away.trouble
            assert not one.trouble
        finally:
            asking.close()


def test_a_witness_never_cosigns_a_second_history_even_after_it_was_started_again(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with embedded(tmp_path / "first") as ledger, witness(tmp_path, "w1") as one:
        ledger.submit_all([add("c", 1, nonce) for nonce in range(4)])
        asking = Witnessing(ledger, [one], quorum=1)
        until(lambda: witnessed_size(asking) == 4)
        asking.close()

    with embedded(tmp_path / "second") as ledger, witness(tmp_path, "w1") as one:
        ledger.submit_all([add("c", 2, nonce) for nonce in range(6)])
        asking = Witnessing(ledger, [one], quorum=1)
        until(lambda: "422" in one.trouble)
        assert asking.note() == ""
        asking.close()


def test_a_ledger_that_was_set_back_hears_how_much_its_witness_has_seen(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with witness(tmp_path, "w1") as one:
        with embedded(tmp_path / "first") as ledger:
            ledger.submit_all([add("c", 1, nonce) for nonce in range(4)])
            asking = Witnessing(ledger, [one], quorum=1)
            until(lambda: witnessed_size(asking) == 4)
            asking.close()
        with embedded(tmp_path / "second") as ledger:
            ledger.submit(add("c", 1, 0))
            again = AskedWitness(url=one.url, name=one.name, key=one.key)
            asking = Witnessing(ledger, [again], quorum=1)
            until(lambda: "has seen 4 actions, and this ledger holds 1" in again.trouble)
            asking.close()


def test_a_quorum_of_nobody_or_of_more_than_there_are_is_none(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        for quorum in (0, 2):
            with pytest.raises(Invalid, match="quorum"):
                Witnessing(ledger, [AskedWitness(url="http://127.0.0.1:1", name="away", key=bytes(32))], quorum)
