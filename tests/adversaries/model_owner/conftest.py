"""The ciphers of the arithmetic's tests."""

from tests.learning.conftest import oracle, seal

__all__ = ["oracle", "seal"]
