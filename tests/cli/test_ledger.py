"""`freehold ledger check|backup|restore` as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold.cli.application import run
from freehold.node.runtime import found_network, open_ledger
from tests.ledger.test_faults import alter
from tests.market import Market
from tests.market.people import Member


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network whose ledger holds three members."""
    market = Market()
    folder = tmp_path / "market"
    found_network(folder, market.network)
    with open_ledger(folder) as ledger:
        market.now = ledger.info().time
        for _ in range(3):
            person: Member = market.newcomer("co")
            ledger.submit(person.signs("CreateCO", **person.keys))
    return folder


def test_a_whole_ledger_is_said_to_be_whole_with_its_root(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "check", "--network", str(network)]) == 0
    said = capsys.readouterr()
    assert "✓ the ledger is whole: 3 actions in 3 blocks, 0 differences" in said.out
    assert "100 %" in said.err

    assert run(["ledger", "check", "--network", str(network), "--format", "json", "--quiet"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["schema"], document["valid"], document["size"]) == ("freehold/ledger-check/1", True, 3)
    assert said.err == ""


def test_a_changed_ledger_is_said_to_be_changed(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(network / "ledger.sqlite", "results", 2)

    assert run(["ledger", "check", "--network", str(network)]) == 1
    assert "block 2" in capsys.readouterr().out


def test_a_copy_comes_back_and_its_checkpoint_says_whether_it_is_new_enough(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(network) as ledger:
        copy = str(tmp_path / "monday.sqlite")
        assert run(["ledger", "backup", copy, "--network", str(network)]) == 0
        (tmp_path / "note").write_text(ledger.info().checkpoint)
    assert "is a whole copy: 3 actions" in capsys.readouterr().out
    assert run(["ledger", "restore", copy, "--network", str(network)]) == 4
    (network / "ledger.sqlite").unlink()

    assert run(["ledger", "restore", copy, "--network", str(network), "--checkpoint", str(tmp_path / "note")]) == 0

    assert "is back: 3 actions in 3 blocks" in capsys.readouterr().out
    with open_ledger(network) as ledger:
        assert ledger.info().size == 3
