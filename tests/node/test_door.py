"""What strangers do to the door of a node: heads, pipelines and framing without end, and far too many connections."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import httpx
import pytest

from freehold.node.http_connections import AHEAD_LARGEST, Places
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from tests.engines.embedded import embedded
from tests.engines.notebook import note
from tests.node.strangers import Served, heard

HEAD = b"HTTP/1.1\r\nhost: localhost\r\n"


def sent_before_the_end(node: Served, first: bytes, endless: bytes, most: int = 2**24) -> int:
    """Bytes that a node took after `first` before it cut the line; `most` if it never did."""
    sent = 0
    with node.connect() as line:
        line.sendall(first)
        try:
            while sent < most:
                line.sendall(endless)
                sent += len(endless)
        except OSError:
            pass
    return sent


def test_a_second_head_without_bounds_is_cut_off_while_the_first_request_still_waits(node: Served) -> None:
    waiting = b"GET /events?wait=20 " + HEAD + b"\r\n"

    assert sent_before_the_end(node, waiting + b"GET / " + HEAD + b"x: ", b"y" * 65_536) < 2**24


def test_trailers_without_bounds_are_cut_off(node: Served) -> None:
    chunked = b"POST /actions " + HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx: "

    assert sent_before_the_end(node, chunked, b"y" * 65_536) < 2**24


def test_chunks_that_are_mostly_wrapping_are_cut_off(node: Served) -> None:
    chunked = b"POST /actions " + HEAD + b"transfer-encoding: chunked\r\n\r\n"

    assert sent_before_the_end(node, chunked, b"1;" + b"y" * 65_536 + b"\r\nx\r\n") < 2**24


def test_a_body_in_pieces_of_one_byte_is_read(node: Served) -> None:
    question = b'{"query":"nothing","arguments":{}}'
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in question) + b"0\r\n\r\n"

    said = node.says(b"POST /evaluate " + HEAD + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + pieces)

    assert b"body" not in said
    assert said.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("length", [b"99999999999999999999999", b"-1", b"1e9", b"4294967296"])
def test_a_length_that_nobody_would_read_is_refused_before_a_byte_of_it_comes(length: bytes, node: Served) -> None:
    start = time.monotonic()
    said = node.says(b"POST /actions " + HEAD + b"content-length: " + length + b"\r\n\r\n")

    assert said.split(b"\r\n")[0].split()[1] in (b"413", b"400")
    assert time.monotonic() - start < 5


def test_ten_thousand_requests_in_one_go_cost_the_one_who_asks_its_connection(node: Served) -> None:
    with node.connect() as line:
        with contextlib.suppress(OSError):
            line.sendall((b"GET /checkpoint " + HEAD + b"\r\n") * 10_000)
        said = heard(line)

    assert said.count(b"HTTP/1.1 200") < 10_000
    assert httpx.get(node.url).status_code == 200


def test_requests_in_a_row_are_answered_in_their_order_if_they_are_few(node: Served) -> None:
    node.ledger.submit_all([note(f"note {number}", "text") for number in range(AHEAD_LARGEST)])
    requests = b"".join(b"GET /events?after=%d " % number + HEAD + b"\r\n" for number in range(AHEAD_LARGEST))

    said = node.says(requests + b"GET / " + HEAD + b"connection: close\r\n\r\n")

    assert said.count(b"HTTP/1.1 200") == AHEAD_LARGEST + 1
    firsts = [int(part.split(b",")[0]) for part in said.split(b'{"events":[[')[1:]]
    assert firsts == list(range(1, AHEAD_LARGEST + 1))


def test_the_rest_of_a_body_that_nobody_wanted_does_not_hold_a_connection(node: Served, impatient: None) -> None:
    with node.connect() as line:
        line.sendall(b"POST /nowhere " + HEAD + b"content-length: 1000000\r\n\r\nx")
        start = time.monotonic()
        try:
            while time.monotonic() - start < 8:
                line.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass

    assert time.monotonic() - start < 5


def test_a_connection_too_many_is_told_to_come_again_and_may(tmp_path: Path) -> None:
    places = Places(everybody=3)
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects"), places=places) as url:
        node = Served(url=url, ledger=ledger, objects=tmp_path / "objects")
        lines = [node.connect() for _ in range(3)]
        time.sleep(0.2)
        said = httpx.get(url)
        for line in lines:
            line.close()
        time.sleep(0.2)
        again = httpx.get(url)

    assert (said.status_code, said.json()["code"], said.headers["retry-after"]) == (503, "busy", "5")
    assert again.status_code == 200
    assert places.turned_away == 1


def test_one_address_does_not_take_all_places() -> None:
    places = Places(everybody=10, one_address=2)

    assert [places.take("a"), places.take("a"), places.take("a"), places.take("b")] == [True, True, False, True]
    places.leave("a")
    places.leave("a")
    assert places.take("a")
