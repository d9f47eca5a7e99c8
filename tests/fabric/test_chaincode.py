"""The chaincode's server, dialled as a peer dials it, and by some that are none."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Invalid, Unavailable
from freehold.ledger.fabric import clock, messages
from freehold.ledger.fabric.chaincode import STREAMS_LARGEST, Place, Server, read_place
from freehold.ledger.fabric.functions import EXECUTE, READ, Functions
from freehold.ledger.fabric.messages import ChaincodeMessage, Kind
from freehold.ledger.fabric.processes import free_ports
from freehold.ledger.frames import frame
from freehold.node import chaincode
from freehold.node.runtime import RECORD
from tests.engines.notebook import Notebook, note
from tests.fabric.certificates import Authority
from tests.fabric.organisations import organisations
from tests.fabric.peer import CHAINCODE, CHANNEL, PACKAGE
from tests.fabric.test_endorsements import record
from tests.market import Market

grpc = pytest.importorskip("grpc")
NOW = 1_800_000_000_000
METHOD = "/protos.Chaincode/Connect"
GREETING = [ChaincodeMessage(kind=Kind.REGISTERED), ChaincodeMessage(kind=Kind.READY)]


def call(function: str, *arguments: bytes, transaction: str = "t") -> ChaincodeMessage:
    return ChaincodeMessage(
        kind=Kind.TRANSACTION,
        payload=messages.call(function, arguments),
        proposal=messages.proposal(NOW, CHANNEL, CHAINCODE, [function.encode(), *arguments]),
        transaction=transaction,
        channel=CHANNEL,
    )


CALL = call(EXECUTE, note("one", "hello"))


class Dialled:
    """One stream to a chaincode."""

    def __init__(self, channel: Any) -> None:
        self._saying: SimpleQueue[bytes | None] = SimpleQueue()
        self._heard = channel.stream_stream(METHOD)(iter(self._saying.get, None), timeout=20)

    def say(self, *some: ChaincodeMessage) -> None:
        for message in some:
            self._saying.put(message.encode())

    def hear(self) -> ChaincodeMessage:
        return messages.read_message(next(self._heard))

    def hang_up(self) -> None:
        self._saying.put(None)


@contextmanager
def serving(**certificates: str) -> Iterator[Server]:
    place = Place(address="127.0.0.1:0", package=PACKAGE, **certificates)
    server = Server(Functions(Notebook(), lambda: NOW), place)
    try:
        yield server
    finally:
        server.close()


def address(server: Server) -> str:
    return f"127.0.0.1:{server.port}"


def executes(stream: Dialled) -> bool:
    """Whether a stream that was greeted executes an action."""
    stream.say(CALL)
    for answer in (b"", clock.encode(NOW), b""):
        asked = stream.hear()
        stream.say(
            ChaincodeMessage(kind=Kind.RESPONSE, payload=answer, transaction=asked.transaction, channel=asked.channel)
        )
    completed = stream.hear()
    return completed.kind == Kind.COMPLETED and messages.read_response(completed.payload)[0] == messages.OK


def test_the_chaincode_speaks_first_and_then_executes() -> None:
    with serving() as server, grpc.insecure_channel(address(server)) as channel:
        stream = Dialled(channel)
        first = stream.hear()
        stream.say(*GREETING)

        assert (first.kind, messages.read_registration(first.payload)) == (Kind.REGISTER, PACKAGE)
        assert executes(stream)
        stream.hang_up()
        with pytest.raises(StopIteration):
            stream.hear()


def test_a_stranger_who_leaves_the_order_is_hung_up_on_and_others_go_on() -> None:
    with serving() as server, grpc.insecure_channel(address(server)) as channel:
        peer, stranger = Dialled(channel), Dialled(channel)
        for stream in (peer, stranger):
            stream.hear()
        peer.say(*GREETING)
        stranger.say(CALL)
        with pytest.raises(StopIteration):
            stranger.hear()
        garbage = channel.stream_stream(METHOD)(iter([b"\xff" * 100]), timeout=20)
        assert [messages.read_message(each).kind for each in garbage] == [Kind.REGISTER]

        assert executes(peer)


def test_streams_that_broke_make_room_for_new_ones() -> None:
    with serving() as server:
        for _ in range(2 * STREAMS_LARGEST):
            with grpc.insecure_channel(address(server)) as channel:
                stream = Dialled(channel)
                stream.hear()
                stream.say(*GREETING, CALL)
                stream.hear()
        with grpc.insecure_channel(address(server)) as channel:
            stream = Dialled(channel)
            stream.hear()
            stream.say(*GREETING)
            assert executes(stream)


def test_a_large_message_of_a_stranger_is_refused_and_breaks_no_stream() -> None:
    with serving() as server, grpc.insecure_channel(address(server)) as channel:
        stream = Dialled(channel)
        stream.hear()
        stream.say(*GREETING, call(EXECUTE, b"x" * 20 * 2**20, transaction="h"))
        refused = stream.hear()

        assert messages.read_response(refused.payload)[0] == messages.REFUSED
        assert executes(stream)


def test_only_a_peer_with_a_certificate_of_its_organisation_gets_in(tmp_path: Path) -> None:
    own, foreign = Authority(tmp_path, "own"), Authority(tmp_path, "foreign")
    certificate, key = own.sign("chaincode")
    with serving(certificate=str(certificate), key=str(key), clients=str(own.path)) as server:

        def dialled(pair: tuple[Path, Path] | None) -> bool:
            chain, private = (pair[0].read_bytes(), pair[1].read_bytes()) if pair else (None, None)
            credentials = grpc.ssl_channel_credentials(own.path.read_bytes(), private, chain)
            with grpc.secure_channel(address(server), credentials) as channel:
                try:
                    return Dialled(channel).hear().kind == Kind.REGISTER
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    return False

        assert dialled(own.sign("peer"))
        assert not dialled(None)
        assert not dialled(foreign.sign("stranger"))
        with grpc.insecure_channel(address(server)) as channel, pytest.raises(grpc.RpcError):
            Dialled(channel).hear()


def test_an_address_that_is_taken_and_certificates_that_are_missing_are_named(tmp_path: Path) -> None:
    with serving() as server, pytest.raises(Unavailable, match=address(server)):
        Server(Functions(Notebook(), lambda: NOW), Place(address=address(server), package=PACKAGE))
    with pytest.raises(Unavailable, match="127"), serving(certificate=str(tmp_path / "no"), key="no"):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"address":"a:1"}', b'{"address":"a:1","package":"p","x":1}', b"\xff"]
)
def test_a_place_that_makes_no_sense_is_invalid(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        read_place(tmp_path / "place.json")
    (tmp_path / "place.json").write_bytes(content)
    with pytest.raises(Invalid):
        read_place(tmp_path / "place.json")


def test_the_program_of_a_network_serves_its_rules_and_its_record(tmp_path: Path) -> None:
    market = Market(seed="chaincode")
    (tmp_path / RECORD).write_bytes(market.network.encode())
    (port,) = free_ports(1)
    place = tmp_path / "place.json"
    place.write_text(f'{{"address":"127.0.0.1:{port}","package":"{PACKAGE}"}}')
    program = subprocess.Popen(chaincode.program(tmp_path)(place), stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        assert b"listening" in program.stdout.readline()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stream = Dialled(channel)
            stream.hear()
            key = f"network/{market.id}"
            stream.say(*GREETING, call(READ, key.encode()))
            asked = stream.hear()
            stream.say(ChaincodeMessage(kind=Kind.RESPONSE, transaction=asked.transaction, channel=asked.channel))
            completed = stream.hear()
    finally:
        program.terminate()
        program.communicate(timeout=20)

    assert messages.read_get_state(asked.payload) == key
    status, _, payload = messages.read_response(completed.payload)
    assert (status, payload) == (messages.OK, frame([market.network.encode()]))


def test_the_program_answers_under_the_name_alone_that_the_network_record_gives_it(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(record(organisations()))
    (port,) = free_ports(1)
    place = tmp_path / "place.json"
    place.write_text(f'{{"address":"127.0.0.1:{port}","package":"{PACKAGE}","chaincode":"another"}}')
    program = subprocess.Popen(chaincode.program(tmp_path)(place), stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        assert b"listening" in program.stdout.readline()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as dialled:
            stream = Dialled(dialled)
            stream.hear()
            arguments = [READ.encode(), b"network/none"]
            foreign = messages.proposal(NOW, CHANNEL, "another", arguments)
            stream.say(*GREETING, replace(call(READ, arguments[1]), proposal=foreign))
            refused = messages.read_response(stream.hear().payload)
            stream.say(call(READ, arguments[1]))
            asked = stream.hear()
    finally:
        program.terminate()
        program.communicate(timeout=20)

    assert (refused[0], "signed proposal" in refused[1]) == (messages.REFUSED, True)
    assert asked.kind == Kind.GET_STATE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_listens_and_ends_in_order_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "place.json").write_text(f'{{"address":"127.0.0.1:0","package":"{PACKAGE}"}}')
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.engines.chaincode", str(tmp_path / "place.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert b"listening" in program.stdout.readline()
    program.send_signal(number)
    _, complaints = program.communicate(timeout=20)

    assert (program.returncode, complaints) == (0, b"")
