from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from freehold.ports.ledger import Ledger
from tests.engines.engines import COMETBFT, ENGINES, FABRIC


@pytest.fixture(params=sorted(ENGINES))
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Each engine in turn, empty."""
    with ENGINES[request.param](tmp_path) as opened:
        yield opened


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Networks of CometBFT and Fabric are many processes: one at a time."""
    for item in items:
        call = getattr(item, "callspec", None)
        if call is not None and not (COMETBFT.keys() | FABRIC.keys()).isdisjoint(map(str, call.params.values())):
            item.add_marker(pytest.mark.processes)
