"""What a person types to move money, replace stolen keys and name a referee, against a ledger in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freehold.agents.world import system_clock
from freehold.cli.application import run
from freehold.cli.opening import opened
from freehold.contract.host import Contract
from freehold.errors import Refused
from freehold.ledger.memory import MemoryLedger
from freehold.node.profiles import OpenProfile
from freehold.node.runtime import read_network
from freehold.protocol.actions import Withdraw
from freehold.protocol.identifiers import Nonce
from freehold.transport.signed_reads import Reader


class Served(MemoryLedger):
    """A ledger that a command reaches without a network."""

    def sign_reads(self, reader: Reader) -> None:
        """It is open to all readers."""

    def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A network with a referee and somebody's machine; types a command and returns its result."""
    monkeypatch.setenv("FREEHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FREEHOLD_CONFIG", str(tmp_path / "config.toml"))

    def types(*words: str, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert run([*words, "--format", "json"]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        document: dict[str, Any] = json.loads(said.out or said.err)
        return document

    referee = types("key", "create", "--no-passphrase")
    folder = str(tmp_path / "market")
    made = types(
        "network", "create", folder, "--referee", referee["key"], "--skew", "250ms", "--no-passphrase"
    )  # fmt: skip
    ledger = Served(Contract(read_network(tmp_path / "market")), system_clock)
    monkeypatch.setattr("freehold.ledger.remote.RemoteLedger", lambda url: ledger)
    types("init", "referee", "--network", "market", "--profile", "referee", "--no-passphrase", "--yes")
    types.network = made["network"]  # type: ignore[attr-defined]
    return types


def joins(profile: str) -> str:
    """The member of a profile comes to the market with its agent's first turn."""
    with opened(profile) as member:
        member.agent().step(member.world.clock())
        return member.signers()[0].member


def withdraws(member: OpenProfile) -> None:
    member.signers()[0].send(member.world, Withdraw(nonce=Nonce("77" * 32), amount=1))


def test_the_treasury_credits_a_member_who_takes_the_money_out_again(market: Any) -> None:
    market("init", "data-owner", "--network", "market", "--no-passphrase", "--yes")
    member = joins("data-owner")

    market("money", "deposit", member[:8], "5", "--yes")
    assert market("money", "show", "--profile", "data-owner")["accounts"][0]["due"] == 5_000_000
    assert market("money", "collect", "--profile", "data-owner")["amount"] == 5_000_000
    assert market("money", "withdraw", "2", "--profile", "data-owner", code=7)["kind"] == "person-needed"
    market("money", "withdraw", "2", "--profile", "data-owner", "--yes")
    refused = market("money", "withdraw", "4", "--profile", "data-owner", "--yes", code=3)

    assert refused["code"] == "no-funds"
    assert market("money", "show", "--profile", "data-owner")["accounts"][0]["free"] == 3_000_000
    assert market("money", "withdraw", "0", "--profile", "data-owner", "--yes", code=2)["kind"] == "usage"
    assert market("money", "deposit", "00" * 32, "1", "--yes", code=4)["kind"] == "invalid"


def test_the_words_replace_stolen_keys_and_nothing_else_does(market: Any, tmp_path: Path) -> None:
    words = market("init", "model-owner", "--network", "market", "--no-passphrase", "--yes")["words"]
    member = joins("model-owner")
    market("money", "deposit", member, "5", "--yes")
    market("money", "collect", "--profile", "model-owner")
    other = market("init", "data-owner", "--network", "market", "--no-passphrase", "--yes")["words"]
    for name, text in (("sheet", words), ("other", other)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    rotate = ("key", "rotate", "--profile", "model-owner", "--yes", "--words")
    with opened("model-owner") as stolen:
        assert market(*rotate[:-1], code=7)["kind"] == "person-needed"
        assert "other keys" in market(*rotate, str(tmp_path / "other"), code=4)["what"]
        thief = stolen.signers()[0]

        assert market(*rotate, str(tmp_path / "sheet"))["rotated"] == [member]

        with pytest.raises(Refused) as refused:
            thief.send(stolen.world, Withdraw(nonce=Nonce("77" * 32), amount=1))
        assert refused.value.code == "not-yours"
    with opened("model-owner") as owner:
        assert owner.signers()[0].member == member
        withdraws(owner)
    assert market(*rotate, str(tmp_path / "sheet"))["rotated"] == [member]


def test_a_referee_s_keys_come_first_and_only_what_is_a_case_is_ruled_on(market: Any, tmp_path: Path) -> None:
    assert market("init", "referee", "--network", "market", "--profile", "late", "--yes", code=4)["kind"] == "invalid"
    (tmp_path / "case.bin").write_bytes(b"nothing of the kind")
    said = market("referee", "rule", str(tmp_path / "case.bin"), "--yes", code=4)
    assert said["now"] == "nothing was ruled"
    assert market("status", "--profile", "referee")["role"] == "referee"


def test_what_is_not_there_is_not_decided_about(market: Any) -> None:
    market("init", "data-owner", "--network", "market", "--no-passphrase", "--yes")
    market("init", "cloud-owner", "--network", "market", "--no-passphrase", "--yes")
    assert market("dataset", "withdraw", "7c1e04b9", "--yes", code=4)["code"] == "id"
    assert market("training", "end", "41d0a7c2", "--profile", "data-owner", "--yes", code=4)["code"] == "id"
    assert market("training", "refuse", "41d0a7c2", "--yes", code=4)["code"] == "id"
    for verb in ("retire", "decline"):
        assert market("cloud", verb, "c0ffee12", "--yes", code=4)["code"] == "id"
