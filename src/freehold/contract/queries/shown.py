"""Records as an answer shows them, and the arguments of a question as they must be written."""

import re
from typing import Any, Final, TypeVar

from freehold.contract.view import View
from freehold.errors import Invalid
from freehold.ports.state_view import StateView
from freehold.protocol import assets
from freehold.protocol.assets import Ballot, TrainJob
from freehold.protocol.records import Record

R = TypeVar("R", bound=Record)

_ID: Final = re.compile("[0-9a-f]{64}")
_UNDER_A_VOID_BALLOT: Final = {"committed": "undecided", "open": "missing"}


def an_id(value: object, name: str) -> str:
    """An id given as the argument `name`; Invalid if it is none."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Invalid(f"{name} must be an id: 64 lower-case hex characters")
    return value


def existing(view: StateView, kind: type[R], id: object, name: str) -> R:
    """The record that the argument `name` names; Refused `unknown` if there is none."""
    return View(view.read).get(kind, an_id(id, name))


def shown(id: str, record: Record) -> dict[str, Any]:
    """A record with its id, as JSON."""
    return {"id": id, **assets.as_dict(record)}


def shown_job(id: str, job: TrainJob, ballot: Ballot) -> dict[str, Any]:
    """A job with its id; under a void ballot nobody was accepted or rejected, and its state says so."""
    plain = shown(id, job)
    if ballot.state == "void":
        plain["state"] = _UNDER_A_VOID_BALLOT[job.state]
    return plain


def shown_jobs(view: StateView, ballot: Ballot) -> list[dict[str, Any]]:
    """All jobs of a ballot with their ids, in slot order."""
    jobs = View(view.read).every(TrainJob, ballot.jobs)
    return [shown_job(id, job, ballot) for id, job in jobs.items()]
