"""Whose actions may wait to be ordered, and how many: what a validator asks before it carries somebody's bytes.

Waiting room is shared by all and costs its sender nothing. So an action enters only with a signature that fits, from
somebody whom the ledger knows or who is about to join, and each sender has a bounded number of places. Signatures are
remembered by digest: what was checked here is not checked again when its block comes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from freehold.errors import Refused, Unavailable
from freehold.ports.state_view import Read
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST

REMEMBERED: Final = 65_536
"""Signatures that are remembered."""
WAITING_PER_SENDER: Final = 1_024
NEWCOMERS: Final = "newcomers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """On whose account an action waits."""

    name: str
    known: bool
    """Whether the ledger knows the sender already."""
    joins: bool = False
    """Whether the action itself would make the sender known."""


class Introduction(Protocol):
    """What admission has to be told about actions, since an engine does not understand them."""

    def check(self, action: bytes) -> None:
        """Raises Refused unless size and signature are good."""
        ...

    def sender(self, read: Read, action: bytes) -> Sender:
        """Who sends an action whose signature is good; raises Refused if it is nobody's."""
        ...


class Signatures:
    """The signatures that were found good, the newest of them; one thread."""

    def __init__(self, check: Callable[[bytes], None]) -> None:
        self._check = check
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def check(self, action: bytes) -> None:
        """Raises Refused unless size and signature are good. A bad one is not remembered: it must not push out."""
        if len(action) > ACTION_LARGEST:
            raise Refused("malformed", f"an action has at most {ACTION_LARGEST} bytes, this one {len(action)}")
        digest = sha256(action)
        if digest in self._good:
            self._good.move_to_end(digest)
            return
        self._check(action)
        self._good[digest] = None
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)


class Admission:
    """The waiting room of one node; one thread."""

    def __init__(self, introduction: Introduction, *, most: int = WAITING_PER_SENDER) -> None:
        self.signatures = Signatures(introduction.check)
        self._introduction = introduction
        self._most = most
        self._waiting: dict[bytes, Sender] = {}
        self._joining: set[str] = set()
        self._counts: Counter[str] = Counter()

    def admit(self, read: Read, action: bytes) -> bool:
        """Gives the action a place; Refused or Unavailable if it gets none. Asked again, it keeps the one it has.

        Whether it is a new one.
        """
        digest = sha256(action)
        if digest in self._waiting:
            return False
        self.signatures.check(action)
        sender = self._introduction.sender(read, action)
        if not (sender.known or sender.joins or sender.name in self._joining):
            raise Refused("unknown", "the action's sender is no member of this network")
        account = sender.name if sender.known else NEWCOMERS
        if self._counts[account] >= self._most:
            raise Unavailable(
                f"{self._most} actions of this sender wait already",
                next="try again",
                retry_after=0.5,
                now="nothing was recorded",
            )
        self._waiting[digest] = sender
        self._counts[account] += 1
        if sender.joins:
            self._joining.add(sender.name)
        return True

    def ordered(self, digests: Iterable[bytes]) -> None:
        """Frees the places of actions that a block took, or that were turned away after all."""
        for digest in digests:
            sender = self._waiting.pop(digest, None)
            if sender is None:
                continue
            self._counts[sender.name if sender.known else NEWCOMERS] -= 1
            if sender.joins:
                self._joining.discard(sender.name)
        self._counts = +self._counts
