"""Commitments open for whoever made them, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.protocol import commitments
from freehold.protocol.identifiers import Digest, InstanceId, JobId, MemberId, Nonce
from tests.protocol.vectors import load

CASES = load("commitments")["cases"]

WORKER, COPIER = MemberId("01" * 32), MemberId("02" * 32)
NONCE = Nonce("03" * 32)


def _fields(case: dict[str, Any]) -> list[Any]:
    return [bytes.fromhex(field["package"]) if isinstance(field, dict) else field for field in case["fields"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["function"])
def test_a_commitment_is_the_digest_that_the_annex_gives(case: dict[str, Any]) -> None:
    assert getattr(commitments, case["function"])(*_fields(case)) == case["commitment"]


def test_a_copied_commitment_opens_neither_for_the_copier_nor_for_another_job() -> None:
    job, other, digest = JobId("04" * 32), JobId("05" * 32), Digest("06" * 32)
    commitment = commitments.result(job, WORKER, NONCE, digest)

    assert commitments.result(job, COPIER, NONCE, digest) != commitment
    assert commitments.result(other, WORKER, NONCE, digest) != commitment


def test_a_receipt_takes_the_whole_package_and_serves_one_owner_and_instance() -> None:
    mine, other = InstanceId("04" * 32), InstanceId("05" * 32)
    receipt = commitments.receipt(mine, WORKER, NONCE, b"package")

    assert commitments.receipt(mine, WORKER, NONCE, memoryview(b"package")) == receipt
    assert commitments.receipt(mine, WORKER, NONCE, b"packag") != receipt
    assert commitments.receipt(other, WORKER, NONCE, b"package") != receipt
    assert commitments.receipt(mine, COPIER, NONCE, b"package") != receipt
