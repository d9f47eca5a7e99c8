"""G-6: a thousand members wait for events at once, and one that was away catches up without filling its memory."""

from __future__ import annotations

import asyncio
import json
import resource
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from freehold.ledger.history import History
from freehold.ledger.remote import RemoteLedger
from freehold.node.http_connections import Places
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId
from tests.engines.embedded import embedded
from tests.engines.notebook import ALICE, note

FOLLOWERS = 1_000
AWAY = 60_000
"""Events of a busy day, in actions of two each."""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Both ends of every connection lie in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * FOLLOWERS if hard == resource.RLIM_INFINITY else min(hard, 3 * FOLLOWERS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def follows(host: str, port: int, number: int) -> tuple[int, float]:
    """One follower that waits for the first event; how many it got, and when."""
    reader, writer = await asyncio.open_connection(host, port)
    wait = f"GET /events?after=0&wait=25&to={ALICE} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-number: {number}\r\n\r\n"
    writer.write(wait.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    body = json.loads(await reader.readexactly(length))
    writer.close()
    return len(body["events"]), time.monotonic()


def test_a_thousand_followers_hear_of_an_event_at_once(tmp_path: Path, many_descriptors: None) -> None:
    places = Places(everybody=2 * FOLLOWERS, one_address=2 * FOLLOWERS)
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects"), places=places) as url:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0

        async def all_follow() -> tuple[float, list[tuple[int, float]]]:
            waiting = [asyncio.create_task(follows(host, port, number)) for number in range(FOLLOWERS)]
            await asyncio.sleep(3.0)
            assert not any(task.done() for task in waiting)
            told = time.monotonic()
            await asyncio.to_thread(ledger.submit, note("one", "text", to=ALICE))
            return told, await asyncio.gather(*waiting)

        told, heard = asyncio.run(all_follow())

    assert [count for count, _ in heard] == [1] * FOLLOWERS
    assert max(at for _, at in heard) - told < 10


def test_whoever_was_away_for_a_day_reads_on_page_by_page_in_little_memory(tmp_path: Path) -> None:
    history = History()
    events = (Event("note-written", "a" * 64, MemberId(ALICE)), Event("counter-grew", "b" * 64, MemberId(ALICE)))
    for first in range(0, AWAY, 1_000):
        actions = [f"{number}".encode() for number in range(first, first + 1_000)]
        accepted = [
            Accepted(position=number, height=1 + first // 1_000, time=first, id="a" * 64, events=events)
            for number in range(first, first + 1_000)
        ]
        history.append(actions, accepted)
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects")) as url:
        ledger._history = history
        remote = RemoteLedger(url)
        remote.events(0)
        tracemalloc.start()
        cursor, seen = 0, 0
        while (page := remote.events(cursor)).events:
            seen, cursor = seen + len(page.events), page.cursor
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        remote.close()

    assert seen == 2 * AWAY
    assert peak < 8 * 2**20
