"""The few symbols of Freehold's terminal output, each with an ASCII twin for terminals that cannot show it."""

from dataclasses import dataclass
from typing import Final, TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """One way to write the symbols; state is always told by the symbol itself, colour only helps."""

    accepted: str
    rejected: str
    missing: str
    committed: str
    open: str
    done: str
    failed: str
    bar: str
    rest: str
    between: str

    def vote(self, state: str) -> str:
        """The symbol of a job's state as a query tells it."""
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "missing": self.missing,
            "committed": self.committed,
            "undecided": self.committed,
        }.get(state, self.open)


UNICODE: Final = Symbols(
    accepted="●", rejected="✕", missing="○", committed="◐", open="·",
    done="✓", failed="✗", bar="━", rest="─", between="·",
)  # fmt: skip
ASCII: Final = Symbols(
    accepted="A", rejected="R", missing="-", committed="c", open=".",
    done="V", failed="X", bar="#", rest=".", between="-",
)  # fmt: skip


def symbols_for(stream: TextIO) -> Symbols:
    """The Unicode symbols if the stream's encoding has them, else their ASCII twins."""
    try:
        "●✕○◐·✓✗━─".encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return ASCII
    return UNICODE


def plain(text: str, limit: int = 200) -> str:
    """Strangers' text for a terminal: control and bidirectional characters replaced, cut after `limit` characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
