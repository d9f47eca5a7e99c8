"""A peer over gRPC that answers as it likes: everything it may say is an error that this side names."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

import grpc
import msgspec

from freehold.errors import Broken, Invalid, Refused, Unavailable
from freehold.ledger.fabric.clock import TICK_FIRST
from freehold.ledger.fabric.deliver import Following, PeerBlocks
from freehold.ledger.fabric.envelope import Endorsed, propose
from freehold.ledger.fabric.gateway import Access, PeerGateway
from freehold.ledger.fabric.transactions import FabricBlock, read_block
from freehold.ledger.protobuf import bytes_field, fields, message_field, number_field, octets
from freehold.transport.trouble import trouble_of
from tests.fabric.certificates import Authority
from tests.fabric.channel import PLACE, block_bytes, identity

WHO = identity()
PROPOSAL = propose(WHO, PLACE, [b"execute", b"an action"], 1_000)
FIRST = block_bytes(0, b"", [b"a"], [255])
SECOND = block_bytes(1, read_block(FIRST).digest, [b"b"], [0])


def details(*messages: str, code: int = 10) -> bytes:
    """google.rpc.Status with one gateway.ErrorDetail for each message."""
    errors = [
        bytes_field(1, b"127.0.0.1:1") + bytes_field(2, b"Org1MSP") + bytes_field(3, m.encode()) for m in messages
    ]
    anys = [message_field(3, bytes_field(1, b"type") + bytes_field(2, each)) for each in errors]
    return number_field(1, code) + b"".join(anys)


@dataclass
class Answer:
    """What the peer says to every call of its gateway."""

    code: object = None
    words: str = ""
    details: bytes = b""
    message: bytes = b""


@dataclass
class Peer:
    """What the peer says, and what it was asked."""

    answer: Answer = field(default_factory=Answer)
    replies: list[bytes] = field(default_factory=list)
    ordered: list[bytes] = field(default_factory=list)
    """What it says as an orderer, each time."""
    seeks: list[bytes] = field(default_factory=list)

    def unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if self.answer.code is not None:
            if self.answer.details:
                context.set_trailing_metadata((("grpc-status-details-bin", self.answer.details),))
            context.abort(self.answer.code, self.answer.words)
        return self.answer.message

    def deliver(self, requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
        self.seeks.append(next(requests))
        yield from self.replies

    def order(self, requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
        next(requests)
        yield self.ordered.pop(0)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[tuple[Peer, Access]]:
    authority, answering = Authority(tmp_path, "authority"), Peer()
    certificate, key = authority.sign("peer")
    server = grpc.server(ThreadPoolExecutor(4))
    names = ("Endorse", "Submit", "CommitStatus", "Evaluate")
    unary = {name: grpc.unary_unary_rpc_method_handler(answering.unary) for name in names}
    stream = {"Deliver": grpc.stream_stream_rpc_method_handler(answering.deliver)}
    orderer = {"Deliver": grpc.stream_stream_rpc_method_handler(answering.order)}
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("gateway.Gateway", unary),
            grpc.method_handlers_generic_handler("protos.Deliver", stream),
            grpc.method_handlers_generic_handler("orderer.AtomicBroadcast", orderer),
        )
    )
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield (
        answering,
        Access(address=f"127.0.0.1:{port}", roots=authority.path.read_bytes(), identity=WHO, place=PLACE),
    )
    server.stop(0).wait()


def asked(access: Access, ask: Callable[[PeerGateway], Awaitable[object]]) -> object:
    async def conversation() -> object:
        gateway = PeerGateway(access)
        try:
            return await ask(gateway)
        finally:
            await gateway.close()

    return asyncio.run(conversation())


def endorsing(gateway: PeerGateway) -> Awaitable[object]:
    return gateway.endorse(PROPOSAL)


def test_a_refusal_in_the_details_is_raised_as_it_was(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    refusal = msgspec.json.encode(trouble_of(Refused("no-funds", "the account holds 3", next="deposit"))).decode()
    message = f"chaincode response 500, {refusal}"
    answering.answer = Answer(
        code=grpc.StatusCode.ABORTED, words="failed to endorse", details=details("other", message)
    )

    with pytest.raises(Refused) as caught:
        asked(access, endorsing)

    assert (caught.value.code, caught.value.what, caught.value.next) == ("no-funds", "the account holds 3", "deposit")


@pytest.mark.parametrize(
    "said",
    [
        details("chaincode response 500, {no JSON}"),
        details('chaincode response 500, {"kind":7}'),
        details("ProposalResponsePayloads do not match"),
        b"\xff\xff\xff",
        b"",
    ],
)
def test_whatever_else_a_gateway_refuses_with_is_unavailable_and_quoted(peer: tuple[Peer, Access], said: bytes) -> None:
    answering, access = peer
    answering.answer = Answer(code=grpc.StatusCode.ABORTED, words="failed to collect", details=said)

    with pytest.raises(Unavailable, match="ABORTED: failed to collect") as caught:
        asked(access, endorsing)
    assert caught.value.retry


def test_an_identity_that_is_not_welcome_is_not_tried_again(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    answering.answer = Answer(code=grpc.StatusCode.PERMISSION_DENIED, words="who are you")

    with pytest.raises(Unavailable) as caught:
        asked(access, endorsing)
    assert not caught.value.retry


@pytest.mark.parametrize("message", [b"", b"\xff", message_field(1, bytes_field(1, b"\xff\xff"))])
def test_an_envelope_that_makes_no_sense_is_unavailable(peer: tuple[Peer, Access], message: bytes) -> None:
    answering, access = peer
    answering.answer = Answer(message=message)

    with pytest.raises(Unavailable, match="no sense"):
        asked(access, endorsing)


def test_the_codes_of_transactions_are_read(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    answering.answer = Answer(message=number_field(1, 11) + number_field(2, 7))
    assert asked(access, lambda gateway: gateway.status("an id")) == 11
    answering.answer = Answer(code=grpc.StatusCode.DEADLINE_EXCEEDED)
    assert asked(access, lambda gateway: gateway.status("an id")) is None
    answering.answer = Answer(code=grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(Unavailable):
        asked(access, lambda gateway: gateway.submit(Endorsed(transaction="an id", envelope=b"")))


def test_nobody_there_is_unavailable() -> None:
    nowhere = Access(address="127.0.0.1:1", roots=b"", identity=WHO, place=PLACE)

    with pytest.raises(Unavailable):
        asked(nowhere, endorsing)
    source = PeerBlocks(nowhere, lambda: 0)
    with pytest.raises(Unavailable):
        source.newest()
    source.close()


def follow(access: Access, done: Callable[[list[FabricBlock], Following], bool]) -> tuple[list[FabricBlock], Following]:
    taken: list[FabricBlock] = []
    following = Following(PeerBlocks(access, lambda: 5_000), taken.append, lambda: len(taken))
    deadline = time.monotonic() + 10
    while not done(taken, following):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    following.close()
    return taken, following


def test_blocks_are_followed_from_the_one_that_is_awaited_across_streams(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    answering.replies = [message_field(2, FIRST), number_field(1, 503)]

    def second(taken: list[FabricBlock], _: Following) -> bool:
        if taken:
            answering.replies = [message_field(2, SECOND)]
        return len(taken) >= 2

    taken, following = follow(access, second)

    assert [block.number for block in taken[:2]] == [0, 1]
    assert following.trouble is None
    starts = [dict(fields(octets(dict(fields(octets(dict(fields(each))[1])))[2])))[1] for each in answering.seeks]
    assert starts[0] == message_field(3, b"")
    assert message_field(3, number_field(1, 1)) in starts


@pytest.mark.parametrize("reply", [message_field(2, SECOND[:-5]), b"\xff\xff"])
def test_blocks_that_make_no_sense_end_the_following_and_are_named(peer: tuple[Peer, Access], reply: bytes) -> None:
    answering, access = peer
    answering.replies = [message_field(2, FIRST), reply]

    taken, following = follow(access, lambda _, following: following.trouble is not None)

    assert [block.number for block in taken] == [0]
    assert isinstance(following.trouble, Invalid | Broken)


def newest(access: Access, *orderers: str) -> int:
    source = PeerBlocks(replace(access, orderers=orderers, orderers_roots=access.roots), lambda: 5_000)
    try:
        return source.ordered()
    finally:
        source.close()


def test_the_orderer_that_has_come_furthest_counts_and_the_peer_where_none_is_known(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    answering.replies = [message_field(2, FIRST)]
    # An orderer says nothing about validity: its blocks have no codes.
    answering.ordered = [message_field(2, block_bytes(number, b"\x01" * 32, [b"b"], [])) for number in (41, 43, 42)]

    assert newest(access) == 0
    assert newest(access, access.address, "127.0.0.1:1", access.address, access.address) == 43


@pytest.mark.parametrize("said", [[number_field(1, 503)], [message_field(2, b"\xff")], [b"\xff"], []])
def test_orderers_that_tell_nothing_are_named(peer: tuple[Peer, Access], said: list[bytes]) -> None:
    answering, access = peer
    answering.ordered = said

    with pytest.raises(Unavailable, match="no orderer"):
        newest(access, access.address)


def test_that_a_tick_has_to_come_first_is_told_as_what_it_is(peer: tuple[Peer, Access]) -> None:
    answering, access = peer
    early = Unavailable("the ledger's clock is old", code=TICK_FIRST)
    message = f"chaincode response 500, {msgspec.json.encode(trouble_of(early)).decode()}"
    answering.answer = Answer(code=grpc.StatusCode.ABORTED, words="failed", details=details(message))

    with pytest.raises(Unavailable) as caught:
        asked(access, endorsing)
    assert (caught.value.code, caught.value.retry) == (TICK_FIRST, True)
