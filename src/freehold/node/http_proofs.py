"""Proofs over HTTP, for whoever takes them home; what travels stands in `ledger.messages`."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.errors import Invalid, Unavailable
from freehold.ledger import messages
from freehold.node.http_answers import frames_answer, json_answer
from freehold.node.http_ledger import number
from freehold.ports.ledger import Engine
from freehold.protocol.digests import raw
from freehold.protocol.limits import LARGEST_INTEGER

_KEY = re.compile("[a-z]{1,32}/[0-9a-z-]{1,128}", re.ASCII)


class ProofPages:
    """The addresses of one ledger's proofs."""

    def __init__(self, engine: Engine, witnessed: Callable[[], str] = lambda: "") -> None:
        """`witnessed` tells the newest checkpoint that a quorum of witnesses has cosigned; empty if there is none."""
        self._engine = engine
        self._witnessed = witnessed

    def routes(self) -> list[Route]:
        """What a Starlette application needs to serve them."""
        return [
            Route("/proofs/actions/{digest}", self.action, methods=["GET"]),
            Route("/checkpoint/witnessed", self.witnessed, methods=["GET"]),
            Route("/seal", self.seal, methods=["GET"]),
            Route("/proofs/growth", self.growth, methods=["GET"]),
            Route("/proofs/records/{key:path}", self.record, methods=["GET"]),
        ]

    async def action(self, request: Request) -> Response:
        """That an action is in the log of the newest checkpoint."""
        proof = await run_in_threadpool(self._engine.prove_action, raw(request.path_params["digest"]))
        return json_answer(messages.action_proof_message(proof))

    async def witnessed(self, _: Request) -> Response:
        """The newest checkpoint with the lines of a quorum of witnesses."""
        note = self._witnessed()
        if not note:
            raise Unavailable("no quorum of witnesses has cosigned a checkpoint", code="absent", retry_after=5.0)
        return Response(note, media_type="text/plain; charset=utf-8")

    async def seal(self, request: Request) -> Response:
        """What several operators signed about a block."""
        height = number(request, "height", LARGEST_INTEGER)
        return frames_answer(await run_in_threadpool(self._engine.seal, height))

    async def growth(self, request: Request) -> Response:
        """That the log only grew between two sizes."""
        old, new = (number(request, name, LARGEST_INTEGER) for name in ("old", "new"))
        path = await run_in_threadpool(self._engine.prove_growth, old, new)
        return json_answer(messages.GrowthProofMessage(path=tuple(digest.hex() for digest in path)))

    async def record(self, request: Request) -> Response:
        """What a record holds after the newest block, or that there is none."""
        key = request.path_params["key"]
        if not _KEY.fullmatch(key):
            raise Invalid("a record is named by its kind and its id: job/1234…")
        return json_answer(messages.record_proof_message(await run_in_threadpool(self._engine.prove_record, key)))
