"""The one thread in which the application answers, beside the one that reads the node's sockets.

While the application executes a block its node goes on sending, and what is not read off a socket costs the node more
than waiting: CometBFT's client of the application (0.38) waits in a loop that uses a processor. So somebody else reads,
and the application's thread takes what has come, some requests at a time, so that no connection keeps it for long.

Once a request has failed nothing is answered any more, on no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from freehold.errors import Broken
from freehold.ledger.cometbft import abci
from freehold.ledger.cometbft.application import Application
from freehold.ledger.cometbft.snapshot_messages import (
    ApplySnapshotChunk,
    ListSnapshots,
    LoadSnapshotChunk,
    OfferSnapshot,
)
from freehold.ledger.protobuf import framed
from freehold.transport.trouble import trouble_of


class Desk:
    """Where the node's requests are answered."""

    def __init__(self, application: Application, ring: Callable[[bytes], None]) -> None:
        """`ring` takes what the bell is to say, from any thread."""
        self._application = application
        self._ring = ring
        self._failed = False
        self._thread = ThreadPoolExecutor(1, "application")

    def ask(self, requests: Sequence[abci.Request]) -> Future[bytes]:
        """The answers to some requests of one connection, in their order, once it is their turn."""
        return self._thread.submit(self._answers, requests)

    def shown(self, request: ListSnapshots | LoadSnapshotChunk) -> bytes:
        """What joining nodes are given; may be asked from any thread."""
        return framed(self._application.shelf.answer(request))

    def close(self) -> None:
        """Waits for the request that is being answered; the others are not."""
        self._thread.shutdown(cancel_futures=True)

    def _answers(self, requests: Sequence[abci.Request]) -> bytes:
        if self._failed:
            raise Broken("the application has failed already")
        try:
            return b"".join(framed(self._answer(each)) for each in requests)
        except BaseException:
            self._failed = True
            raise

    def _answer(self, request: abci.Request) -> bytes:
        application = self._application
        match request:
            case abci.CheckTx():
                answer, trouble, digest = application.check_tx(request)
                if trouble is not None and digest:
                    self._ring(digest + msgspec.json.encode(trouble_of(trouble)))
                return answer
            case abci.Commit():
                answer = application.commit()
                self._ring(b"")
                return answer
            case abci.FinalizeBlock():
                return application.finalize_block(request)
            case abci.PrepareProposal():
                return application.prepare_proposal(request)
            case abci.ProcessProposal():
                return application.process_proposal(request)
            case abci.Query():
                return application.query(request)
            case abci.InitChain():
                return application.init_chain(request)
            case abci.Info():
                return application.info()
            case abci.Echo(message):
                return abci.echo(message)
            case abci.Flush():
                return abci.flush()
            case OfferSnapshot():
                return application.offer_snapshot(request)
            case ApplySnapshotChunk():
                answer = application.apply_snapshot_chunk(request)
                self._ring(b"")
                return answer
            case ListSnapshots() | LoadSnapshotChunk():
                return application.shelf.answer(request)
