"""A file of keys is made once: the keys in it may be the only ones of a member that exists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.agents.key_file import PASSPHRASE_FILE, KeyFile, create, passphrase_from
from freehold.agents.keys import new_ring
from freehold.agents.private_files import write_private
from freehold.errors import Invalid


@pytest.mark.parametrize("passphrase", [None, "open sesame"], ids=["bare", "sealed"])
def test_keys_that_lie_there_are_never_replaced_by_fresh_ones(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "profile" / "key"
    first, second = (new_ring("referee", "", os.urandom) for _ in range(2))
    create(path, first, None)

    with pytest.raises(Invalid, match="already holds keys"):
        create(path, second, passphrase)

    assert KeyFile(path, lambda: "open sesame").ring() == first != second


def test_an_empty_passphrase_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "profile" / "key"
    with pytest.raises(Invalid, match="protects nothing"):
        create(path, new_ring("referee", "", os.urandom), "")
    assert not path.exists()

    for text in (b"", b"\n", b"\r\nsecond line"):
        write_private(tmp_path / "passphrase", text)
        with pytest.raises(Invalid, match="first line"):
            passphrase_from({PASSPHRASE_FILE: str(tmp_path / "passphrase")})
    write_private(tmp_path / "passphrase", b"open sesame\r\n")
    assert passphrase_from({PASSPHRASE_FILE: str(tmp_path / "passphrase")}) == "open sesame"
