"""Reading what strangers send: never more than was allowed for, never for longer than it is worth.

Sizes are limited before anything is parsed. A body must keep coming: whoever stops, or dribbles below a rate that any
line reaches, is sent away, so that slow senders cannot hold the node's connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from freehold.errors import Invalid, Unavailable

SECONDS = 15.0
"""What any body may take."""
SLOWEST = 50_000
"""Bytes a second that a longer body must reach on the whole."""


class TooLarge(Invalid):
    """A body has more bytes than are read."""


class TooSlow(Unavailable):
    """A body did not come in the time that its size is worth."""


async def read_body(request: Request, largest: int) -> bytes:
    """The whole body, at most `largest` bytes."""
    body = bytearray()
    async for piece in pieces(request, largest):
        body += piece
    return bytes(body)


async def pieces(request: Request, largest: int) -> AsyncIterator[bytes]:
    """The body as it comes, at most `largest` bytes; raises TooLarge or TooSlow."""
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced[:20]) > largest:
        raise _too_large(largest)
    loop = asyncio.get_running_loop()
    start, size = loop.time(), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(start + SECONDS + size / SLOWEST):
                piece = await anext(stream, None)
        except TimeoutError:
            raise TooSlow("the body came too slowly", now="nothing was recorded") from None
        except ClientDisconnect:
            raise TooSlow("the body was cut off", now="nothing was recorded") from None
        if piece is None:
            return
        size += len(piece)
        if size > largest:
            raise _too_large(largest)
        yield piece


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"the body has more than the {largest} bytes that are read here", now="nothing was recorded")
