"""Real networks of Fabric: they come up, both organisations endorse, and whatever is killed comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import FreeholdError, Refused, Unavailable
from freehold.ledger.fabric.layout import Ordering
from freehold.ledger.fabric.network import Development
from freehold.ledger.fabric.programs import VARIABLE, programs_from_environment
from freehold.protocol import canonical
from freehold.protocol.network import network_id
from tests.engines.chaincode import program
from tests.engines.notebook import NETWORK, add, note
from tests.fabric.carrying import holds, record, records

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.1)


def orderings() -> list[Ordering]:
    """Those that the named line knows."""
    if not os.environ.get(VARIABLE):
        return ["raft"]
    return ["raft", "bft"] if programs_from_environment().line != "2.5" else ["raft"]


def development(folder: Path, ordering: Ordering = "raft", **more: Any) -> Development:
    return Development(programs_from_environment(), folder, ordering=ordering, **({"chaincode": program} | more))


@pytest.fixture(params=orderings())
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Development]:
    with development(tmp_path / "somebody's network", request.param) as running:
        yield running


def amount(value: bytes) -> object:
    return canonical.decode(value, largest=1_000)["amount"] if value else 0


def processes_in(folder: Path) -> list[str]:
    """Commands that run with this folder in their environment or arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in said and int(entry.name) != os.getpid():
                found.append(said[:200].decode(errors="replace"))
    return found


def test_an_action_is_endorsed_by_both_organisations_and_committed_on_both_peers(network: Development) -> None:
    first, second = network.accesses
    until(lambda: records(first, note("before", "the clock is set with it")))
    envelope = record(first, note("one", "hello"))
    # Both endorsers sign what the chaincode answered.
    assert [envelope.count(access.msp.encode()) > 0 for access in network.accesses] == [True, True]
    until(lambda: holds(second, "note/one") != b"")
    assert holds(first, "note/one") == holds(second, "note/one")

    with pytest.raises(Refused) as refused:
        record(second, note("one", "again"))
    assert refused.value.code == "exists"
    assert holds(first, f"network/{network_id(NETWORK)}") == NETWORK.encode()


def test_every_process_may_be_killed_and_what_was_recorded_stays(network: Development) -> None:
    first, second = network.accesses
    recorded = 0
    for name in network.names:
        network.kill(name)
        if name.startswith("orderer"):
            # A minority of the orderers is missing: after a while the others go on.
            until(lambda number=recorded: records(first, add("c", 1, number)))  # type: ignore[misc]
            recorded += 1
        else:
            with pytest.raises(FreeholdError):
                record(first, add("c", 1, recorded))
        network.restart(name)
        until(lambda number=recorded: records(first, add("c", 1, number)))  # type: ignore[misc]
        recorded += 1

    for access in (first, second):
        until(lambda access=access: amount(holds(access, "counter/c")) == recorded)  # type: ignore[misc]


def test_a_network_that_was_stopped_starts_again_with_what_it_had_recorded(tmp_path: Path) -> None:
    with development(tmp_path / "network") as network:
        until(lambda: records(network.accesses[0], note("one", "hello")))
        before = holds(network.accesses[0], "note/one")
    assert processes_in(tmp_path) == []
    with development(tmp_path / "network") as network:
        for access in network.accesses:
            until(lambda access=access: holds(access, "note/one") == before)  # type: ignore[misc]
        until(lambda: records(network.accesses[1], note("two", "hello")))


def test_an_organisation_may_have_several_peers(tmp_path: Path) -> None:
    with development(tmp_path / "network", peers_per_organisation=2) as network:
        first, second = network.accesses
        assert len(set(first.peers + second.peers)) == 4
        until(lambda: records(first, note("one", "hello")))
        network.kill("org2.peer0")
        until(lambda: records(first, note("two", "still")))


def test_a_chaincode_that_does_not_start_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    def failing(place: Path) -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('the rules are missing')"]

    with pytest.raises(Unavailable, match=r"org[12]\.chaincode0 ended") as failed:
        development(tmp_path / "network", chaincode=failing).start()
    assert failed.value.why == "the rules are missing"
    assert processes_in(tmp_path) == []

    with development(tmp_path / "network") as network:
        until(lambda: records(network.accesses[0], note("one", "hello")))


def starter(folder: Path, said: str) -> subprocess.Popen[bytes]:
    """Another process that starts a network."""
    program = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import time
from pathlib import Path
from tests.fabric.test_network import development
network = development(Path({str(folder)!r}))
print("starting", flush=True)
with network:
    print("up", flush=True)
    time.sleep(300)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    while process.stdout.readline().decode().strip() != said:
        assert process.poll() is None
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_starter_that_is_interrupted_or_killed_leaves_nothing_running(number: signal.Signals, tmp_path: Path) -> None:
    process = starter(tmp_path / "network", "up")
    assert len(processes_in(tmp_path)) >= 2 * 7
    process.send_signal(number)
    process.communicate(timeout=60)

    until(lambda: processes_in(tmp_path) == [])


@pytest.mark.parametrize("moment", [0.1, 0.6, 1.2])
def test_a_start_that_is_interrupted_leaves_nothing_running_and_may_be_tried_again(
    moment: float, tmp_path: Path
) -> None:
    process = starter(tmp_path / "network", "starting")
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)

    until(lambda: processes_in(tmp_path) == [])
    with development(tmp_path / "network") as network:
        until(lambda: records(network.accesses[0], note("one", "hello")))
