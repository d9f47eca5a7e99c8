"""Objects over HTTP, as strangers bring and take them."""

from __future__ import annotations

import io
from hashlib import sha256

import httpx
import pytest

from freehold.errors import Invalid, Unavailable
from freehold.objects.folder import FolderStore
from freehold.objects.remote import RemoteStore
from tests.node.strangers import OBJECT_LARGEST, Served
from tests.objects.test_folder import DATA, HOSTILE, NAME, RESULT, FullDisk

LEDGER_FILES = {f"ledger.sqlite{end}" for end in ("", "-lock", "-wal", "-shm")}
LARGE = bytes(range(256)) * (OBJECT_LARGEST // 256)


@pytest.mark.parametrize("name", [NAME, RESULT])
def test_an_object_goes_there_and_back(name: str, node: Served) -> None:
    store = RemoteStore(node.url)
    assert not store.exists(name)

    store.put(name, DATA)
    store.put(name, io.BytesIO(DATA))

    assert store.exists(name)
    assert store.get(name, largest=100) == DATA
    assert node.stored() == {name}
    store.close()


def test_a_large_object_streams_both_ways(node: Served) -> None:
    store = RemoteStore(node.url)
    name = sha256(LARGE).hexdigest()

    store.put(name, io.BytesIO(LARGE))

    assert store.get(name, largest=OBJECT_LARGEST) == LARGE
    with pytest.raises(Invalid, match="more than"):
        store.get(name, largest=OBJECT_LARGEST - 1)
    store.close()


def test_an_absent_object_may_come_later(node: Served) -> None:
    store = RemoteStore(node.url)

    with pytest.raises(Unavailable, match="no object") as caught:
        store.get(NAME, largest=100)

    assert caught.value.code == "absent"
    store.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_by_client_and_node(name: str, node: Served) -> None:
    store = RemoteStore(node.url)
    with pytest.raises(Invalid, match="no name"):
        store.get(name, largest=100)
    store.close()

    sent = name.encode("utf-8", "surrogatepass").replace(b"\n", b"%0a").replace(b"\x00", b"%00")
    for method in (b"GET", b"PUT", b"HEAD"):
        said = node.says(
            method + b" /objects/" + sent + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            b"content-length: 12\r\n\r\n" + DATA
        )
        status = said.split(b" ", 2)[1]
        # A fragment or a line's end may be cut from an address on its way: what is left is then a proper name.
        assert status in (b"400", b"404") or name.startswith(NAME), said[:200]
    assert node.stored() <= {NAME}
    assert {path.name for path in node.objects.parent.iterdir()} <= {"objects", *LEDGER_FILES}


def test_bytes_that_are_not_what_their_name_says_are_not_kept(node: Served) -> None:
    response = httpx.put(f"{node.url}/objects/{NAME}", content=b"other")

    assert response.status_code == 400
    assert "not what the name" in response.json()["what"]
    assert node.stored() == set()


def test_an_announced_oversize_is_refused_before_it_is_sent(node: Served) -> None:
    head = f"PUT /objects/{NAME} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {OBJECT_LARGEST + 1}\r\n\r\n"

    said = node.says(head.encode())

    assert said.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in said
    assert node.stored() == set()


def test_an_oversize_that_was_not_announced_is_cut_off(node: Served) -> None:
    with node.connect() as line:
        line.sendall(f"PUT /objects/{NAME} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        sent = 0
        piece = b"x" * 65_536
        try:
            while sent < 64 * OBJECT_LARGEST:
                line.sendall(b"10000\r\n" + piece + b"\r\n")
                sent += len(piece)
        except OSError:
            pass

    assert sent < 16 * OBJECT_LARGEST, "the node went on reading"
    assert node.stored() == set()


def test_an_upload_that_breaks_off_leaves_nothing(node: Served) -> None:
    with node.connect() as line:
        line.sendall(f"PUT /objects/{NAME} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 12\r\n\r\n".encode())
        line.sendall(DATA[:5])

    store = RemoteStore(node.url)
    assert not store.exists(NAME)
    assert node.stored() == set()
    store.close()


def test_a_damaged_object_is_not_delivered_whole(node: Served) -> None:
    store = RemoteStore(node.url)
    store.put(NAME, DATA)
    (node.objects / NAME).write_bytes(b"damaged one!")

    with pytest.raises((Unavailable, Invalid)):
        store.get(NAME, largest=100)
    store.close()


def test_whether_an_object_is_there_is_told_without_reading_it(node: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    FolderStore(node.objects).put(NAME, DATA)
    monkeypatch.setattr(FolderStore, "stream", None)

    there, absent = (httpx.head(f"{node.url}/objects/{name}") for name in (NAME, "00" * 32))

    assert (there.status_code, there.headers["content-length"]) == (200, str(len(DATA)))
    assert absent.status_code == 404


def test_a_full_disk_is_no_fault_of_the_node_and_says_that_nothing_changed(
    node: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", FullDisk)

    response = httpx.put(f"{node.url}/objects/{NAME}", content=DATA)

    assert response.status_code == 503
    assert response.json()["kind"] == "unavailable"
    assert response.json()["now"] == "no object was changed"
    assert node.stored() == set()


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_told_which_there_are(method: str, node: Served) -> None:
    response = httpx.request(method, f"{node.url}/objects/{NAME}", content=DATA)

    assert response.status_code == 405
    assert response.headers["allow"]
    assert node.stored() == set()
