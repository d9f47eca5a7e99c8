"""What operators type: found a ledger together, serve it, and take a fifth in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engines.cometbft import free_ports
from tests.engines.cometbft import program as cometbft_program

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(cometbft_program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


class Person:
    """Somebody with a machine of their own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        own = {"FREEHOLD_HOME": str(home / "profiles"), "FREEHOLD_CONFIG": str(home / "config.toml")}
        self.home, self.environment = home, {**os.environ, **own, "FREEHOLD_FORMAT": "json", "NO_COLOR": "1"}

    def types(self, *words: object, code: int = 0) -> dict[str, Any]:
        """Types a command, and reads what it says."""
        command = [sys.executable, "-m", "freehold", *map(str, words)]
        done = subprocess.run(
            command, env=self.environment, cwd=self.home, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == code, done.stderr.decode()
        said: dict[str, Any] = json.loads((done.stderr if code else done.stdout).splitlines()[-1])
        return said

    @contextmanager
    def serves(self, folder: Path) -> Iterator[str]:
        """Runs a node until the block ends; its address."""
        place = self.home / f"{folder.name}.url"
        place.unlink(missing_ok=True)
        command = [sys.executable, "-m", "freehold", "node", "--network", str(folder), "--port", "0"]
        with subprocess.Popen([*command, "--url-file", str(place)], env=self.environment, cwd=self.home) as process:
            try:
                deadline = time.monotonic() + 60
                while not place.exists():
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                yield place.read_text().strip()
            finally:
                process.send_signal(signal.SIGINT)
                assert process.wait(30) in (0, 130)


def free_run(count: int) -> int:
    """The first of as many free ports in a row."""
    for _ in range(50):
        (first,) = free_ports(1)
        if first + count < 65_536:
            return first
    raise AssertionError("no port is free")


def test_operators_found_a_ledger_each_on_a_machine_of_its_own(tmp_path: Path) -> None:
    people = [Person(tmp_path / name) for name in ("ada", "ben", "eve")]
    ports = free_ports(3)
    for each, port in zip(people, ports, strict=True):
        each.types("network", "join", "ledger", "--address", f"127.0.0.1:{port}")
    ada, ben, eve = people
    cards = [word for each in (ada, ben) for word in ("--card", each.home / "ledger" / "operator.json")]
    founded = ada.types("network", "create", "ledger", *cards, "--operators", "2", "--no-passphrase")
    shared = ada.home / "ledger" / "consortium.json"
    assert ben.types("network", "join", "ledger", "--file", shared) == {
        "schema": "freehold/network/1",
        "folder": "ledger",
        "network": founded["network"],
        "founder": True,
    }
    assert not eve.types("network", "join", "ledger", "--file", shared)["founder"]
    secrets = [(each.home / "ledger" / "operator.key").read_bytes() for each in people]
    assert len(set(secrets)) == 3
    assert not any(secret.strip() in shared.read_bytes() for secret in secrets)

    with ada.serves(ada.home / "ledger") as first, ben.serves(ben.home / "ledger") as second:
        own = ("--url", first)
        proposal = ada.types("network", "propose", "ledger", "--card", eve.home / "ledger" / "operator.json", *own)
        assert not proposal["decided"]
        assert eve.types("network", "vote", "ledger", proposal["proposal"], *own, code=3)["code"] == "not-yours"
        with eve.serves(eve.home / "ledger") as third:
            deadline = time.monotonic() + 30
            while not (shown := eve.types("network", "show", third))["proposals"]:
                assert time.monotonic() < deadline
            assert len(shown["operators"]) == 2
            vote = ben.types("network", "vote", "ledger", proposal["proposal"][:8], "--url", second)
            assert vote["decided"]
            left = eve.types("network", "propose", "ledger", "--leaves", shown["operators"][0]["key"], "--url", third)
            assert not left["decided"]
            assert len(ada.types("network", "show", first)["operators"]) == 3


def test_a_trial_of_four_operators_is_made_with_one_command_and_serves(tmp_path: Path) -> None:
    person = Person(tmp_path / "one")
    founded = person.types("network", "create", "net", "--operators", 4, "--first-port", free_run(4), "--no-passphrase")
    again = person.types("network", "create", "net", "--operators", 4, "--no-passphrase", code=4)
    assert "already" in again["what"]
    with ExitStack() as stack:
        folders = [person.home / each for each in founded["operators"]]
        urls = [stack.enter_context(person.serves(each)) for each in folders]
        shown = [person.types("network", "show", url) for url in urls]
    assert {each["network"] for each in shown} == {founded["network"]}
    assert all(len(each["operators"]) == 4 for each in shown)


def test_a_rebuilt_validator_executes_every_block_again(tmp_path: Path) -> None:
    person = Person(tmp_path / "one")
    person.types("network", "join", "ledger", "--address", f"127.0.0.1:{free_ports(1)[0]}")
    card = person.home / "ledger" / "operator.json"
    person.types("network", "create", "ledger", "--card", card, "--no-passphrase")
    folder = person.home / "ledger"
    with person.serves(folder) as url:
        card_of = person.types("network", "show", url)["operators"][0]
        moved = folder / "moved.json"
        moved.write_text(json.dumps({**card_of, "address": "203.0.113.5:26656"}, separators=(",", ":"), sort_keys=True))
        assert person.types("network", "propose", "ledger", "--card", moved, "--url", url)["decided"]
        before = person.types("network", "show", url)
    person.types("ledger", "rebuild", "ledger")
    with person.serves(folder) as url:
        assert person.types("network", "show", url) == before
