"""The gateway of the own organisation's peer, over gRPC: endorse, submit, ask.

Whatever is wrong with the way is Unavailable. A refusal of the chaincode comes as the status's details, one for each
peer that refused, with the JSON of `transport.trouble` in it, and is raised as the error that it was over there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import grpc
import grpc.aio
import msgspec

from freehold.errors import FreeholdError, Invalid, Unavailable
from freehold.ledger.fabric import envelope
from freehold.ledger.fabric.envelope import Endorsed, Place, Proposal, found
from freehold.ledger.fabric.identity import Identity
from freehold.ledger.protobuf import fields, octets, text
from freehold.transport.trouble import TROUBLE_LARGEST, Trouble, error_of

MESSAGE_LARGEST: Final = 96 * 2**20
ENDORSE_SECONDS: Final = 15.0
SUBMIT_SECONDS: Final = 15.0
STATUS_SECONDS: Final = 3.0
_DETAILS: Final = "grpc-status-details-bin"
_DETAILS_LARGEST: Final = 2**18
_TROUBLE: Final = msgspec.json.Decoder(Trouble)
_REFUSAL: Final = re.compile(r"chaincode response 500, (\{.*\})", re.DOTALL)
OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_LARGEST),
    ("grpc.max_send_message_length", MESSAGE_LARGEST),
    ("grpc.max_metadata_size", 2**18),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach the peer of the own organisation."""

    address: str
    """Host and port."""
    roots: bytes
    """The certificate, in PEM, under which the peer's TLS certificate stands."""
    identity: Identity
    place: Place
    authorities: Mapping[str, bytes] = field(default_factory=dict)
    """By the name of each organisation on the channel the certificates, in PEM, under which its peers endorse."""
    orderers: tuple[str, ...] = ()
    """Host and port of those who are asked how far the channel has come."""
    orderers_roots: bytes = b""
    """As `roots`, for them."""


class Gateway(Protocol):
    """What the engine needs of a peer."""

    async def endorse(self, proposal: Proposal) -> Endorsed:
        """Has a proposal executed by as many organisations as have to; raises what the chaincode refused with."""
        ...

    async def submit(self, endorsed: Endorsed) -> None:
        """Hands an envelope to the orderers; Unavailable if nobody knows whether it arrived."""
        ...

    async def status(self, transaction: str) -> int | None:
        """The code of a transaction that is committed; None if it is not, so far."""
        ...

    async def close(self) -> None:
        """Ends every call that is under way."""
        ...


class PeerGateway:
    """A peer's gateway; satisfies `Gateway`. Made and used in one event loop."""

    def __init__(self, access: Access) -> None:
        self._access = access
        credentials = grpc.ssl_channel_credentials(access.roots)
        self._channel = grpc.aio.secure_channel(access.address, credentials, options=OPTIONS)
        self._endorse, self._submit, self._status, self._evaluate = (
            self._channel.unary_unary(f"/gateway.Gateway/{method}")
            for method in ("Endorse", "Submit", "CommitStatus", "Evaluate")
        )

    async def endorse(self, proposal: Proposal) -> Endorsed:
        """An envelope that is endorsed and signed."""
        request = envelope.endorse_request(self._access.place, proposal)
        try:
            answer = await self._endorse(request, timeout=ENDORSE_SECONDS)
            return envelope.read_endorsed(self._access.identity, proposal, answer)
        except grpc.aio.AioRpcError as error:
            raise trouble_in(error) from None
        except Invalid as error:
            raise Unavailable(f"the peer's gateway answered something that makes no sense: {error.what}") from None

    async def submit(self, endorsed: Endorsed) -> None:
        """Hands the envelope to the orderers."""
        try:
            await self._submit(envelope.submit_request(self._access.place, endorsed), timeout=SUBMIT_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise trouble_in(error) from None

    async def status(self, transaction: str) -> int | None:
        """The code of a committed transaction, waiting for it a little."""
        request = envelope.status_request(self._access.identity, self._access.place, transaction)
        try:
            return envelope.read_status(await self._status(request, timeout=STATUS_SECONDS))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return None
            raise trouble_in(error) from None

    async def evaluate(self, arguments: Sequence[bytes], time: int) -> bytes:
        """The chaincode's answer on this peer, never ordered; raises what it refused with."""
        proposal = envelope.propose(self._access.identity, self._access.place, arguments, time)
        request = envelope.endorse_request(self._access.place, proposal)
        try:
            return envelope.read_evaluated(await self._evaluate(request, timeout=ENDORSE_SECONDS))
        except grpc.aio.AioRpcError as error:
            raise trouble_in(error) from None

    async def close(self) -> None:
        """Ends every call that is under way."""
        await self._channel.close()


def trouble_in(error: grpc.RpcError) -> FreeholdError:
    """What went wrong: the chaincode's own error if it refused, else Unavailable."""
    messages = _messages(dict(error.trailing_metadata() or ()).get(_DETAILS, b""))
    said = str(error.details() or "")
    for message in (*messages, said):
        refusal = _REFUSAL.search(message[: 2 * TROUBLE_LARGEST])
        if refusal is not None:
            try:
                return error_of(_TROUBLE.decode(refusal[1].encode()))
            except msgspec.MsgspecError:
                break
    code = error.code()
    return Unavailable(
        f"the peer's gateway does not do it: {code.name}: {said[:300]}",
        why="; ".join(messages)[:500],
        retry=code not in _NEVER,
        retry_after=0.2,
    )


_NEVER: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


def _messages(status: bytes | str) -> list[str]:
    """google.rpc.Status → details → Any → gateway.ErrorDetail → message; none if it is nothing of the kind."""
    if not isinstance(status, bytes) or len(status) > _DETAILS_LARGEST:
        return []
    try:
        details = [octets(value) for number, value in fields(status) if number == 3]
        return [text(found(octets(found(each).get(2, b""))).get(3, b"")) for each in details]
    except Invalid:
        return []
