"""A command that was killed before or after any of its writes goes on where it was when it is typed again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.agents.key_file import KeyFile
from freehold.agents.keys import recovery_secret, recovery_seed
from freehold.cli.application import run
from freehold.node.configuration import read_configuration
from freehold.node.runtime import read_network
from freehold.protocol import signatures
from freehold.protocol.network import network_id

WRITES = 8
"""More than any of these commands makes."""


class Killed(BaseException):
    """The process is gone; no `except` of a program can catch it."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's machine with nothing of Freehold on it."""
    monkeypatch.setenv("FREEHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FREEHOLD_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("FREEHOLD_FORMAT", "json")
    return tmp_path


def killed_at(write: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the process is killed before or after the file of this number gets its name."""
    replace: Callable[[Any, Any], None] = os.replace
    left = [write]

    def kills(source: Any, target: Any) -> None:
        left[0] -= 1
        if left[0] != 0 or after:
            replace(source, target)
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(os, "replace", kills)


def typed_until_done(arguments: list[str], write: int, *, after: bool) -> bool:
    """Types a command that is killed, and types it again; whether it was still alive by then."""
    with pytest.MonkeyPatch.context() as patch:
        killed_at(write, after=after, monkeypatch=patch)
        try:
            assert run(arguments) == 0
        except Killed:
            pass
        else:
            return True
    # all may have been written: then it says so, and what must be there is
    assert run(arguments) in (0, 4)
    return False


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, WRITES))
def test_a_network_whose_founder_was_killed_is_founded_by_the_same_command(write: int, after: bool, home: Path) -> None:
    create = ["network", "create", str(home / "market"), "--welcome-model-owner", "7", "--no-passphrase"]
    typed_until_done(create, write, after=after)
    known = read_configuration(home / "config.toml", {})
    assert known.profiles["treasury"].network == "market"
    assert known.networks["market"].id == network_id(read_network(home / "market"))
    assert known.stores["main"].url == known.networks["market"].nodes[0]
    assert known.treasury.welcome_model_owner == 7_000_000
    treasury = KeyFile(home / "home" / "treasury" / "key", lambda: "").ring().members[0]
    assert treasury.signing_key == read_network(home / "market").treasury


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, WRITES))
def test_whoever_was_killed_while_joining_joins_with_the_same_command_and_has_its_words(
    write: int, after: bool, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "http://127.0.0.1:7430"
    init = ["init", "data-owner", "--network", url, "--id", "7c" * 32, "--no-passphrase", "--yes"]
    typed_until_done(init, write, after=after)
    known = read_configuration(home / "config.toml", {})
    assert known.networks[known.profiles["data-owner"].network].nodes == (url,)
    assert known.stores["main"].url == url
    keys = KeyFile(home / "home" / "data-owner" / "key", lambda: "").ring().members[0]
    said = [json.loads(line)["words"] for line in capsys.readouterr().out.splitlines()]
    recovers = [signatures.public_key(recovery_seed(recovery_secret(words), 0)) for words in said if words]
    assert bytes(keys.recovery) in recovers


@pytest.mark.parametrize("after", [False, True])
def test_slots_are_opened_all_or_none(after: bool, home: Path) -> None:
    url = "http://127.0.0.1:7430"
    assert run(["init", "cloud-owner", "--network", url, "--id", "7c" * 32, "--no-passphrase", "--yes"]) == 0
    with pytest.MonkeyPatch.context() as patch:
        killed_at(1, after=after, monkeypatch=patch)
        with pytest.raises(Killed):
            run(["cloud", "open", "--slots", "4"])
    ring = KeyFile(home / "home" / "cloud-owner" / "key", lambda: "").ring()
    assert len(ring.members) == (4 if after else 0)


def test_the_commands_here_make_fewer_writes_than_are_tried(home: Path) -> None:
    create = ["network", "create", str(home / "market"), "--welcome-model-owner", "7", "--no-passphrase"]
    assert typed_until_done(create, WRITES, after=True)


def test_a_finished_network_is_not_taken_for_an_unfinished_one(home: Path) -> None:
    create = ["network", "create", str(home / "market"), "--no-passphrase"]
    assert run(create) == 0
    record = read_network(home / "market")
    assert run(create) == 4
    assert run([*create, "--profile", "second", "--name", "second"]) == 4
    assert read_network(home / "market") == record
    assert set(read_configuration(home / "config.toml", {}).profiles) == {"treasury"}
