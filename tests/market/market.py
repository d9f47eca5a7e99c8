"""The market itself: its network, ledger and clock, and the stories that many tests begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from freehold.contract.host import Contract
from freehold.errors import Refused
from freehold.ledger.memory import MemoryLedger
from freehold.ledger.replay import Replay
from freehold.ledger.state import State
from freehold.ports.ledger import Engine
from freehold.ports.machine import Executed, Machine
from freehold.protocol import commitments, identifiers
from freehold.protocol.identifiers import CoupleId, DatasetId, MemberId, Nonce, Secret, StoreName
from freehold.protocol.network import Authority, Channel, NetworkRecord, Operator
from tests.market.datasets import Dataset
from tests.market.people import Member, Signer, bytes_of, public_key
from tests.market.trainings import Replica, Training

GRACE = 500
SKEW = 250

TERMS: Mapping[str, Any] = {
    "answer_window": 20_000,
    "close_window": 10_000,
    "commit_window": 10_000,
    "hold": 80_000,
    "idle_window": 30_000,
    "methods": ["linear-1"],
    "price_job": 100,
    "price_round": 400,
    "rounds_per_training": 10,
    "rounds_total": 100,
    "stake": 1_000,
    "store": "main",
}


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Somebody is refused with exactly this code."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code, f"refused with {caught.value.code}, not {code}: {caught.value}"


class Market:
    """A network, its ledger, its clock, its treasury and its referee."""

    def __init__(
        self,
        *,
        permissioned: bool = False,
        engine: Callable[[Machine, Callable[[], int]], Engine] = MemoryLedger,
        seed: object = 0,
        now: int = 1_000_000,
        grace: int = GRACE,
        skew: int = SKEW,
        operators: Sequence[Operator] = (),
        authorities: Sequence[Authority] = (),
        channel: Channel | None = None,
    ) -> None:
        self.seed = seed
        self.now = now
        self.treasury_seed, self.registrar_seed, self.referee_seed = (
            bytes_of(seed, name) for name in ("treasury", "registrar", "referee")
        )
        self.network = NetworkRecord(
            authorities=tuple(sorted(authorities)) or None,
            channel=channel,
            grace=grace,
            nonce=Nonce(bytes_of(seed, "network").hex()),
            operators=tuple(sorted(operators)) or None,
            referees=(public_key(self.referee_seed),),
            registrar=public_key(self.registrar_seed) if permissioned else None,
            skew=skew,
            stores=(StoreName("main"), StoreName("spare")),
            treasury=public_key(self.treasury_seed),
        )
        self.contract = Contract(self.network)
        self.id = self.contract.network_id
        self.ledger = engine(self.contract, lambda: self.now)
        self.treasury = Signer(self, self.treasury_seed, MemberId(self.network.treasury))
        self.referee = Signer(self, self.referee_seed, MemberId(self.network.referees[0]))
        self.people: dict[str, Member] = {}
        self._fresh = 0

    def fresh(self) -> str:
        """A nonce that nobody used before, hex."""
        self._fresh += 1
        return bytes_of(self.seed, "fresh", self._fresh).hex()

    def waits(self, milliseconds: int) -> None:
        """Time passes."""
        self.now += milliseconds

    def waits_until_after(self, deadline: int) -> None:
        """Time passes until a deadline is over for everybody."""
        self.now = max(self.now, deadline + self.network.grace + 1)

    def data_owner(self, **admitted: Any) -> Member:
        """A data owner joins."""
        return self._joins("CreateDO", "do", **admitted)

    def cloud_owner(self, funds: int = 0, **admitted: Any) -> Member:
        """A cloud owner joins, with so much in its account."""
        return self._joins("CreateCO", "co", **admitted).has(funds)

    def model_owner(self, funds: int = 0, **admitted: Any) -> Member:
        """A model owner joins, with so much in its account."""
        return self._joins("CreateMO", "mo", **admitted).has(funds)

    def newcomer(self, role: str) -> Member:
        """Somebody with keys of its own who has not joined yet."""
        return Member(self, role, bytes_of(self.seed, "member", self.fresh()))

    def _joins(self, function: str, role: str, **admitted: Any) -> Member:
        person = self.newcomer(role)
        person.joins(function, **admitted)
        return person

    def executes(self, action: bytes) -> Executed:
        """What the rules make of an action now; nothing is recorded."""
        return self.contract.execute(self.state().read, action, self.now)

    def state(self) -> State:
        """The present state, replayed from the ledger's blocks."""
        replay = Replay(self.contract, None)
        for block in self.ledger.export(0, self.ledger.info().height):
            replay.apply(block)
        return replay.state

    def record(self, kind: str, id: str) -> dict[str, Any]:
        """A record of the ledger."""
        found: dict[str, Any] = self.ledger.evaluate("get", {"kind": kind, "id": id})
        return found

    def records(self, kind: str, **where: Any) -> list[dict[str, Any]]:
        """Records of the ledger whose fields have these values."""
        found: list[dict[str, Any]] = self.ledger.evaluate("list", {"kind": kind, "where": where})
        return found

    def money_is_conserved(self) -> bool:
        """Whether every micro-credit is somewhere."""
        return bool(self.ledger.evaluate("totals", {})["conserved"])

    def earned(self, person: Member | Replica) -> int:
        """What jobs and fees brought a member so far, collected or not."""
        causes = {job["id"] for job in self.records("job", co=person.id)}
        for couple in self.records("couple"):
            for part in couple["parts"]:
                rounds = range(1, couple["round"] + 1)
                couple_id, dataset = CoupleId(couple["id"]), DatasetId(part["dataset"])
                causes |= {identifiers.fee_cause(couple_id, number, dataset) for number in rounds}
        return sum(each["amount"] for each in self.records("payout", payee=person.id) if each["cause"] in causes)

    def publishes(self, subsets: int = 4, replicas: int = 3, **terms: Any) -> Dataset:
        """A data owner publishes a dataset, every slot of it held by a cloud owner of its own."""
        return self.drafts(subsets, replicas, **terms).is_held().is_published()

    def drafts(
        self,
        subsets: int | Sequence[Mapping[str, str]] = 4,
        replicas: int = 3,
        owner: Member | None = None,
        **terms: Any,
    ) -> Dataset:
        """A data owner drafts a dataset with so many subsets, or with exactly these; nobody holds them yet."""
        owner = owner or self.data_owner()
        if isinstance(subsets, int):
            subsets = [{"digest": self.fresh(), "mask_key": self.mask_key()} for _ in range(subsets)]
        agreed = {**TERMS, "group_min": len(subsets), "referee": self.referee.id, **terms}
        agreed = {name: value for name, value in agreed.items() if value is not None}
        accepted = owner.does(
            "CreateDS", nonce=self.fresh(), m=len(subsets), n=replicas, terms=agreed, card_digest=self.fresh()
        )
        dataset = Dataset(self, DatasetId(accepted.id), owner)
        for index, subset in enumerate(subsets):
            owner.does("CreateDSS", dataset=dataset.id, index=index, **subset)
        return dataset

    def mask_key(self) -> str:
        """A mask key of no known weakness."""
        return self.fresh()[:-2] + "00"

    def requests(self, *datasets: Dataset, rounds: int = 4, owner: Member | None = None, **changes: Any) -> Training:
        """A model owner with enough money asks for a training over these datasets."""
        owner = owner or self.model_owner(funds=rounds * 100_000)
        model = owner.registers_a_model()
        training = Training(self, self.fresh(), owner, list(datasets), secret=Secret(self.fresh()))
        owner.does(
            "RequestTC",
            **{
                "nonce": training.nonce,
                "model": model,
                "datasets": sorted(dataset.id for dataset in datasets),
                "rounds": rounds,
                "draw_commitment": commitments.draw(training.id, owner.id, training.secret),
                **changes,
            },
        )
        return training

    def trains(self, subsets: int = 4, replicas: int = 3, rounds: int = 4, **terms: Any) -> Training:
        """A training over one dataset, approved and ready for its first round."""
        return self.requests(self.publishes(subsets, replicas, **terms), rounds=rounds).is_approved()
