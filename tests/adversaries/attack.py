"""An attack, and the tests that show it: `python -m tests.adversaries` prints them as the table of docs/threats.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

Adversary: TypeAlias = Literal[
    "cloud owner", "data owner", "model owner", "referee", "ledger operator", "network", "outsider"
]
Shown: TypeAlias = Literal["without", "against", "unharmed"]
Test: TypeAlias = Callable[..., None]

ROOT: Final = Path(__file__).parents[2]
ATTACKS: Final[list[Attack]] = []


@dataclass(frozen=True, slots=True)
class Attack:
    """Something that somebody does to the others, and the tests that show what becomes of it.

    `does` finishes the sentence "a cloud owner …". `stopped_by` says what stops it, with the id of the promise that it
    would break (S-10, G-4, …); if `promised` is false nothing stops it, and `stopped_by` says why and what remains.
    """

    by: Adversary
    does: str
    stopped_by: str
    promised: bool = True
    shown: dict[Shown, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        ATTACKS.append(self)

    def without(self, test: Test) -> Test:
        """The test shows the attack succeeding: with its defence off, or because there is none."""
        return self._shows("without", test)

    def against(self, test: Test) -> Test:
        """The test shows the attack failing against Freehold as it is."""
        return self._shows("against", test)

    def unharmed(self, test: Test) -> Test:
        """The test shows that nobody honest was blamed, lost more than one job's fee, or is stuck."""
        return self._shows("unharmed", test)

    def _shows(self, what: Shown, test: Test) -> Test:
        file = Path(test.__code__.co_filename).relative_to(ROOT).as_posix()
        self.shown.setdefault(what, []).append(test.__name__)
        if file not in self.files:
            self.files.append(file)
        return test
