"""The same actions give the same bytes in every process (S-1)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.fingerprint import fingerprint

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("hash_seed", ["0", "1", "4294967295"])
def test_a_history_gives_the_same_bytes_whatever_the_order_of_sets(hash_seed: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.contract.fingerprint", "5"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == fingerprint(5)


def test_another_history_gives_other_bytes() -> None:
    assert fingerprint(5) != fingerprint(6)
