"""G-4: a witness cosigns what only grew, remembers it across its own death, and never cosigns two histories."""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.proofs.checkpoint import open_checkpoint, sign_checkpoint
from freehold.ledger.proofs.cosignature import (
    cosign,
    cosignatures,
    parse_witness_key,
    require_quorum,
    witness_key,
)
from freehold.ledger.proofs.growing import GrowingLog
from freehold.ledger.proofs.log import Log, leaf_hash
from freehold.ledger.witness import Said, Witness, request_of
from freehold.protocol import signatures

NETWORK, SEED = "5a" * 32, b"\x09" * 32
OPERATOR = signatures.public_key(SEED)
NAME, WITNESS_SEED = "w.example.org", b"\x0a" * 32
WITNESS = signatures.public_key(WITNESS_SEED)
NOW = 1_764_000_000


@dataclass
class Operator:
    """An operator and its log."""

    word: str = "leaf"
    size: int = 0

    def note(self, size: int) -> str:
        self.size = size
        return sign_checkpoint(Log().extended(self.leaves(size)), network_id=NETWORK, operator_seed=SEED)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        log = GrowingLog()
        for leaf in self.leaves(new):
            log.append(leaf_hash(leaf))
        return tuple(log.consistency(old, new)) if 0 < old < new else ()

    def leaves(self, size: int) -> list[bytes]:
        return [f"{self.word} {number}".encode() for number in range(size)]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "witness.sqlite"


def opened(memory: Path) -> Witness:
    return Witness(memory, name=NAME, seed=WITNESS_SEED, watched={NETWORK: OPERATOR}, clock=lambda: NOW)


def asks(witness: Witness, operator: Operator, old: int, new: int) -> Said:
    return witness.add_checkpoint(request_of(old, operator.proof(old, new), operator.note(new)))


def test_a_log_that_grows_is_cosigned_step_by_step_and_the_lines_open(memory: Path) -> None:
    witness, operator = opened(memory), Operator()
    for old, new in ((0, 3), (3, 3), (3, 8), (8, 13)):
        said = asks(witness, operator, old, new)
        assert said.status == 200
        note = operator.note(new) + said.body
        (found,) = cosignatures(note, {NAME: WITNESS})
        assert (found.witness, found.time) == (NAME, NOW)
        assert open_checkpoint(note, network_id=NETWORK, operator=OPERATOR).size == new
    witness.close()


def test_a_cosignature_is_spelled_as_the_standard_says(memory: Path) -> None:
    note = Operator().note(3)
    text = note.partition("\n\n")[0] + "\n"
    line = cosign(text, name=NAME, seed=WITNESS_SEED, time=NOW)

    dash, name, packed = line.removesuffix("\n").split(" ")
    data = base64.b64decode(packed)
    assert (dash, name, len(data)) == ("—", NAME, 76)
    assert data[:4].hex() == witness_key(NAME, WITNESS).split("+")[1]
    assert int.from_bytes(data[4:12], "big") == NOW
    assert signatures.verify(WITNESS, f"cosignature/v1\ntime {NOW}\n{text}".encode(), data[12:])


def test_a_second_history_is_never_cosigned(memory: Path) -> None:
    witness, honest, liar = opened(memory), Operator(), Operator("lie")
    assert asks(witness, honest, 0, 5).status == 200

    assert asks(witness, liar, 5, 9).status == 422
    assert witness.add_checkpoint(request_of(5, (), liar.note(5))).status == 409
    assert asks(witness, honest, 5, 9).status == 200
    witness.close()


def test_a_shorter_history_is_never_cosigned_and_the_size_that_was_seen_is_said(memory: Path) -> None:
    witness, operator = opened(memory), Operator()
    asks(witness, operator, 0, 8)

    said = asks(witness, operator, 3, 5)
    assert (said.status, said.body, said.media_type) == (409, "8\n", "text/x.tlog.size")
    assert asks(witness, operator, 8, 5).status == 400
    witness.close()


def test_a_witness_that_died_remembers(memory: Path) -> None:
    witness = opened(memory)
    asks(witness, Operator(), 0, 8)
    witness.close()

    again = opened(memory)
    assert asks(again, Operator(), 0, 8).body == "8\n"
    assert asks(again, Operator("lie"), 8, 9).status == 422
    assert asks(again, Operator(), 8, 9).status == 200
    again.close()


def test_a_witness_that_cannot_remember_does_not_sign(memory: Path) -> None:
    witness = opened(memory)
    asks(witness, Operator(), 0, 3)
    witness._memory.execute("PRAGMA query_only = ON")

    assert asks(witness, Operator(), 3, 5).status == 503
    witness._memory.execute("PRAGMA query_only = OFF")
    assert asks(witness, Operator(), 3, 5).status == 200
    witness.close()


def test_one_memory_has_one_witness(memory: Path) -> None:
    witness = opened(memory)
    with pytest.raises(Unavailable, match="cannot use its memory"):
        opened(memory)
    witness.close()


@pytest.mark.parametrize(
    ("request_body", "status"),
    [
        (b"", 400),
        (b"old x\n\n", 400),
        (b"old -1\n\n", 400),
        (b"old 007\n\n", 400),
        (b"old 0\nnot base64\n\nnote", 400),
        (b"old 0\nAAAA\n\nnote", 400),
        (b"\xff\xfe", 400),
        (b"old 0\n\nfreehold/" + b"00" * 32 + b"\n1\n", 404),
        (b"x" * 100_000, 400),
    ],
)
def test_what_makes_no_sense_is_refused(memory: Path, request_body: bytes, status: int) -> None:
    witness = opened(memory)
    assert witness.add_checkpoint(request_body).status == status
    witness.close()


def test_a_note_that_another_key_signed_is_refused(memory: Path) -> None:
    witness = opened(memory)
    other = sign_checkpoint(Log(), network_id=NETWORK, operator_seed=b"\x0b" * 32)
    assert witness.add_checkpoint(request_of(0, (), other)).status == 403
    witness.close()
    with sqlite3.connect(memory) as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (0,)


def test_a_quorum_counts_true_lines_of_known_witnesses_once_each() -> None:
    note = Operator().note(3)
    text = note.partition("\n\n")[0] + "\n"
    names = {f"w{number}": bytes([20 + number]) * 32 for number in range(3)}
    keys = {name: signatures.public_key(seed) for name, seed in names.items()}
    lines = [cosign(text, name=name, seed=seed, time=NOW) for name, seed in names.items()]
    false = cosign(text.replace("3", "4"), name="w2", seed=names["w2"], time=NOW)

    require_quorum(note + "".join(lines), keys, 3)
    for some in (
        [lines[0], lines[0]],
        [lines[0], false],
        [cosign(text, name="w9", seed=b"\x01" * 32, time=NOW), lines[1]],
    ):
        with pytest.raises(Invalid, match="1 of 3 witnesses"):
            require_quorum(note + "".join(some), keys, 2)


def test_the_key_of_a_witness_is_read_as_it_is_written() -> None:
    assert parse_witness_key(witness_key(NAME, WITNESS)) == (NAME, WITNESS)
    for wrong in (
        "",
        NAME,
        f"{NAME}+00000000+{'A' * 44}",
        witness_key(NAME, WITNESS).replace("w.", "v."),
        "a b+00+AA==",
    ):
        with pytest.raises(Invalid):
            parse_witness_key(wrong)
