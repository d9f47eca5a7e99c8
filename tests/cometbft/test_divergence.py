"""A validator whose application computes something else: noticed, told, and cured."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from freehold.errors import Broken
from freehold.ledger.cometbft.client import FILE
from freehold.ledger.cometbft.supervisor import rebuild
from tests.cometbft.diverging import diverging_in
from tests.cometbft.test_network import level, root, until
from tests.engines.cometbft import Network, program
from tests.engines.notebook import add, note

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(program() is None, reason="CometBFT is not installed (make test-cometbft)"),
]


def test_a_validator_that_diverged_says_so_takes_nothing_and_can_be_cured(tmp_path: Path) -> None:
    network = Network(tmp_path, 4)
    with ExitStack() as stack:
        rest = [network.start(number) for number in range(3)]
        for each in rest:
            stack.callback(each.close)
        wrong = network.start(3, diverging_in)
        stack.callback(wrong.close)
        rest[0].submit(note("one", "hello"))
        level([*rest, wrong])
        assert wrong.trouble is None

        for number in range(6):
            rest[number % 3].submit(add("c", 1, number))
        until(lambda: wrong.trouble is not None)
        until(lambda: wrong.behind() > 1)
        with pytest.raises(Broken, match="another result"):
            wrong.submit(add("c", 1, 99))
        assert [each.trouble for each in rest] == [None] * 3
        assert rest[0].behind() <= 1
        wrong.close()

        comet = program()
        assert comet is not None
        rebuild(comet, network.folders[3], network.folders[3] / FILE)
        cured = network.start(3)
        stack.callback(cured.close)
        level([*rest, cured])
        cured.submit(add("c", 1, 99))
        level([*rest, cured])

        assert {root(each) for each in [*rest, cured]} == {root(rest[0])}
        assert cured.evaluate("counter", {"name": "c"}) == 7
        assert cured.trouble is None
        assert (network.folders[3] / f"{FILE}.diverged").exists()


def test_a_validator_that_diverges_while_it_catches_up_says_so_too(tmp_path: Path) -> None:
    network = Network(tmp_path, 4)
    with ExitStack() as stack:
        rest = [network.start(number) for number in range(3)]
        for each in rest:
            stack.callback(each.close)
        rest[0].submit(note("one", "hello"))
        for number in range(4):
            rest[number % 3].submit(add("c", 1, number))

        wrong = network.start(3, diverging_in)
        stack.callback(wrong.close)
        until(lambda: wrong.trouble is not None)

        with pytest.raises(Broken, match="another result"):
            wrong.submit(add("c", 1, 99))
        rest[1].submit(add("c", 1, 4))
        level(rest)
        assert [each.trouble for each in rest] == [None] * 3
