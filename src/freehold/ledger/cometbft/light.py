"""Headers for nodes that join: three questions that anybody may ask over TCP, and nothing else of the node.

The node's own RPC takes transactions and subscriptions, so it stays on its Unix socket. A light client only asks for
signed headers, validators and consensus parameters, which are public and checked by whoever asks: plain HTTP will do.
Each call is read, bounded, and written anew; the node's answers pass as they are.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AddressFamily
from typing import Any, Final

import msgspec

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ledger.cometbft.rpc import Rpc

_METHODS: Final = {"commit": ("height",), "validators": ("height", "page", "per_page"), "consensus_params": ("height",)}
_CALL_LARGEST: Final = 1_024
_SECONDS: Final = 10.0
_AT_ONCE: Final = 16
"""Connections; whoever comes when so many are open is hung up on."""


class _Call(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    jsonrpc: str
    id: int
    method: str
    params: dict[str, str | int | None] = {}


_CALL: Final = msgspec.json.Decoder(_Call)


def read_call(data: bytes) -> dict[str, Any]:
    """A stranger's call as it may be passed on; Invalid for any other."""
    try:
        call = _CALL.decode(data)
    except msgspec.MsgspecError as error:
        raise Invalid(f"this is no call: {error}") from None
    allowed = _METHODS.get(call.method, ())
    if not allowed:
        raise Invalid(f"only {', '.join(_METHODS)} are answered here")
    numbers = {name: str(value) for name, value in call.params.items() if value is not None}
    if not all(name in allowed and value.isascii() and value.isdecimal() for name, value in numbers.items()):
        raise Invalid(f"{call.method} is asked with numbers for {', '.join(allowed)}")
    if max(map(len, numbers.values()), default=0) > 18:
        raise Invalid("a number has at most 18 digits")
    return {"jsonrpc": "2.0", "id": call.id, "method": call.method, "params": numbers}


class LightEndpoint:
    """Answers from the start until it is closed."""

    def __init__(self, address: str, rpc: Path) -> None:
        """Listens on `address`, host:port; Unavailable if that is not possible."""
        host, _, port = address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), rpc, ipv6=":" in host)
        except (OSError, ValueError) as error:
            raise Unavailable(f"headers cannot be served at {address}: {error}", retry=False) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="ledger-light", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answers nobody any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.rpc.close()


def trusted(rpc: Rpc) -> tuple[int, str]:
    """Height and hash of the newest header of one's own node: what to tell the operator of a node that joins."""
    commit = rpc.ask("commit", {}).get("signed_header", {}).get("commit", {})
    try:
        return int(commit["height"]), str(commit["block_id"]["hash"])
    except (KeyError, TypeError, ValueError):
        raise Invalid("the node's answer holds no signed header") from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], rpc: Path, *, ipv6: bool) -> None:
        self.address_family = AddressFamily.AF_INET6 if ipv6 else AddressFamily.AF_INET
        self.rpc = Rpc(rpc)
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Takes a connection if there is room."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one connection, and makes room again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A stranger that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    server: _Server

    def do_POST(self) -> None:
        """Passes one call on, and the answer back."""
        size = self.headers.get("Content-Length", "")
        if not size.isdecimal() or int(size[:9]) > _CALL_LARGEST:
            self._say(413, b"")
            return
        try:
            call = read_call(self.rfile.read(int(size)))
            answer = self.server.rpc.pass_on(call)
        except Invalid as error:
            self._say(400, error.what.encode())
        except FreeholdError as error:
            self._say(503, error.what.encode())
        else:
            self._say(200, answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Strangers write nothing into this node's log."""

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)
