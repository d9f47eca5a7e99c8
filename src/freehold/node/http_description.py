"""The node's own description of its addresses, in OpenAPI: what stands in `openapi.json` beside this module."""

from __future__ import annotations

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_DESCRIPTION = resources.files("freehold.node").joinpath("openapi.json").read_bytes()


def description_route() -> Route:
    """Serves the description."""
    return Route("/openapi.json", _describe, methods=["GET"])


async def _describe(_: Request) -> Response:
    return Response(_DESCRIPTION, media_type="application/json")
