"""The state tree: one root for one state, proofs of what a record holds or that there is none, and no others."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.proofs.state_tree import BUCKET_LARGEST, StateProof, StateTree, holds

RECORDS = {f"job/{number:04}": f"value {number}".encode() for number in range(500)}
KEYS = st.sampled_from([*RECORDS, *(f"none/{number}" for number in range(50))])
WRITES = st.dictionaries(KEYS, st.binary(max_size=8), max_size=20)


def root_by_definition(records: dict[str, bytes]) -> bytes:
    """The root straight from the words of the module, without anything that is quick."""
    buckets: list[dict[bytes, bytes]] = [{} for _ in range(16**4)]
    for key, value in records.items():
        name = sha256(key.encode()).digest()
        buckets[int.from_bytes(name[:2], "big")][name] = sha256(value).digest()
    level = [sha256(b"\x00" + b"".join(a + b for a, b in sorted(bucket.items()))).digest() for bucket in buckets]
    while len(level) > 1:
        level = [sha256(b"\x01" + b"".join(level[at : at + 16])).digest() for at in range(0, len(level), 16)]
    return level[0]


@pytest.fixture(scope="module")
def tree() -> StateTree:
    return StateTree(RECORDS)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_root_is_the_one_of_the_definition(count: int) -> None:
    some = dict(list(RECORDS.items())[:count])

    assert StateTree(some).root == root_by_definition(some)


def test_two_records_of_one_bucket_stand_in_the_order_of_their_digests() -> None:
    by_bucket: dict[bytes, list[str]] = {}
    for number in range(10_000):
        by_bucket.setdefault(sha256(f"job/{number}".encode()).digest()[:2], []).append(f"job/{number}")
    crowded = max(by_bucket.values(), key=len)
    records = {key: key.encode() for key in crowded}

    assert len(crowded) > 2
    assert StateTree(records).root == root_by_definition(records)


@given(st.lists(WRITES, max_size=4))
def test_equal_states_have_equal_roots_whichever_way_they_came(blocks: list[dict[str, bytes]]) -> None:
    grown = StateTree({})
    state: dict[str, bytes] = {}
    for writes in blocks:
        grown.apply(grown.changed(writes))
        state |= writes

    shuffled = list(state.items())
    random.Random(1).shuffle(shuffled)
    assert grown.root == StateTree(dict(shuffled)).root


def test_a_change_that_is_not_taken_over_leaves_no_trace() -> None:
    tree, before = StateTree(RECORDS), StateTree(RECORDS).root

    change = tree.changed({"job/0001": b"other"})

    assert change.root != before
    assert tree.root == before
    assert holds(tree.prove("job/0001"), "job/0001", RECORDS["job/0001"], before)


def test_every_record_is_proved_and_no_other_value_of_it(tree: StateTree) -> None:
    for key, value in RECORDS.items():
        proof = tree.prove(key)

        assert holds(proof, key, value, tree.root)
        assert not holds(proof, key, value + b"!", tree.root)
        assert not holds(proof, key, None, tree.root)


def test_the_absence_of_a_record_is_proved(tree: StateTree) -> None:
    for number in range(200):
        key = f"none/{number}"

        assert holds(tree.prove(key), key, None, tree.root)
        assert not holds(tree.prove(key), key, b"", tree.root)


def test_a_proof_that_leaves_the_record_out_shows_nothing(tree: StateTree) -> None:
    honest = tree.prove("job/0001")
    name = sha256(b"job/0001").digest()
    at = honest.bucket.find(name)
    without = replace(honest, bucket=honest.bucket[:at] + honest.bucket[at + 64 :])

    assert not holds(without, "job/0001", None, tree.root)


def test_the_proof_of_another_bucket_shows_no_absence(tree: StateTree) -> None:
    assert not holds(tree.prove("job/0002"), "job/0001", None, tree.root)


def test_no_flipped_byte_of_a_proof_goes_unnoticed(tree: StateTree) -> None:
    honest = tree.prove("job/0001")
    parts = [honest.bucket, *honest.siblings]
    for part, whole in enumerate(parts):
        for at in range(len(whole)):
            altered = list(parts)
            altered[part] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            proof = StateProof(bucket=altered[0], siblings=tuple(altered[1:]))
            try:
                shown = holds(proof, "job/0001", RECORDS["job/0001"], tree.root)
            except Invalid:
                continue
            assert not shown


@pytest.mark.parametrize(
    "change",
    [
        {"siblings": ()},
        {"siblings": (bytes(480),) * 5},
        {"siblings": (bytes(512),) * 4},
        {"bucket": bytes(63)},
        {"bucket": bytes(128)},
        {"bucket": bytes(64 * (BUCKET_LARGEST + 1))},
        {"bucket": b"\xff" * 64 + bytes(64)},
    ],
)
def test_what_has_not_the_shape_of_a_proof_is_named(change: dict[str, object], tree: StateTree) -> None:
    proof = replace(tree.prove("job/0001"), **change)  # type: ignore[arg-type]

    with pytest.raises(Invalid):
        holds(proof, "job/0001", None, tree.root)
