"""What all records have in common: frozen, named fields only, no field more than declared, absent ones left out."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec
from msgspec import inspect


# the decorator tells type checkers what msgspec does at run time: subclasses of a frozen class are frozen
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record of the protocol; subclasses say `kw_only=True`, which msgspec does not hand down.

    A field that may be absent has the default None; no other field has a default.
    """


def numbers_of(record: type[Record]) -> tuple[str, ...]:
    """The names of a record's fields in which there may be a number, however deep."""
    info = inspect.type_info(record)
    return tuple(field.name for field in _fields(info) if _holds_numbers(field.type))


def _fields(info: inspect.Type) -> tuple[inspect.Field, ...]:
    return info.fields if isinstance(info, inspect.StructType) else ()


def _holds_numbers(info: inspect.Type) -> bool:
    match info:
        case inspect.StrType() | inspect.LiteralType() | inspect.NoneType():
            return False
        case inspect.UnionType():
            return any(_holds_numbers(each) for each in info.types)
        case inspect.VarTupleType() | inspect.ListType():
            return _holds_numbers(info.item_type)
        case inspect.StructType():
            return any(_holds_numbers(field.type) for field in info.fields)
    return True
