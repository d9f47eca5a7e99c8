"""Unequal packages: a data owner that deals its replicas different secrets makes honest ones disagree.

A replica that got another secret or other rows than its peers computes other bytes, is out-voted, and looks like a
liar. So the public digest covers the whole package, the mask key on the ledger follows from its secret, and who cannot
reproduce both does not join.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from freehold.errors import Invalid
from freehold.learning.ciphers.seal import SealCipher
from freehold.learning.replica import Replica
from freehold.protocol import packages
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import DatasetId, NetworkId
from tests.learning.cases import case
from tests.learning.honest import Round

CASE = case("packages", rows={1: (40, 44, 52)}, features=7, outputs=2)
DEALT = b"\x77" * 32
"""The secret that one replica of subset 0 got instead."""
DATASET = DatasetId(CASE.group[0].dataset.hex())


def test_a_replica_that_joined_with_another_secret_is_outvoted_though_honest(seal: SealCipher) -> None:
    round = Round(CASE, seal)
    believed = replace(CASE.group[0], mask_key=packages.mask_public(DEALT, DATASET, 0))
    # the defence left out: it believes its own package and never compares with the ledger
    victim = Replica(DEALT, believed, CASE.statistics[0], cipher=seal)
    cheated = victim.answer(CASE.training, [believed, *CASE.group[1:]], 1, round.zero_bytes, round.sent)

    answers = [
        replica.answer(CASE.training, CASE.group, 1, round.zero_bytes, round.sent)
        for replica in (CASE.replica(0, seal), CASE.replica(0, seal))
    ]

    assert answers[0] == answers[1]
    assert cheated != answers[0]
    assert cheated[:76] == answers[0][:76]


def test_a_package_with_another_secret_is_refused_before_joining() -> None:
    with pytest.raises(Invalid, match="does not give the mask key") as refused:
        Replica(DEALT, CASE.group[0], CASE.statistics[0])

    assert "do not join" in refused.value.next


def test_no_two_different_packages_have_one_public_digest() -> None:
    network = NetworkId("ab" * 32)
    dealt = [
        packages.pack(network, DATASET, 0, CASE.secrets[0], b"rows"),
        packages.pack(network, DATASET, 0, DEALT, b"rows"),
        packages.pack(network, DATASET, 0, CASE.secrets[0], b"other rows"),
        packages.pack(network, DATASET, 1, CASE.secrets[0], b"rows"),
    ]

    assert len({sha256(package) for package in dealt}) == 4
