"""No reader of strangers' bytes does worse than refuse them, and what is read has the one spelling it was read from."""

from __future__ import annotations

import base64
from random import Random

import pytest

from freehold.agents.auditor import evidence
from freehold.errors import Invalid
from freehold.learning import card
from freehold.learning.rows import Rows
from freehold.protocol import canonical
from tests.fuzz import seeds
from tests.fuzz.campaign import KEPT
from tests.fuzz.formats import FORMATS
from tests.fuzz.mutations import mutated
from tests.fuzz.oracle import Surprise, patched, read

MUTATIONS = {"action": 600, "package": 600, "base": 16, "answer": 24, "evidence": 60, "checkpoint": 400, "summary": 500}
"""Of the seeds of a format, as many as take well below a second."""
NEVER_READ = {"package": 1}
PATCHED = ("base", "answer")
"""Formats of which short bytes are also taken for changes to a genuine object."""


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_reader_once_handled_wrongly_is_handled_well(name: str) -> None:
    for path in sorted((KEPT / name).glob("*")):
        FORMATS[name].read(path.read_bytes())


def test_what_was_kept_belongs_to_a_format() -> None:
    assert {path.parent.name for path in KEPT.glob("*/*")} <= set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_what_the_product_makes_is_read(name: str) -> None:
    genuine = FORMATS[name].seeds()

    assert max(map(len, genuine)) <= FORMATS[name].largest
    if name == "action":
        genuine = genuine[:23]
    assert [FORMATS[name].read(each) for each in genuine].count(False) == NEVER_READ.get(name, 0)


@pytest.mark.parametrize("name", FORMATS)
def test_what_somebody_changed_is_refused_or_has_one_spelling(name: str) -> None:
    random = Random(name)
    for _ in range(MUTATIONS[name]):
        data = mutated(random.choice(FORMATS[name].seeds()), random)[: FORMATS[name].largest]
        try:
            FORMATS[name].read(data)
        except Exception as surprise:
            surprise.add_note(f"{name}: {data[:2_000].hex()}")
            raise


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("data", [b"", b"\x00", b"{}", b"{" * 4_000, b"[" * 4_000, b"\xff" * 4_000, b"0" * 5_000])
def test_what_resembles_nothing_is_refused(name: str, data: bytes) -> None:
    assert not FORMATS[name].read(data) or name in PATCHED


def test_a_reader_that_takes_a_second_spelling_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_from_base64", base64.b64decode)
    file = seeds.evidences()[0]
    at = file.index(b'=="', file.index(b'"actions":["')) if b'=="' in file else -1
    assert at > 0
    other = file[: at - 1] + bytes([file[at - 1] + 1]) + file[at:]

    with pytest.raises(Surprise, match="two spellings"):
        FORMATS["evidence"].read(other)


def test_a_reader_that_lets_its_own_trouble_out_is_noticed() -> None:
    with pytest.raises(ZeroDivisionError):
        read(lambda data: 1 // len(data), b"")


def test_a_patch_reaches_every_byte_and_never_the_length() -> None:
    assert patched(bytes(10), b"\x00\x00\x09\x0f" + b"\xff" * 16) == bytes(9) + b"\xff"
    assert patched(bytes(10), b"") == bytes(10)


def test_a_change_of_json_is_spelled_as_a_reader_wants_it() -> None:
    random = Random(1)
    read_again = 0
    for _ in range(200):
        data = mutated(seeds.summaries()[0], random)
        try:
            canonical.decode(data, largest=card.LARGEST_CARD, signed=True)
        except Invalid:
            continue
        read_again += 1

    assert read_again > 20, "changes that are all refused for their spelling try nothing behind it"


def test_rows_that_announce_more_than_they_bring_are_refused_before_room_is_made() -> None:
    with pytest.raises(Invalid, match="do not fill"):
        Rows.parse((300_000).to_bytes(4, "little") + (1_000).to_bytes(4, "little") + bytes(4_009))
