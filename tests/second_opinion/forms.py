"""What the arguments of each function must look like: kind and form first, range and length behind them.

The names are looked at before any value, the values in ascending order of their names, inner objects likewise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.second_opinion.reader import LARGEST
from tests.second_opinion.refusal import require

Form = Callable[[Any], None]
TYPES = ("linear", "statistics", "open-model")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


def hexadecimal(size: int) -> Form:
    """So many bytes in lower case."""

    def form(value: Any) -> None:
        require(type(value) is str and len(value) == 2 * size and not set(value) - set("0123456789abcdef"), "malformed")

    return form


def integer(least: int = 0, most: int = LARGEST) -> Form:
    """A number within limits."""

    def form(value: Any) -> None:
        require(type(value) is int, "malformed")
        require(least <= value <= most, "limit")

    return form


def one_of(*words: str) -> Form:
    """A word of a closed list."""

    def form(value: Any) -> None:
        require(type(value) is str and value in words, "malformed")

    return form


def name(value: Any) -> None:
    """A short name."""
    require(type(value) is str and 1 <= len(value) <= 32, "malformed")
    require(value[0] in LETTERS and not set(value) - set(LETTERS + DIGITS + "-"), "malformed")


def address(value: Any) -> None:
    """A host and the number of a port."""
    require(type(value) is str, "malformed")
    host, colon, port = value.rpartition(":")
    require(bool(colon) and 1 <= len(host) <= 200 and 1 <= len(port) <= 5, "malformed")
    require(not set(port) - set(DIGITS), "malformed")
    require(not set(host) - set(LETTERS + LETTERS.upper() + DIGITS + ".-[]:"), "malformed")


def method(value: Any) -> None:
    """A type and a version from one on."""
    name(value)
    kind, _, version = value.rpartition("-")
    require(kind in TYPES and version and not set(version) - set(DIGITS) and version[0] != "0", "malformed")


def ascending(element: Form, least: int, most: int) -> Form:
    """A list: kind, length, elements, order."""

    def form(value: Any) -> None:
        require(type(value) is list, "malformed")
        require(least <= len(value) <= most, "limit")
        for each in value:
            element(each)
        require(all(first < second for first, second in itertools.pairwise(value)), "malformed")

    return form


def fields(required: dict[str, Form], optional: dict[str, Form] | None = None) -> Form:
    """An object of these names."""
    known = {**required, **(optional or {})}

    def form(value: Any) -> None:
        require(type(value) is dict, "malformed")
        require(set(required) <= set(value) <= set(known), "malformed")
        for key in sorted(value):
            known[key](value[key])

    return form


model_type = one_of(*TYPES)
BYTES = hexadecimal(32)
LOCATOR = hexadecimal(560)
OPERATOR = fields({"address": address, "key": BYTES, "node": hexadecimal(20), "validator": BYTES})
INTEGER = integer()
AMOUNT = integer(1)
TERMS = fields(
    {
        "answer_window": INTEGER,
        "close_window": INTEGER,
        "commit_window": INTEGER,
        "group_min": INTEGER,
        "hold": INTEGER,
        "idle_window": INTEGER,
        "methods": ascending(method, 1, 16),
        "price_job": integer(0, 10**9),
        "price_round": integer(0, 10**9),
        "rounds_per_training": integer(1, 1000),
        "rounds_total": integer(1, 100000),
        "stake": integer(0, 10**12),
        "store": name,
    },
    {"referee": BYTES},
)
MEMBER = fields(
    {"signing_key": BYTES, "sealing_key": BYTES, "recovery_key": BYTES},
    {"admission": fields({"handle": BYTES, "until": INTEGER, "signature": hexadecimal(64)})},
)
FORMS: dict[str, Form] = {
    "CreateDO": MEMBER,
    "CreateCO": MEMBER,
    "CreateMO": MEMBER,
    "RotateKey": fields({"version": INTEGER, "signing_key": BYTES, "sealing_key": BYTES, "recovery_key": BYTES}),
    "CreateDS": fields({"nonce": BYTES, "m": integer(2, 64), "n": INTEGER, "terms": TERMS, "card_digest": BYTES}),
    "CreateDSS": fields({"dataset": BYTES, "index": INTEGER, "digest": BYTES, "mask_key": BYTES}),
    "CreateCI": fields({"subset": BYTES, "co": BYTES, "nonce": BYTES, "object": BYTES, "locator": LOCATOR}),
    "JoinCI": fields({"instance": BYTES, "receipt": BYTES, "nonce": BYTES}),
    "VerifyCI": fields({"instance": BYTES, "verdict": one_of("verified", "rejected")}),
    "RetireCI": fields({"instance": BYTES}),
    "PublishDS": fields({"dataset": BYTES}),
    "WithdrawDS": fields({"dataset": BYTES}),
    "CreateMod": fields(
        {
            "nonce": BYTES,
            "type": model_type,
            "method": method,
            "map": BYTES,
            "material": BYTES,
            "hash": BYTES,
            "store": name,
        }
    ),
    "RequestTC": fields(
        {
            "nonce": BYTES,
            "model": BYTES,
            "datasets": ascending(BYTES, 1, 8),
            "rounds": INTEGER,
            "draw_commitment": BYTES,
        }
    ),
    "ApproveTC": fields({"couple": BYTES, "dataset": BYTES, "share": BYTES}),
    "StartRound": fields({"couple": BYTES, "round": INTEGER, "base": BYTES}, {"secret": BYTES}),
    "UpdateTJ": fields({"job": BYTES, "commitment": BYTES, "nonce": BYTES, "locator": LOCATOR}),
    "CloseRound": fields({"ballot": BYTES, "digest": BYTES}),
    "ReportFraud": fields({"ballot": BYTES, "ruling": BYTES}),
    "EndTC": fields({"couple": BYTES}, {"final": BYTES}),
    "Deposit": fields({"nonce": BYTES, "payee": BYTES, "amount": AMOUNT}),
    "Withdraw": fields({"nonce": BYTES, "amount": AMOUNT}),
    "ProposeOperator": fields({"nonce": BYTES, "operator": BYTES}, {"card": OPERATOR}),
    "ApproveOperator": fields({"proposal": BYTES}),
    "Collect": fields({"payouts": ascending(BYTES, 1, 64)}),
}
