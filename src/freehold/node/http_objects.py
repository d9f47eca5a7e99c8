"""Objects over HTTP: each piece is hashed as it passes, and only what hashes to its name gets the name.

PUT  /objects/<name>    the bytes; a name that exists already is fine
GET  /objects/<name>    the bytes; the last piece comes only if all of them hash to the name
HEAD /objects/<name>    whether there is such an object
"""

from __future__ import annotations

import tempfile

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from freehold.node.http_answers import json_answer
from freehold.node.http_bodies import pieces
from freehold.objects.folder import PIECE, FolderStore
from freehold.objects.names import OBJECT_LARGEST, digest_of


class ObjectPages:
    """The addresses of one store."""

    def __init__(self, store: FolderStore, *, largest: int = OBJECT_LARGEST) -> None:
        self._store = store
        self._largest = largest

    def routes(self) -> list[Route]:
        """What a Starlette application needs to serve them."""
        return [
            Route("/objects/{name:path}", self.get, methods=["GET"]),
            Route("/objects/{name:path}", self.head, methods=["HEAD"]),
            Route("/objects/{name:path}", self.put, methods=["PUT"]),
        ]

    async def put(self, request: Request) -> Response:
        """Stores an object."""
        name = request.path_params["name"]
        digest_of(name)
        # Small objects stay in memory, large ones go to the disk; either way no byte has a name before all have come.
        with tempfile.SpooledTemporaryFile(max_size=PIECE) as arrived:
            async for piece in pieces(request, self._largest):
                if len(piece) + arrived.tell() <= PIECE:
                    arrived.write(piece)
                else:
                    await run_in_threadpool(arrived.write, piece)
            arrived.seek(0)
            await run_in_threadpool(self._store.put, name, arrived)
        return json_answer({})

    async def get(self, request: Request) -> Response:
        """Streams an object."""
        size, found = await run_in_threadpool(self._store.stream, request.path_params["name"])
        return StreamingResponse(
            iterate_in_threadpool(found), headers={"content-length": str(size)}, media_type="application/octet-stream"
        )

    async def head(self, request: Request) -> Response:
        """Says whether there is such an object."""
        there = await run_in_threadpool(self._store.exists, request.path_params["name"])
        return Response(status_code=200 if there else 404)
