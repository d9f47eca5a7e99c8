"""Fabric's programs, as an operator installed them: which there are, of which line, and how to run one.

Nothing of Fabric comes with Freehold. An operator downloads the release archive and names its folder in
FREEHOLD_FABRIC.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold.errors import Invalid, Unavailable

VARIABLE: Final = "FREEHOLD_FABRIC"
LINES: Final = ("2.5", "3.1")
"""The release lines that everything here was tested on."""
NAMES: Final = ("peer", "orderer", "configtxgen", "cryptogen", "osnadmin")
ARCHIVE: Final = "hyperledger-fabric-linux-amd64-3.1.5.tar.gz"
_VERSION: Final = re.compile(rb"Version: v?(\d{1,4}\.\d{1,4})\.\d{1,4}")
_RUN_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 0.25
_TAIL: Final = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A folder with Fabric's programs, all of one line."""

    folder: Path
    line: str

    def path(self, name: str) -> str:
        """Where a program lies."""
        return str(self.folder / name)


def programs_from_environment(environment: Mapping[str, str] = os.environ) -> Programs:
    """The programs that FREEHOLD_FABRIC names (its folder or the `bin` in it); Unavailable if it names none."""
    named = environment.get(VARIABLE, "")
    if not named:
        raise Unavailable("Fabric is not installed", next=_advice(), retry=False)
    return programs_in(Path(named))


def programs_in(folder: Path) -> Programs:
    """The programs in a folder or the `bin` in it; Unavailable if one is missing, Invalid for an unknown line."""
    for place in (folder, folder / "bin"):
        if all(os.access(place / name, os.X_OK) and (place / name).is_file() for name in NAMES):
            return Programs(folder=place.resolve(), line=_line(place / "peer"))
    raise Unavailable(f"{folder} does not hold {', '.join(NAMES)}", next=_advice(), retry=False)


def run(command: Sequence[str], environment: Mapping[str, str], *, folder: Path) -> str:
    """Runs a program to its end and returns what it said; Unavailable if it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment, cwd=folder, capture_output=True, timeout=_RUN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{Path(command[0]).name} does not run: {error}") from None
    said = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode:
        what = " ".join([Path(command[0]).name, *command[1:4]])
        raise Unavailable(f"{what} failed with code {done.returncode}", why=said[-_TAIL:].strip())
    return said


def run_until(
    attempt: Callable[[], str], seconds: float, *, done: Sequence[str] = (), check: Callable[[], None] = lambda: None
) -> str:
    """Attempts until it works and returns what was said; the last trouble when the time is over.

    A trouble that says one of `done` shows that an earlier attempt worked; `check` raises what makes waiting useless.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except Unavailable as trouble:
            if any(words in trouble.why for words in done):
                return trouble.why
            check()
            if time.monotonic() > until:
                raise
        time.sleep(_AGAIN_SECONDS)


def tail(path: Path) -> str:
    """The end of a log, for a person."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read(_TAIL).decode(errors="replace").strip()
    except OSError:
        return ""


def _line(peer: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            [str(peer), "version"], env={"PATH": os.defpath}, capture_output=True, timeout=_RUN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{peer} does not run: {error}", next=_advice(), retry=False) from None
    found = _VERSION.search(done.stdout[:2_000])
    line = found[1].decode() if found else ""
    if line not in LINES:
        raise Invalid(
            f"{peer} is of Fabric's line {line or 'unknown'}, this needs {' or '.join(LINES)}", next=_advice()
        )
    return line


def _advice() -> str:
    return (
        f"download {ARCHIVE} from Fabric's releases (github.com/hyperledger/fabric), unpack it, and name its folder"
        f" in {VARIABLE}"
    )
