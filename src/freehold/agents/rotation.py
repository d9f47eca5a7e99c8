"""Rotating keys after a theft: the thief's copy stops working at once, and the member stays who it is.

The words' recovery key signs RotateKey; it is never on the machine, so whoever stole the machine's keys cannot do
the same. The new keys are stored beside the old ones before the ledger hears of them: killed in between, the same
new keys are named again. The old sealing key stays, since what was sealed to it before must still be opened. What
a thief copied stays readable to it as well: that, no rotation can undo.
"""

from __future__ import annotations

from freehold.agents.keys import KeyRing, MemberKeys, recovery_secret, recovery_seed
from freehold.agents.reading import Reader
from freehold.agents.world import World
from freehold.errors import Invalid
from freehold.protocol import signatures
from freehold.protocol.actions import RotateKey
from freehold.protocol.envelope import sign_action
from freehold.protocol.identifiers import NetworkId


def require_words(ring: KeyRing, words: str) -> bytes:
    """The secret behind the words; Invalid, before anything is sent, if they are not those of these keys."""
    secret = recovery_secret(words)
    for keys in ring.members:
        if signatures.public_key(recovery_seed(secret, keys.number)) != keys.recovery:
            raise Invalid(
                "These are the words of other keys.", next="look for the sheet of this profile", now="nothing was sent"
            )
    return secret


def rotate(world: World, network: NetworkId, role: str, keys: MemberKeys, secret: bytes) -> bool:
    """Has the ledger take the coming keys of one member, unless it did before; False if it does not know the member.

    Raises Invalid if the ledger names keys that are neither the old nor the coming ones.
    """
    coming, member = keys.coming, keys.id_in(role, network)
    seen = Reader(world.ledger).member(member)
    if seen is None or coming is None:
        return False
    rotated = keys.rotated()
    if seen.record.signing_key == rotated.signing_key:
        return True
    if seen.record.signing_key != keys.signing_key:
        raise Invalid(
            f"The ledger names other keys for member {member[:8]}.",
            why="they were rotated before, with these words, on another machine",
            next="use the profile of that machine",
            now="nothing was sent",
        )
    arguments = RotateKey(
        version=seen.record.version,
        signing_key=rotated.signing_key,
        sealing_key=rotated.sealing_key,
        recovery_key=rotated.recovery_key,
    )
    world.ledger.submit(
        sign_action(
            recovery_seed(secret, keys.number),
            network=network,
            function="RotateKey",
            member=member,
            time=world.clock(),
            arguments=arguments,
        )
    )
    return True
