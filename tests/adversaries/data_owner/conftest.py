"""The table and the town of the agents' tests, and the cipher of the arithmetic's."""

from tests.agents.conftest import prepared, town
from tests.learning.conftest import seal

__all__ = ["prepared", "seal", "town"]
