"""Handing transactions to the node, over its own Unix socket that nobody else can open.

They are sent with `broadcast_tx_async`, many in one request. The synchronous call would tell what CheckTx said, but the
node waits up to 20 ms for each before it takes the next of a request, and many requests side by side lose the order in
which a member acts. What CheckTx turns away, the application tells itself (`server.Bell`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from freehold.errors import Invalid, Unavailable

BATCH: Final = 100
"""Transactions of one request."""
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


_ANSWERS: Final = msgspec.json.Decoder(list[_Answer])
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Rpc:
    """One node; a connection that is kept. One thread at a time."""

    def __init__(self, socket: Path) -> None:
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://node", timeout=_SECONDS, trust_env=False
        )

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

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _post(self, content: object, decoder: msgspec.json.Decoder[Any]) -> Any:
        try:
            response = self._client.post("/", content=msgspec.json.encode(content))
            response.raise_for_status()
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable(f"the node does not answer: {error}", now="outcome unknown", retry_after=0.2) from None
        try:
            return decoder.decode(response.content)
        except msgspec.MsgspecError as error:
            raise Invalid(f"the node's answer makes no sense: {error}") from None


def _taken(answer: _Answer) -> Taken:
    if answer.error is None or "already exists in cache" in answer.error.data:
        return Taken.WAITS
    return Taken.FULL if "mempool is full" in answer.error.data else Taken.NOT
