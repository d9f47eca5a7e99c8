"""Blocks as text with each certificate once: the same bytes back, one spelling, and no small text for large bytes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.fabric.folding import Folding, Pieces, Unfolding

FIRST, SECOND = (
    b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes([number]) * 48) + b"-----END CERTIFICATE-----\n"
    for number in (1, 2)
)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unfolded(certificates: tuple[str, ...], *blocks: Pieces, largest: int = 10_000) -> list[bytes]:
    """What these blocks say."""
    unfolding = Unfolding(certificates, largest)
    said = [unfolding.unfold(each) for each in blocks]
    unfolding.end()
    return said


def test_a_certificate_stands_once_however_often_it_comes() -> None:
    folding = Folding()
    blocks = [folding.fold(b"a" + FIRST + FIRST + b"b"), folding.fold(SECOND + FIRST), folding.fold(b"")]

    assert blocks == [(text(b"a"), 0, 0, text(b"b")), (1, 0), ()]
    assert folding.certificates == (text(FIRST), text(SECOND))
    assert unfolded(folding.certificates, *blocks) == [b"a" + FIRST + FIRST + b"b", SECOND + FIRST, b""]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([FIRST, SECOND, FIRST[:40], b"\x00\xff", b"\n", b"-----"])).map(b"".join)))
def test_whatever_is_folded_comes_back(blocks: list[bytes]) -> None:
    folding = Folding()
    folded = [folding.fold(each) for each in blocks]

    assert unfolded(folding.certificates, *folded, largest=100_000) == blocks


TABLE = (text(FIRST), text(SECOND))


@pytest.mark.parametrize(
    ("certificates", "pieces"),
    [
        pytest.param(TABLE, (text(FIRST), 1), id="a certificate written out"),
        pytest.param(TABLE, (text(b"a"), text(b"b"), 0, 1), id="cut once more"),
        pytest.param(TABLE, ("", 0, 1), id="an empty piece"),
        pytest.param(TABLE, (1, 0), id="a table in another order"),
        pytest.param(TABLE, (0,), id="a certificate that nobody names"),
        pytest.param(TABLE[:1] * 2, (0, 1), id="one certificate twice"),
        pytest.param(TABLE, (0, 2), id="a number that stands for nothing"),
        pytest.param(TABLE, (0, 1, -5), id="a number from behind"),
        pytest.param((text(b"a"),), (0,), id="no certificate in the table"),
        pytest.param((), ("YR==",), id="spare bits"),
        pytest.param((), ("YQ",), id="no base64"),
        pytest.param(("*",), (0,), id="no base64 in the table"),
    ],
)
def test_another_spelling_is_invalid(certificates: tuple[str, ...], pieces: Pieces) -> None:
    with pytest.raises(Invalid):
        unfolded(certificates, pieces)


def test_what_says_more_than_is_read_is_refused_before_it_is_said() -> None:
    with pytest.raises(Invalid, match="larger"):
        unfolded((text(FIRST),), (0,) * 1_000, largest=100 * len(FIRST))
