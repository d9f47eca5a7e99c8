"""Money that a person moves: out of the market, or, as the treasury, into it.

Neither can be sent twice by accident. What is to be moved is decided under a number before it is sent: the nonces
are part of the decision, so a second attempt has the id of the first, and the ledger refuses it. A person who types
the same again after a crash goes on with the attempt that was not finished; once its end was told, the next one is
new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from freehold.agents.discretion import claimed_time
from freehold.agents.journal import Decision, Journal
from freehold.agents.reading import Reader
from freehold.agents.world import Signer, World
from freehold.errors import Invalid, Refused
from freehold.protocol.actions import Arguments, Collect, Deposit, Withdraw
from freehold.protocol.identifiers import MemberId, Nonce, PayoutId
from freehold.protocol.limits import PAYOUTS_PER_COLLECT

_NONCE_BYTES: Final = 32
_DONE: Final = "moved"


class Part(Decision, frozen=True, kw_only=True):
    """What goes out of one account, or into one."""

    member: MemberId
    nonce: Nonce
    amount: Annotated[int, Meta(ge=1)]


class Moving(Decision, frozen=True, kw_only=True):
    """Money that is to be moved, from one or several accounts of one profile."""

    parts: tuple[Part, ...]

    @property
    def amount(self) -> int:
        """All of it."""
        return sum(part.amount for part in self.parts)


class Purse:
    """Moves money for one profile; `signers` are those who may sign for it."""

    def __init__(self, world: World, journal: Journal, signers: Sequence[Signer], *, skew: int = 0) -> None:
        """`skew` is the network's: what its actions claim is rounded by it, see `discretion`."""
        self._world = world
        self._skew = skew
        self._journal = journal
        self._signers = {signer.member: signer for signer in signers}
        self._reader = Reader(world.ledger)

    def withdraw(self, amount: int) -> str:
        """Takes `amount` micro-credits out of the market; returns the name of the attempt, to be told with `told`.

        Refused `no-funds` if the accounts hold less; Invalid while another amount is not finished.
        """
        return self._move("withdrawal", amount, lambda: self._split(amount), self._withdrawal)

    def givers(self, amount: int) -> tuple[int, int]:
        """How many accounts a withdrawal of `amount` takes from, and what one of them alone could give at most."""
        free = [each for each, _ in self._fullest_first()]
        needed = next((count for count in range(1, len(free) + 1) if sum(free[:count]) >= amount), len(free))
        return needed, max(free, default=0)

    def deposit(self, payee: MemberId, amount: int) -> str:
        """Credits `payee`, as the treasury; returns the name of the attempt, to be told with `told`.

        Refused `unknown` if there is no such member, `limit` if the market's money would exceed what is allowed.
        """
        if self._reader.member(payee) is None:
            raise Refused("unknown", f"There is no member {payee[:8]}.", now="nothing was sent")
        parts = (Part(member=payee, nonce=self._nonce(), amount=amount),)
        return self._move(f"deposit/{payee}", amount, lambda: parts, self._deposit)

    def collect(self) -> int:
        """Collects everything that is due now, for every account; returns how much it was."""
        collected = 0
        for signer in self._signers.values():
            if self._reader.member(signer.member) is None:
                continue
            now = self._world.clock()
            ready = sorted(
                (each.id, each.record) for each in self._reader.account(signer.member).due if each.record.since <= now
            )
            for start in range(0, len(ready), PAYOUTS_PER_COLLECT):
                some = ready[start : start + PAYOUTS_PER_COLLECT]
                claims = claimed_time(now, self._skew, at_least=max(payout.since for _, payout in some))
                payouts = tuple(PayoutId(id) for id, _ in some)
                signer.send(self._world, Collect(payouts=payouts), claims=claims)
                collected += sum(payout.amount for _, payout in some)
        return collected

    def told(self, attempt: str) -> None:
        """Remembers that a person knows of the end of an attempt: the same again would be another one."""
        self._journal.note(_DONE, attempt, "")

    def _move(
        self, what: str, amount: int, split: Callable[[], tuple[Part, ...]], say: Callable[[Part], Arguments]
    ) -> str:
        attempt = next(
            name
            for name in (f"{what}/{number}" for number in range(1 << 30))
            if self._journal.noted(_DONE, name) is None
        )
        moving = self._journal.decide(Moving, attempt, lambda: Moving(parts=split()))
        if moving.amount != amount:
            raise Invalid(
                f"Another amount is on its way: {moving.amount} micro-credits.",
                why="it was interrupted, and nobody knows yet whether it arrived",
                next="give the same amount again to finish it, then this one",
                now="nothing was sent",
            )
        for part in moving.parts:
            self._send(attempt, part, say(part))
        return attempt

    def _send(self, attempt: str, part: Part, arguments: Arguments) -> None:
        signer = self._signers.get(part.member) or next(iter(self._signers.values()))
        try:
            signer.send(self._world, arguments, claims=claimed_time(self._world.clock(), self._skew))
        except Refused as refused:
            if refused.code == "exists":
                return
            # It can never arrive under this name: a later wish must not be held up by it.
            self.told(attempt)
            raise

    def _split(self, amount: int) -> tuple[Part, ...]:
        """The accounts that give, the fullest first: few withdrawals say little about who belongs together."""
        free = self._fullest_first()
        if sum(each for each, _ in free) < amount:
            have = sum(each for each, _ in free)
            raise Refused("no-funds", f"Your accounts hold {have} micro-credits, not {amount}.", now="nothing was sent")
        parts, left = [], amount
        for each, member in free:
            if left and each:
                parts.append(Part(member=member, nonce=self._nonce(), amount=min(left, each)))
                left -= parts[-1].amount
        return tuple(parts)

    def _fullest_first(self) -> list[tuple[int, MemberId]]:
        joined = [member for member in self._signers if self._reader.member(member) is not None]
        return sorted(((self._reader.account(member).free, member) for member in joined), reverse=True)

    def _withdrawal(self, part: Part) -> Withdraw:
        return Withdraw(nonce=part.nonce, amount=part.amount)

    def _deposit(self, part: Part) -> Deposit:
        return Deposit(nonce=part.nonce, payee=part.member, amount=part.amount)

    def _nonce(self) -> Nonce:
        return Nonce(self._world.random(_NONCE_BYTES).hex())
