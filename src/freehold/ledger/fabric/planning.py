"""Which of the actions that wait here would get into each other's way.

Peers execute many transactions at once on what is recorded, and of two that touch the same record only the first stays
valid. So before an action is sent the rules are asked here which records it touches, and it waits until every earlier
one of ours that touches one of them is decided. Those that share nothing go side by side; those that build on one
another take effect in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Set


class Order:
    """The records that undecided actions touch; each action has a number, ascending as they came."""

    def __init__(self) -> None:
        self._touched: dict[str, dict[int, bytes | None]] = {}
        """By key and number: what the action would write, None if it only reads."""
        self._keys: dict[int, Set[str]] = {}

    def enter(self, number: int, reads: Set[str], writes: Mapping[str, bytes]) -> set[int]:
        """Notes what an action touches, in place of what was noted of it before.

        Returns the earlier actions for which it has to wait: those that write what it touches, or touch what it writes.
        """
        self.leave(number)
        before: set[int] = set()
        keys = reads | writes.keys()
        for key in keys:
            touching = self._touched.setdefault(key, {})
            value = writes.get(key)
            before.update(
                other
                for other, written in touching.items()
                if other < number and (value is not None or written is not None)
            )
            touching[number] = value
        self._keys[number] = keys
        return before

    def leave(self, number: int) -> None:
        """Forgets an action that is decided."""
        for key in self._keys.pop(number, ()):
            touching = self._touched[key]
            del touching[number]
            if not touching:
                del self._touched[key]

    def written(self, number: int, key: str) -> bytes | None:
        """What the latest of the earlier actions would write under a key, None if none would."""
        touching = self._touched.get(key)
        if touching is None:
            return None
        latest = max((each for each, value in touching.items() if each < number and value is not None), default=None)
        return None if latest is None else touching[latest]
