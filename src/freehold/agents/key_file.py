"""The file that holds a profile's keys: sealed by a passphrase, or bare if its owner asked for exactly that.

Sealed: AES-256-GCM under scrypt(passphrase, salt); the header (version, scrypt's costs, salt) is authenticated
with it, so nobody can swap the costs. Bare: the same ring in the clear, for machines whose disk is the
protection. Which of the two it is can be asked without the passphrase, because a person should never have to
guess. The file is 0600 in a 0700 folder; anything looser is refused on reading (`private_files`).

A running agent and a command that adds a member share one file. The agent asks for `ring()` again and again;
the file is read again only when it changed, and the passphrase is not asked for twice, because the derived key
stays in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from freehold.agents.keys import Key, KeyRing, Random, with_fresh_member
from freehold.agents.only_one import only_one
from freehold.agents.private_files import private_folder, read_private, write_private
from freehold.errors import Invalid

Passphrase = Callable[[], str]
"""Asks for the passphrase when it is needed, and only then."""

PASSPHRASE_FILE: Final = "FREEHOLD_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
SCRYPT_COST: Final = 2**17
"""128 MiB and about a third of a second: each guess costs a thief the same."""
_SCRYPT_BLOCK: Final = 8
_FILE_LARGEST: Final = 1 << 20
_PASSPHRASE_LARGEST: Final = 4096
_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 32

Protection = Literal["passphrase", "none"]


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="passphrase"):
    version: Literal[1]
    cost: Annotated[int, msgspec.Meta(ge=2**10, le=2**20)]
    salt: Annotated[bytes, msgspec.Meta(min_length=_SALT_BYTES, max_length=_SALT_BYTES)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=_NONCE_BYTES, max_length=_NONCE_BYTES)]
    sealed: bytes


class _Bare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="none"):
    version: Literal[1]
    ring: KeyRing


class KeyFile:
    """The keys of one profile, as they lie in its folder."""

    def __init__(self, path: Path, passphrase: Passphrase) -> None:
        self._path = path
        self._passphrase = passphrase
        self._derived: tuple[bytes, int, Key] | None = None
        self._read: tuple[tuple[int, int, int], KeyRing] | None = None

    def ring(self) -> KeyRing:
        """The keys as they are now; Invalid if the file is damaged, open to others, or the passphrase is wrong."""
        version = self.version()
        if self._read is None or self._read[0] != version:
            self._read = (version, self._open(_parse(read_private(self._path, largest=_FILE_LARGEST))))
        return self._read[1]

    def add_members(self, count: int, random: Random = os.urandom) -> KeyRing:
        """Makes more members, all of them or none, and stores them before anybody can hear of them."""

        def added(ring: KeyRing) -> KeyRing:
            for _ in range(count):
                ring = with_fresh_member(ring, random)
            return ring

        return self.change(added, random)

    def change(self, how: Callable[[KeyRing], KeyRing], random: Random = os.urandom) -> KeyRing:
        """Stores what `how` makes of the keys, in one step."""
        with only_one(self._path.with_suffix(".lock"), "a change of the keys", wait=10.0):
            stored = _parse(read_private(self._path, largest=_FILE_LARGEST))
            ring = how(self._open(stored))
            data = _encode(stored, ring, self._key(stored) if isinstance(stored, _Sealed) else None, random)
            write_private(self._path, data)
        return ring

    def _open(self, stored: _Sealed | _Bare) -> KeyRing:
        if isinstance(stored, _Bare):
            return stored.ring
        try:
            data = AESGCM(self._key(stored)).decrypt(stored.nonce, stored.sealed, _header(stored))
        except InvalidTag:
            self._derived = None
            raise Invalid(
                f"The passphrase does not open {self._path}.", next="try again", now="nothing was done"
            ) from None
        try:
            return msgspec.json.decode(data, type=KeyRing)
        except msgspec.MsgspecError:
            raise Invalid(f"{self._path} opens, but does not hold keys.") from None

    def _key(self, stored: _Sealed) -> bytes:
        known = self._derived
        if known is None or known[:2] != (stored.salt, stored.cost):
            key = _derive(self._passphrase(), stored.salt, stored.cost)
            self._derived = known = (stored.salt, stored.cost, key)
        return known[2]

    def version(self) -> tuple[int, int, int]:
        """Changes when the file does."""
        try:
            status = self._path.stat()
        except OSError:
            raise Invalid(
                f"There are no keys at {self._path}.", next="freehold init data-owner | cloud-owner | model-owner"
            ) from None
        return (status.st_mtime_ns, status.st_ino, status.st_size)


def create(path: Path, ring: KeyRing, passphrase: str | None, random: Random = os.urandom) -> None:
    """Stores the first keys of a profile; `passphrase` None leaves them bare, which only a person may decide.

    Raises Invalid if keys lie there already: they may be the only ones of a member that exists.
    """
    private_folder(path.parent)
    if path.exists():
        raise Invalid(f"{path} already holds keys.", next="choose another profile name", now="nothing was changed")
    if passphrase is None:
        write_private(path, msgspec.json.encode(_Bare(version=1, ring=ring)))
        return
    if not passphrase:
        raise Invalid("An empty passphrase protects nothing.", next="choose one, or ask for bare keys explicitly")
    salt = random(_SALT_BYTES)
    empty = _Sealed(version=1, cost=SCRYPT_COST, salt=salt, nonce=bytes(_NONCE_BYTES), sealed=b"")
    write_private(path, _encode(empty, ring, _derive(passphrase, salt, SCRYPT_COST), random))


def protection(path: Path) -> Protection:
    """Whether the keys at `path` are sealed by a passphrase or bare; asks for no passphrase."""
    stored = _parse(read_private(path, largest=_FILE_LARGEST))
    return "passphrase" if isinstance(stored, _Sealed) else "none"


def passphrase_from(environment: Mapping[str, str]) -> str | None:
    """The passphrase in the file that `FREEHOLD_PASSPHRASE_FILE` names, None if it is not set.

    The first line counts, without its line end; the file must be private like a key.
    """
    name = environment.get(PASSPHRASE_FILE)
    if not name:
        return None
    data = read_private(Path(name), largest=_PASSPHRASE_LARGEST)
    try:
        passphrase = data.decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise Invalid(f"{name} is not text.") from None
    if not passphrase:
        raise Invalid(f"The first line of {name} is empty.")
    return passphrase


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=_SCRYPT_BLOCK, p=1).derive(passphrase.encode("utf-8"))


def _encode(stored: _Sealed | _Bare, ring: KeyRing, key: bytes | None, random: Random) -> bytes:
    if isinstance(stored, _Bare) or key is None:
        return msgspec.json.encode(_Bare(version=1, ring=ring))
    nonce = random(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, msgspec.json.encode(ring), _header(stored))
    return msgspec.json.encode(msgspec.structs.replace(stored, nonce=nonce, sealed=sealed))


def _header(stored: _Sealed) -> bytes:
    """What is authenticated beside the keys: everything that decides how the passphrase becomes a key."""
    return b"freehold/key-file" + msgspec.json.encode((stored.version, stored.cost, stored.salt))


def _parse(data: bytes) -> _Sealed | _Bare:
    try:
        return msgspec.json.decode(data, type=_Sealed | _Bare)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid("The key file is damaged, or written by a later version.") from None
