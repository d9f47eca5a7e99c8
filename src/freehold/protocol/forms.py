"""How a value of the outside world becomes a record: the declared type of each field is the rule that reads it.

The ledger promises *which* failure is reported when several apply (PROTOCOL-ANNEX, "Refusals", step 1): first the
names of the fields, then each value, names ascending; of a value first kind and form (`malformed`), then range and
length (`limit`); a list is checked for kind, length, elements and order, an inner object like the outer one. A
record's class is read once into a list of readers that follow exactly this order, so that each class is written
down in one place, as the list of its fields:

    digest: Digest                                          64 hex characters
    m: Annotated[int, Meta(ge=2, le=64)]                    an integer within bounds
    datasets: Annotated[tuple[DatasetId, ...], Meta(…)]     ascending and distinct, length within bounds
    terms: Terms                                            an inner record
    secret: Secret | None = None                            may be absent
    function: str, arguments: dict[str, Any]                text, an object, looked into by whoever asked

Every list that is read here is a set written down in ascending order; no other kind of list comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from types import NoneType
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from freehold.errors import Broken, Invalid, Refused
from freehold.protocol import canonical, identifiers
from freehold.protocol.limits import NAME_LARGEST

Reader = Callable[[object, str], Any]
"""Reads one value, given its name for the sentence of a refusal; raises Refused."""

R = TypeVar("R", bound=msgspec.Struct)

MODEL_TYPES: Final = ("linear", "open-model", "statistics")

_HEX_32: Final = (re.compile("[0-9a-f]{64}"), "64 lower-case hex characters")
_TEXT_FORMS: Final[Mapping[object, tuple[re.Pattern[str], str]]] = {
    **dict.fromkeys(
        (
            identifiers.NetworkId, identifiers.MemberId, identifiers.DatasetId, identifiers.SubsetId,
            identifiers.InstanceId, identifiers.ModelId, identifiers.CoupleId, identifiers.BallotId,
            identifiers.JobId, identifiers.PayoutId, identifiers.ProposalId, identifiers.Handle, identifiers.Digest,
            identifiers.Nonce, identifiers.Secret, identifiers.PublicKey,
        ),
        _HEX_32,
    ),
    identifiers.Signature: (re.compile("[0-9a-f]{128}"), "128 lower-case hex characters"),
    identifiers.Locator: (re.compile("[0-9a-f]{1120}"), "1120 lower-case hex characters"),
    identifiers.NodeName: (re.compile("[0-9a-f]{40}"), "40 lower-case hex characters"),
    identifiers.NodeAddress: (re.compile(r"[A-Za-z0-9.\-\[\]:]{1,200}:[0-9]{1,5}"), "host:port"),
    identifiers.MspName: (re.compile(r"[A-Za-z0-9.\-_]{1,64}"), "an organisation's name: A-Z, a-z, 0-9, ., -, _"),
    identifiers.ChannelName: (re.compile(r"[a-z][a-z0-9.\-]{0,248}"), "a channel's name: a-z, then a-z, 0-9, ., -"),
    identifiers.ChaincodeName: (re.compile(r"[A-Za-z0-9_\-]{1,64}"), "a chaincode's name: A-Z, a-z, 0-9, _, -"),
    identifiers.AuthorityRole: (re.compile("consenter|orderer|peer"), "consenter, orderer or peer"),
    identifiers.StoreName: (re.compile(f"[a-z][a-z0-9-]{{0,{NAME_LARGEST - 1}}}"), "a name: a-z, then a-z, 0-9, -"),
    identifiers.ModelType: (re.compile("|".join(MODEL_TYPES)), "one of " + ", ".join(MODEL_TYPES)),
    identifiers.Method: (
        re.compile(rf"(?=.{{1,{NAME_LARGEST}}}\Z)(?:{'|'.join(MODEL_TYPES)})-[1-9][0-9]*"),
        "a model type, a hyphen and a version from 1",
    ),
    identifiers.Verdict: (re.compile("verified|rejected"), "verified or rejected"),
}  # fmt: skip


def parse(record: type[R], data: bytes, *, largest: int, name: str) -> R:
    """The `record` that the canonical JSON `data` writes; Invalid above `largest` bytes or for any deviation.

    For what is read off the ledger, where nobody waits for a code. `name` begins the sentence of a refusal.
    """
    value = canonical.decode(data, largest=largest)
    try:
        return read(record, value, name)
    except Refused as refused:
        raise Invalid(f"{name} is not usable: {refused.what}") from None


def read(record: type[R], value: object, name: str = "arguments") -> R:
    """The `record` that the JSON `value` writes; Refused `malformed` or `limit` for the first failing check."""
    result: R = _reader(record)(value, name)
    return result


@cache
def _reader(annotation: Any) -> Reader:
    """The reader of one declared type."""
    if annotation is int:
        return _integer(0, None)
    if annotation is str or get_origin(annotation) is dict:
        return _plain(get_origin(annotation) or annotation)
    if annotation in _TEXT_FORMS:
        return _text(*_TEXT_FORMS[annotation])
    if get_origin(annotation) is Annotated:
        return _bounded(*get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _record(annotation)
    raise Broken(f"no form is declared for {annotation}")


def _plain(kind: type) -> Reader:
    def reader(value: object, name: str) -> object:
        if type(value) is not kind:
            raise Refused("malformed", f"{name} must be {'text' if kind is str else 'an object'}")
        return value

    return reader


def _bounded(inner: Any, meta: msgspec.Meta) -> Reader:
    if inner is int:
        return _integer(int(meta.ge or 0), None if meta.le is None else int(meta.le))
    element, _ = get_args(inner)
    return _ascending(_reader(element), meta.min_length or 0, meta.max_length)


def _integer(smallest: int, largest: int | None) -> Reader:
    def reader(value: object, name: str) -> int:
        if type(value) is not int:
            raise Refused("malformed", f"{name} must be an integer")
        if value < smallest:
            raise Refused("limit", f"{name} is {value}, at least {smallest} is allowed")
        if largest is not None and value > largest:
            raise Refused("limit", f"{name} is {value}, at most {largest} is allowed")
        return value

    return reader


def _text(form: re.Pattern[str], described: str) -> Reader:
    matches = form.fullmatch

    def reader(value: object, name: str) -> str:
        if type(value) is not str or not matches(value):
            raise Refused("malformed", f"{name} must be {described}")
        return value

    return reader


def _ascending(element: Reader, shortest: int, longest: int | None) -> Reader:
    def reader(value: object, name: str) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Refused("malformed", f"{name} must be a list")
        if len(value) < shortest or (longest is not None and len(value) > longest):
            raise Refused("limit", f"{name} has {len(value)} elements, {shortest} to {longest} are allowed")
        elements = tuple([element(inner, f"{name}[{index}]") for index, inner in enumerate(value)])
        if any(left >= right for left, right in pairwise(elements)):
            raise Refused("malformed", f"{name} must be in ascending order, each element once")
        return elements

    return reader


def _record(record: type[msgspec.Struct]) -> Reader:
    required, allowed, readers = _fields(record)

    def reader(value: object, name: str) -> msgspec.Struct:
        if type(value) is not dict:
            raise Refused("malformed", f"{name} must be an object")
        if not required <= value.keys() <= allowed:
            raise Refused("malformed", _names_differ(name, required, allowed, value.keys()))
        return record(**{key: readers[key](value[key], key) for key in sorted(value)})

    return reader


def _fields(record: type[msgspec.Struct]) -> tuple[frozenset[str], frozenset[str], dict[str, Reader]]:
    """Names that must be there, names that may be there, and the reader of each."""
    hints = get_type_hints(record, include_extras=True)
    fields = msgspec.structs.fields(record)
    required = frozenset(field.name for field in fields if field.required)
    readers = {field.name: _reader(_present(hints[field.name])) for field in fields}
    return required, frozenset(readers), readers


def _present(annotation: Any) -> Any:
    """The type of a field that is there: `X` for `X | None`."""
    alternatives = [inner for inner in get_args(annotation) if inner is not NoneType]
    return alternatives[0] if NoneType in get_args(annotation) else annotation


def _names_differ(name: str, required: frozenset[str], allowed: frozenset[str], given: Any) -> str:
    missing = ", ".join(sorted(required - given)) or "none"
    surplus = ", ".join(sorted(str(key)[:40] for key in given - allowed)) or "none"
    return f"{name}: missing fields: {missing}; fields that do not belong there: {surplus}"
