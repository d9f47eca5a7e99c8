"""What a node says of its own addresses is true, whatever it is asked: schemathesis reads the description and tries."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from freehold.node.server import Node, serving
from freehold.objects.folder import FolderStore
from tests.engines.embedded import embedded
from tests.engines.notebook import add, note

EXAMPLES = int(os.environ.get("FREEHOLD_EXAMPLES", "12"))
"""Of each address; more: FREEHOLD_EXAMPLES=1000 python -m pytest tests/node/test_description.py"""
DESCRIPTION: dict[str, Any] = json.loads(resources.files("freehold.node").joinpath("openapi.json").read_bytes())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node with something to ask about."""
    folder: Path = tmp_path_factory.mktemp("node")
    with embedded(folder) as ledger, serving(ledger, FolderStore(folder / "objects")) as url:
        ledger.submit_all([note("one", "text"), *(add("c", 1, nonce) for nonce in range(5))])
        yield url


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
def test_every_address_answers_as_it_is_described(case: Any, node: str) -> None:
    response = case.call(base_url=node)
    if response.status_code == 503 and "retry-after" in response.headers:
        # not now: nobody has witnessed a checkpoint
        assert case.path == "/checkpoint/witnessed"
        return
    case.validate_response(response, checks=CHECKS)


def test_every_address_is_described_and_nothing_else(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        node = Node(ledger, FolderStore(tmp_path / "objects"), port=0)
        node._socket.close()
    served = {route.path for route in node._server.config.app.routes if isinstance(route, Route)}  # type: ignore[union-attr]
    served = {path.replace("{key:path}", "{kind}/{id}").replace("{name:path}", "{digest}") for path in served}

    assert served == set(DESCRIPTION["paths"])
