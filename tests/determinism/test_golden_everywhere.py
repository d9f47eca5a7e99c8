"""One machine stands in for many: other BLAS kernels, no vector instructions, other threads, hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.learning.cases import cases, golden_digests

GOLDEN = Path(__file__).parent / "golden.py"
WITHOUT_VECTORS = "glibc.cpu.hwcaps=-AVX2,-FMA"
NUMPYS_OWN = " ".join(np.show_config(mode="dicts")["SIMD Extensions"]["found"])
"""The instruction sets for which this NumPy has loops of their own and which this processor has."""
MACHINES = (
    {"PYTHONHASHSEED": "0", "threads": "1", "OPENBLAS_CORETYPE": "Haswell"},
    {"PYTHONHASHSEED": "1", "threads": "2", "OPENBLAS_CORETYPE": "Nehalem"},
    {"PYTHONHASHSEED": "2", "threads": "1", "OPENBLAS_CORETYPE": "Prescott"},
    {"PYTHONHASHSEED": "3", "threads": "2", "GLIBC_TUNABLES": WITHOUT_VECTORS, "OPENBLAS_CORETYPE": "Haswell"},
    {"PYTHONHASHSEED": "4", "threads": "2", "GLIBC_TUNABLES": WITHOUT_VECTORS, "NPY_DISABLE_CPU_FEATURES": NUMPYS_OWN},
)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: f"hash seed {machine['PYTHONHASHSEED']}")
def test_another_process_on_another_machine_computes_the_same_bytes(machine: dict[str, str]) -> None:
    threads = machine["threads"]
    settings = {name: value for name, value in machine.items() if name != "threads"}
    environment = {**os.environ, **settings, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}

    finished = subprocess.run([sys.executable, GOLDEN], env=environment, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_two_threads_of_one_process_compute_the_same_bytes() -> None:
    case, expected = next(entry for entry in cases() if entry[0].name == "annex 2")

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: golden_digests(case, 1), range(2)))

    assert found == [expected, expected]
