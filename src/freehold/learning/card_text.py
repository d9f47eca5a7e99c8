"""How a name or a category of a table is spelled in a card.

Canonical JSON holds printable ASCII without quotation mark and backslash; tables hold anything. A text is spelled in
UTF-8 with every other byte, and the percent sign itself, as ``%`` and two capital hex digits, so that each text has
exactly one spelling. What could make a public page show something else than what is written (control characters,
invisible ones, those that turn the direction of reading) is refused when a table is read and when a card is read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from freehold.errors import Invalid

LONGEST_NAME: Final = 100
LONGEST_CATEGORY: Final = 64

_PLAIN: Final = frozenset(range(0x20, 0x7F)) - {ord('"'), ord("\\"), ord("%")}
_SPELLED: Final = re.compile(r"(?:[ -~]|%[0-9A-F]{2})*")
_DECEPTIVE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def require_plain(text: str, what: str, longest: int) -> str:
    """`text` itself; Invalid when it is empty, too long, or holds a character that deceives the eye."""
    if not text:
        raise Invalid(f"{what} has no name", next="give every column a name in the first line")
    if len(text) > longest:
        raise Invalid(f"{what} has {len(text)} characters, at most {longest} are allowed", next="shorten it")
    hidden = _DECEPTIVE.search(text)
    if hidden:
        raise Invalid(
            f"{what} holds the character U+{ord(hidden[0]):04X}, which cannot be seen or turns what is seen",
            why="names and categories become public, and must show what they say",
            next="remove it from the file",
        )
    return text


def title_of(path: Path) -> str:
    """What a card may call the table in a file: its name, without what cannot be published."""
    plain = _DECEPTIVE.sub("", path.stem.encode("utf-8", "replace").decode("utf-8"))
    return plain.strip()[:LONGEST_NAME] or "table"


def spell(text: str) -> str:
    """The card's spelling of `text`."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode("utf-8"))


def unspell(spelled: str, what: str, longest: int) -> str:
    """The text that `spelled` spells; Invalid unless it is plain and spelled in the one way."""
    if len(spelled) > 12 * longest or not _SPELLED.fullmatch(spelled):
        raise Invalid(f"{what} is not spelled as a card spells texts")
    data = re.sub(rb"%([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), spelled.encode("ascii"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{what} is not UTF-8") from None
    require_plain(text, what, longest)
    if spell(text) != spelled:
        raise Invalid(f"{what} is not in its one spelling")
    return text
