from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.ports.ledger import Ledger
from tests.engines.engines import ENGINES


@pytest.fixture(params=sorted(ENGINES))
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Each engine in turn, empty."""
    with ENGINES[request.param](tmp_path) as opened:
        yield opened
