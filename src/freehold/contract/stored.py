"""Records as they lie in the state: where, and as which bytes.

What comes from outside is checked for its one canonical spelling when it comes in (`protocol.canonical`). The state
holds only what a rule made of that, written here; so its bytes are read by their type and not checked again, which
spares a call half of its time.
"""

from typing import Final, TypeVar, cast

import msgspec

from freehold.errors import Broken, Invalid
from freehold.protocol import assets, canonical
from freehold.protocol.records import Record, numbers_of

R = TypeVar("R", bound=Record)

_KIND_OF: Final = {record: kind for kind, record in assets.KINDS.items()}
_DECODERS: Final = {record: msgspec.json.Decoder(record) for record in _KIND_OF}
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_NUMBERS: Final = {record: numbers_of(record) for record in _KIND_OF}


def kind_of(record: type[Record]) -> str:
    """The first part of the keys of such records."""
    return _KIND_OF[record]


def key_of(record: type[Record], id: str) -> str:
    """Where the record of this kind with this id lies."""
    return f"{_KIND_OF[record]}/{id}"


def encode(record: Record) -> bytes:
    """The canonical bytes of a record, as `assets.encode` gives them; Broken if a rule made an impossible number."""
    # Text comes in checked and goes out as it came; a number is what a rule may have made too large, or negative.
    try:
        for name in _NUMBERS[type(record)]:
            canonical.check(getattr(record, name))
    except Invalid as invalid:
        raise Broken(f"a rule made an impossible {kind_of(type(record))}: {invalid.what}") from None
    return _ENCODER.encode(record)


def decode(kind: type[R], data: bytes) -> R:
    """The record that the state holds; Broken if it is none of its kind."""
    try:
        return cast("R", _DECODERS[kind].decode(data))
    except msgspec.MsgspecError as error:
        raise Broken(f"the state holds a {kind_of(kind)} that is none: {error}") from None
