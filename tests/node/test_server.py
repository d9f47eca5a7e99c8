"""The node as a process: slow strangers, a taken port, and a calm end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.frames import frame
from freehold.ledger.remote import RemoteLedger
from freehold.node.server import Node
from freehold.objects.folder import FolderStore
from tests.engines.embedded import embedded
from tests.engines.notebook import add, note
from tests.node.strangers import OBJECT_LARGEST, Served, heard
from tests.node.test_object_pages import LARGE

impatient = pytest.mark.usefixtures("impatient")


@impatient
def test_a_body_that_dribbles_is_sent_away(node: Served) -> None:
    start = time.monotonic()
    with node.connect() as line:
        line.sendall(b"POST /actions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n")
        try:
            for _ in range(100):
                line.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass
        said = heard(line)

    assert time.monotonic() - start < 8
    assert said == b"" or said.startswith(b"HTTP/1.1 408")
    assert node.ledger.info().size == 0


@impatient
def test_a_head_that_never_ends_is_sent_away(node: Served) -> None:
    with node.connect() as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        start = time.monotonic()
        heard(line)
        assert time.monotonic() - start < 5


@impatient
def test_a_head_without_bounds_is_cut_off(node: Served) -> None:
    sent = 0
    with node.connect() as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        try:
            while sent < 2**24:
                line.sendall(b"y" * 65_536)
                sent += 65_536
        except OSError:
            pass

    assert sent < 2**24


def test_a_head_may_be_torn_anywhere_even_right_before_a_large_body(node: Served) -> None:
    body = frame([note(f"note {number}", "x" * 4_000) for number in range(20)])
    request = f"POST /actions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n".encode()
    request += b"connection: close\r\n\r\n" + body
    end = request.index(b"\r\n\r\n") + 3

    with node.connect() as line:
        line.sendall(request[:end])
        time.sleep(0.3)
        line.sendall(request[end:])
        assert heard(line).startswith(b"HTTP/1.1 200")

    assert node.ledger.info().size == 20


@impatient
def test_a_connection_that_says_nothing_is_closed(node: Served) -> None:
    with node.connect() as line:
        start = time.monotonic()
        assert heard(line) == b""
        assert time.monotonic() - start < 5


@impatient
def test_a_reader_that_stops_reading_does_not_hold_the_node(node: Served) -> None:
    name = sha256(LARGE).hexdigest()
    FolderStore(node.objects).put(name, LARGE)
    lines = [node.connect() for _ in range(3)]
    for line in lines:
        for _ in range(16):
            line.sendall(f"GET /objects/{name} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    time.sleep(2.0)

    for line in lines:
        assert len(heard(line)) < 16 * OBJECT_LARGEST, "the node waited for a reader that had stopped"
        line.close()
    assert httpx.get(node.url).status_code == 200


def test_slow_strangers_do_not_slow_the_others(node: Served) -> None:
    lines = [node.connect() for _ in range(100)]
    for line in lines:
        line.sendall(b"POST /actions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nx")
    ledger = RemoteLedger(node.url)

    start = time.monotonic()
    for nonce in range(20):
        ledger.submit(add("c", 1, nonce))
    took = time.monotonic() - start

    assert took < 5
    for line in lines:
        line.close()
    ledger.close()


def test_garbage_instead_of_http_is_survived(node: Served) -> None:
    for junk in (
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        os.urandom(4_096),
    ):
        node.says(junk)

    assert httpx.get(node.url).status_code == 200


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    with embedded(tmp_path) as ledger:
        first = Node(ledger, store, port=0)
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(Unavailable, match=f"cannot listen on 127.0.0.1:{port}"):
            Node(ledger, store, port=port)
        first._socket.close()


PROGRAM = """
import sys
from pathlib import Path
from freehold.node.server import Node
from freehold.objects.folder import FolderStore
from tests.engines.embedded import embedded
folder = Path(sys.argv[1])
with embedded(folder) as ledger:
    Node(ledger, FolderStore(folder / "objects"), port=0).run(lambda url: print(url, flush=True))
print("closed", flush=True)
"""


def test_sigterm_ends_a_node_calmly_while_members_wait_and_write(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    acknowledged: list[int] = []
    waited: list[object] = []

    def write() -> None:
        ledger = RemoteLedger(url)
        try:
            for nonce in range(100_000):
                ledger.submit(add("c", 1, nonce))
                acknowledged.append(nonce)
        except Unavailable:
            ledger.close()

    def wait() -> None:
        ledger = RemoteLedger(url)
        try:
            waited.append(ledger.events(0, to="ff" * 32, wait=25.0))
        except Unavailable as error:
            waited.append(error)
        ledger.close()

    threads = [threading.Thread(target=write), threading.Thread(target=wait)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=20)
    for thread in threads:
        thread.join(20)

    assert process.returncode == 0
    assert rest.strip() == "closed"
    assert time.monotonic() - start < 4, "whoever waits for events must be sent away at once"
    assert len(waited) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"ledger.sqlite", "ledger.sqlite-lock", "objects"}
    with embedded(tmp_path) as ledger:
        assert all(ledger.resolve(add("c", 1, nonce)) for nonce in acknowledged)
    assert acknowledged


def test_a_node_that_is_not_there_leaves_no_doubt_that_nothing_was_sent() -> None:
    ledger = RemoteLedger("http://127.0.0.1:9")

    with pytest.raises(Unavailable) as caught:
        ledger.submit(note("one", "text"))

    assert caught.value.now == "nothing was sent"
    ledger.close()


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "file:///etc/passwd", "http://x/?q=1", "127.0.0.1:7420"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(Invalid, match="no address"):
        RemoteLedger(url)
