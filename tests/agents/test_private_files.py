"""What only its owner may read is refused as soon as anybody else could have read or replaced it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.agents.private_files import private_folder, read_private, write_private
from freehold.errors import Invalid

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no modes there")


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o777])
def test_a_folder_that_others_may_enter_is_refused_with_the_command_that_closes_it(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    assert private_folder(folder).stat().st_mode & 0o777 == 0o700
    folder.chmod(mode)

    with pytest.raises(Invalid, match="open to others") as caught:
        private_folder(folder)
    assert caught.value.next == f"chmod 700 {folder}"


@pytest.mark.parametrize("mode", [0o601, 0o604, 0o620, 0o640, 0o700])
def test_a_file_that_others_may_read_or_write_is_refused(mode: int, tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"secret")
    assert read_private(tmp_path / "key", largest=6) == b"secret"
    (tmp_path / "key").chmod(mode)

    with pytest.raises(Invalid, match="open to others"):
        read_private(tmp_path / "key", largest=6)


def test_what_is_no_file_of_a_fair_size_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"secret")
    (tmp_path / "link").symlink_to("key")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", mode=0o600)

    for name, what in (
        ("link", "cannot be opened"),
        ("folder", "is not a file"),
        ("pipe", "is not a file"),
        ("absent", "no file"),
    ):
        with pytest.raises(Invalid, match=what):
            read_private(tmp_path / name, largest=6)
    with pytest.raises(Invalid, match="larger than 5 bytes"):
        read_private(tmp_path / "key", largest=5)


def test_a_secret_that_belongs_to_another_user_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_private(tmp_path / "key", b"secret")
    somebody_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)

    with pytest.raises(Invalid, match="another user"):
        read_private(tmp_path / "key", largest=6)
