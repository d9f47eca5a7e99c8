"""What the engine builds on is true of a real network: endorsement, validation, and what two organisations see."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

pytest.importorskip("grpc", reason="gRPC is not installed (pip install freehold[fabric])")

from freehold.errors import Refused, Unavailable
from freehold.ledger.fabric.client import FabricLedger
from freehold.ledger.fabric.envelope import Endorsed, propose
from freehold.ledger.fabric.gateway import Access, PeerGateway
from freehold.ledger.fabric.programs import VARIABLE
from freehold.ledger.fabric.transactions import READ_CONFLICT, VALID
from freehold.ledger.frames import unframe
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Accepted
from tests.engines.embedded import clock
from tests.engines.engines import send
from tests.engines.fabric import FILE, bench
from tests.engines.notebook import Notebook, add, note
from tests.fabric.channel import identity

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"Fabric is not installed ({VARIABLE})"),
]
_T = TypeVar("_T")


def asked(access: Access, ask: Callable[[PeerGateway], Awaitable[_T]]) -> _T:
    """What a peer's gateway answers."""

    async def conversation() -> _T:
        gateway = PeerGateway(access)
        try:
            return await ask(gateway)
        finally:
            await gateway.close()

    return asyncio.run(conversation())


def opened(access: Access, folder: Path) -> FabricLedger:
    folder.mkdir(exist_ok=True)
    return FabricLedger.open(access, folder / FILE, Notebook(), clock)


async def committed(gateway: PeerGateway, endorsed: Endorsed) -> int | None:
    """The code of an envelope, once it is in a block."""
    await gateway.submit(endorsed)
    return await gateway.status(endorsed.transaction)


def until_equal(*ledgers: FabricLedger) -> None:
    deadline = time.monotonic() + 20
    while len({ledger.info().size for ledger in ledgers}) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_envelopes_of_one_action_are_never_both_valid(tmp_path: Path) -> None:
    access = bench("raft").access(bench("raft").deploy())
    ledger = opened(access, tmp_path)
    action = note("one", "hello")
    send(ledger, note("first", "until both organisations endorse"))

    async def both(gateway: PeerGateway) -> list[int | None]:
        proposals = [propose(access.identity, access.place, [b"execute", action], clock()) for _ in range(2)]
        endorsed = [await gateway.endorse(each) for each in proposals]
        await asyncio.gather(*(gateway.submit(each) for each in (*endorsed, endorsed[0])))
        return [await gateway.status(each.transaction) for each in proposals]

    codes = asked(access, both)
    send(ledger, note("last", "after both"))

    assert sorted(code for code in codes if code is not None) == [VALID, READ_CONFLICT]
    assert ledger.info().size == 3
    assert ledger.resolve(action) is not None
    ledger.close()


def test_an_envelope_that_is_kept_dies_at_the_next_tick(tmp_path: Path) -> None:
    """An operator keeps what was endorsed, and submits it once the ledger's time is past what the action claims."""
    access = bench("raft").access(bench("raft").deploy())
    ledger = opened(access, tmp_path)
    send(ledger, note("first", "until both organisations endorse"))

    async def ticked(gateway: PeerGateway) -> int | None:
        while True:
            proposal = propose(access.identity, access.place, [b"tick"], clock())
            try:
                endorsed = await gateway.endorse(proposal)
            except (Refused, Unavailable):
                await asyncio.sleep(0.1)
                continue
            return await committed(gateway, endorsed)

    async def kept(gateway: PeerGateway) -> list[int | None]:
        proposals = [
            propose(access.identity, access.place, [b"execute", note(name, "kept")], clock())
            for name in ("soon", "late")
        ]
        soon, late = [await gateway.endorse(each) for each in proposals]
        codes = [await committed(gateway, soon), await ticked(gateway), await ticked(gateway)]
        return [*codes, await committed(gateway, late)]

    codes = asked(access, kept)
    last = send(ledger, note("last", "after all"))

    assert codes == [VALID, VALID, VALID, READ_CONFLICT]
    assert ledger.resolve(note("soon", "kept")) is not None
    assert ledger.resolve(note("late", "kept")) is None
    replay = Replay(Notebook(), None)
    for block in ledger.export(0, 100):
        replay.apply(block)
    assert replay.tip.time == last.time
    assert (ledger.behind() <= 1, ledger.trouble) == (True, None)
    ledger.close()


def test_a_refusal_of_the_chaincode_arrives_as_the_error_that_it_was(tmp_path: Path) -> None:
    access = bench("raft").access(bench("raft").deploy())
    ledger = opened(access, tmp_path)
    send(ledger, note("one", "hello"))

    def proposal(*arguments: bytes, time: int | None = None) -> Callable[[PeerGateway], Awaitable[object]]:
        moment = clock() if time is None else time
        return lambda gateway: gateway.endorse(propose(access.identity, access.place, arguments, moment))

    with pytest.raises(Refused) as exists:
        asked(access, proposal(b"execute", note("one", "again")))
    with pytest.raises(Refused) as late:
        asked(access, proposal(b"tick", time=clock() - 60_000))
    (value,) = unframe(
        asked(access, lambda gateway: gateway.evaluate([b"read", b"note/one"], clock())), largest=20_000, most=9
    )

    assert (exists.value.code, late.value.code) == ("exists", "clock")
    assert value.hex() == ledger.evaluate("state", {})["note/one"]
    ledger.close()


def test_two_organisations_that_write_at_the_same_time_see_one_history(tmp_path: Path) -> None:
    name = bench("raft").deploy()
    ledgers = [opened(bench("raft").access(name, number), tmp_path / str(number)) for number in range(2)]
    actions = [add("c", 1, nonce) for nonce in range(24)] + [note(f"n{number}", "x") for number in range(24)]

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(lambda pair: send(ledgers[pair[0] % 2], pair[1]), enumerate(actions)))
    until_equal(*ledgers)

    assert sorted(each.position for each in accepted) == list(range(48))
    assert ledgers[0].export(0, 1_000) == ledgers[1].export(0, 1_000)
    assert [ledger.evaluate("counter", {"name": "c"}) for ledger in ledgers] == [24, 24]
    assert ledgers[0].events(0) == ledgers[1].events(0)
    for ledger in ledgers:
        ledger.close()


def test_a_node_that_was_away_makes_up_for_what_it_missed(tmp_path: Path) -> None:
    name = bench("raft").deploy()
    staying = opened(bench("raft").access(name, 0), tmp_path / "staying")
    away = opened(bench("raft").access(name, 1), tmp_path / "away")
    send(away, note("one", "x"))
    away.close()
    answers = staying.submit_all([note(f"n{number}", "x") for number in range(40)])

    back = opened(bench("raft").access(name, 1), tmp_path / "away")
    until_equal(staying, back)

    assert all(isinstance(each, Accepted) for each in answers)
    assert back.export(0, 1_000) == staying.export(0, 1_000)
    for ledger in (staying, back):
        ledger.close()


def test_a_stranger_s_certificate_gets_nowhere(tmp_path: Path) -> None:
    known = bench("raft").access(bench("raft").deploy())
    access = Access(address=known.address, roots=known.roots, identity=identity(), place=known.place)

    with pytest.raises(Unavailable):
        asked(
            access,
            lambda gateway: gateway.endorse(propose(access.identity, access.place, [b"execute", note("a", "b")], 0)),
        )
