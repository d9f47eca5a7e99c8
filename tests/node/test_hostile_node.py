"""A node is a stranger to its members too: what a hostile one can answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

import pytest

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ledger.frames import frame
from freehold.ledger.remote import RemoteLedger
from freehold.objects.remote import RemoteStore
from tests.engines.notebook import note

ACTION = note("one", "text")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Something that answers every connection with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    line, _ = listener.accept()
                except TimeoutError:
                    continue
                with line:
                    line.settimeout(5)
                    try:
                        line.recv(65_536)
                        line.sendall(answer)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def http(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{head}connection: close\r\n\r\n".encode() + body


ASKING: dict[str, Callable[[RemoteLedger], object]] = {
    "submit": lambda ledger: ledger.submit(ACTION),
    "resolve": lambda ledger: ledger.resolve(ACTION),
    "evaluate": lambda ledger: ledger.evaluate("notes", {}),
    "events": lambda ledger: ledger.events(0),
    "info": lambda ledger: ledger.info(),
    "export": lambda ledger: ledger.export(0, 10),
}
JUNK = (
    b"",
    http(b"\x00\x00\x00\x01"),
    http(b"\xff" * 100),
    http(b"null"),
    http(b"[" * 10_000),
    http(frame([b"{}"])),
    http(frame([b'{"accepted":{"position":-1,"height":1,"time":1,"id":"x","events":[]}}'])),
    http(b"x" * 1_000, "500 Internal Server Error"),
    http(b'{"kind":"refused","code":"no-such-code","what":"x"}', "409 Conflict"),
    http(b'{"kind":"broken","what":"\\u001b[31mred"}', "500 Internal Server Error"),
    http(b"", "302 Found", "location: http://127.0.0.1:1/\r\n"),
    http(b"", "204 No Content"),
    b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort",
    b"not http at all\r\n\r\n",
)


def trouble(ask: Callable[[], object]) -> FreeholdError | None:
    """What Freehold names; any other exception would end the test."""
    try:
        ask()
    except FreeholdError as error:
        return error
    return None


@pytest.mark.parametrize("asked", sorted(ASKING))
def test_whatever_a_node_answers_a_member_gets_an_error_with_a_name(asked: str) -> None:
    for junk in JUNK:
        with answering(junk) as url:
            ledger = RemoteLedger(url)
            said = trouble(partial(ASKING[asked], ledger))
            assert said is None or all(part.isprintable() for part in (said.what, said.next, said.now, said.why))
            ledger.close()


def test_an_answer_that_breaks_off_leaves_the_outcome_open() -> None:
    for junk in (b"", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort"):
        with answering(junk) as url:
            ledger = RemoteLedger(url)
            with pytest.raises(Unavailable) as caught:
                ledger.submit(ACTION)
            assert caught.value.now == "sent, outcome unknown"
            ledger.close()


def test_an_endless_answer_is_not_swallowed() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2**22) as url:
        ledger = RemoteLedger(url)
        with pytest.raises(Invalid, match="more than"):
            ledger.submit(ACTION)
        ledger.close()


def test_a_node_that_sends_a_member_elsewhere_is_not_followed() -> None:
    with answering(http(b"", "307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n")) as url:
        ledger = RemoteLedger(url)
        with pytest.raises(Unavailable, match="HTTP 307"):
            ledger.info()
        ledger.close()


def test_an_object_that_is_not_what_was_asked_for_is_refused() -> None:
    with answering(http(b"other bytes")) as url:
        store = RemoteStore(url)
        with pytest.raises(Invalid, match="not what the name"):
            store.get(sha256(b"wanted").hexdigest(), largest=100)
        store.close()
