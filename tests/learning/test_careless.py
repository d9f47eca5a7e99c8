"""Attacks (`tests/adversaries/model_owner`) leave out steps of the product; all steps together must be the product."""

from __future__ import annotations

from freehold.learning import wire
from freehold.learning.ciphers.seal import SealCipher
from tests.learning.careless import CloudOwner
from tests.learning.cases import case
from tests.learning.honest import Round

CASE = case("steps", rows={1: (40, 44, 52)}, features=31, outputs=2)


def test_all_steps_in_their_order_are_the_products_answer(seal: SealCipher) -> None:
    round = Round(CASE, seal)
    one = CloudOwner(CASE, 1, round.label, seal)
    hidden = one.hidden(one.product(round.zero, round.inputs), one.places)

    honest = CASE.replica(1, seal).answer(CASE.training, CASE.group, 1, round.zero_bytes, round.sent)

    parsed = wire.parse_answer(honest, round.label, CASE.group[1].subset, CASE.training.tiling, 1)
    assert (parsed.outputs[0][0] == hidden[0][one.places]).all()
    assert (parsed.outputs[0][1] == hidden[1]).all()
