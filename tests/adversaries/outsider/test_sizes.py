"""Somebody that sends too much, or names that lead elsewhere."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from freehold.errors import FreeholdError
from freehold.node import http_bodies, http_ledger
from freehold.node.server import serving
from freehold.objects import folder as folders
from freehold.objects.folder import FolderStore
from tests.adversaries.attack import Attack
from tests.engines.embedded import embedded
from tests.engines.notebook import note

FLOODS = Attack(
    by="outsider",
    does="sends a body of megabytes to a node, to fill its memory",
    stopped_by="S-20: what a body may have is known before it is read, and no byte more is taken",
)
REPLACES = Attack(
    by="outsider",
    does="puts other bytes in the place of an object that others rely on",
    stopped_by="V-2: an object's name is its hash: looked at before it is stored, and again when it is read",
)
LARGE = b"x" * 20_000_000
HONEST = sha256(b"honest").hexdigest()


def sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[int]]:
    """A node is sent a large question; its answer, and how many bytes of bodies it took into its memory."""
    taken: list[int] = []
    careful = http_bodies.read_body

    async def counted(request, largest):  # type: ignore[no-untyped-def]
        body = await careful(request, largest)
        taken.append(len(body))
        return body

    monkeypatch.setattr(http_ledger, "read_body", counted)
    with embedded(path) as ledger, serving(ledger, FolderStore(path / "objects")) as url:
        answer = httpx.post(f"{url}/evaluate", content=LARGE)
        assert httpx.get(url).status_code == 200
    return answer.status_code, taken


@FLOODS.without
def test_where_sizes_are_no_concern_a_node_takes_whatever_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = http_bodies.pieces
    monkeypatch.setattr(http_bodies, "pieces", lambda request, largest: careful(request, 2**40))

    _, taken = sent(tmp_path, monkeypatch)

    assert taken == [len(LARGE)]


@FLOODS.against
def test_a_body_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, taken = sent(tmp_path, monkeypatch)

    assert status == 413
    assert taken == []


@FLOODS.unharmed
def test_whoever_asks_meanwhile_is_answered(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects")) as url:
        ledger.submit(note("one", "text"))
        for _ in range(3):
            httpx.post(f"{url}/evaluate", content=LARGE)
            question = b'{"query":"notes","arguments":{}}'
            assert httpx.post(f"{url}/evaluate", content=question).json() == {"answer": ["text"]}


def put(store: FolderStore, name: str, data: bytes = b"malice") -> str:
    """Somebody stores bytes under a name of its choice; what it is told, empty if nothing."""
    try:
        store.put(name, data)
    except FreeholdError as error:
        return error.what
    return ""


@REPLACES.without
def test_where_names_promise_nothing_whoever_writes_last_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path / "objects")
    put(store, HONEST, b"honest")
    for check in ("check", "check_bytes"):
        monkeypatch.setattr(folders, check, lambda *_: None)

    assert put(store, HONEST) == ""
    assert store.get(HONEST, largest=10) == b"malice"


@REPLACES.against
@pytest.mark.parametrize("name", [HONEST, "../outside", "..", "/etc/passwd", "a" * 63, "A" * 64, HONEST + "\n", ""])
def test_what_does_not_hash_to_its_name_is_not_stored(tmp_path: Path, name: str) -> None:
    assert put(FolderStore(tmp_path / "objects"), name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@REPLACES.unharmed
def test_the_object_stays_what_it_was(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    put(store, HONEST, b"honest")
    put(store, HONEST)

    assert store.get(HONEST, largest=10) == b"honest"
