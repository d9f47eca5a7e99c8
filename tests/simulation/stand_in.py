"""Plain integers in the place of the cipher, and seals that need no chance: here and nowhere else.

Who may read what, whose bytes must be equal, and when masks cancel is as in the market; only the arithmetic is small.
A subset's statistics are one number made of its rows, a base asks for its product with the number of the pass, and an
answer is that product plus the masks of all pairs of the group, so that a single answer tells nothing and the sum of a
group is exact. Every replica answers with the same bytes, as votes need.

What an agent imports is exchanged for the time of a run (`plain_integers`), never in the package itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from freehold.agents.agreements import Agreement, Agreements
from freehold.agents.model_owner.decisions import Directions, Order, Outcome, RoundInput
from freehold.agents.reading import Seen
from freehold.agents.world import World
from freehold.contract import stored
from freehold.errors import Invalid
from freehold.learning import card, maps
from freehold.learning.training import Participant
from freehold.protocol import assets, packages, sealing, signatures
from freehold.protocol.assets import Ballot, DataSubset, TrainCouple
from freehold.protocol.digests import raw, sha256
from freehold.protocol.identifiers import DatasetId
from freehold.protocol.packages import unpack
from freehold.protocol.records import Record

WORD = 16
RING = 1 << (8 * WORD)
_BASE = b"plain base"
_ANSWER = b"plain answer"
Passes = Sequence[tuple[Directions, Sequence[Outcome]]]


def number_of(rows: bytes) -> int:
    """The statistics of a subset: one number made of its rows."""
    return int.from_bytes(sha256(rows)[:8], "big")


def base_bytes(couple: str, turn: int, asked: int, seed: bytes) -> bytes:
    """A base: what it belongs to, what it asks, and what makes it fresh."""
    return b"".join((_BASE, raw(couple), turn.to_bytes(8, "big"), _word(asked), seed))


class PlainWorkbench:
    """Answers as a replica must, checked in the order of the real one."""

    def __init__(self, world: World, agreements: Agreements, *, most_features: int = 0) -> None:
        self._world = world
        self._agreements = agreements

    def answer(
        self, couple: Seen[TrainCouple], ballot: Seen[Ballot], subset: Seen[DataSubset], package: Callable[[], bytes]
    ) -> bytes:
        """The bytes that every honest replica of `subset` answers in the round of `ballot`."""
        record, asked_for = couple.record, ballot.record
        if (record.round, record.base) != (asked_for.round, asked_for.base) or record.seed is None:
            raise Invalid(f"Round {asked_for.round} is not the running one.")
        agreement = self._agreements.read(couple)
        held = unpack(package())
        group = agreement.group(record.seed, record.turn)
        base = self._world.store(agreement.model.store).get(asked_for.base, largest=1 << 12)
        head = base_bytes(couple.id, record.turn, 0, b"")[:-WORD]
        if not base.startswith(head) or len(base) != len(head) + WORD + 32:
            raise Invalid("the base is none of this round")
        asked = int.from_bytes(base[len(head) : len(head) + WORD], "big")
        mask = _masks(held.secret, subset, group, raw(asked_for.base), asked_for.round)
        return answer_bytes(asked_for.base, subset.id, number_of(bytes(held.rows)) * asked + mask)


def answer_bytes(base: str, subset: str, value: int) -> bytes:
    """An answer, whose header names its base (and by it couple and round) and its subset."""
    return b"".join((_ANSWER, raw(base), raw(subset), _word(value)))


class PlainMethod:
    """The model owner's side."""

    def __init__(self, agreement: Agreement, order: Order) -> None:
        self._agreement = agreement
        self._order = order
        self.answer_bytes = len(answer_bytes("00" * 32, "00" * 32, 0))

    def public_objects(self) -> list[bytes]:
        """Nothing: there is no encryption of zero."""
        return []

    def directions(self, passes: Passes) -> Directions:
        """The number of the pass."""
        return Directions(entries=_word(len(passes) + 1))

    def base(self, group: Sequence[Participant], directions: Directions, made_from: RoundInput) -> bytes:
        """A base that is fresh for every round."""
        asked = int.from_bytes(directions.entries, "big")
        return base_bytes(self._order.couple, made_from.turn, asked, made_from.public_seed)

    def outcome(
        self, group: Sequence[Participant], round: int, turn: int, base: bytes, answers: Mapping[bytes, bytes]
    ) -> Outcome:
        """The sum of the group: masks cancel, and nothing smaller can be read."""
        total = 0
        for member in group:
            answer = answers[member.subset]
            head = answer_bytes(sha256(base).hex(), member.subset.hex(), 0)[:-WORD]
            if not answer.startswith(head) or len(answer) != len(head) + WORD:
                raise Invalid("this is no answer to this base")
            total += int.from_bytes(answer[len(head) :], "big")
        return Outcome(turn=turn, first=_word(total), second=b"", trace=0)

    def enough(self, passes: Passes) -> bool:
        """There is always more to ask."""
        return False

    def solve(self, passes: Passes) -> Passes:
        """What was learned is the result."""
        return passes


