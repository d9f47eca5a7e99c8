"""Objects over HTTP: each piece is hashed as it passes, and only what hashes to its name gets the name.

PUT  /objects/<name>    the bytes; a name that exists already is fine
GET  /objects/<name>    the bytes; the last piece comes only if all of them hash to the name
HEAD /objects/<name>    whether there is such an object, and its size; not a byte of it is read
"""

from __future__ import annotations

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from freehold.node.http_answers import json_answer
from freehold.node.http_bodies import pieces
from freehold.objects.folder import PIECE, FolderStore
from freehold.objects.names import OBJECT_LARGEST


class ObjectPages:
    """The addresses of one store."""

    def __init__(self, store: FolderStore, *, largest: int = OBJECT_LARGEST) -> None:
        self._store = store
        self._largest = largest

    def routes(self) -> list[Route]:
        """What a Starlette application needs to serve them."""
        return [
            # before GET, which Starlette would ask for HEAD as well
            Route("/objects/{name:path}", self.head, methods=["HEAD"]),
            Route("/objects/{name:path}", self.get, methods=["GET"]),
            Route("/objects/{name:path}", self.put, methods=["PUT"]),
        ]

    async def put(self, request: Request) -> Response:
        """Stores an object."""
        # Small objects stay in memory, large ones go to the disk; either way no byte has a name before all have come.
        size = 0
        with self._store.arriving(request.path_params["name"]) as arriving:
            async for piece in pieces(request, self._largest):
                size += len(piece)
                if size <= PIECE:
                    arriving.write(piece)
                else:
                    await run_in_threadpool(arriving.write, piece)
            await run_in_threadpool(arriving.finish)
        return json_answer({})

    async def get(self, request: Request) -> Response:
        """Streams an object."""
        size, found = await run_in_threadpool(self._store.stream, request.path_params["name"])
        return StreamingResponse(
            iterate_in_threadpool(found), headers={"content-length": str(size)}, media_type="application/octet-stream"
        )

    async def head(self, request: Request) -> Response:
        """Says whether there is such an object."""
        size = await run_in_threadpool(self._store.size, request.path_params["name"])
        return Response(status_code=404) if size is None else Response(headers={"content-length": str(size)})
