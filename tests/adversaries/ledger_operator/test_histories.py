"""An operator whose file says something else than what happened: rewritten, invented, forked, or cut off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from freehold.contract.host import Contract
from freehold.contract.registry import RULES
from freehold.errors import Invalid
from freehold.ledger import history
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.proofs import paths
from freehold.ledger.proofs.checkpoint import Checkpoint, open_checkpoint
from freehold.ledger.proofs.checks import require_growth
from freehold.ledger.replay import Replay
from freehold.ports.ledger import Block, EventPage
from freehold.ports.machine import Executed, Machine
from freehold.ports.state_view import Read
from freehold.protocol import signatures
from freehold.protocol.network import network_id
from tests.adversaries.attack import Attack
from tests.engines.embedded import SEED, clock, embedded
from tests.engines.notebook import NETWORK, Notebook, note
from tests.market import Market
from tests.market.people import Signer, bytes_of

OPERATOR = b"\x31" * 32
NOTEBOOK = network_id(NETWORK)
KEY = signatures.public_key(OPERATOR)

OWN_RULES = Attack(
    by="ledger operator",
    does="runs other rules, under which an accomplice is credited a million",
    stopped_by="G-1: whoever has the blocks runs the rules again, and finds the first block that they do not give",
)
INVENTS = Attack(
    by="ledger operator",
    does="records an action that its member never signed",
    stopped_by="S-2: the signature lies in the block, and whoever replays checks it",
)
FORKS = Attack(
    by="ledger operator",
    does="tells one member one history and another member another",
    stopped_by="G-4: two checkpoints of which neither log begins with the other are a proof with its signature",
)
CUTS = Attack(
    by="ledger operator",
    does="puts an old copy of its file back, so that what was acknowledged never was",
    stopped_by="G-4: a follower's cursor lies beyond the end of such a ledger, and it stops",
)


class Generous(Contract):
    """The rules, except that nobody's deposit is below a million."""

    def execute(self, read: Read, action: bytes, time: int, *, signature_checked: bool = False) -> Executed:
        done = super().execute(read, action, time, signature_checked=signature_checked)
        writes = {key: value.replace(b'"amount":7', b'"amount":1000000') for key, value in done.writes.items()}
        return Executed(writes=writes, result=done.result, events=done.events)


def recorded(folder: Path, *, rules: type[Contract]) -> tuple[Market, Sequence[Block]]:
    """A market whose operator runs these rules: an accomplice deposits seven, and collects what there is."""

    def engine(machine: Machine, now: Any) -> EmbeddedLedger:
        assert isinstance(machine, Contract)
        return EmbeddedLedger.open(folder / "ledger.sqlite", rules(machine.network), OPERATOR, now)

    market = Market(engine=engine)
    market.cloud_owner(funds=7)
    market.cloud_owner(funds=500)
    blocks = market.ledger.export(0, 100)
    assert isinstance(market.ledger, EmbeddedLedger)
    market.ledger.close()
    return market, blocks


def looked_at(market: Market, blocks: Sequence[Block], *, rules: type[Contract]) -> int:
    """Somebody goes through the blocks by some rules; how many it believes before it raises Invalid."""
    replay = Replay(rules(market.network), KEY)
    for block in blocks:
        replay.apply(block)
    return replay.tip.height


@OWN_RULES.without
def test_whoever_takes_the_operators_program_believes_the_operator(tmp_path: Path) -> None:
    market, blocks = recorded(tmp_path, rules=Generous)

    assert looked_at(market, blocks, rules=Generous) == len(blocks)


@OWN_RULES.against
def test_whoever_runs_the_rules_finds_the_block_that_they_do_not_give(tmp_path: Path) -> None:
    market, blocks = recorded(tmp_path, rules=Generous)

    with pytest.raises(Invalid, match="block 2: its field 'state'"):
        looked_at(market, blocks, rules=Contract)


@OWN_RULES.unharmed
def test_an_operator_that_runs_the_rules_is_believed_to_the_last_block(tmp_path: Path) -> None:
    market, blocks = recorded(tmp_path, rules=Contract)

    assert looked_at(market, blocks, rules=Contract) == len(blocks) == 6


def asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on whoever withdraws is whoever it says."""
    monkeypatch.setitem(RULES, "Withdraw", RULES["Withdraw"]._replace(caller=lambda *_: None))


def invented(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Market, Sequence[Block]]:
    """An operator that looks at no signature records a withdrawal that it signed itself."""
    with monkeypatch.context() as careless:
        asks_nobody(careless)
        market = Market(
            engine=lambda machine, now: EmbeddedLedger.open(folder / "ledger.sqlite", machine, OPERATOR, now)
        )
        rich = market.cloud_owner(funds=500)
        Signer(market, bytes_of("operator"), rich.id).does("Withdraw", nonce=market.fresh(), amount=500)
        blocks = market.ledger.export(0, 100)
        assert isinstance(market.ledger, EmbeddedLedger)
        market.ledger.close()
    return market, blocks


@INVENTS.without
def test_where_replay_asks_for_no_key_an_invented_action_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, blocks = invented(tmp_path, monkeypatch)
    asks_nobody(monkeypatch)

    assert looked_at(market, blocks, rules=Contract) == len(blocks)


@INVENTS.against
def test_an_invented_action_is_found_by_whoever_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market, blocks = invented(tmp_path, monkeypatch)

    with pytest.raises(Invalid, match="records an action that the rules refuse: not-yours"):
        looked_at(market, blocks, rules=Contract)


@INVENTS.unharmed
def test_what_was_recorded_before_the_invention_is_still_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, blocks = invented(tmp_path, monkeypatch)

    assert looked_at(market, blocks[:-1], rules=Contract) == len(blocks) - 1


def tells(folder: Path, *actions: bytes) -> tuple[EmbeddedLedger, Checkpoint]:
    """A ledger that one operator's key signs, with these actions, and the checkpoint that a member takes home."""
    folder.mkdir()
    ledger = EmbeddedLedger.open(folder / "ledger.sqlite", Notebook(), SEED, clock)
    ledger.submit_all(actions)
    info = ledger.info()
    return ledger, open_checkpoint(info.checkpoint, network_id=NOTEBOOK, operator=bytes.fromhex(info.operator))


def shown_another_history(folder: Path, said: str) -> tuple[Checkpoint, Checkpoint]:
    """A member took a checkpoint home; the ledger that it meets today said this in its first action. Both checkpoints,
    once the member's program has asked for the proof that the log grew; Invalid if there is none."""
    before, kept = tells(folder / "before", note("a", "yes"), note("b", "text"))
    before.close()
    today, now = tells(folder / "today", note("a", said), note("b", "text"), note("c", "text"))
    try:
        require_growth(today.prove_growth(kept.size, now.size), kept, now)
    finally:
        today.close()
    return kept, now


@FORKS.without
def test_a_member_whose_program_asks_for_no_proof_of_growth_goes_on_with_the_second_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "grew", lambda *_: True)

    kept, now = shown_another_history(tmp_path, "no")

    assert (kept.size, now.size) == (2, 3)


@FORKS.against
def test_a_member_that_asks_for_the_proof_of_growth_holds_two_signed_notes_that_contradict_each_other(
    tmp_path: Path,
) -> None:
    with pytest.raises(Invalid, match="does not begin with that"):
        shown_another_history(tmp_path, "no")


@FORKS.unharmed
def test_a_ledger_that_only_grew_is_gone_on_with(tmp_path: Path) -> None:
    kept, now = shown_another_history(tmp_path, "yes")

    assert kept.root != now.root


def set_back(folder: Path, cursor: int) -> EventPage:
    """A follower with this cursor asks a ledger whose operator restored an old copy with two actions."""
    with embedded(folder) as ledger:
        for name in ("a", "b"):
            ledger.submit(note(name, "text"))
        return ledger.events(cursor)


@CUTS.without
def test_where_cursors_are_not_compared_a_follower_waits_quietly_for_what_will_be_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = history.History._page
    monkeypatch.setattr(
        history.History, "_page", lambda self, after, to: careful(self, min(after, len(self._events)), to)
    )

    assert set_back(tmp_path, 5).events == ()


@CUTS.against
def test_a_follower_that_has_seen_more_than_there_is_stops(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds 2 events, the cursor says 5"):
        set_back(tmp_path, 5)


@CUTS.unharmed
def test_a_follower_that_has_seen_no_more_than_there_is_goes_on(tmp_path: Path) -> None:
    assert len(set_back(tmp_path, 1).events) == 1
