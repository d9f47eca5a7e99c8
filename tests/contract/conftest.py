"""The market in which the tests of the rules happen."""

import pytest

from tests.market import Market


@pytest.fixture
def market() -> Market:
    """An open network with a treasury and a referee; nobody has joined yet."""
    return Market()
