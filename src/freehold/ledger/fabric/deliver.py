"""Following a peer's blocks, over `/protos.Deliver/Deliver`.

One signed request asks for every block from a number on, those that are still to come included. When the stream ends,
whatever the reason, another begins at the block that is awaited then; so a block may come twice, and none is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Protocol

import grpc

from freehold.errors import Broken, FreeholdError, Invalid, Unavailable
from freehold.ledger.fabric.envelope import found, seek
from freehold.ledger.fabric.gateway import OPTIONS, Access, trouble_in
from freehold.ledger.fabric.transactions import FabricBlock, read_block, read_number
from freehold.ledger.protobuf import integer, octets

_AGAIN_SECONDS: Final = 0.3
_NEWEST_SECONDS: Final = 10.0
_ORDERER_SECONDS: Final = 2.0


class Source(Protocol):
    """The blocks of a peer's channel."""

    def newest(self) -> int:
        """The number of the newest block; Unavailable if the peer does not tell."""
        ...

    def ordered(self) -> int:
        """The number of the newest block that was ordered, wherever; Unavailable if nobody tells."""
        ...

    def after(self, number: int) -> Iterator[FabricBlock]:
        """Every block from the number on, those to come included; Unavailable says why they end."""
        ...

    def close(self) -> None:
        """Ends every stream."""
        ...


class PeerBlocks:
    """The blocks of a running peer; satisfies `Source`."""

    def __init__(self, access: Access, clock: Callable[[], int]) -> None:
        self._access = access
        self._clock = clock
        self._channel = _dialled(access.address, access.roots)
        self._deliver = self._channel.stream_stream("/protos.Deliver/Deliver")
        self._orderers = [_dialled(each, access.orderers_roots) for each in access.orderers]

    def newest(self) -> int:
        """The number of the newest block; Unavailable if the peer does not tell."""
        return self._newest(self._deliver, _NEWEST_SECONDS)

    def ordered(self) -> int:
        """The number of the newest block that an orderer has; of the peer's if no orderer is known."""
        answers: list[int] = []
        for each in self._orderers:
            with suppress(Unavailable, Invalid):
                answers.append(self._newest(each.stream_stream("/orderer.AtomicBroadcast/Deliver"), _ORDERER_SECONDS))
        if self._orderers and not answers:
            raise Unavailable("no orderer tells how far the channel has come", next="look after the connections")
        return max(answers) if answers else self.newest()

    def after(self, number: int) -> Iterator[FabricBlock]:
        """Every block from the number on, until the stream ends; Unavailable says why it did."""
        return map(read_block, self._blocks(self._deliver, number, timeout=None))

    def close(self) -> None:
        """Ends every stream."""
        for each in (self._channel, *self._orderers):
            each.close()

    def _newest(self, deliver: Any, timeout: float) -> int:
        for block in self._blocks(deliver, None, timeout=timeout):
            return read_number(block)
        raise Unavailable("the peer named no newest block", retry_after=_AGAIN_SECONDS)

    def _blocks(self, deliver: Any, start: int | None, timeout: float | None) -> Iterator[bytes]:
        wanted = seek(self._access.identity, self._access.place.channel, start, self._clock())
        call: Any = deliver(iter([wanted]), timeout=timeout)
        try:
            for reply in call:
                parts = found(reply)
                if 2 not in parts:
                    raise Unavailable(
                        f"the peer ends its blocks with status {integer(parts.get(1, 0))}", retry_after=_AGAIN_SECONDS
                    )
                yield octets(parts[2])
        except grpc.RpcError as error:
            raise trouble_in(error) from None
        except ValueError as error:
            raise Unavailable(f"the way to the peer is closed: {error}") from None
        finally:
            call.cancel()


class Following:
    """The thread that hands over each block, until it is closed or something is broken."""

    def __init__(
        self,
        source: Source,
        take: Callable[[FabricBlock], None],
        awaited: Callable[[], int],
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`lost` is called, in this thread, once it has ended for good."""
        self.trouble: FreeholdError | None = None
        """What ended it for good."""
        self._source = source
        self._take = take
        self._awaited = awaited
        self._lost = lost
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-follower", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops following."""
        self._stopping.set()
        self._source.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                with suppress(Unavailable):
                    self._follow()
                self._stopping.wait(_AGAIN_SECONDS)
        except FreeholdError as error:
            self.trouble = error
        except Exception as error:
            self.trouble = Broken(f"following the peer's blocks failed: {type(error).__name__}: {error}"[:500])
        if self.trouble is not None:
            self._lost()

    def _follow(self) -> None:
        for block in self._source.after(self._awaited()):
            self._take(block)
            if self._stopping.is_set():
                return


def _dialled(address: str, roots: bytes) -> grpc.Channel:
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options=OPTIONS)
