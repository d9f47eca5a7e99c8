from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.strangers import Served, served


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's patience with slow strangers, shortened so that tests need not wait for it."""
    monkeypatch.setattr("freehold.node.http_bodies.SECONDS", 0.5)
    monkeypatch.setattr("freehold.node.http_connections.HEAD_SECONDS", 0.5)
    monkeypatch.setattr("freehold.node.http_connections.STILL_SECONDS", 0.5)
