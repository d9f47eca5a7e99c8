"""What a member has configured on its own machine: one TOML file, strict, and the environment above it.

    version = 1
    [profiles.stmary]           role, network, and where its key file lies if not in its folder
    [networks.hospital-net]     id (the pinned digest of the network record) and the nodes that serve it
    [stores.main]               url of what an alias of the network record means here: file:///… or http://…
    [cloud]                     what a cloud owner accepts
    [treasury]                  what a new member is credited with

Nothing is guessed: an unknown key is refused with the nearest known one, and a value of the wrong kind with the
place where it stands. Each value may be overridden by `FREEHOLD_SECTION__KEY` (deeper:
`FREEHOLD_NETWORKS__LOCAL__ID`; letters in either case, `_` where a name has a hyphen). New tables are appended,
so a person's comments stay.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_type_hints

import msgspec

from freehold.agents.only_one import only_one
from freehold.agents.private_files import private_folder, write_private
from freehold.errors import Invalid
from freehold.terminal.money import parse_credits

T = TypeVar("T")
ProfileRole = Literal["data-owner", "cloud-owner", "model-owner", "treasury", "referee"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https?://|file:///)[!-~]+$")]

SHORT_ROLES: Final[Mapping[str, Literal["do", "co", "mo", "treasury", "referee"]]] = {
    "data-owner": "do",
    "cloud-owner": "co",
    "model-owner": "mo",
    "treasury": "treasury",
    "referee": "referee",
}
"""What the ledger calls the role of a profile."""
_LARGEST_FILE: Final = 1 << 20
_WAIT_SECONDS: Final = 10.0
_RESERVED: Final = frozenset({"PROFILE", "CONFIG", "HOME", "FORMAT", "PASSPHRASE_FILE"})
_BARE_KEY: Final = re.compile("[A-Za-z0-9_-]+")


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; money may be written in credits ("0.25") and is kept in micro-credits."""


class Profile(_Table, frozen=True, kw_only=True):
    """One member, or for a cloud owner one operator of many members, on this machine."""

    role: ProfileRole
    network: Name
    key: str | None = None


class Network(_Table, frozen=True, kw_only=True):
    """One market: its pinned id, and where its ledger is served."""

    id: Hex
    nodes: Annotated[tuple[Url, ...], msgspec.Meta(min_length=1, max_length=16)]


class Store(_Table, frozen=True, kw_only=True):
    """What a store's alias means on this machine."""

    url: Url


class CloudRules(_Table, frozen=True, kw_only=True):
    """What a cloud owner accepts without being asked; prices and stakes in micro-credits."""

    min_price_job: int = 0
    max_stake: int = 0
    max_rows: int = 300_000
    max_features: int = 1025
    spread: int = 0
    """Milliseconds over which its members strew what does not hurry."""


class Welcome(_Table, frozen=True, kw_only=True):
    """What the treasury credits a new member with, once, by role; micro-credits."""

    welcome_model_owner: int = 0
    welcome_cloud_owner: int = 0
    welcome_data_owner: int = 0


class Configuration(_Table, frozen=True, kw_only=True):
    """The whole file."""

    version: Literal[1] = 1
    profiles: dict[Name, Profile] = {}
    networks: dict[Name, Network] = {}
    stores: dict[Name, Store] = {}
    cloud: CloudRules = CloudRules()
    treasury: Welcome = Welcome()

    def profile(self, name: str) -> Profile:
        """The profile called `name`; Invalid with the nearest name if there is none."""
        return _named(self.profiles, name, "profile", "freehold init data-owner | cloud-owner | model-owner")

    def network(self, name: str) -> Network:
        """The network called `name`; Invalid with the nearest name if there is none."""
        return _named(self.networks, name, "network", "add it to the configuration with its id and nodes")


_MONEY: Final = frozenset(
    {"min_price_job", "max_stake", "welcome_model_owner", "welcome_cloud_owner", "welcome_data_owner"}
)


def configuration_path(environment: Mapping[str, str]) -> Path:
    """Where the configuration lies: `FREEHOLD_CONFIG`, else in the user's folder for configuration."""
    if environment.get("FREEHOLD_CONFIG"):
        return Path(environment["FREEHOLD_CONFIG"])
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or Path.home()) / "freehold" / "config.toml"
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "freehold" / "config.toml"


def home(environment: Mapping[str, str]) -> Path:
    """The folder that holds one private folder for each profile: `FREEHOLD_HOME`, else the user's folder for data."""
    if environment.get("FREEHOLD_HOME"):
        return Path(environment["FREEHOLD_HOME"])
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home()) / "freehold"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "freehold"


