"""Finding Fabric's programs, and what is said where they are missing or of another line."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.errors import Invalid, Unavailable
from freehold.ledger.fabric.programs import (
    ARCHIVE,
    NAMES,
    VARIABLE,
    programs_from_environment,
    programs_in,
    run,
    run_until,
)


def installed(folder: Path, version: str) -> Path:
    """A folder with programs that know nothing but their version."""
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(f"#!/bin/sh\necho '{name}:\n Version: {version}\n Go version: go1.26.8'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(("version", "line"), [("3.1.5", "3.1"), ("v2.5.16", "2.5")])
def test_a_folder_or_its_bin_is_named(version: str, line: str, tmp_path: Path) -> None:
    folder = installed(tmp_path / "bin", version)

    for named in (tmp_path, folder):
        programs = programs_from_environment({VARIABLE: str(named)})
        assert (programs.line, programs.path("peer")) == (line, str(folder / "peer"))


def test_where_nothing_is_installed_the_next_step_is_named(tmp_path: Path) -> None:
    for environment in ({}, {VARIABLE: ""}, {VARIABLE: str(tmp_path)}):
        with pytest.raises(Unavailable) as missing:
            programs_from_environment(environment)
        assert ARCHIVE in missing.value.next
        assert not missing.value.retry


def test_one_program_that_is_missing_or_cannot_be_run_is_noticed(tmp_path: Path) -> None:
    folder = installed(tmp_path / "bin", "3.1.5")
    (folder / "osnadmin").chmod(0o644)
    with pytest.raises(Unavailable, match="osnadmin"):
        programs_in(folder)


@pytest.mark.parametrize("version", ["1.4.12", "2.4.9", "2.51.0", "3.2.0", "13.1.5", "latest"])
def test_another_line_is_refused(version: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"2\.5 or 3\.1"):
        programs_in(installed(tmp_path / "bin", version))


def test_a_program_that_fails_is_unavailable_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="code 3") as failed:
        run(["/bin/sh", "-c", "echo said; echo complained >&2; exit 3"], {}, folder=tmp_path)
    assert failed.value.why == "said\ncomplained"
    with pytest.raises(Unavailable, match="does not run"):
        run([str(tmp_path / "none")], {}, folder=tmp_path)


def test_a_program_sees_nothing_of_the_environment_but_what_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_ADDRESS", "198.51.100.1:7051")
    assert "CORE_PEER" not in run(["/usr/bin/env"], {"A": "b"}, folder=tmp_path)


def test_what_fails_at_first_is_repeated_and_what_had_worked_counts_as_done() -> None:
    answers = iter([Unavailable("no", why="not yet"), Unavailable("no", why="it already exists")])

    def attempt() -> str:
        raise next(answers)

    assert run_until(attempt, 10, done=["already exists"]) == "it already exists"


def test_repeating_ends_with_the_time_or_with_what_makes_it_useless() -> None:
    def attempt() -> str:
        raise Unavailable("no", why="never")

    def check() -> None:
        raise Unavailable("the process is gone")

    with pytest.raises(Unavailable, match=r"^no$"):
        run_until(attempt, 0.0)
    with pytest.raises(Unavailable, match="gone"):
        run_until(attempt, 10, check=check)
