"""G-4: the libraries of Go's checksum database verify our checkpoints and proofs, and find what is false in them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.ledger.history import result_of
from freehold.ledger.proofs.checkpoint import verifier_key
from freehold.ledger.proofs.log import entry
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.engines.embedded import SEED, embedded
from tests.engines.notebook import NETWORK, add

GO = shutil.which("go") or next((path for path in ("/usr/local/go/bin/go",) if Path(path).exists()), None)
ID = network_id(NETWORK)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built."""
    if GO is None:
        pytest.skip("Go is not installed: nobody but ourselves has verified our checkpoints in this run")
    program = tmp_path_factory.mktemp("go") / "interop"
    built = subprocess.run(
        [GO, "build", "-o", str(program), "."],
        cwd=Path(__file__).parent / "go",
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode and "dial tcp" in built.stderr:
        pytest.skip("golang.org/x/mod cannot be fetched: nobody but ourselves has verified our checkpoints in this run")
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture(scope="module")
def taken_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a member took home from a ledger of 13 actions: one proved, at 5 and at 13 actions."""
    actions = [add("c", 1, nonce) for nonce in range(13)]
    with embedded(tmp_path_factory.mktemp("ledger")) as ledger:
        ledger.submit_all(actions[:5])
        old = ledger.info()
        ledger.submit_all(actions[5:])
        proof = ledger.prove_action(hashlib.sha256(actions[6]).digest())
        growth = ledger.prove_growth(old.size, proof.size)
    return {
        "key": verifier_key(ID, signatures.public_key(SEED)),
        "note": proof.checkpoint,
        "old_note": old.checkpoint,
        "leaf": entry(actions[6], result_of(proof.accepted.id)),
        "index": proof.accepted.position,
        "inclusion": list(proof.path),
        "consistency": list(growth),
    }


def told(verifier: Path, folder: Path, given: dict[str, Any]) -> tuple[int, list[str]]:
    """What the Go program says."""

    def spelled(value: Any) -> Any:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return [spelled(each) for each in value] if isinstance(value, list) else value

    file = folder / "given.json"
    file.write_text(json.dumps({name: spelled(value) for name, value in given.items()}))
    done = subprocess.run([str(verifier), str(file)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_go_verifies_checkpoints_inclusion_and_growth(
    verifier: Path, taken_home: dict[str, Any], tmp_path: Path
) -> None:
    assert told(verifier, tmp_path, taken_home) == (
        0,
        ["checkpoints are signed", "the leaf is included", "the log grew"],
    )


LIES: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "another key": ("note", lambda given: {"key": verifier_key(ID, bytes(range(32)))}),
    "another root": ("note", lambda given: {"note": given["note"].replace("\n13\n", "\n14\n")}),
    "another leaf": ("inclusion", lambda given: {"leaf": given["leaf"] + b"!"}),
    "another place": ("inclusion", lambda given: {"index": given["index"] + 1}),
    "a shorter path": ("inclusion", lambda given: {"inclusion": given["inclusion"][:-1]}),
    "another growth": ("consistency", lambda given: {"consistency": given["consistency"][::-1]}),
}


@pytest.mark.parametrize("lie", LIES)
def test_go_finds_what_is_false(verifier: Path, taken_home: dict[str, Any], tmp_path: Path, lie: str) -> None:
    word, change = LIES[lie]

    code, said = told(verifier, tmp_path, {**taken_home, **change(taken_home)})

    assert code == 1
    assert said[-1].startswith(word)
