"""A member's three keys, and the sheet of paper that outlives them.

A member is a signing key (Ed25519), a sealing key (X25519) and a recovery key. The first two lie on the
member's machine. The third is never stored: its seed follows from 24 words (256 bits, BIP 39's English list
with its checksum) that a person writes down once, and only its *public* half stays, because the member's id is
the hash of all three. Who steals the machine can act for the member until the words rotate the keys; who has
only the machine cannot rotate them back.

A cloud owner takes part with a fresh member for every dataset, so that nobody can link what it holds. Signing
and sealing keys of such members are random. Their recovery seeds come from the same words by number,

    seed of number i = HKDF(the words' 32 bytes, T(recovery) ‖ u64 i)

so one sheet recovers them all, and the public halves still have nothing in common. Since the words are not
kept, a supply of public halves is derived while the person has them at hand; each fresh member uses up one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from freehold.errors import Invalid
from freehold.protocol import signatures
from freehold.protocol.digests import T, hkdf, u64
from freehold.protocol.identifiers import MemberId, NetworkId, PublicKey, member_id
from freehold.protocol.sealing import sealing_public_key

Opened = TypeVar("Opened")
Random = Callable[[int], bytes]
"""A source of that many random bytes; `os.urandom` outside tests."""
Role = Literal["do", "co", "mo", "treasury", "referee"]
Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]

WORDS: Final = 24
SECRET_BYTES: Final = 32
FRESH_MEMBERS: Final = 256
"""How many members of a cloud owner one sheet of words covers before the words are asked for again."""


class Coming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys that are about to replace those of a member: 32-byte seeds."""

    signing: Key
    sealing: Key

    def __repr__(self) -> str:
        """Says nothing of them."""
        return "<coming keys>"


class MemberKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of one member: 32-byte seeds of two of them, the public half of the third."""

    number: int
    signing: Key
    sealing: Key
    recovery: Key
    first: tuple[Key, Key] | None = None
    """Public signing and sealing key that the member joined with, once they were rotated: its id hangs on them."""
    earlier: tuple[Key, ...] = ()
    """Sealing keys before the present one, newest first: what was sealed to them must still be opened."""
    coming: Coming | None = None
    """What a rotation that has begun puts in their place."""

    def __repr__(self) -> str:
        """Says which keys these are and none of them."""
        return f"<keys of member {self.number}>"

    @property
    def signing_key(self) -> PublicKey:
        """What the ledger calls this member's signing key."""
        return PublicKey(signatures.public_key(self.signing).hex())

    @property
    def sealing_key(self) -> PublicKey:
        """What others seal packages and locators to."""
        return PublicKey(sealing_public_key(self.sealing).hex())

    @property
    def recovery_key(self) -> PublicKey:
        """The key that may replace the other two."""
        return PublicKey(self.recovery.hex())

    def id_in(self, role: str, network: NetworkId) -> MemberId:
        """The id of these keys as a member of `role` in `network`."""
        if self.first is None:
            return member_id(role, network, self.signing_key, self.sealing_key, self.recovery_key)
        signing, sealing = (PublicKey(key.hex()) for key in self.first)
        return member_id(role, network, signing, sealing, self.recovery_key)

    @property
    def openers(self) -> tuple[bytes, ...]:
        """Every sealing key that something may have been sealed to, the present one first."""
        return (self.sealing, *self.earlier)

    def rotated(self) -> MemberKeys:
        """The keys after the rotation that has begun; the recovery key, so the sheet of words, stays."""
        if self.coming is None:
            return self
        first = self.first or (bytes.fromhex(self.signing_key), bytes.fromhex(self.sealing_key))
        return MemberKeys(
            number=self.number,
            signing=self.coming.signing,
            sealing=self.coming.sealing,
            recovery=self.recovery,
            first=first,
            earlier=self.openers,
        )


