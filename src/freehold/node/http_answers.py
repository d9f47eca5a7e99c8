"""What the node answers: JSON, frames, and every error as its five parts; never a traceback."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.node.http_bodies import TooLarge, TooSlow
from freehold.node.rates import TooOften
from freehold.node.readers import MembersOnly
from freehold.transport.trouble import trouble_of

_LOG = logging.getLogger("freehold.node")


def json_answer(value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def frames_answer(body: bytes) -> Response:
    """Frames, or other bytes without a type of their own."""
    return Response(body, media_type="application/octet-stream")


def error_answer(error: FreeholdError, *, closes: bool = False) -> Response:
    """An error as JSON with the status that fits its kind; `closes` the connection if wanted."""
    headers = {}
    if isinstance(error, MembersOnly):
        headers["www-authenticate"] = "Freehold"
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    if closes or isinstance(error, TooLarge | TooSlow):
        # The rest of the body may still be on its way: nobody here is going to read it.
        headers["connection"] = "close"
    return json_answer(trouble_of(error), _status(error), headers)


async def on_freehold_error(request: Request, error: Exception) -> Response:
    """The answer to trouble that Freehold names."""
    if not isinstance(error, FreeholdError):
        return await on_any_error(request, error)
    return error_answer(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """The answer to a path or method that does not exist."""
    status, headers = HTTPStatus.BAD_REQUEST, None
    if isinstance(error, HTTPException):
        # the headers say which methods there are
        status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    what = f"there is nothing at this address for {request.method}"
    return json_answer(trouble_of(Invalid(what, next="see the list in freehold.ledger.messages")), status, headers)


async def on_any_error(request: Request, error: Exception) -> Response:
    """The answer to a fault of the node itself: the client is told that much, the log the rest."""
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    broken = Broken("the node failed on this request", next="tell its operator", now="sent, outcome unknown")
    return error_answer(broken)


def _status(error: FreeholdError) -> HTTPStatus:
    match error:
        case TooLarge():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case TooSlow():
            return HTTPStatus.REQUEST_TIMEOUT
        case MembersOnly():
            return HTTPStatus.UNAUTHORIZED
        case TooOften():
            return HTTPStatus.TOO_MANY_REQUESTS
        case Refused():
            return HTTPStatus.CONFLICT
        case Invalid():
            return HTTPStatus.BAD_REQUEST
        case Unavailable(code="absent"):
            return HTTPStatus.NOT_FOUND
        case Unavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR
