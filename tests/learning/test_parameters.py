"""Parameters: what must hold before a training, and a reason that a person understands when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freehold.errors import Invalid
from freehold.learning import parameters
from freehold.learning.parameters import MODULUS, PRIMES, ROOTS, SPECIAL_PRIME, N, require_safe
from freehold.learning.training import Training
from tests.learning.cases import case

LARGEST = ((64, 10), (193, 10), (1025, 10), (1025, 100))


def training(features: int = 7, outputs: int = 2, rows: int = 1000) -> Training:
    small = case("any", rows={1: (10, 10)}, features=7, outputs=2).training
    return replace(small, features=features, outputs=outputs, rows=rows)


def test_the_primes_allow_the_transform_and_the_roots_are_the_smallest() -> None:
    for prime, root in zip(PRIMES, ROOTS, strict=True):
        assert prime % (2 * N) == 1
        assert pow(root, N, prime) == prime - 1
        square, power, smallest = root * root % prime, root, root
        for _ in range(N):
            power = power * square % prime
            smallest = min(smallest, power)
        assert smallest == root
    assert (MODULUS * SPECIAL_PRIME).bit_length() == 180


@pytest.mark.parametrize(("features", "outputs"), LARGEST)
@pytest.mark.parametrize("group", [2, 64])
def test_every_shape_that_fits_is_safe_for_a_thousand_rounds(features: int, outputs: int, group: int) -> None:
    require_safe(training(features, outputs), group=group, rounds=1000)


def test_a_training_that_discloses_more_than_the_flooding_hides_is_refused() -> None:
    with pytest.raises(Invalid, match="would not hide") as refused:
        require_safe(training(1025, 100), group=4, rounds=100_000)

    assert "fewer rounds" in refused.value.next


@pytest.mark.parametrize("group", [0, 1, 65])
def test_a_group_too_small_to_hide_or_too_large_to_add_is_refused(group: int) -> None:
    with pytest.raises(Invalid, match="cannot train"):
        require_safe(training(), group=group, rounds=6)


def test_more_rows_than_floating_point_adds_exactly_are_refused() -> None:
    most = (2**53 - 1) // 127**2
    require_safe(training(rows=most), group=4, rounds=6)

    with pytest.raises(Invalid, match="too many") as refused:
        require_safe(training(rows=most + 1), group=4, rounds=6)

    assert "weights" in refused.value.next


def test_a_sum_that_might_not_decrypt_is_refused() -> None:
    noise = parameters.largest_noise(2**40)
    parameters.require_decryptable(noise, 64)

    with pytest.raises(Invalid, match="might not decrypt"):
        parameters.require_decryptable(noise, 200)
    with pytest.raises(Invalid, match="might not decrypt"):
        parameters.require_decryptable(noise * 2**80, 2)


def test_a_group_that_could_wrap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "LARGEST_DIRECTION", 2**19)

    with pytest.raises(Invalid, match="wrap"):
        require_safe(training(), group=2, rounds=1)
