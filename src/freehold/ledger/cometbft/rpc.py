"""Handing transactions to the node, over its own Unix socket that nobody else can open.

They are sent with `broadcast_tx_async`, many in one request. The synchronous call would tell what CheckTx said, but the
node waits up to 20 ms for each before it takes the next of a request, and many requests side by side lose the order in
which a member acts. What CheckTx turns away, the application tells itself (`server.Bell`).
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import msgspec

from freehold.errors import Invalid, Unavailable

BATCH: Final = 100
"""Transactions of one request."""
_ANSWER_LARGEST: Final = 16 * 2**20
_SECONDS: Final = 10.0


class Taken(Enum):
    """What the node says of one transaction."""

    WAITS = "it waits, or did so before"
    FULL = "there is no room"
    NOT = "it is not taken"


class _Trouble(msgspec.Struct):
    message: str = ""
    data: str = ""


class _Answer(msgspec.Struct):
    id: int
    result: dict[str, Any] | None = None
    error: _Trouble | None = None


class _Response(msgspec.Struct):
    code: int
    log: str = ""
    value: bytes | None = None


_ANSWERS: Final = msgspec.json.Decoder(list[_Answer])
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class _Connection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("node", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connects, or leaves nothing open."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_SECONDS)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection


class Rpc:
    """One node, over a connection that is kept; safe to use from many threads, which take turns."""

    def __init__(self, path: Path) -> None:
        self._connection = _Connection(path)
        self._turn = threading.Lock()

    def broadcast(self, transactions: Sequence[bytes]) -> list[Taken]:
        """Hands over at most BATCH transactions in their order; Unavailable if nobody knows whether they arrived."""
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "broadcast_tx_async",
                "params": {"tx": base64.b64encode(each).decode()},
            }
            for number, each in enumerate(transactions)
        ]
        found = {answer.id: _taken(answer) for answer in self._post(calls, _ANSWERS)}
        return [found.get(number, Taken.NOT) for number in range(len(transactions))]

    def status(self) -> dict[str, Any]:
        """What the node says of itself; Unavailable while it does not answer."""
        return self.ask("status", {})

    def ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The result of one call; Unavailable while the node does not answer or has nothing to say."""
        answer: _Answer = self._post({"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}, _ANSWER)
        if answer.result is None:
            said = answer.error or _Trouble("no answer")
            raise Unavailable(f"the node answered {method} with: {said.message} {said.data}"[:500])
        return answer.result

    def pass_on(self, call: dict[str, Any]) -> bytes:
        """The node's own words to one call, errors too; Unavailable while it does not answer."""
        with self._turn:
            said = self._said(msgspec.json.encode(call))
        if len(said) > _ANSWER_LARGEST:
            raise Invalid(f"the node's answer has more than {_ANSWER_LARGEST} bytes")
        return said

    def height(self) -> int:
        """Of the node's newest block."""
        return _number(self.status(), "sync_info", "latest_block_height")

    def height_of_peers(self) -> int:
        """Of the newest block of the most advanced node that this one is connected to; 0 if there is none."""
        peers = self.ask("dump_consensus_state", {}).get("peers") or []
        # Peers tell at which block they are working, which is one above their newest.
        return max((_number(peer, "peer_state", "round_state", "height") - 1 for peer in peers), default=0)

    def query(self, path: str, data: bytes) -> bytes:
        """The application's answer to a question; Unavailable if it has none."""
        result = self.ask("abci_query", {"path": path, "data": data.hex()})
        try:
            response = msgspec.convert(result.get("response"), _Response)
        except msgspec.ValidationError as error:
            raise Invalid(f"the node's answer makes no sense: {error}") from None
        if response.code:
            raise Unavailable(response.log, retry=False)
        return response.value or b""

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        self._connection.close()

    def _post(self, content: object, decoder: msgspec.json.Decoder[Any]) -> Any:
        with self._turn:
            said = self._said(msgspec.json.encode(content))
        if len(said) > _ANSWER_LARGEST:
            raise Invalid(f"the node's answer has more than {_ANSWER_LARGEST} bytes")
        try:
            return decoder.decode(said)
        except msgspec.MsgspecError as error:
            raise Invalid(f"the node's answer makes no sense: {error}") from None

    def _said(self, content: bytes) -> bytes:
        if self._connection.sock is not None:
            # The node hangs up on a connection that was quiet for ten seconds. Whatever is asked may be asked twice.
            with suppress(HTTPException, OSError):
                return self._answered(content)
            self.close()
        try:
            return self._answered(content)
        except (HTTPException, OSError) as error:
            self.close()
            raise Unavailable(f"the node does not answer: {error}", now="outcome unknown", retry_after=0.2) from None

    def _answered(self, content: bytes) -> bytes:
        self._connection.request("POST", "/", content, {"Content-Type": "application/json"})
        said = self._connection.getresponse().read(_ANSWER_LARGEST + 1)
        if len(said) > _ANSWER_LARGEST:
            self.close()
        return said


def _taken(answer: _Answer) -> Taken:
    if answer.error is None or "already exists in cache" in answer.error.data:
        return Taken.WAITS
    return Taken.FULL if "mempool is full" in answer.error.data else Taken.NOT


def _number(value: Any, *path: str) -> int:
    """A number deep in a node's answer, which writes it as text; Invalid if it is not there."""
    try:
        for name in path:
            value = value[name]
        return int(value)
    except (KeyError, TypeError, ValueError):
        raise Invalid(f"the node's answer lacks {'.'.join(path)}") from None
