"""What a node tells its operator while it runs: one line for each event, for people or as JSON.

Lines name what happened and few plain values: never a key, a body, or anything that a member sealed.
"""

from __future__ import annotations

import errno
import json
import logging
import sys
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Literal, TextIO

Value = str | int | float | bool | None
LogForm = Literal["text", "json"]

_SELDOM_SECONDS = 60.0
_SELDOM_LARGEST = 1_024
_VALUE_LARGEST = 500


class Lines:
    """Writes lines; safe to use from many threads, since each is one write."""

    def __init__(self, form: LogForm | None = "text", stream: TextIO | None = None) -> None:
        """`form` None writes nothing."""
        self._form = form
        self._stream = stream
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    def tell(self, event: str, *, level: str = "info", **values: Value) -> None:
        """One line about one event."""
        if self._form is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        plain = {name: _plain(value) for name, value in values.items() if value is not None}
        if self._form == "json":
            line = json.dumps({"time": at, "level": level, "event": event, **plain}, ensure_ascii=True)
        else:
            line = " ".join([at, level, event, *(f"{name}={_quoted(value)}" for name, value in plain.items())])
        stream = self._stream or sys.stderr
        stream.write(line + "\n")
        stream.flush()

    def seldom(self, event: str, *, key: str, level: str = "warning", **values: Value) -> None:
        """One line a minute about the same event of the same `key`: nobody fills a disk by asking often."""
        now = time.monotonic()
        if now - self._told.get((event, key), -_SELDOM_SECONDS) < _SELDOM_SECONDS:
            return
        self._told[event, key] = now
        self._told.move_to_end((event, key))
        if len(self._told) > _SELDOM_LARGEST:
            self._told.popitem(last=False)
        self.tell(event, level=level, **values)


class AsLines(logging.Handler):
    """What libraries log, in the same form: asyncio says here that descriptors ran out, uvicorn what failed."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record as one line; of an exception its kind and its words."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            # asyncio rests for a second and then accepts again, by itself.
            self._lines.seldom(
                "out of descriptors",
                key="",
                level="error",
                what="no new connection can be taken until others close; those that stand go on",
                next="raise the limit of open files (LimitNOFILE=, ulimit -n) or set fewer connections",
            )
            return
        self._lines.seldom(
            "trouble",
            key=f"{record.name} {record.msg}"[:200],
            level=record.levelname.lower(),
            source=record.name,
            what=record.getMessage().partition("\n")[0],
            error=None if error is None else f"{type(error).__name__}: {error}",
        )


def _plain(value: Value) -> Value:
    if isinstance(value, str):
        return "".join(each if each.isprintable() else " " for each in value[:_VALUE_LARGEST])
    return value


def _quoted(value: Value) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' ="') else text
