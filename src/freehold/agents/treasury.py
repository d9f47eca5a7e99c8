"""The treasury of an open network for trying things out: every new member is welcomed with credits, once.

In earnest a treasury credits whoever paid it; then nobody runs this agent. Here it lets a market begin. "Once"
does not rest on this process's memory: the deposit's nonce follows from the member's id, so the second deposit
for the same member has the id of the first, and the ledger refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from freehold.agents.journal import Journal
from freehold.agents.keys import MemberKeys
from freehold.agents.loop import Pace, Step, Tell, Turn, Wait, tell_nobody, turn
from freehold.agents.reading import Reader
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Refused
from freehold.protocol.actions import Deposit
from freehold.protocol.digests import T, hkdf, raw
from freehold.protocol.identifiers import MemberId, Nonce
from freehold.protocol.network import NetworkRecord, network_id
from freehold.terminal.money import in_credits

LOOK_EVERY: Final = 500
"""Milliseconds between two looks for new members: joining sends no event to anybody."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """Credit a new member."""

    member: MemberId
    amount: int

    def __str__(self) -> str:
        return f"welcomes member {self.member[:8]} with {in_credits(self.amount)} credits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Members that were not welcomed yet, with their roles."""

    newcomers: tuple[tuple[MemberId, str], ...]
    welcome: Mapping[str, int]


def next_steps(known: Known, now: int) -> Iterator[Step]:
    """Welcomes everybody whose role is welcomed with anything."""
    for member, role in known.newcomers:
        if known.welcome.get(role, 0) > 0:
            yield Welcome(member, known.welcome[role])
    yield Wait(now + LOOK_EVERY)


class Treasury:
    """Credits each new member once."""

    def __init__(
        self,
        *,
        network: NetworkRecord,
        keys: MemberKeys,
        welcome: Mapping[str, int],
        world: World,
        journal: Journal,
        tell: Tell = tell_nobody,
    ) -> None:
        """`welcome` has micro-credits by role (do, co, mo); a role that is absent gets nothing."""
        # The treasury is a key of the network record and no member: it signs as its own key.
        self._signer = Signer(network=network_id(network), member=MemberId(keys.signing_key), keys=keys)
        self._welcome = dict(welcome)
        self._world = world
        self._journal = journal
        self._tell = tell
        self._reader = Reader(world.ledger)
        self._pace = Pace()
        self._welcomed: set[str] = set()

    def step(self, now: int) -> Turn:
        """One turn: look, plan, act."""
        return turn(self, self._pace, now, self._tell)

    def look(self) -> Known:
        """Who is new on the ledger."""
        newcomers = [
            (MemberId(member), role)
            for role, amount in sorted(self._welcome.items())
            if amount > 0
            for member in self._members(role)
            if not self._is_welcomed(member)
        ]
        return Known(newcomers=tuple(newcomers), welcome=self._welcome)

    def next_steps(self, known: Known, now: int) -> Iterator[Step]:
        """The plan."""
        return next_steps(known, now)

    def act(self, step: Step, known: Known) -> None:
        """Deposits for one member."""
        if not isinstance(step, Welcome):
            raise Broken(f"A treasury knows no step {step}.")
        nonce = Nonce(hkdf(raw(step.member), T("welcome")).hex())
        try:
            self._signer.send(self._world, Deposit(nonce=nonce, payee=step.member, amount=step.amount))
        except Refused as refused:
            if refused.code != "exists":
                raise
        self._journal.note("welcomed", step.member, str(step.amount))

    def _is_welcomed(self, member: str) -> bool:
        if member not in self._welcomed and self._journal.noted("welcomed", member) is not None:
            self._welcomed.add(member)
        return member in self._welcomed

    def _members(self, role: str) -> Iterator[str]:
        """Every member of a role; a full page is followed by the next."""
        page = self._reader.members(role, after=None)
        while page:
            yield from (member.id for member in page)
            page = self._reader.members(role, after=page[-1].id)
