"""From a network's folder to a running market."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.node.runtime import OPERATOR_KEY, RECORD, found_network, open_ledger, open_store, read_network
from freehold.protocol.network import network_id
from tests.engines.notebook import NETWORK


def test_a_founded_network_opens_as_the_same_market_again_and_again(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    founded = found_network(folder, NETWORK)

    for _ in range(2):
        with open_ledger(folder) as ledger:
            assert ledger.info().network == NETWORK.encode()
            assert ledger.evaluate("totals", {})["conserved"]
    assert founded == network_id(read_network(folder)) == network_id(NETWORK)
    assert (folder / OPERATOR_KEY).stat().st_mode & 0o777 == 0o600
    assert not open_store(folder).exists("00" * 32)


def test_a_network_is_founded_once(tmp_path: Path) -> None:
    found_network(tmp_path / "market", NETWORK)
    key = (tmp_path / "market" / OPERATOR_KEY).read_bytes()

    with pytest.raises(Invalid, match="already"):
        found_network(tmp_path / "market", NETWORK)

    assert (tmp_path / "market" / OPERATOR_KEY).read_bytes() == key


def test_an_operators_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    found_network(tmp_path / "market", NETWORK)
    os.chmod(tmp_path / "market" / OPERATOR_KEY, 0o644)

    with pytest.raises(Invalid, match="open to others"), open_ledger(tmp_path / "market"):
        pass


@pytest.mark.parametrize("junk", [b"", b"junk", b"\xff" * 64, b"0" * 63, b"0" * 300])
def test_a_damaged_key_is_named(junk: bytes, tmp_path: Path) -> None:
    found_network(tmp_path / "market", NETWORK)
    (tmp_path / "market" / OPERATOR_KEY).write_bytes(junk)

    with pytest.raises(Invalid), open_ledger(tmp_path / "market"):
        pass


def test_a_record_that_was_altered_makes_another_network_and_opens_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    found_network(folder, NETWORK)
    with open_ledger(folder):
        pass
    (folder / RECORD).write_bytes(NETWORK.encode().replace(b'"skew":250', b'"skew":249'))
    with pytest.raises(Invalid, match="another network"), open_ledger(folder):
        pass

    (folder / RECORD).write_bytes(b"{}")
    with pytest.raises(Invalid), open_ledger(folder):
        pass
    (folder / RECORD).unlink()
    with pytest.raises(Unavailable, match="no network"), open_ledger(folder):
        pass
