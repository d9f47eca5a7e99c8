"""A node that serves members alone: who reads shows its key, and only when it is asked to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from freehold.errors import Unavailable
from freehold.ledger.frames import frame
from freehold.ledger.remote import RemoteLedger
from freehold.node.readers import Readers
from freehold.node.runtime import found_network, open_ledger
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.objects.remote import RemoteStore
from freehold.protocol import signatures
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import MemberId, NetworkId, Nonce, PublicKey, StoreName
from freehold.protocol.network import NetworkRecord, network_id
from freehold.transport.signed_reads import WINDOW_MILLISECONDS, Reader

TREASURY, NEWCOMER, STRANGER = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32


def key(seed: bytes) -> str:
    return signatures.public_key(seed).hex()


RECORD = NetworkRecord(
    grace=500,
    nonce=Nonce("03" * 32),
    referees=(),
    skew=250,
    stores=(StoreName("main"),),
    treasury=PublicKey(key(TREASURY)),
)
ID = network_id(RECORD)


def reader(seed: bytes, network: NetworkId = ID) -> Reader:
    return Reader(network=network, member=MemberId(key(seed)), seed=seed)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("members") / "market"
    found_network(folder, RECORD)
    with (
        open_ledger(folder) as ledger,
        serving(ledger, FolderStore(folder / "objects"), readers=Readers(ledger, [key(NEWCOMER)])) as served,
    ):
        yield served


@pytest.mark.parametrize("seed", [TREASURY, NEWCOMER])
def test_whoever_is_named_reads_everything_after_signing(seed: bytes, url: str) -> None:
    ledger, store = RemoteLedger(url), RemoteStore(url)
    ledger.sign_reads(reader(seed))
    store.sign_reads(reader(seed))

    assert ledger.evaluate("totals", {})["conserved"]
    assert ledger.events(0).cursor == 0
    assert ledger.export(0, 10) == []
    data = b"object of " + seed
    store.put(sha256(data).hex(), data)
    assert store.get(sha256(data).hex(), largest=100) == data
    ledger.close()
    store.close()


def test_a_stranger_reads_only_which_network_this_is(url: str) -> None:
    assert httpx.get(url).status_code == 200
    for path in ("/events", "/blocks", "/checkpoint", "/objects/" + "00" * 32, "/nowhere"):
        said = httpx.get(url + path)
        assert (said.status_code, said.json()["code"]) == (401, "members-only"), path
    assert httpx.post(f"{url}/evaluate", content=b"{}").status_code == 401
    assert httpx.put(f"{url}/objects/{'00' * 32}", content=b"x").status_code == 401
    assert httpx.post(f"{url}/actions", content=frame([b"x" * 200])).status_code == 200

    ledger = RemoteLedger(url)
    ledger.sign_reads(reader(STRANGER))
    with pytest.raises(Unavailable, match="not that of a member") as caught:
        ledger.events(0)
    assert not caught.value.retry
    ledger.close()


def asked(url: str, header: str, target: str = "/events?after=0", body: bytes | None = None) -> int:
    method = "GET" if body is None else "POST"
    return httpx.request(method, url + target, content=body, headers={"authorization": header}).status_code


def test_a_signature_is_good_for_its_request_network_and_time_alone(url: str) -> None:
    good = reader(TREASURY).header("GET", "/events?after=0", b"")

    def at(moment: int) -> str:
        late = Reader(network=ID, member=MemberId(key(TREASURY)), seed=TREASURY, clock=lambda: moment)
        return late.header("GET", "/events?after=0", b"")

    now = time.time_ns() // 1_000_000
    assert asked(url, good) == 200
    assert asked(url, good, "/events?after=1") == 401
    assert asked(url, good, "/blocks?after=0") == 401
    assert asked(url, reader(TREASURY, NetworkId("ab" * 32)).header("GET", "/events?after=0", b"")) == 401
    assert asked(url, at(now - WINDOW_MILLISECONDS - 1_000)) == 401
    assert asked(url, at(now + WINDOW_MILLISECONDS + 5_000)) == 401
    assert asked(url, good[:-2] + ("00" if good[-2:] != "00" else "01")) == 401
    assert asked(url, "Bearer x") == 401


def test_a_signed_question_cannot_be_exchanged_for_another(url: str) -> None:
    question, other = b'{"query":"totals","arguments":{}}', b'{"query":"candidates","arguments":{}}'
    header = reader(TREASURY).header("POST", "/evaluate", question)

    assert asked(url, header, "/evaluate", question) == 200
    assert asked(url, header, "/evaluate", other) == 401


def test_an_open_node_learns_no_key(tmp_path: Path) -> None:
    found_network(tmp_path / "market", RECORD)
    seen: list[str | None] = []
    with (
        open_ledger(tmp_path / "market") as inner,
        serving(inner, FolderStore(tmp_path / "objects")) as open_url,
    ):
        ledger = RemoteLedger(open_url)
        ledger._client._client.event_hooks = {
            "request": [lambda request: seen.append(request.headers.get("authorization"))]
        }
        ledger.sign_reads(reader(TREASURY))
        ledger.events(0)
        ledger.evaluate("totals", {})
        ledger.close()

    assert seen == [None, None]
