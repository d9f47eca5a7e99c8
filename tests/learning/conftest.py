"""The two ciphers, made once: SEAL's context costs ten milliseconds and holds no secret."""

import pytest

from freehold.learning.ciphers.oracle import OracleCipher
from freehold.learning.ciphers.seal import SealCipher


@pytest.fixture(scope="session")
def seal() -> SealCipher:
    return SealCipher()


@pytest.fixture(scope="session")
def oracle() -> OracleCipher:
    return OracleCipher()
