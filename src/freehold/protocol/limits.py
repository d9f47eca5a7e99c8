"""Every limit of the market, in one file: whatever comes from outside is measured against one of these.

Numbers that bound each other (`group_min` ≤ m, windows ≥ 2·grace, hold ≥ two windows) are named here by the side
that is constant; the other side stands in the records.
"""

from __future__ import annotations

from typing import Final

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR

LARGEST_INTEGER: Final = 2**53 - 1
"""The largest integer of canonical JSON: every reader of JSON in the world holds it exactly."""

DEEPEST_NESTING: Final = 6
"""Containers below the outermost object of canonical JSON."""

# Actions and records.

ACTION_SMALLEST: Final = 97
"""Key 32, signature 64, and at least one byte of body."""
ACTION_LARGEST: Final = 12_288
RECORD_LARGEST: Final = 12_288
"""Bytes of canonical JSON of one record."""
READS_PER_CALL: Final = 200
"""Distinct keys that one call may read."""
WRITES_PER_CALL: Final = 200

# The network record.

SKEW_LARGEST: Final = DAY
GRACE_LARGEST: Final = DAY
REFEREES: Final = 16
STORES: Final = 16
OPERATORS: Final = 32
AUTHORITIES: Final = 32
NETWORK_RECORD_LARGEST: Final = 12_288

# Datasets and their terms.

SUBSETS_SMALLEST: Final = 2
SUBSETS_LARGEST: Final = 64
REPLICAS: Final = (3, 5, 7, 9)
"""n is odd, so that a vote cannot end in a tie."""
GROUP_MIN_SMALLEST: Final = 2
PRICE_LARGEST: Final = 10**9
STAKE_LARGEST: Final = 10**12
ROUNDS_PER_TRAINING_LARGEST: Final = 1_000
ROUNDS_TOTAL_LARGEST: Final = 100_000
METHODS: Final = 16
WINDOW_LARGEST: Final = 30 * DAY
WINDOW_SMALLEST_IN_GRACES: Final = 2
HOLD_LARGEST: Final = 90 * DAY
HOLD_SMALLEST_IN_WINDOWS: Final = 2
"""A stake is held at least twice the time that a ballot needs to close."""

# Trainings and money.

PARTS: Final = 8
"""Datasets that one training may join."""
JOBS_PER_ROUND: Final = 96
PAYOUTS_PER_COLLECT: Final = 64
AMOUNT_LARGEST: Final = LARGEST_INTEGER
DEPOSITS_LARGEST: Final = LARGEST_INTEGER
"""All deposits ever: no sum of the market's money can leave the integers of canonical JSON."""

# Bytes on and off the ledger.

NAME_LARGEST: Final = 32
"""Characters of a store's or a method's name."""
LOCATOR_PLAINTEXT: Final = 512
LOCATOR: Final = 560
"""Bytes of a sealed locator: encapsulated key 32, padded plaintext 512, tag 16."""
PACKAGE_LARGEST: Final = 2**31
"""Bytes of a package: 300,000 rows of 1,000 columns are 1.2 GB."""
