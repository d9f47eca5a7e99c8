"""What a command says to do next can be done as it is said, and what it asks is what will happen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from freehold.agents.model_owner.quoting import Quote, Wish
from freehold.cli.application import run
from freehold.cli.quote_text import quote_document, quote_text
from freehold.protocol.identifiers import DatasetId, Method
from freehold.terminal.live import Progress


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's machine with nothing of Freehold on it."""
    monkeypatch.setenv("FREEHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FREEHOLD_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


@pytest.mark.parametrize(
    ("url", "listens"),
    [
        ("http://127.0.0.1:7430", " --port 7430"),
        ("http://127.0.0.1:7430/", " --port 7430"),
        ("http://127.0.0.1:7420", ""),
        ("https://market.example", ""),
        ("https://market.example:8443/ledger", ""),
    ],
)
def test_a_new_network_s_node_is_told_to_listen_where_its_members_will_look(
    url: str, listens: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["network", "create", str(home / "market"), "--url", url, "--no-passphrase"]) == 0
    said = capsys.readouterr().out
    assert f"next      freehold node --network {home / 'market'}{listens}\n" in said
    assert f"--network {url.rstrip('/')} --id " in said


@pytest.mark.parametrize("url", ["market.example", "http://", "http://127.0.0.1:seven", "http://a b", "https://a/?b"])
@pytest.mark.parametrize("command", [["network", "create", "market", "--url"], ["init", "data-owner", "--network"]])
def test_a_mistyped_address_is_refused_before_anything_is_written(
    url: str, command: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    assert run([*command, url, "--no-passphrase"]) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def quote() -> Quote:
    """Six rounds of a small dataset."""
    dataset = DatasetId("7c" * 32)
    return Quote(
        wish=Wish(datasets=(dataset,), rounds=6, map_name="standard", method=Method("linear-1"), balanced=False),
        cost=36_000_000,
        jobs_per_round=12,
        for_cloud_owners=18_000_000,
        for_data_owners=18_000_000,
        answer_window=172_800_000,
        groups=1,
        rows=426,
        features=61,
        outputs=2,
        numbers=1_891,
        learned=666,
        warning="",
        map=b"",
        material=b"",
        store="main",
    )


def test_a_newcomer_is_not_told_that_it_has_nothing_before_it_could_have_anything() -> None:
    newcomer = quote_text(quote(), None, "no-funds")
    assert "you have not joined yet" in newcomer
    assert "no-funds, until you have joined and are credited" in newcomer
    member = quote_text(quote(), 0, "no-funds")
    assert "you have 0.00" in member
    assert member.endswith("the ledger would refuse it now: no-funds")
    assert quote_document(quote(), None)["free"] == 0


class Window:
    """A terminal that remembers what was written to it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_settled_lines_stay_without_an_empty_line_below_them() -> None:
    window: Any = Window()
    with Progress(window, color="never") as progress:
        progress.show("round", "round 1")
        progress.show("round", "round 2")
        progress.settle()
    below = window.written.rpartition("round 2")[2]
    moved_up = sum(int(count or 1) for count in re.findall(r"\x1b\[(\d*)A", below))
    assert below.count("\n") - moved_up == 1
