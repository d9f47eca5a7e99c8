"""What all records have in common: frozen, named fields only, no field more than declared, absent ones left out."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


# the decorator tells type checkers what msgspec does at run time: subclasses of a frozen class are frozen
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record of the protocol; subclasses say `kw_only=True`, which msgspec does not hand down.

    A field that may be absent has the default None; no other field has a default.
    """
