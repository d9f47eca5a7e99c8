"""A witness over HTTP: the one address of C2SP's `tlog-witness`, and one that says whose it is."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from freehold.errors import FreeholdError
from freehold.ledger.witness import REQUEST_LARGEST, Witness
from freehold.node.http_answers import on_any_error, on_freehold_error, on_http_error
from freehold.node.http_bodies import read_body


def witness_application(witness: Witness, key: str) -> Starlette:
    """Serves a witness whose public key, as tools for signed notes take it, is `key`."""

    async def who(_: Request) -> Response:
        return PlainTextResponse(f"{key}\n")

    async def add_checkpoint(request: Request) -> Response:
        body = await read_body(request, REQUEST_LARGEST)
        said = await run_in_threadpool(witness.add_checkpoint, body)
        return Response(said.body, said.status, media_type=said.media_type)

    return Starlette(
        routes=[Route("/", who, methods=["GET"]), Route("/add-checkpoint", add_checkpoint, methods=["POST"])],
        exception_handlers={
            FreeholdError: on_freehold_error,
            HTTPException: on_http_error,
            Exception: on_any_error,
        },
    )