def read_configuration(path: Path, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration at `path` with the environment above it; an absent file is an empty one."""
    value = _parse(_text(path), path)
    for name, text in sorted(environment.items()):
        _override(value, name, text)
    return _convert(value, path)


def add_table(path: Path, section: str, name: str, table: Profile | Network | Store) -> None:
    """Appends `[section.name]` to the file, wholly or not at all; Invalid if that name is taken by something else."""
    if not path.parent.exists():
        private_folder(path.parent)
    with only_one(path.with_suffix(".lock"), "a change of the configuration", wait=_WAIT_SECONDS):
        _append(path, section, name, table)


def set_values(path: Path, section: str, values: Mapping[str, int]) -> None:
    """Sets values of `[section]`, wholly or not at all; what else the file says stays as it was written."""
    if not path.parent.exists():
        private_folder(path.parent)
    with only_one(path.with_suffix(".lock"), "a change of the configuration", wait=_WAIT_SECONDS):
        lines = _text(path).splitlines() or ["version = 1"]
        header = f"[{section}]"
        if header not in lines:
            lines += ["", header]
        begin = lines.index(header) + 1
        end = next((at for at in range(begin, len(lines)) if lines[at].startswith("[")), len(lines))
        kept = [line for line in lines[begin:end] if line.partition("=")[0].strip() not in values]
        written = [f"{key} = {_written(value)}" for key, value in values.items()]
        joined = "\n".join([*lines[:begin], *written, *kept, *lines[end:]]) + "\n"
        _convert(_parse(joined, path), path)
        write_private(path, joined.encode("utf-8"))


def _append(path: Path, section: str, name: str, table: Profile | Network | Store) -> None:
    text = _text(path)
    existing = _parse(text, path).get(section, {})
    # by way of JSON, which like TOML has lists and no tuples: what the file says already must compare as equal
    fields = {key: value for key, value in msgspec.json.decode(msgspec.json.encode(table)).items() if value is not None}
    if name in existing:
        if existing[name] != fields:
            raise Invalid(
                f"{path} already has another [{section}.{name}].", next="choose another name", now="unchanged"
            )
        return
    lines = ["" if text else "version = 1\n", f"[{section}.{name}]"]
    lines += [f"{key} = {_written(field)}" for key, field in fields.items()]
    joined = text + ("" if not text or text.endswith("\n") else "\n") + "\n".join(lines) + "\n"
    _convert(_parse(joined, path), path)
    write_private(path, joined.encode("utf-8"))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Invalid(f"The configuration {path} cannot be read: {error.strerror}.") from None
    if len(data) > _LARGEST_FILE:
        raise Invalid(f"The configuration {path} is larger than {_LARGEST_FILE} bytes.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"The configuration {path} is not text.") from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"The configuration {path} is not TOML: {error}.") from None


def _convert(value: dict[str, Any], path: Path) -> Configuration:
    for where, name, known in _unknown(value, Configuration, ""):
        near = difflib.get_close_matches(name, known, n=1)
        raise Invalid(
            f"The configuration has no setting {where}{name}.",
            why=f"it stands in {path} or in the environment",
            next=f"did you mean {where}{near[0]}?" if near else f"known there: {', '.join(sorted(known))}",
        )
    try:
        return msgspec.convert(_in_micro_credits(value), Configuration)
    except msgspec.ValidationError as error:
        raise Invalid(f"The configuration {path} is not usable: {error}.") from None


def _unknown(value: object, table: type, where: str) -> Iterator[tuple[str, str, list[str]]]:
    """Keys that no table knows: where they stand, their names, and the names known there."""
    if not isinstance(value, dict):
        return
    hints = get_type_hints(table)
    for name, inner in value.items():
        if name not in hints:
            yield where, name, list(hints)
            continue
        kind = hints[name]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _unknown(inner, kind, f"{where}{name}.")
        elif get_args(kind) and isinstance(get_args(kind)[-1], type) and isinstance(inner, dict):
            for key, row in inner.items():
                yield from _unknown(row, get_args(kind)[-1], f"{where}{name}.{key}.")


def _in_micro_credits(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: parse_credits(inner) if key in _MONEY and isinstance(inner, str) else _in_micro_credits(inner)
        for key, inner in value.items()
    }


def _override(value: dict[str, Any], name: str, text: str) -> None:
    """Sets what `FREEHOLD_SECTION__KEY` names."""
    path = name.removeprefix("FREEHOLD_").lower().split("__")
    if not name.startswith("FREEHOLD_") or name.removeprefix("FREEHOLD_") in _RESERVED or len(path) < 2:
        return
    table: dict[str, Any] = value
    for part in path[:-1]:
        known = next((key for key in table if key.lower().replace("-", "_") == part), part.replace("_", "-"))
        table = table.setdefault(known, {})
        if not isinstance(table, dict):
            raise Invalid(f"{name} names a table, but the configuration has a value there.")
    table[path[-1]] = _read_override(path[-1], text)


def _read_override(key: str, text: str) -> object:
    if key == "nodes":
        return text.split(",")
    return int(text) if key not in _MONEY and re.fullmatch(r"[0-9]{1,18}", text) else text


def _written(value: object) -> str:
    """A value as TOML writes it: JSON's spelling of texts, numbers and lists of texts is TOML's too."""
    return json.dumps(value)


def _named(table: Mapping[str, T], name: str, what: str, cure: str) -> T:
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, n=1)
    known = f"known are {', '.join(sorted(table))}" if table else "none is configured"
    raise Invalid(f"There is no {what} {name[:64]!r}.", why=known, next=f"did you mean {near[0]}?" if near else cure)
