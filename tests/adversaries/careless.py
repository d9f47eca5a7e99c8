"""The ledger as somebody less careful might have written it: one rule at a time is changed, all others stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from freehold.contract import ballots
from freehold.contract.call import Call
from freehold.contract.effects import Effects
from freehold.contract.registry import RULES
from freehold.contract.view import View
from freehold.protocol.assets import TrainJob
from freehold.protocol.identifiers import Digest, JobId

Decide = Callable[[Call[Any], View], Effects]


def decides_by(monkeypatch: pytest.MonkeyPatch, function: str, decide: Decide) -> None:
    """From now on another rule decides about a function of the ledger."""
    monkeypatch.setitem(RULES, function, RULES[function]._replace(decide=decide))


def refuses_nobody(monkeypatch: pytest.MonkeyPatch, module: object, *codes: str) -> None:
    """From now on the rules of a module do not look at what these codes are about."""
    careful = module.require  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "require", lambda holds, code: careful(holds or code in codes, code))


def whoever_commits_is_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a commitment is taken for work, whatever it opens to."""

    def takes_any(id: JobId, job: TrainJob, result: Digest) -> bool:
        return job.commitment is not None

    monkeypatch.setattr(ballots, "opens_to", takes_any)


def nobody_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no deadline ever passes: whoever is waited for is waited for without end."""
    monkeypatch.setattr(Call, "after", lambda call, deadline: False)
