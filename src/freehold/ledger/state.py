"""The current state in memory: what every accepted action has written, ready for point reads and for scans."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence


class State:
    """Records by key `kind/id`; satisfies `ports.state_view.StateView`. Not safe to change while somebody scans."""

    def __init__(self, records: Mapping[str, bytes]) -> None:
        self._values: dict[str, bytes] = {}
        self._keys: dict[str, list[str]] = {}
        self._unsorted: set[str] = set()
        self.apply(records)

    def __len__(self) -> int:
        return len(self._values)

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Values in the order of the keys, None where nothing is recorded."""
        return [self._values.get(key) for key in keys]

    def read_over(self, written: Mapping[str, bytes], keys: Sequence[str]) -> list[bytes | None]:
        """As `read`, with `written` before the state."""
        below = self._values.get
        return [written[key] if key in written else below(key) for key in keys]

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Every (key, value) whose key begins with `prefix`, in ascending order of keys."""
        kind, slash, _ = prefix.partition("/")
        kinds = [kind] if slash else sorted((known for known in self._keys if known.startswith(kind)), key=_with_slash)
        for each in kinds:
            keys = self._sorted_keys(each)
            for key in keys[bisect_left(keys, prefix) :] if slash else keys:
                if not key.startswith(prefix):
                    break
                yield key, self._values[key]

    def apply(self, writes: Mapping[str, bytes]) -> None:
        """Takes over what one or more actions wrote."""
        for key in writes:
            if key not in self._values:
                kind = key.partition("/")[0]
                self._keys.setdefault(kind, []).append(key)
                self._unsorted.add(kind)
        self._values.update(writes)

    def _sorted_keys(self, kind: str) -> list[str]:
        # Sorted when somebody asks, not at every write: a replay of a million actions asks once.
        if kind in self._unsorted:
            self._keys[kind].sort()
            self._unsorted.discard(kind)
        return self._keys.get(kind, [])


def _with_slash(kind: str) -> str:
    return f"{kind}/"
