"""Data owners, buyers and the treasury, as far as cloud owners notice them: when they act, and with whom."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from freehold.agents.data_owner.agent import WAIT_FOR_ANSWER
from freehold.errors import Refused
from freehold.ports.ledger import Accepted
from freehold.protocol import actions, assets, commitments, events, identifiers, packages, signatures
from freehold.protocol.digests import sha256
from freehold.protocol.envelope import sign_action
from freehold.protocol.events import Event
from freehold.protocol.identifiers import CoupleId, Digest, MemberId, Nonce, PublicKey, Secret, StoreName
from freehold.protocol.sealing import seal_locator, sealing_public_key
from pseudonyms import habits
from pseudonyms.ground import Ground
from pseudonyms.habits import CREDIT, DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from pseudonyms.market import Market

SUBSETS, REPLICAS = 4, 3
WELCOME = 6 * CREDIT


class Signing:
    """Somebody with one key who sends actions, each some milliseconds after the one before."""

    def __init__(self, ground: Ground, role: str) -> None:
        self.ground = ground
        self.chance = random.Random(ground.chance.getrandbits(64))
        self.seed = self.chance.randbytes(32)
        self.keys = {
            "signing_key": PublicKey(signatures.public_key(self.seed).hex()),
            "sealing_key": PublicKey(sealing_public_key(self.chance.randbytes(32)).hex()),
            "recovery_key": PublicKey(signatures.public_key(self.chance.randbytes(32)).hex()),
        }
        self.id = identifiers.member_id(role, ground.id, *self.keys.values())
        ground.listeners[self.id] = self.hears

    def hears(self, event: Event, now: int) -> None:
        """Nobody reacts to anything, unless a subclass says how."""

    def does(self, function: str, **arguments: Any) -> Accepted | Refused:
        """Signs an action and sends it now."""
        action = sign_action(
            self.seed,
            network=self.ground.id,
            function=function,
            member=self.id,
            time=self.ground.now,
            arguments=arguments,
        )
        return self.ground.takes(action, -1)

    def soon(self, do: Callable[[], object], after: float = 50) -> None:
        """Does something a little later."""
        self.ground.at(self.ground.now + self.chance.uniform(0.5, 1.5) * after, lambda: void(do()))


def void(_: object) -> None:
    """Nothing is made of an answer."""


class DataPerson(Signing):
    """Owns one dataset: offers slots to cloud owners drawn at random, and replaces whoever misses a job."""

    def __init__(self, market: Market) -> None:
        super().__init__(market.ground, "do")
        self.market = market
        self.nonce = Nonce(self.ground.nonce())
        self.dataset = identifiers.dataset_id(self.ground.id, self.id, self.nonce)
        self.open_slots: list[int] = []
        self.published = False
        self.subset_of: dict[str, int] = {}

    def publishes(self) -> None:
        """CreateDO, CreateDS, CreateDSS for each subset, then offers for every slot."""
        staked = self.chance.random() < 1 / 3
        terms: dict[str, Any] = {
            "answer_window": 2 * DAY,
            "close_window": 10 * MINUTE,
            "commit_window": 10 * MINUTE,
            "group_min": SUBSETS,
            "hold": 30 * DAY,
            "idle_window": 7 * DAY,
            "methods": ["linear-1"],
            "price_job": self.chance.choice((15, 25, 40)) * CREDIT // 100,
            "price_round": 3 * CREDIT,
            "rounds_per_training": 40,
            "rounds_total": 40,
            "stake": 2 * CREDIT if staked else 0,
            "store": "main",
        }
        if staked:
            terms["referee"] = self.ground.network.referees[0]
        self.does("CreateDO", **self.keys)
        self.does("CreateDS", nonce=self.nonce, m=SUBSETS, n=REPLICAS, terms=terms, card_digest=self.ground.nonce())
        for index in range(SUBSETS):
            secret = self.chance.randbytes(32)
            package = packages.pack(self.ground.id, self.dataset, index, secret, secret)
            mask = packages.mask_public(secret, self.dataset, index).hex()
            digest = Digest(sha256(package).hex())
            self.does("CreateDSS", dataset=self.dataset, index=index, digest=digest, mask_key=mask)
        self.open_slots = [index for index in range(SUBSETS) for _ in range(REPLICAS)]
        self.offers()

    def offers(self) -> None:
        """Offers each open slot to somebody to whom nobody offered anything so far."""
        if not self.open_slots:
            return
        if not self.market.candidates:
            self.soon(self.offers, after=20 * MINUTE)
            return
        self.offer_one(self.open_slots.pop(0))
        self.soon(self.offers, after=120)

    def offer_one(self, index: int) -> None:
        """CreateCI; an offer that is not answered is taken back."""
        co = MemberId(self.market.candidates.pop(self.chance.randrange(len(self.market.candidates))))
        nonce = Nonce(self.ground.nonce())
        subset = identifiers.subset_id(self.dataset, index)
        instance = identifiers.instance_id(subset, co, nonce)
        sealing = self.ground.get(assets.Member, co).sealing_key
        locator = seal_locator(sealing, instance, StoreName("main"), self.ground.nonce())
        self.subset_of[instance] = index
        self.does("CreateCI", subset=subset, co=co, nonce=nonce, object=self.ground.nonce(), locator=locator)
        self.ground.at(self.ground.now + WAIT_FOR_ANSWER, lambda: self.takes_back(instance, "free"))

    def takes_back(self, instance: str, state: str) -> None:
        """RetireCI, if the replica is still as it was, and the slot is offered again."""
        if self.ground.get(assets.CloudInstance, instance).state == state:
            self.does("RetireCI", instance=instance)
            self.open_slots.append(self.subset_of[instance])
            self.soon(self.offers)

    def hears(self, event: Event, now: int) -> None:
        if event.name == events.INSTANCE_JOINED:
            self.soon(lambda: self.verifies(event.subject), after=150)

    def verifies(self, instance: str) -> None:
        """VerifyCI, and PublishDS with the last one."""
        self.does("VerifyCI", instance=instance, verdict="verified")
        subsets = [identifiers.subset_id(self.dataset, index) for index in range(SUBSETS)]
        full = all(len(self.ground.get(assets.DataSubset, each).slots) == REPLICAS for each in subsets)
        if full and not self.published:
            self.published = True
            self.does("PublishDS", dataset=self.dataset)
            self.market.is_published(self)

    def replaces(self, instance: str) -> None:
        """Whoever missed a job goes."""
        self.soon(lambda: self.takes_back(instance, "verified"), after=habits.MINUTE)


class Buyer(Signing):
    """Trains once on one dataset."""

    def __init__(self, market: Market, owner: DataPerson, rounds: int) -> None:
        super().__init__(market.ground, "mo")
        self.market = market
        self.owner = owner
        self.rounds = rounds
        self.round = 0
        self.open: set[str] = set()
        self.nonce, self.secret = Nonce(self.ground.nonce()), Secret(self.ground.nonce())
        self.couple: CoupleId = identifiers.couple_id(self.ground.id, self.id, self.nonce)

    def asks(self) -> None:
        """CreateMO, money, CreateMod, RequestTC; some hours later the data owner says yes."""
        terms = self.ground.get(assets.Dataset, self.owner.dataset).terms
        price = self.rounds * (SUBSETS * REPLICAS * terms.price_job + terms.price_round)
        self.does("CreateMO", **self.keys)
        self.market.treasury.credits(self.id, price)
        due = [each.id for each in self.ground.account(self.id).due]
        self.does("Collect", payouts=due)
        digests = {name: self.ground.nonce() for name in ("nonce", "map", "material", "hash")}
        model = self.does("CreateMod", **digests, type="linear", method="linear-1", store="main")
        assert isinstance(model, Accepted), model
        self.does(
            "RequestTC",
            nonce=self.nonce,
            model=model.id,
            datasets=[self.owner.dataset],
            rounds=self.rounds,
            draw_commitment=commitments.draw(self.couple, self.id, self.secret),
        )
        self.soon(self.is_approved, after=8 * HOUR)

    def is_approved(self) -> None:
        """ApproveTC, and the first round."""
        self.owner.does("ApproveTC", couple=self.couple, dataset=self.owner.dataset, share=self.ground.nonce())
        self.soon(self.starts, after=2 * HOUR)

    def starts(self) -> None:
        """StartRound, or EndTC after the last; waits an hour while a replica is being replaced."""
        if self.round == self.rounds:
            self.ends()
            return
        opening = {"secret": self.secret} if self.round == 0 else {}
        arguments = {"couple": self.couple, "round": self.round + 1, "base": self.ground.nonce(), **opening}
        if isinstance(self.does("StartRound", **arguments), Refused):
            self.soon(self.starts, after=HOUR)
            return
        self.round += 1
        couple = self.ground.get(assets.TrainCouple, self.couple)
        subsets = [identifiers.subset_id(self.owner.dataset, index) for index in range(SUBSETS)]
        self.open = {identifiers.ballot_id(self.couple, self.round, subset) for subset in subsets}
        assert couple.close_until is not None
        number = self.round
        self.ground.at(couple.close_until + 2 * MINUTE, lambda: self.is_over(number))

    def hears(self, event: Event, now: int) -> None:
        if event.name == events.BALLOT_DECIDED and event.subject in self.open:
            for job in self.ground.get(assets.Ballot, event.subject).jobs:
                record = self.ground.get(assets.TrainJob, job)
                if record.state == "missing":
                    self.owner.replaces(record.instance)
            self.open.discard(event.subject)
            if not self.open:
                self.soon(self.starts, after=2_000)

    def is_over(self, number: int) -> None:
        """A round that nobody decided is given up."""
        if self.open and number == self.round:
            self.open = set()
            self.starts()

    def ends(self) -> None:
        """EndTC; every agent wakes at news of the ledger, so its workers notice."""
        self.does("EndTC", couple=self.couple)
        self.market.is_news()


class TreasuryPerson:
    """Welcomes each new cloud owner's member with the same amount, as the treasury's agent does."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def credits(self, payee: str, amount: int) -> None:
        """Deposit."""
        action = sign_action(
            self.ground.treasury_seed,
            network=self.ground.id,
            function="Deposit",
            member=MemberId(self.ground.network.treasury),
            time=self.ground.now,
            arguments=actions.Deposit(nonce=Nonce(self.ground.nonce()), payee=MemberId(payee), amount=amount),
        )
        self.ground.takes(action, -2)
