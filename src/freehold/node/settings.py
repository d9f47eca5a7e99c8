"""How a node is run: `node.toml` in the network's folder, strict; what it does not say has a default.

reads = "members"                   signed reads alone; "open" is the default
readers = ["HEX"]                   further keys that may read then: newcomers, auditors
log = "json"                        lines for a program; "text" for people is the default
operators = "127.0.0.1:7421"        where /metrics, /health and /ready are served; nowhere if not given
proxies = ["127.0.0.1"]             whose X-Forwarded-For is believed; nobody's if not given
light = "203.0.113.5:26657"         where nodes that join a consortium may ask for headers; nowhere if not given
quorum = 2                          witnesses that make a checkpoint a witnessed one; 1 if not given
connections = 2048                  at the same time
connections_of_one_address = 1280

[tls]
certificate = "node.pem"            the chain, PEM; relative to the folder
key = "node.key"                    PEM, readable by the node alone

[[witness]]                         asked to cosign checkpoints; as many as you like
url = "https://w.example.org"
key = "w.example.org+1e7e8d94+BF32…"

[joining]                           a consortium's new node takes a snapshot instead of executing everything
servers = ["http://203.0.113.5:26657", "http://203.0.113.6:26657"]
height = 1234                       of a header that somebody you trust told you
hash = "5D…"                        of that header

[address_rate]                      requests and actions of one address
per_second = 1000
burst = 10000

[member_rate]                       accepted signatures of one member
per_second = 50
burst = 2000
"""

from __future__ import annotations

import difflib
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import msgspec

from freehold.errors import Invalid
from freehold.ledger.cometbft.configuration import Joining
from freehold.node.http_connections import CONNECTIONS, ONE_ADDRESS, Places
from freehold.node.lines import LogForm
from freehold.node.rates import ADDRESS_RATE, MEMBER_RATE, Rate, Rates

SETTINGS = "node.toml"
_LARGEST = 65_536
_OPEN_TO_OTHERS = 0o077

Address = Annotated[str, msgspec.Meta(pattern=r"^(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$")]
Many = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the certificate chain and its key lie."""

    certificate: str
    key: str


class WitnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A witness that is asked to cosign checkpoints."""

    url: str
    key: str
    """As `freehold witness` prints it."""


class JoiningSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From whom a new node takes a snapshot, and which header it believes."""

    servers: Annotated[tuple[str, ...], msgspec.Meta(min_length=2, max_length=32)]
    height: Annotated[int, msgspec.Meta(ge=1)]
    hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{64}$")]

    def joining(self) -> Joining:
        """As the engine wants it."""
        return Joining(servers=self.servers, height=self.height, hash=self.hash)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    reads: Literal["open", "members"] = "open"
    readers: tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    log: LogForm = "text"
    operators: Address | None = None
    proxies: tuple[str, ...] = ()
    connections: Many = CONNECTIONS
    connections_of_one_address: Many = ONE_ADDRESS
    tls: Tls | None = None
    witness: tuple[WitnessSettings, ...] = ()
    quorum: Many = 1
    light: Address | None = None
    joining: JoiningSettings | None = None
    address_rate: Rate = ADDRESS_RATE
    member_rate: Rate = MEMBER_RATE

    def rates(self) -> Rates:
        """The limits, with nothing counted so far."""
        return Rates(self.address_rate, self.member_rate)

    def places(self) -> Places:
        """Room for connections; a proxy's connections are everybody's."""
        return Places(
            everybody=self.connections,
            one_address=self.connections if self.proxies else self.connections_of_one_address,
        )


def read_settings(folder: Path) -> Settings:
    """The settings in a network's folder, the defaults if there are none; Invalid with the place that is wrong."""
    path = folder / SETTINGS
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise Invalid(f"{path} has more than {_LARGEST} bytes")
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"{path} is not TOML: {error}") from None
    known = list(get_type_hints(Settings))
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise Invalid(
                f"{path} has no setting {name[:64]!r}",
                next=f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}",
                now="nothing was started",
            )
    try:
        return msgspec.convert(value, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{path} is not usable: {error}", now="nothing was started") from None


def tls_context(tls: Tls, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate; Invalid if a file is missing, damaged, or its key open to others."""
    certificate, key = folder / tls.certificate, folder / tls.key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if key.stat().st_mode & _OPEN_TO_OTHERS:
            raise Invalid(f"{key} is open to others", next=f"chmod 600 {key}", now="nothing was started")
        # The empty password: a sealed key is an error here, not a question on a terminal that nobody watches.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise Invalid(
            f"the certificate {certificate} with the key {key} cannot be used: {error}",
            next="give a chain and a key that belong together, both PEM, the key without a passphrase",
            now="nothing was started",
        ) from None
    return context
