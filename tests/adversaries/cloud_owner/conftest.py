"""The table and the town of the agents' tests, for attacks that an agent's check stops."""

from tests.agents.conftest import prepared, town

__all__ = ["prepared", "town"]