class KeyRing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything secret that one profile signs and opens with, by ascending number."""

    role: Role
    members: tuple[MemberKeys, ...]
    recovery: tuple[Key, ...]
    """Public recovery keys of the numbers that are not used yet, the next one first."""

    def __repr__(self) -> str:
        """Says whose keys these are and none of them."""
        return f"<{len(self.members)} keys of a {self.role}>"


def new_words(random: Random) -> str:
    """24 fresh words; they are shown once and never stored."""
    from mnemonic import Mnemonic  # the word list is read from disk: only commands that need words pay for it

    words: str = Mnemonic("english").to_mnemonic(random(SECRET_BYTES))
    return words


def recovery_secret(words: str) -> bytes:
    """The 32 bytes behind 24 words; Invalid if a word is unknown or the checksum says that one is wrong."""
    from mnemonic import Mnemonic

    spelled = words.lower().split()
    if len(spelled) != WORDS:
        raise Invalid(f"A sheet has {WORDS} words, these are {len(spelled)}.")
    book = Mnemonic("english")
    unknown = [str(place) for place, word in enumerate(spelled, 1) if word not in book.wordlist]
    if unknown:
        raise Invalid(f"Not in the list of words: number {', '.join(unknown)}.", next="look at these words again")
    try:
        return bytes(book.to_entropy(spelled))
    except ValueError:
        raise Invalid(
            "These 24 words do not belong together.",
            why="the last word holds a checksum of the others",
            next="compare each word, and their order, with the sheet",
        ) from None


def recovery_seed(secret: bytes, number: int) -> bytes:
    """The seed of the recovery key of member `number`, from the bytes behind the words."""
    return hkdf(secret, T("recovery") + u64(number))


def new_ring(role: Role, words: str, random: Random) -> KeyRing:
    """The first keys of a profile: one member, or for a cloud owner none yet but the supply for many.

    Treasury and referee are keys in the network record and no members: they have nothing to recover, and `words` are
    not used.
    """
    if role in ("treasury", "referee"):
        # No recovery key exists for it; the field must hold something, and a public key of nobody's seed will do.
        return KeyRing(role=role, members=(_fresh(0, bytes(SECRET_BYTES), random),), recovery=())
    secret = recovery_secret(words)
    supply = FRESH_MEMBERS if role == "co" else 1
    keys = tuple(signatures.public_key(recovery_seed(secret, number)) for number in range(supply))
    ring = KeyRing(role=role, members=(), recovery=keys)
    return ring if role == "co" else with_fresh_member(ring, random)


def with_fresh_member(ring: KeyRing, random: Random) -> KeyRing:
    """The ring with one more member; Invalid if the supply of recovery keys is used up."""
    if not ring.recovery:
        raise Invalid(
            f"All {len(ring.members)} members that these words cover are made.",
            next="make a new profile with its own words: freehold init cloud-owner",
        )
    fresh = _fresh(len(ring.members), ring.recovery[0], random)
    return KeyRing(role=ring.role, members=(*ring.members, fresh), recovery=ring.recovery[1:])


def with_coming_keys(ring: KeyRing, random: Random) -> KeyRing:
    """The ring with new keys beside every member's; those of a rotation that was interrupted stay."""

    def begun(keys: MemberKeys) -> MemberKeys:
        fresh = Coming(signing=random(SECRET_BYTES), sealing=random(SECRET_BYTES))
        return keys if keys.coming is not None else msgspec.structs.replace(keys, coming=fresh)

    return msgspec.structs.replace(ring, members=tuple(begun(keys) for keys in ring.members))


def opened_by_any(keys: MemberKeys, open_with: Callable[[bytes], Opened]) -> Opened:
    """What `open_with` opens with the present sealing key or an earlier one; Invalid as it says for the present one."""
    for key in keys.openers if keys.earlier else ():
        try:
            return open_with(key)
        except Invalid:
            continue
    return open_with(keys.sealing)


def _fresh(number: int, recovery: bytes, random: Random) -> MemberKeys:
    return MemberKeys(number=number, signing=random(SECRET_BYTES), sealing=random(SECRET_BYTES), recovery=recovery)
