"""A case: what a data owner or a holder hands to a referee, off the ledger.

    ASCII "freehold/case" ‖ u64 1 ‖ ballot ‖ the subset's package, sealed to the referee under T(case) ‖ ballot

The referee is a key of the network record, which says nothing about sealing; it tells its sealing key to whoever
brings a case. Whoever hands over a case shows the referee the rows of one subset, and nobody else: the bytes may
travel by any way. A false package costs nobody anything, since its digest is public.
"""

from __future__ import annotations

from typing import Final

from freehold.errors import Invalid
from freehold.protocol.digests import T, raw, u64
from freehold.protocol.identifiers import BallotId, PublicKey
from freehold.protocol.limits import PACKAGE_LARGEST
from freehold.protocol.sealing import OVERHEAD, seal, unseal

_MAGIC: Final = b"freehold/case" + u64(1)
_SEALED: Final = len(_MAGIC) + 32
LARGEST_CASE: Final = _SEALED + PACKAGE_LARGEST + OVERHEAD


def case_for(sealing_key: PublicKey, ballot: BallotId, package: bytes) -> bytes:
    """The case about one ballot, for the referee with this sealing key and for nobody else."""
    return _MAGIC + raw(ballot) + seal(raw(sealing_key), _info(ballot), package)


def open_case(private: bytes, case: bytes) -> tuple[BallotId, bytes]:
    """The ballot that a case is about, and the package that came with it; Invalid if it is for somebody else."""
    if len(case) > LARGEST_CASE or case[: len(_MAGIC)] != _MAGIC or len(case) < _SEALED:
        raise Invalid("This is no case for a referee.", next="freehold referee case", now="nothing was ruled")
    ballot = BallotId(case[len(_MAGIC) : _SEALED].hex())
    return ballot, unseal(private, _info(ballot), case[_SEALED:])


def _info(ballot: BallotId) -> bytes:
    return T("case") + raw(ballot)
