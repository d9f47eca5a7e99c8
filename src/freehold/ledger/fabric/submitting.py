"""The last part of an envelope's way: to the orderers, as often as it takes, until a block says what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from freehold.errors import FreeholdError
from freehold.ledger.fabric.envelope import Endorsed
from freehold.ledger.fabric.gateway import Gateway
from freehold.ledger.fabric.patience import Patience
from freehold.ledger.fabric.transactions import VALID


class Submitter:
    """Every envelope that is under way; used in its event loop alone."""

    def __init__(self, gateway: Gateway, patience: Patience) -> None:
        self._gateway = gateway
        self._patience = patience
        self._awaited: dict[str, asyncio.Future[int]] = {}

    def seen(self, codes: Sequence[tuple[str, int]]) -> None:
        """The peer's next block holds these transactions, with these codes."""
        for transaction, code in codes:
            awaited = self._awaited.get(transaction)
            # The first code counts: a second envelope of the same id is a duplicate, whatever became of the first.
            if awaited is not None and not awaited.done():
                awaited.set_result(code)

    async def code(self, endorsed: Endorsed) -> int:
        """The code of an envelope; of a valid one not before its block is read here too, so that its effects are
        known."""
        awaited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[endorsed.transaction] = awaited
        try:
            while True:
                pause = self._patience.block
                try:
                    await self._gateway.submit(endorsed)
                except FreeholdError:
                    pause = self._patience.soon
                done, _ = await asyncio.wait([awaited], timeout=pause)
                if done:
                    return awaited.result()
                code = await self._asked(endorsed)
                if code == VALID:
                    return await awaited
                if code is not None:
                    return code
        finally:
            del self._awaited[endorsed.transaction]

    async def _asked(self, endorsed: Endorsed) -> int | None:
        try:
            return await self._gateway.status(endorsed.transaction)
        except FreeholdError:
            return None
