"""How often one address and one member may ask."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Refused, Unavailable
from freehold.ledger.frames import frame
from freehold.ledger.remote import RemoteLedger
from freehold.node.rates import Buckets, Rate, Rates, TooOften
from freehold.node.server import serving
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Accepted
from tests.engines.embedded import embedded
from tests.engines.notebook import add, note

ACCEPTED = Accepted(position=0, height=1, time=1, id="x", events=())
MEMBER, OTHER = b"m" * 32, b"o" * 32


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_that_asks_too_often_is_told_how_long_to_wait_and_is_then_let_in() -> None:
    clock = Clock()
    rates = Rates(Rate(per_second=2, burst=3), None, clock=clock)
    for _ in range(3):
        rates.request("10.0.0.1")

    with pytest.raises(TooOften) as caught:
        rates.request("10.0.0.1")
    rates.request("10.0.0.2")
    clock.now += caught.value.retry_after or 0
    rates.request("10.0.0.1")

    assert caught.value.retry_after == pytest.approx(0.5)
    assert rates.refused == {"address": 1, "member": 0}


@given(st.lists(st.floats(min_value=0, max_value=0.2), min_size=1, max_size=300))
def test_nobody_ever_gets_more_than_a_burst_and_the_rate(pauses: list[float]) -> None:
    clock = Clock()
    rates = Rates(Rate(per_second=10, burst=20), None, clock=clock)
    granted = 0
    for pause in pauses:
        clock.now += pause
        try:
            rates.request("10.0.0.1")
            granted += 1
        except TooOften:
            pass

    assert granted <= 20 + 10 * clock.now + 1


def test_only_a_signature_that_fitted_spends_from_a_members_bucket() -> None:
    clock = Clock()
    rates = Rates(None, Rate(per_second=1, burst=5), clock=clock)
    forged = [MEMBER + b"forged" for _ in range(100)]

    rates.actions("6.6.6.6", forged)
    rates.outcomes(forged, [Refused("malformed")] * 100)
    honest = [MEMBER + b"signed" for _ in range(5)]
    rates.actions("10.0.0.1", honest)
    rates.outcomes(honest, [ACCEPTED, Refused("funds"), ACCEPTED, ACCEPTED, ACCEPTED])

    with pytest.raises(TooOften, match="this member"):
        rates.actions("10.0.0.1", [MEMBER + b"sixth"])
    rates.actions("10.0.0.1", [OTHER + b"first"])
    assert rates.members is not None
    assert len(rates.members) == 1, "forged keys take no memory"


def test_forged_actions_cost_the_address_that_brings_them() -> None:
    rates = Rates(Rate(per_second=1, burst=100), None, clock=Clock())
    rates.request("6.6.6.6")
    rates.actions("6.6.6.6", [MEMBER + b"forged"] * 256)

    with pytest.raises(TooOften) as caught:
        rates.request("6.6.6.6")
    assert caught.value.retry_after == pytest.approx(158, abs=1)


def test_buckets_take_bounded_memory_whoever_comes() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1), largest=100, clock=Clock())
    for number in range(10_000):
        buckets.pay(f"10.0.{number // 256}.{number % 256}", 1)

    assert len(buckets) == 100
    assert buckets.wait("10.0.39.15") > 0
    assert buckets.wait("10.0.0.0") == 0


def test_whoever_has_one_address_of_ipv6_has_them_all() -> None:
    rates = Rates(Rate(per_second=1, burst=2), None, clock=Clock())
    rates.request("2001:db8::1")
    rates.request("2001:db8::ffff:2")

    with pytest.raises(TooOften):
        rates.request("2001:db8::3%eth0")
    rates.request("2001:db8:0:1::1")
    rates.request("::ffff:10.0.0.1")


def test_a_node_answers_429_with_retry_after_and_the_client_reads_the_same_trouble(tmp_path: Path) -> None:
    rates = Rates(Rate(per_second=0.5, burst=3), None)
    with (
        embedded(tmp_path) as ledger,
        serving(ledger, FolderStore(tmp_path / "objects"), rates=rates) as url,
    ):
        for _ in range(3):
            assert httpx.get(url).status_code == 200
        said = httpx.post(f"{url}/actions", content=frame([note("one", "text")]))
        remote = RemoteLedger(url)
        with pytest.raises(Unavailable, match="more often") as caught:
            remote.submit(note("one", "text"))
        remote.close()
        assert ledger.info().size == 0

    assert said.status_code == 429
    assert 1 <= int(said.headers["retry-after"]) <= 2
    assert (said.json()["kind"], said.json()["code"]) == ("unavailable", "busy")
    assert caught.value.retry
    assert caught.value.retry_after is not None


def test_a_header_cannot_give_a_stranger_another_address(tmp_path: Path) -> None:
    rates = Rates(Rate(per_second=0.01, burst=2), None)
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects"), rates=rates) as url:
        codes = [httpx.get(url, headers={"x-forwarded-for": f"10.0.0.{n}"}).status_code for n in range(4)]

    assert codes == [200, 200, 429, 429]


def test_a_busy_ledger_says_so_and_when_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.ledger.embedded.writer.WAITING_LARGEST", 10)
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects")) as url:
        said = httpx.post(f"{url}/actions", content=frame([add("c", 1, nonce) for nonce in range(11)]))
        after = httpx.post(f"{url}/actions", content=frame([add("c", 1, 1)]))

    assert said.status_code == 503
    assert said.headers["retry-after"] == "1"
    assert said.json()["retry_after"] == 0.5
    assert after.status_code == 200


def test_a_member_over_its_rate_is_refused_before_a_signature_is_checked(tmp_path: Path) -> None:
    rates = Rates(None, Rate(per_second=0.01, burst=2))
    with embedded(tmp_path) as ledger, serving(ledger, FolderStore(tmp_path / "objects"), rates=rates) as url:
        first = [add("c", 1, nonce) for nonce in range(2)]
        codes = [httpx.post(f"{url}/actions", content=frame([each])).status_code for each in (*first, *first)]
        reads = httpx.get(f"{url}/events").status_code

    assert 429 in codes
    assert reads == 200
