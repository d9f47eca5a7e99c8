"""A client of one node.

The node is a stranger: its answers are bounded before they are read, it gets a limited time, and where it sends us
instead is not followed. What is said about an outcome is what is known: nothing was sent while no connection stood;
once a request was on its way, an answer that did not come leaves the outcome unknown.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import httpx
import msgspec

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.transport.signed_reads import Reader
from freehold.transport.trouble import TROUBLE_LARGEST, Trouble, error_of

_Answer = TypeVar("_Answer")
_Content = bytes | Iterable[bytes] | None
_Parameters = Mapping[str, str | int | float]

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 35.0
"""Longer than the longest wait for events (25 s), so that a quiet market is not mistaken for a dead node."""


class NodeClient:
    """Requests to the node at one URL; safe to use from many threads."""

    def __init__(self, url: str) -> None:
        """`url` begins with http:// or https:// and has no query; Invalid otherwise.

        `FREEHOLD_AUTHORITY` names a PEM file of the authorities that are trusted then, instead of the public ones.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
            raise Invalid(f"{url[:200]!r} is no address of a node", next="give one like http://127.0.0.1:7420")
        self._url = url
        self._reader: Reader | None = None
        self._signs = False
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(_IDLE_SECONDS, connect=_CONNECT_SECONDS, pool=_IDLE_SECONDS),
            limits=httpx.Limits(max_connections=32, keepalive_expiry=15.0),
            headers={"accept-encoding": "identity"},
            follow_redirects=False,
            # Only the address that was given is asked, never one that the environment slips in between.
            trust_env=False,
            verify=_authorities() if parsed.scheme == "https" else True,
        )

    def sign_reads(self, reader: Reader) -> None:
        """Shows who reads, from when on the node asks for it: an open node learns no key."""
        self._reader = reader

    def request(
        self,
        method: str,
        path: str,
        *,
        largest: int,
        content: _Content = None,
        parameters: _Parameters | None = None,
        changes: bool = False,
    ) -> bytes:
        """The body of a good answer, at most `largest` bytes; raises the error that the node names, or Unavailable.

        `changes` says that the request, if it arrives, changes something.
        """
        with self.answer(method, path, content=content, parameters=parameters, changes=changes) as pieces:
            return _bounded(pieces, largest)

    def finds(self, path: str) -> bool:
        """Whether the node has something at this path; asks for no body."""
        with self._response("HEAD", path) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return False
            if response.status_code != httpx.codes.OK:
                raise self._named(response.status_code, b"")
            return True

    @contextmanager
    def answer(
        self,
        method: str,
        path: str,
        *,
        content: _Content = None,
        parameters: _Parameters | None = None,
        changes: bool = False,
    ) -> Iterator[Iterator[bytes]]:
        """The body of a good answer in pieces, of any length; raises as `request` does, also while it is read."""
        with self._response(method, path, content=content, parameters=parameters, changes=changes) as response:
            # Raw, not decoded: nobody can send a small answer that unpacks to a large one.
            pieces = response.iter_raw()
            if response.status_code != httpx.codes.OK:
                raise self._named(response.status_code, _bounded(pieces, TROUBLE_LARGEST))
            yield pieces

    @contextmanager
    def _response(
        self,
        method: str,
        path: str,
        *,
        content: _Content = None,
        parameters: _Parameters | None = None,
        changes: bool = False,
    ) -> Iterator[httpx.Response]:
        try:
            request = self._client.build_request(method, path, content=content, params=parameters)
            if self._signs:
                self._sign(request, content)
            response = self._client.send(request, stream=True)
            if response.status_code == httpx.codes.UNAUTHORIZED and self._reader is not None and not self._signs:
                self._signs = True
                # A body that came in pieces is gone; whoever sent it tries again.
                if content is None or isinstance(content, bytes):
                    response.close()
                    self._sign(request, content)
                    response = self._client.send(request, stream=True)
            with closing(response):
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._away(error, "nothing was sent") from None
        except httpx.HTTPError as error:
            raise self._away(error, "sent, outcome unknown" if changes else "nothing was changed") from None

    def post(self, path: str, content: bytes, largest: int) -> tuple[int, str, str]:
        """Status, media type and text of whatever is answered to a post; raises Unavailable if nothing is."""
        with self._response("POST", path, content=content, changes=True) as response:
            body = _bounded(response.iter_raw(), largest)
            return response.status_code, response.headers.get("content-type", ""), body.decode("utf-8", "replace")

    def _sign(self, request: httpx.Request, content: _Content) -> None:
        if self._reader is not None:
            # An object has its digest in its address.
            body = content if isinstance(content, bytes) else b""
            target = request.url.raw_path.decode("ascii")
            request.headers["authorization"] = self._reader.header(request.method, target, body)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def _away(self, error: httpx.HTTPError, now: str) -> Unavailable:
        return Unavailable(
            f"the node at {self._url} does not answer: {str(error) or type(error).__name__}",
            next="check that it runs and that the address is right; then try again",
            now=now,
        )

    def _named(self, status: int, body: bytes) -> FreeholdError:
        try:
            return error_of(msgspec.json.decode(body, type=Trouble))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Unavailable(
                f"what answers at {self._url} does not speak like a node (HTTP {status})",
                next="check the address; a proxy on the way may have answered",
                retry=status >= httpx.codes.INTERNAL_SERVER_ERROR,
            )


def _authorities() -> ssl.SSLContext:
    path = os.environ.get("FREEHOLD_AUTHORITY")
    try:
        return ssl.create_default_context(cafile=path) if path else httpx.create_ssl_context(trust_env=False)
    except OSError as error:
        raise Invalid(f"FREEHOLD_AUTHORITY: {path} holds no certificates: {error}", next="give a PEM file") from None


def decoded(body: bytes, kind: type[_Answer]) -> _Answer:
    """The JSON of an answer, strictly; Invalid if it is not what the node's protocol says."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the node's answer cannot be read: {str(error)[:200]}") from None


def encoded(value: Any) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def _bounded(pieces: Iterable[bytes], largest: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > largest:
            raise Invalid(f"the node's answer has more than {largest} bytes")
    return bytes(body)
