"""What an accepted action tells its readers: one list per call, in the order of its effects.

An event names what happened, to which record, and the member whom it concerns. It carries nothing else: whoever
wants to know more reads the record, so an event can be repeated without harm.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from freehold.protocol.identifiers import MemberId


class Event(NamedTuple):
    """`name` of the closed list below, `subject` the id of a record, `to` a member, or an operator's key."""

    name: str
    subject: str
    to: MemberId


INSTANCE_OFFERED: Final = "instance-offered"
INSTANCE_JOINED: Final = "instance-joined"
INSTANCE_VERIFIED: Final = "instance-verified"
INSTANCE_REJECTED: Final = "instance-rejected"
INSTANCE_RETIRED: Final = "instance-retired"
TRAINING_REQUESTED: Final = "training-requested"
TRAINING_APPROVED: Final = "training-approved"
TRAINING_ENDED: Final = "training-ended"
JOB_OPEN: Final = "job-open"
BALLOT_VOID: Final = "ballot-void"
BALLOT_DECIDED: Final = "ballot-decided"
JOB_ACCEPTED: Final = "job-accepted"
JOB_REJECTED: Final = "job-rejected"
JOB_MISSING: Final = "job-missing"
FINDING: Final = "finding"
PAYOUT_DUE: Final = "payout-due"
OPERATOR_PROPOSED: Final = "operator-proposed"
OPERATORS_CHANGED: Final = "operators-changed"

NAMES: Final = (
    INSTANCE_OFFERED,
    INSTANCE_JOINED,
    INSTANCE_VERIFIED,
    INSTANCE_REJECTED,
    INSTANCE_RETIRED,
    TRAINING_REQUESTED,
    TRAINING_APPROVED,
    TRAINING_ENDED,
    JOB_OPEN,
    BALLOT_VOID,
    BALLOT_DECIDED,
    JOB_ACCEPTED,
    JOB_REJECTED,
    JOB_MISSING,
    FINDING,
    PAYOUT_DUE,
    OPERATOR_PROPOSED,
    OPERATORS_CHANGED,
)
"""Every name an event can have."""
