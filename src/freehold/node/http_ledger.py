"""The ledger over HTTP; what travels stands in `ledger.messages`.

The ledger's own calls block, so they run in threads; waiting for events does not (`followers`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.errors import Invalid, Unavailable
from freehold.ledger import messages
from freehold.ledger.frames import frame, unframe
from freehold.node.condition import Condition
from freehold.node.followers import Followers
from freehold.node.http_answers import frames_answer, json_answer
from freehold.node.http_bodies import read_body
from freehold.node.lines import Lines
from freehold.node.rates import Rates
from freehold.node.readers import check_body
from freehold.ports.ledger import Block, Engine, EventPage
from freehold.protocol.digests import raw
from freehold.protocol.limits import ACTION_LARGEST, LARGEST_INTEGER

_MEMBER = re.compile("[0-9a-f]{64}", re.ASCII)
_QUESTION = msgspec.json.Decoder(messages.Question)


class LedgerPages:
    """The addresses of one ledger."""

    def __init__(self, engine: Engine, rates: Rates | None = None, condition: Condition | None = None) -> None:
        self._engine = engine
        self._rates = rates or Rates(None, None)
        self._condition = condition or Condition(engine, Lines(None))
        self.followers: Followers | None = None

    def routes(self) -> list[Route]:
        """What a Starlette application needs to serve them."""
        return [
            Route("/", self.info, methods=["GET"]),
            Route("/actions", self.submit, methods=["POST"]),
            Route("/actions/{digest}", self.resolve, methods=["GET"]),
            Route("/evaluate", self.evaluate, methods=["POST"]),
            Route("/events", self.events, methods=["GET"]),
            Route("/blocks", self.blocks, methods=["GET"]),
            Route("/checkpoint", self.checkpoint, methods=["GET"]),
        ]

    async def info(self, _: Request) -> Response:
        """Which ledger this is and how far it has come."""
        return json_answer(messages.info_message(await run_in_threadpool(self._engine.info)))

    async def checkpoint(self, _: Request) -> Response:
        """The signed note alone."""
        info = await run_in_threadpool(self._engine.info)
        return Response(info.checkpoint, media_type="text/plain; charset=utf-8")

    async def submit(self, request: Request) -> Response:
        """Submits actions in their order; the answer comes when all of them are durable or refused."""
        body = await read_body(request, messages.ACTIONS_BODY_LARGEST)
        actions = unframe(body, largest=ACTION_LARGEST, most=messages.ACTIONS_LARGEST)
        self._rates.actions(request.client.host if request.client else "", actions)
        try:
            outcomes = await asyncio.wrap_future(self._engine.enqueue(actions))
        except Unavailable as error:
            if error.retry_after is None:
                self._condition.trouble(error)
            raise
        self._condition.outcomes(outcomes)
        self._rates.outcomes(actions, outcomes)
        return frames_answer(frame(msgspec.json.encode(messages.answer_of(outcome)) for outcome in outcomes))

    async def resolve(self, request: Request) -> Response:
        """What became of the action with this SHA-256."""
        digest = raw(request.path_params["digest"])
        return json_answer(messages.answer_of(await run_in_threadpool(self._engine.find, digest)))

    async def evaluate(self, request: Request) -> Response:
        """Asks the rules."""
        body = await read_body(request, messages.QUESTION_LARGEST)
        check_body(request.scope, body)
        try:
            question = _QUESTION.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Invalid(f"the question cannot be read: {str(error)[:200]}") from None
        answer = await run_in_threadpool(self._engine.evaluate, question.query, question.arguments)
        return json_answer(messages.Reply(answer=answer))

    async def events(self, request: Request) -> Response:
        """Events after a cursor; waits for the first as long as the request says."""
        after = number(request, "after", LARGEST_INTEGER)
        to = request.query_params.get("to")
        if to is not None and not _MEMBER.fullmatch(to):
            raise Invalid("to is the id of a member: 64 lower-case hex digits")
        page = await self._page(after, to, _seconds(request))
        return json_answer(messages.page_message(page))

    async def blocks(self, request: Request) -> Response:
        """Blocks above a height, until a number of blocks or a size is reached."""
        after = number(request, "after", LARGEST_INTEGER)
        limit = min(number(request, "limit", LARGEST_INTEGER), messages.BLOCKS_LARGEST)
        return frames_answer(await run_in_threadpool(self._framed_blocks, after, limit))

    async def _page(self, after: int, to: str | None, wait: float) -> EventPage:
        followers = self.followers
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            change = None if followers is None else followers.change()
            page = await run_in_threadpool(self._engine.events, after, to=to)
            if page.events or followers is None or change is None or followers.closing or loop.time() >= deadline:
                return page
            try:
                async with asyncio.timeout_at(deadline):
                    await change.wait()
            except TimeoutError:
                return page

    def _framed_blocks(self, after: int, limit: int) -> bytes:
        framed = bytearray()
        while limit > 0 and len(framed) < messages.BLOCKS_BODY_GOAL:
            some = self._engine.export(after, 1)
            if not some:
                break
            framed += _frames(some)
            after, limit = after + 1, limit - 1
        return bytes(framed)


def _frames(some: Sequence[Block]) -> bytes:
    return frame(
        part for block in some for part in (block.header, block.signature, frame(block.actions), frame(block.results))
    )


def number(request: Request, name: str, largest: int) -> int:
    """A whole number of the query, 0 if it is not there; Invalid for anything else."""
    text = request.query_params.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > largest:
        raise Invalid(f"{name} is a whole number")
    return int(text)


def _seconds(request: Request) -> float:
    text = request.query_params.get("wait", "0")
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,20})?", text, re.ASCII):
        raise Invalid("wait is a number of seconds")
    return min(float(text), messages.WAIT_LARGEST)
