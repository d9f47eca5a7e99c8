"""G-4: the log that proves quickly proves the same as the definition, at every size that it ever had."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.proofs import paths
from freehold.ledger.proofs.growing import GrowingLog
from tests.ledger.test_proofs import hashes

LARGEST = 70


def grown(size: int) -> GrowingLog:
    log = GrowingLog()
    for leaf in hashes(size):
        log.append(leaf)
    return log


WHOLE = grown(LARGEST)


@given(st.data())
def test_inclusion_is_that_of_the_definition_at_every_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))

    path = WHOLE.inclusion(index, size)

    assert path == paths.inclusion(hashes(size), index)
    assert WHOLE.root(size) == paths.root(hashes(size))
    assert paths.includes(path, WHOLE.leaf(index), index, size, WHOLE.root(size))


@given(st.data())
def test_consistency_is_that_of_the_definition_between_any_two_sizes(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(1, new))

    proof = WHOLE.consistency(old, new)

    assert proof == paths.consistency(hashes(new), old)
    assert paths.grew(proof, old, WHOLE.root(old), new, WHOLE.root(new))


def test_a_log_without_leaves_has_the_root_of_nothing() -> None:
    assert GrowingLog().root(0) == paths.root([])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (3, LARGEST + 1), (-1, 3)])
def test_there_is_no_proof_about_sizes_that_the_log_never_had(old: int, new: int) -> None:
    with pytest.raises(Invalid):
        WHOLE.consistency(old, new)


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0), (0, LARGEST + 1)])
def test_there_is_no_path_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(Invalid):
        WHOLE.inclusion(index, size)