def _masks(secret: bytes, subset: Seen[DataSubset], group: Sequence[Participant], base: bytes, round: int) -> int:
    """What the pairs of a group add to one of its answers, and take from another."""
    me = Participant(
        dataset=raw(subset.record.dataset),
        index=subset.record.index,
        subset=raw(subset.id),
        mask_key=raw(subset.record.mask_key),
    )
    if me not in group:
        raise Invalid("this subset is not in the group whose turn it is")
    label, own, total = base + round.to_bytes(8, "big"), (me.dataset, me.index), 0
    for other in group:
        if other != me:
            shared = _pair_secret(secret, subset.record.dataset, me.index, other.mask_key)
            mask = int.from_bytes(sha256(shared + label)[:WORD], "big")
            total += mask if own < (other.dataset, other.index) else -mask
    return total


@cache
def _pair_secret(secret: bytes, dataset: DatasetId, index: int, public: bytes) -> bytes:
    return packages.pair_secret(packages.mask_private(secret, dataset, index), public)


def _word(value: int) -> bytes:
    return (value % RING).to_bytes(WORD, "big")


def plain_seal(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Bytes of the right length that open for the holder of the key and nobody else in this market."""
    tag = hashlib.sha256(public + info + plaintext).digest()
    stream = hashlib.shake_128(public + info + tag).digest(len(plaintext))
    mixed = int.from_bytes(plaintext, "big") ^ int.from_bytes(stream, "big")
    return tag + mixed.to_bytes(len(plaintext), "big") + bytes(sealing.OVERHEAD - len(tag))


def plain_unseal(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """What was sealed so, Invalid for any other key, purpose or byte."""
    length = len(sealed) - sealing.OVERHEAD
    if length < 0:
        raise Invalid("this is too short to be sealed")
    public, tag = sealing.sealing_public_key(private), sealed[:32]
    stream = hashlib.shake_128(public + info + tag).digest(length)
    mixed = int.from_bytes(sealed[32 : 32 + length], "big") ^ int.from_bytes(stream, "big")
    plaintext = mixed.to_bytes(length, "big")
    if plain_seal(public, info, plaintext) != sealed:
        raise Invalid("not sealed to this key for this purpose, or altered since")
    return plaintext


_public_key = cache(signatures.public_key)
_sealing_public_key = cache(sealing.sealing_public_key)
_approved = cache(maps.approved)


class _Cards:
    parse = staticmethod(cache(card.Card.parse))


_decode = stored.decode
_as_dict = assets.as_dict
_decoded: dict[bytes, Record] = {}
_shown: dict[int, tuple[Record, dict[str, Any]]] = {}
_MOST_REMEMBERED = 20_000


def _decode_once(kind: type[Record], data: bytes) -> Record:
    """Records never change, so equal bytes may be one record."""
    record = _decoded.get(data)
    if type(record) is not kind:
        if len(_decoded) > _MOST_REMEMBERED:
            _decoded.clear()
        record = _decoded[data] = _decode(kind, data)
    return record


def _show_once(record: Record) -> dict[str, Any]:
    """What one record shows; whoever asks gets a copy of the outermost object."""
    known = _shown.get(id(record))
    if known is None or known[0] is not record:
        if len(_shown) > _MOST_REMEMBERED:
            _shown.clear()
        known = _shown[id(record)] = (record, _as_dict(record))
    return known[1]


def _method_of(agreement: Agreement, order: Order, draw_seed: str, sealing_private: bytes) -> PlainMethod:
    return PlainMethod(agreement, order)


def _make_model(*_: Any, rounds: int, training: str) -> str:
    return f"{training} after {rounds} rounds"


@contextmanager
def plain_integers() -> Iterator[None]:
    """For this time agents compute with plain integers, and what is pure and costly is remembered."""
    exchanged: list[tuple[str, Any]] = [
        ("freehold.agents.cloud_owner.agent.Workbench", PlainWorkbench),
        ("freehold.agents.data_owner.agent.Workbench", PlainWorkbench),
        ("freehold.demo.cheaters.Workbench", PlainWorkbench),
        ("freehold.agents.model_owner.rounds.method_of", _method_of),
        ("freehold.agents.model_owner.agent.make_model", _make_model),
        ("freehold.agents.model_owner.agent.encode_model", str.encode),
        ("freehold.agents.model_owner.agent.write_private", lambda path, data: None),
        ("freehold.agents.model_owner.agent.private_folder", lambda path: None),
        ("freehold.protocol.sealing.seal", plain_seal),
        ("freehold.protocol.sealing.unseal", plain_unseal),
        ("freehold.protocol.signatures.public_key", _public_key),
        ("freehold.agents.keys.sealing_public_key", _sealing_public_key),
        ("freehold.protocol.sealing.sealing_public_key", _sealing_public_key),
        ("freehold.agents.agreements.approved", _approved),
        ("freehold.agents.agreements.Card", _Cards),
        ("freehold.contract.stored.decode", _decode_once),
        ("freehold.protocol.assets.as_dict", _show_once),
    ]
    with ExitStack() as stack:
        for where, what in exchanged:
            stack.enter_context(patch(where, what))
        yield
