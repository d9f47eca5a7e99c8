"""Who acts: members, the treasury and the referee, each a key that signs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from freehold.ports.ledger import Accepted
from freehold.protocol import envelope, identifiers, signatures
from freehold.protocol.identifiers import Handle, MemberId, PublicKey

if TYPE_CHECKING:
    from tests.market.market import Market

HOUR = 3_600_000


def bytes_of(*words: object) -> bytes:
    """32 bytes that look random and are the same in every run."""
    return hashlib.sha256("/".join(map(str, words)).encode()).digest()


def public_key(seed: bytes) -> PublicKey:
    """The Ed25519 key of a seed."""
    return PublicKey(signatures.public_key(seed).hex())


class Signer:
    """A key that signs actions: a member's, the treasury's or a referee's."""

    def __init__(self, market: Market, seed: bytes, id: MemberId) -> None:
        self.market = market
        self.seed = seed
        self.id = id

    def signs(self, function: str, **arguments: Any) -> bytes:
        """The action as bytes; it claims the market's time."""
        return envelope.sign_action(
            self.seed,
            network=self.market.id,
            function=function,
            member=self.id,
            time=self.market.now,
            arguments=arguments,
        )

    def does(self, function: str, **arguments: Any) -> Accepted:
        """Signs an action and sends it."""
        return self.market.ledger.submit(self.signs(function, **arguments))


class Member(Signer):
    """A data, cloud or model owner."""

    def __init__(self, market: Market, role: str, seed: bytes) -> None:
        self.role = role
        self.recovery_seed = bytes_of(seed.hex(), "recovery")
        self.keys = {
            "signing_key": public_key(seed),
            "sealing_key": PublicKey(bytes_of(seed.hex(), "sealing").hex()),
            "recovery_key": public_key(self.recovery_seed),
        }
        id = identifiers.member_id(role, market.id, *self.keys.values())
        super().__init__(market, seed, id)

    def joins(self, function: str, *, handle: str | None = None, until: int | None = None) -> Member:
        """Becomes a member; in a permissioned network the registrar vouches for the handle."""
        arguments: dict[str, Any] = dict(self.keys)
        if self.market.network.registrar is not None:
            arguments["admission"] = self.is_vouched_for(handle, until)
        self.does(function, **arguments)
        self.market.people[self.id] = self
        return self

    def is_vouched_for(self, handle: str | None = None, until: int | None = None) -> dict[str, Any]:
        """The registrar's word for it."""
        handle = handle or self.market.fresh()
        until = self.market.now + 24 * HOUR if until is None else until
        seed, network = self.market.registrar_seed, self.market.id
        signature = signatures.sign_admission(seed, network, self.id, Handle(handle), until)
        return {"handle": handle, "until": until, "signature": signature}

    def has(self, amount: int) -> Member:
        """The treasury credits so much, and the member collects it."""
        if amount:
            payout = self.market.treasury.does("Deposit", nonce=self.market.fresh(), payee=self.id, amount=amount).id
            self.does("Collect", payouts=[payout])
        return self

    def rotates(self) -> Member:
        """Takes a fresh signing key, by its recovery key."""
        version = self.market.record("member", self.id)["version"]
        self.seed = bytes_of(self.seed.hex(), "rotated")
        self.keys["signing_key"] = public_key(self.seed)
        Signer(self.market, self.recovery_seed, self.id).does("RotateKey", version=version, **self.keys)
        return self

    @property
    def account(self) -> int:
        """Free micro-credits."""
        return int(self.market.record("account", self.id)["free"])

    def payouts(self, **where: Any) -> list[dict[str, Any]]:
        """What it got so far, or what of it fits."""
        return self.market.records("payout", payee=self.id, **where)

    def collects(self) -> int:
        """Takes every payout that is due by now, and says what the account holds then."""
        due = [payout["id"] for payout in self.payouts(state="due") if payout["from"] <= self.market.now]
        for first in range(0, len(due), 64):
            self.does("Collect", payouts=due[first : first + 64])
        return self.account

    def registers_a_model(self, **changes: Any) -> str:
        """Registers a linear model and says its id."""
        digests = {name: self.market.fresh() for name in ("nonce", "map", "material", "hash")}
        model = {**digests, "type": "linear", "method": "linear-1", "store": "main", **changes}
        return self.does("CreateMod", **model).id
