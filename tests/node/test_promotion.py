"""An operator is gone: its follower goes on with the key that was deposited, and nothing that was witnessed is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from freehold.cli.application import run
from freehold.errors import Unavailable
from freehold.ledger.proofs.checkpoint import open_checkpoint
from freehold.ledger.proofs.cosignature import parse_witness_key, require_quorum, witness_key
from freehold.ledger.remote import RemoteLedger
from freehold.node.runtime import OPERATOR_KEY, found_network, open_ledger, open_store
from freehold.node.server import serving
from freehold.node.witnessing import AskedWitness, Witnessing
from freehold.protocol.network import network_id
from tests.market import Market
from tests.node.test_witnessing import until


@contextmanager
def program(*arguments: str) -> Iterator[str]:
    """`freehold` with these arguments, which serves; its URL."""
    command = [sys.executable, "-m", "freehold", *arguments, "--port", "0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def witness(folder: Path, network: str, operator: str) -> Iterator[AskedWitness]:
    """The program `freehold witness`."""
    command = [sys.executable, "-m", "freehold", "witness", "--name", "w1", "--folder", str(folder), "--port", "0"]
    command += ["--watch", f"{network}={operator}", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            name, key = parse_witness_key(said["key"])
            yield AskedWitness(url=said["url"], name=name, key=key)
        finally:
            process.terminate()
            process.wait(10)


def test_a_follower_is_promoted_and_holds_whatever_a_witness_had_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market = Market(skew=3_600_000, grace=7_200_000)
    network, folder, copied = network_id(market.network), tmp_path / "market", tmp_path / "copy"
    found_network(folder, market.network)
    deposited = tmp_path / "deposited.key"
    deposited.write_bytes((folder / OPERATOR_KEY).read_bytes())
    deposited.chmod(0o600)
    with ExitStack() as operator, ExitStack() as follower:
        ledger = operator.enter_context(open_ledger(folder))
        key = ledger.info().operator
        url = operator.enter_context(serving(ledger, open_store(folder)))
        asked = operator.enter_context(witness(tmp_path / "witness", network, key))
        asking = Witnessing(ledger, [asked], quorum=1)
        copy = follower.enter_context(
            program("node", "--follow", url, "--network", str(copied), "--id", network, "--operator", key)
        )
        market.now = ledger.info().time
        sent = []
        for _ in range(3):
            person = market.newcomer("co")
            sent.append(person.signs("CreateCO", **person.keys))
            ledger.submit(sent[-1])
        until(lambda: "\n3\n" in asking.note())
        reader = RemoteLedger(copy)
        until(lambda: reader.info().size == 3)
        with pytest.raises(Unavailable, match="keeps a copy"):
            reader.submit(sent[0])
        reader.close()
        (tmp_path / "note.txt").write_text(asking.note())
        asking.close()
        operator.close()

    arguments = ["--network", str(copied), "--key", str(deposited), "--checkpoint", str(tmp_path / "note.txt")]
    arguments += ["--witness", witness_key(asked.name, asked.key), "--quorum", "1"]
    assert run(["ledger", "promote", *arguments]) == 0
    assert "holds all 3 actions" in capsys.readouterr().out

    with program("node", "--network", str(copied)) as url:
        promoted = RemoteLedger(url)
        assert [found.position for action in sent if (found := promoted.resolve(action))] == [0, 1, 2]
        person = market.newcomer("co")
        assert promoted.submit(person.signs("CreateCO", **person.keys)).position == 3
        note = promoted.info().checkpoint
        assert open_checkpoint(note, network_id=network, operator=bytes.fromhex(key)).size == 4
        promoted.close()


def test_a_node_asks_the_witnesses_that_its_settings_name_and_serves_what_they_cosigned(tmp_path: Path) -> None:
    market = Market(skew=3_600_000, grace=7_200_000)
    folder = tmp_path / "market"
    network = found_network(folder, market.network)
    with open_ledger(folder) as ledger:
        key = ledger.info().operator
    with witness(tmp_path / "witness", network, key) as asked:
        settings = f'[[witness]]\nurl = "{asked.url}"\nkey = "{witness_key(asked.name, asked.key)}"\n'
        (folder / "node.toml").write_text(settings)
        with program("node", "--network", str(folder)) as url:
            until(lambda: httpx.get(f"{url}/checkpoint/witnessed").status_code == 200)
            require_quorum(httpx.get(f"{url}/checkpoint/witnessed").text, {asked.name: asked.key}, 1)


def test_a_copy_that_is_behind_what_the_witnesses_saw_is_not_promoted(tmp_path: Path) -> None:
    market = Market(skew=3_600_000, grace=7_200_000)
    network, folder, copied = network_id(market.network), tmp_path / "market", tmp_path / "copy"
    found_network(folder, market.network)
    deposited = folder / OPERATOR_KEY
    with open_ledger(folder) as ledger, serving(ledger, open_store(folder)) as url:
        key = ledger.info().operator
        with witness(tmp_path / "witness", network, key) as asked:
            asking = Witnessing(ledger, [asked], quorum=1)
            market.now = ledger.info().time
            follow = ("node", "--follow", url, "--network", str(copied), "--id", network, "--operator", key)
            with program(*follow) as copy:
                person = market.newcomer("co")
                ledger.submit(person.signs("CreateCO", **person.keys))
                reader = RemoteLedger(copy)
                until(lambda: reader.info().size == 1)
                reader.close()
            person = market.newcomer("co")
            ledger.submit(person.signs("CreateCO", **person.keys))
            until(lambda: "\n2\n" in asking.note())
            (tmp_path / "note.txt").write_text(asking.note())
            asking.close()
    arguments = ["--network", str(copied), "--checkpoint", str(tmp_path / "note.txt"), "--quorum", "1"]
    arguments += ["--witness", witness_key(asked.name, asked.key)]

    assert run(["ledger", "promote", *arguments, "--key", str(deposited)]) == 4
    assert not (copied / OPERATOR_KEY).exists()

    other = tmp_path / "other.key"
    other.write_text("11" * 32 + "\n")
    other.chmod(0o600)
    assert run(["ledger", "promote", *arguments, "--key", str(other)]) == 4
