"""The host: what it checks before and after a rule, and what a rule may cost."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put
from freehold.contract.host import Contract
from freehold.contract.registry import RULES, Rule
from freehold.contract.view import View
from freehold.errors import Broken, FreeholdError, Refused
from freehold.protocol import assets, canonical, envelope
from freehold.protocol.actions import Withdraw
from freehold.protocol.identifiers import DatasetId, Digest, Handle, InstanceId, MemberId, PublicKey
from freehold.protocol.limits import READS_PER_CALL, RECORD_LARGEST, WRITES_PER_CALL
from tests.market import SKEW, Market, Member, refused


def body(market: Market, person: Member, **changes: Any) -> dict[str, Any]:
    """The body of an action that would be accepted, with some fields changed."""
    arguments = {"nonce": "ab" * 32, "amount": 1}
    fields = {"function": "Withdraw", "member": person.id, "network": market.id, "time": market.now}
    return {"arguments": arguments, **fields, **changes}


def test_the_first_failing_check_gives_the_code(market: Market) -> None:
    person = market.model_owner()
    stranger = market.newcomer("mo")
    wrong: dict[str, Any] = {
        "arguments": {"nonce": "AB" * 32, "amount": 0, "extra": 1},
        "function": "Steal",
        "network": "ab" * 32,
        "time": market.now + SKEW + 1,
        "member": stranger.id,
    }

    def code_of(*mended: str, signer: Member = person, **better: Any) -> str:
        changes = {name: value for name, value in wrong.items() if name not in mended} | better
        action = envelope.sign_body(signer.seed, canonical.encode(body(market, person, **changes)))
        with pytest.raises(Refused) as caught:
            market.ledger.submit(action)
        return caught.value.code

    assert code_of() == "unknown"
    assert code_of("function") == "malformed"
    assert code_of("function", arguments={"nonce": "AB" * 32, "amount": 0}) == "limit"
    assert code_of("function", arguments={"nonce": "AB" * 32, "amount": 1}) == "malformed"
    assert code_of("function", "arguments") == "unknown"
    assert code_of("function", "arguments", "network") == "clock"
    assert code_of("function", "arguments", "network", "time") == "unknown"
    assert code_of("function", "arguments", "network", "time", "member", signer=stranger) == "not-yours"
    assert code_of("function", "arguments", "network", "time", "member") == "no-funds"


def test_an_action_that_was_touched_after_signing_is_malformed(market: Market) -> None:
    action = bytearray(market.data_owner().signs("Withdraw", nonce="ab" * 32, amount=1))
    for place in (0, 40, 100, len(action) - 1):
        touched = bytearray(action)
        touched[place] ^= 1
        with refused("malformed"):
            market.ledger.submit(bytes(touched))
    for cut in (b"", bytes(action[:96]), bytes(action[:-1]), bytes(action) + b" ", bytes(12_289)):
        with refused("malformed"):
            market.ledger.submit(cut)


@pytest.mark.parametrize(("distance", "accepted"), [(SKEW, True), (-SKEW, True), (SKEW + 1, False), (-SKEW - 1, False)])
def test_a_claimed_time_lies_within_the_skew_of_the_ledgers_own(market: Market, distance: int, accepted: bool) -> None:
    person = market.newcomer("do")
    market.now += distance
    action = person.signs("CreateDO", **person.keys)
    market.now -= distance
    if accepted:
        market.ledger.submit(action)
    else:
        with refused("clock"):
            market.ledger.submit(action)


def test_an_action_of_another_market_means_nothing_here(market: Market) -> None:
    elsewhere = Market(seed="elsewhere")
    person = elsewhere.newcomer("do")
    with refused("unknown"):
        market.ledger.submit(person.signs("CreateDO", **person.keys))


def test_a_refusal_says_what_it_means_and_what_to_do(market: Market) -> None:
    with pytest.raises(Refused) as caught:
        market.model_owner().does("Withdraw", nonce=market.fresh(), amount=1)

    assert caught.value.code == "no-funds"
    assert caught.value.what
    assert caught.value.next
    assert "Nothing was recorded" in caught.value.now


def test_the_result_of_a_call_is_the_id_of_what_it_made_or_moved(market: Market) -> None:
    person = market.newcomer("do")
    executed = market.executes(person.signs("CreateDO", **person.keys))

    assert executed.result == canonical.encode({"id": person.id})
    assert sorted(executed.writes) == [f"account/{person.id}", f"member/{person.id}"]


def test_rules_are_never_applied_to_the_state_of_another_market(market: Market) -> None:
    person, elsewhere = market.newcomer("do"), Market(seed="elsewhere")
    action = person.signs("CreateDO", **person.keys)
    with pytest.raises(Broken):
        market.contract.execute(elsewhere.state().read, action, market.now)


def test_a_checked_signature_is_not_checked_again(market: Market) -> None:
    person = market.newcomer("do")
    action = bytearray(person.signs("CreateDO", **person.keys))
    action[40] ^= 1
    state = market.state()
    with refused("malformed"):
        market.contract.execute(state.read, bytes(action), market.now)
    market.contract.execute(state.read, bytes(action), market.now, signature_checked=True)


def counted(read: Callable[[Sequence[str]], list[bytes | None]]) -> tuple[set[str], Any]:
    """A read that notes which keys were asked for."""
    keys: set[str] = set()

    def reading(asked: Sequence[str]) -> list[bytes | None]:
        assert keys.isdisjoint(asked), "a key was read twice"
        keys.update(asked)
        return read(asked)

    return keys, reading


def test_the_largest_round_reads_75_records_and_writes_169() -> None:
    market = Market()
    datasets = [market.publishes(subsets=4, replicas=3) for _ in range(8)]
    training = market.requests(*datasets, rounds=2, owner=market.model_owner(funds=10**6)).is_approved()
    training.starts_round().is_agreed()
    action = training.owner.signs("StartRound", couple=training.id, round=2, base="ab" * 32)
    keys, read = counted(market.state().read)

    executed = market.contract.execute(read, action, market.now)

    assert (len(keys), len(executed.writes)) == (75, 169)
    assert max(map(len, executed.writes.values())) < 12_288


def test_a_call_that_would_write_too_much_is_refused(market: Market) -> None:
    """No honest state leads there, so the subsets are given more slots than a dataset can have."""
    training = market.requests(market.publishes(subsets=16, replicas=5, price_job=0, price_round=0)).is_approved()
    state = market.state()
    action = training.owner.signs("StartRound", couple=training.id, round=1, base="ab" * 32, secret=training.secret)

    def read(keys: Sequence[str]) -> list[bytes | None]:
        values = state.read(keys)
        for place, key in enumerate(keys):
            value = values[place]
            if key.startswith("subset/") and value is not None:
                subset = assets.decode("subset", value)
                assert isinstance(subset, assets.DataSubset)
                crowded = assets.with_changes(subset, slots=subset.slots + subset.slots[:2])
                values[place] = assets.encode(crowded)
        return values

    with refused("limit"):
        market.contract.execute(read, action, market.now)


def careless(*, reads: int = 0, writes: int = 0, slots: int = 0) -> Rule:
    """A rule that reads and writes as many records as it is told, and one with so many slots."""
    ids = [MemberId(f"{number:064x}") for number in range(max(reads, writes))]
    slot = assets.Slot(instance=InstanceId("01" * 32), co=MemberId("02" * 32), handle=Handle("03" * 32))

    def decide(call: Call[Withdraw], view: View) -> Effects:
        view.find_all(assets.Account, ids[:reads])
        crowded = assets.DataSubset(
            dataset=DatasetId("04" * 32),
            index=0,
            digest=Digest("05" * 32),
            mask_key=PublicKey("06" * 32),
            slots=(slot,) * slots,
        )
        accounts = [Put(id, assets.Account(free=0)) for id in ids[:writes]]
        return Effects(call.member, *accounts, *([Put("07" * 32, crowded)] if slots else []))

    return Rule(RULES["Withdraw"].caller, decide)


@pytest.mark.parametrize(
    ("just_fits", "too_much"),
    [
        # beside its own reads there are the network's and the caller's
        (careless(reads=READS_PER_CALL - 2), careless(reads=READS_PER_CALL - 1)),
        (careless(writes=WRITES_PER_CALL), careless(writes=WRITES_PER_CALL + 1)),
        (careless(slots=RECORD_LARGEST // 256), careless(slots=RECORD_LARGEST // 192)),
    ],
    ids=["reads", "writes", "size"],
)
def test_what_a_rule_reads_and_writes_is_counted_even_if_the_rule_itself_forgets(
    market: Market, monkeypatch: pytest.MonkeyPatch, just_fits: Rule, too_much: Rule
) -> None:
    person = market.model_owner(funds=10)
    monkeypatch.setitem(cast("dict[str, Rule]", RULES), "Withdraw", too_much)
    with refused("limit"):
        person.does("Withdraw", nonce=market.fresh(), amount=1)

    monkeypatch.setitem(cast("dict[str, Rule]", RULES), "Withdraw", just_fits)
    assert person.does("Withdraw", nonce=market.fresh(), amount=1).id == person.id


def test_genesis_holds_the_network_and_no_money(market: Market) -> None:
    genesis = Contract(market.network).genesis()

    assert genesis == {
        f"network/{market.id}": market.network.encode(),
        f"deposits/{market.id}": b'{"amount":0}',
    }


@pytest.mark.parametrize("junk", [b"", b"\x00" * 97, b"{}" * 200, bytes(range(256)) * 40])
def test_no_bytes_whatever_raise_anything_but_a_refusal(market: Market, junk: bytes) -> None:
    with pytest.raises(FreeholdError):
        market.ledger.submit(junk)


def test_a_signed_body_of_any_json_is_refused_in_an_orderly_way(market: Market) -> None:
    person = market.data_owner()
    bodies: list[bytes] = [
        b"{}", b"[]", b"1", b"null", b'"text"', b"{", b"\xff", b'{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}',
        canonical.encode(body(market, person, arguments=[])),
        canonical.encode(body(market, person, arguments="x")),
        canonical.encode(body(market, person, extra=1)),
        canonical.encode(body(market, person, member="x")),
        canonical.encode(body(market, person)).replace(b'"amount":1', b'"amount":1.5'),
        canonical.encode(body(market, person)).replace(b'"amount":1', b'"amount":true'),
        canonical.encode(body(market, person)).replace(b'"amount":1', b'"amount": 1'),
    ]  # fmt: skip
    for each in bodies:
        with refused("malformed"):
            market.ledger.submit(envelope.sign_body(person.seed, each))
