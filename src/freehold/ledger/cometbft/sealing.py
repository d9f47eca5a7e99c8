"""Making seals: a validator's own node is asked for headers and signatures, and they are checked before they leave."""

from __future__ import annotations

import base64
import re
from calendar import timegm
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import strptime
from typing import Any, Final

import msgspec

from freehold.errors import Invalid, Unavailable
from freehold.ledger.cometbft.rpc import Rpc
from freehold.ledger.cometbft.seal import (
    BlockId,
    Header,
    Parts,
    Seal,
    Signed,
    Vote,
    Voter,
    check_seal,
    header_hash,
    signed_bytes,
    validators_hash,
)
from freehold.protocol import signatures

_TRIES: Final = 4
"""Headers after a block that are looked at: each names it as long as nothing new was accepted."""
_COMMITTED: Final = 2
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def seal_of(
    rpc: Rpc, height: int, handovers: Sequence[int], *, chain: str, founders: Sequence[str], digest: str
) -> Seal:
    """The seal of the block with this digest, which CometBFT's block `height` made.

    `handovers` are the heights of CometBFT's blocks up to it that changed the validators. Unavailable as long as the
    header after it is not signed, or if this node has not the old headers.
    """
    earlier = tuple(signed(rpc, each + 1, chain) for each in handovers)
    trouble: Exception | None = None
    for place in range(1, _TRIES + 1):
        try:
            seal = Seal(handovers=earlier, newest=signed(rpc, height + place, chain))
            check_seal(seal, chain, founders, digest)
        except (Invalid, Unavailable) as error:
            # A validator's signature may be one that only CometBFT's looser rule takes: the next header has others.
            trouble = trouble or error
            continue
        return seal
    raise Unavailable(
        "the validators' signatures under the newest block are not there yet",
        why=str(trouble)[:300],
        next="try again",
        retry_after=0.3,
    )


def signed(rpc: Rpc, height: int, chain: str) -> Signed:
    """The header at a height with its validators and the signatures that count; Unavailable if there is none."""
    commit = rpc.ask("commit", {"height": str(height)})
    listed = rpc.ask("validators", {"height": str(height), "per_page": "100"})
    with _understood():
        header, commit = commit["signed_header"]["header"], commit["signed_header"]["commit"]
        voters = tuple(
            Voter(key=base64.b64decode(each["pub_key"]["value"]).hex(), power=int(each["voting_power"]))
            for each in listed["validators"]
        )
        step = Signed(
            header=_header(header),
            parts=_parts(commit["block_id"]["parts"]),
            round=int(commit["round"]),
            validators=voters,
            votes=(),
        )
        hash = header_hash(step.header, chain, validators_hash(voters))
        votes = tuple(_votes(commit["signatures"], lambda vote: _holds(step, hash, chain, vote)))
        return msgspec.structs.replace(step, votes=votes)


def _votes(slots: Sequence[Any], holds: Callable[[Vote], bool]) -> list[Vote]:
    """The votes for the block, in the validators' order; absent ones, votes for nothing and false ones left out."""
    found = []
    for index, slot in enumerate(slots):
        if slot["block_id_flag"] != _COMMITTED:
            continue
        seconds, nanoseconds = _moment(slot["timestamp"])
        signature = base64.b64decode(slot["signature"]).hex()
        vote = Vote(index=index, seconds=seconds, nanoseconds=nanoseconds, signature=signature)
        if holds(vote):
            found.append(vote)
    return found


def _holds(step: Signed, hash: str, chain: str, vote: Vote) -> bool:
    key = bytes.fromhex(step.validators[vote.index].key)
    return signatures.verify(key, signed_bytes(hash, step, chain, vote), bytes.fromhex(vote.signature))


def _header(said: Any) -> Header:
    seconds, nanoseconds = _moment(said["time"])
    return Header(
        app=said["app_hash"].lower(),
        app_version=int(said["version"].get("app", 0)),
        block_version=int(said["version"]["block"]),
        consensus=said["consensus_hash"].lower(),
        data=said["data_hash"].lower(),
        evidence=said["evidence_hash"].lower(),
        height=int(said["height"]),
        last_block=BlockId(hash=said["last_block_id"]["hash"].lower(), parts=_parts(said["last_block_id"]["parts"])),
        last_commit=said["last_commit_hash"].lower(),
        nanoseconds=nanoseconds,
        next_validators=said["next_validators_hash"].lower(),
        proposer=said["proposer_address"].lower(),
        results=said["last_results_hash"].lower(),
        seconds=seconds,
    )


def _parts(said: Any) -> Parts:
    return Parts(hash=said["hash"].lower(), total=int(said["total"]))


def _moment(text: str) -> tuple[int, int]:
    """Seconds and nanoseconds of a time as CometBFT writes it."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time")
    return timegm(strptime(found[1], "%Y-%m-%dT%H:%M:%S")), int((found[2] or "").ljust(9, "0"))


@contextmanager
def _understood() -> Iterator[None]:
    """Turns what a strange answer leads to into Invalid."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Invalid(f"the node's answer makes no sense: {error}") from None
