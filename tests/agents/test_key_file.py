"""A file of keys is made once: the keys in it may be the only ones of a member that exists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.agents.key_file import KeyFile, create
from freehold.agents.keys import new_ring
from freehold.errors import Invalid


@pytest.mark.parametrize("passphrase", [None, "open sesame"], ids=["bare", "sealed"])
def test_keys_that_lie_there_are_never_replaced_by_fresh_ones(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "profile" / "key"
    first, second = (new_ring("referee", "", os.urandom) for _ in range(2))
    create(path, first, None)

    with pytest.raises(Invalid, match="already holds keys"):
        create(path, second, passphrase)

    assert KeyFile(path, lambda: "open sesame").ring() == first != second
