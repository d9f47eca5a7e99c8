"""Reads the patches of `bugs/`: the mistake, the tests that catch it, the diff."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(__file__).parent / "bugs"
SUFFIX: Final = ".patch"
QUICK: Final = (
    "auditor-finds-no-twin-subsets",
    "ballot-closes-a-moment-early",
    "commitment-forgets-its-job",
    "fee-is-paid-and-returned",
    "inclusion-proof-takes-any-side",
    "mask-is-added-on-both-sides",
    "object-is-read-unhashed",
    "rest-goes-to-whoever-ends",
)
"""The bugs whose tests are quickest: what the ordinary suite plants, and `--quick`."""

_CAUGHT_BY: Final = "Caught-by: "
_TOUCHED: Final = re.compile(r"^\+\+\+ b/(\S+)$", re.MULTILINE)


class BadPatch(Exception):
    """A patch that does not say what a patch must say, or does not apply to the present source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One mistake and what catches it."""

    name: str
    mistake: str
    caught_by: tuple[str, ...]
    """Tests as pytest names them: tests/contract/test_ballots.py::test_…"""
    touches: tuple[str, ...]
    file: Path


def read(file: Path) -> Bug:
    """The bug that a patch describes; raises BadPatch if it lacks its sentence, its tests or its diff."""
    text = file.read_text("utf-8")
    head, marker, _ = text.partition("\n--- a/")
    lines = [line for line in head.splitlines() if line]
    mistake, tests = lines[0] if lines else "", lines[1:]
    if not mistake.endswith(".") or mistake.startswith(_CAUGHT_BY):
        raise BadPatch(f"{file.name} does not begin with its mistake as a sentence")
    if not tests or not all(line.startswith(_CAUGHT_BY) for line in tests):
        raise BadPatch(f"{file.name}: below its first line stand the tests that catch it, as '{_CAUGHT_BY}tests/…'")
    if not marker:
        raise BadPatch(f"{file.name} holds no unified diff")
    return Bug(
        name=file.name.removesuffix(SUFFIX),
        mistake=mistake,
        caught_by=tuple(line.removeprefix(_CAUGHT_BY) for line in tests),
        touches=tuple(_TOUCHED.findall(text)),
        file=file,
    )


def every_bug() -> tuple[Bug, ...]:
    """All of them by name."""
    return tuple(read(file) for file in sorted(FOLDER.glob(f"*{SUFFIX}")))


def named(names: Sequence[str]) -> tuple[Bug, ...]:
    """The bugs with these names, or whose names begin so; all without any; raises BadPatch for a name of nothing."""
    bugs = every_bug()
    wanted = [name.rpartition("/")[2].removesuffix(SUFFIX) for name in names]
    for name in wanted:
        if not any(bug.name.startswith(name) for bug in bugs):
            raise BadPatch(f"there is no planted bug {name}")
    return tuple(bug for bug in bugs if not wanted or any(bug.name.startswith(name) for name in wanted))


def plant(bug: Bug, root: Path, *, only_check: bool = False) -> None:
    """Applies a bug to the source below `root`; raises BadPatch if it does not fit the source as it is now."""
    applied = subprocess.run(
        ["git", "apply", "-C1", *(["--check"] if only_check else []), "-p1", str(bug.file.resolve())],
        cwd=root,
        # a copy that lies inside some other work tree is still no part of it
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if applied.returncode:
        raise BadPatch(f"{bug.file.name} does not apply any more: {applied.stderr.strip()}")
