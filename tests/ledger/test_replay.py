"""G-1, G-5: whoever replays a ledger finds every lie of its operator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from freehold.errors import Invalid
from freehold.ledger import blocks
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Block
from freehold.protocol import canonical, signatures
from tests.engines.embedded import SEED, embedded
from tests.engines.notebook import Notebook, add

OPERATOR = signatures.public_key(SEED)


@pytest.fixture
def chain(tmp_path: Path) -> list[Block]:
    """Four blocks of one action each."""
    with embedded(tmp_path) as ledger:
        for nonce in range(4):
            ledger.submit(add("c", 1, nonce))
        return list(ledger.export(0, 10))


def replayed(chain: list[Block]) -> Replay:
    replay = Replay(Notebook(), OPERATOR)
    for block in chain:
        replay.apply(block)
    return replay


def signed_again(block: Block, **changes: object) -> Block:
    """The block with other fields in its header, signed by the operator itself."""
    header = canonical.encode(msgspec.structs.replace(blocks.parse_header(block.header), **changes))
    return replace(block, header=header, signature=blocks.sign_header(header, SEED))


def test_an_honest_chain_replays(chain: list[Block]) -> None:
    assert replayed(chain).tip.log.size == 4


def test_a_left_out_doubled_or_swapped_block_is_found(chain: list[Block]) -> None:
    for forged in (chain[1:], [chain[0], chain[0]], [chain[0], chain[2]], [*chain[:2], chain[3], chain[2]]):
        with pytest.raises(Invalid):
            replayed(forged)


def test_a_header_that_the_operator_did_not_sign_is_found(chain: list[Block]) -> None:
    with pytest.raises(Invalid, match="not signed"):
        replayed([replace(chain[0], signature=bytes(64))])


@pytest.mark.parametrize("field", ["events", "height", "previous", "root", "size", "state", "writes"])
def test_a_header_that_lies_is_found_though_the_operator_signed_it(field: str, chain: list[Block]) -> None:
    lie = 7 if field in ("height", "size") else "00" * 32

    with pytest.raises(Invalid, match=f"'{field}'"):
        replayed([chain[0], signed_again(chain[1], **{field: lie})])


def test_a_clock_that_goes_back_is_found(chain: list[Block]) -> None:
    with pytest.raises(Invalid, match="time"):
        replayed([chain[0], signed_again(chain[1], time=1)])


def test_an_action_that_the_rules_refuse_is_found(chain: list[Block]) -> None:
    twice = replace(chain[1], actions=chain[0].actions)

    with pytest.raises(Invalid, match="rules refuse: exists"):
        replayed([chain[0], twice])


def test_a_result_that_the_rules_do_not_give_is_found(chain: list[Block]) -> None:
    with pytest.raises(Invalid, match="result"):
        replayed([replace(chain[0], results=(b'{"id":"other"}',))])


def test_a_block_without_a_result_for_each_action_is_found(chain: list[Block]) -> None:
    for forged in (replace(chain[0], results=()), replace(chain[0], actions=(), results=())):
        with pytest.raises(Invalid, match="one result"):
            replayed([forged])


def test_an_added_action_is_found(chain: list[Block]) -> None:
    more = replace(chain[0], actions=(*chain[0].actions, add("c", 1, 77)), results=(b'{"id":"c"}',) * 2)

    with pytest.raises(Invalid):
        replayed([more])
