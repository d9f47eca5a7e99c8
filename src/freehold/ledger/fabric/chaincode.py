"""Chaincode as a service: the program beside a peer, which the peer dials.

The wire is gRPC, one stream per peer (`conversation`). Whoever starts the program gives it a file that says where to
listen, as which package, and with which certificates (`Place`). With `clients` only a peer whose certificate is signed
by them gets in, which is how a chaincode is to be run wherever strangers could reach its port.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import grpc
import msgspec

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ledger.fabric.conversation import Chaincode, Conversation
from freehold.ledger.fabric.functions import Functions
from freehold.ports.machine import Machine

SERVICE: Final = "protos.Chaincode"
MESSAGE_LARGEST: Final = 256 * 2**20
"""Bytes of one message: a peer takes 100 MiB from strangers and hands them on twice, as call and as proposal. A smaller
limit here would let one stranger break the stream of everybody."""
WORKERS: Final = 32
STREAMS_LARGEST: Final = 16
_PLACE_LARGEST: Final = 16_384
_GOODBYE_SECONDS: Final = 2.0
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", MESSAGE_LARGEST),
    ("grpc.max_send_message_length", MESSAGE_LARGEST),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
]


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a chaincode listens, and as what; the paths are of PEM files."""

    address: str
    """host:port"""
    package: str
    """label:digest, as the peer that dials has it installed."""
    chaincode: str = ""
    """The name under which the channel knows it; empty if it is to answer under every name."""
    certificate: str = ""
    key: str = ""
    clients: str = ""
    """Certificates of those who sign the peers' certificates."""


_PLACE: Final = msgspec.json.Decoder(Place)


def read_place(path: Path) -> Place:
    """The place that a file describes; Unavailable or Invalid if there is none."""
    try:
        with path.open("rb") as file:
            return _PLACE.decode(file.read(_PLACE_LARGEST))
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", retry=False) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} says no place of a chaincode: {error}") from None


class Server:
    """A chaincode that listens from its making to `close`."""

    def __init__(self, chaincode: Chaincode, place: Place) -> None:
        """Unavailable if the address is taken or the certificates cannot be read."""
        self._chaincode = chaincode
        self._package = place.package
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="chaincode")
        # A stream holds one thread of gRPC for as long as it lasts.
        self._server = grpc.server(
            ThreadPoolExecutor(STREAMS_LARGEST, thread_name_prefix="chaincode-stream"),
            options=_OPTIONS,
            maximum_concurrent_rpcs=STREAMS_LARGEST,
        )
        connect = grpc.stream_stream_rpc_method_handler(self._connect)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Connect": connect}),))
        try:
            self.port = self._listen(place)
        except (OSError, RuntimeError, ValueError) as error:
            raise Unavailable(f"the chaincode cannot listen on {place.address}: {error}", retry=False) from None
        self._server.start()

    def close(self) -> None:
        """Hangs up on the peers and stops listening."""
        self._server.stop(_GOODBYE_SECONDS).wait()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _listen(self, place: Place) -> int:
        if not place.certificate:
            return int(self._server.add_insecure_port(place.address))
        pair = (Path(place.key).read_bytes(), Path(place.certificate).read_bytes())
        clients = Path(place.clients).read_bytes() if place.clients else None
        credentials = grpc.ssl_server_credentials([pair], clients, require_client_auth=clients is not None)
        return int(self._server.add_secure_port(place.address, credentials))

    def _connect(self, said: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        return talk(self._package, self._chaincode, self._workers, said)


def talk(package: str, chaincode: Chaincode, workers: Executor, said: Iterator[bytes]) -> Iterator[bytes]:
    """What the chaincode says in one stream; it ends with the peer's, or when the peer leaves the order."""
    sending: SimpleQueue[bytes | None] = SimpleQueue()
    conversation = Conversation(package, chaincode, workers, sending.put)

    def listen() -> None:
        try:
            for data in said:
                conversation.receive(data)
        except FreeholdError as error:
            print(f"hung up: {error}", file=sys.stderr, flush=True)
        except grpc.RpcError:
            pass
        finally:
            conversation.close()
            sending.put(None)

    threading.Thread(target=listen, name="chaincode-listen", daemon=True).start()
    while (message := sending.get()) is not None:
        yield message


def serve(machine: Machine, place: Place, clock: Callable[[], int]) -> None:
    """Serves the rules to a peer until SIGTERM or Ctrl-C; `clock` is this machine's, in milliseconds."""
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    server = Server(Functions(machine, clock, place.chaincode), place)
    print(f"listening on {place.address}", flush=True)
    ended.wait()
    server.close()


Program = Callable[[Path], list[str]]
"""The command of the chaincode whose place is described in this file."""
