"""Arguments: which are read, and which fault is reported when there are several."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.errors import Refused
from freehold.protocol import actions, canonical
from tests.protocol.vectors import load, named

VECTORS = load("arguments")
FIRST: dict[str, dict[str, Any]] = {}
for _case in VECTORS["accepted"]:
    FIRST.setdefault(_case["function"], _case["arguments"])


def _label(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "what": f"{case['function']}: {case.get('what', 'ordinary')}"}


@pytest.mark.parametrize("case", named([_label(case) for case in VECTORS["accepted"]]))
def test_arguments_are_read_and_written_back(case: dict[str, Any]) -> None:
    arguments = actions.parse(case["function"], case["arguments"])

    assert type(arguments) is actions.FUNCTIONS[case["function"]]
    assert actions.encode(arguments) == case["arguments"]
    assert canonical.encode(arguments) == canonical.encode(case["arguments"])


@pytest.mark.parametrize("case", named([_label(case) for case in VECTORS["refused"]]))
def test_the_first_fault_in_the_annexs_order_gives_the_code(case: dict[str, Any]) -> None:
    value = {**FIRST[case["function"]], **case["with"]}
    for name in case["without"]:
        del value[name]

    with pytest.raises(Refused) as refused:
        actions.parse(case["function"], value)

    assert refused.value.code == case["code"], refused.value.what


@pytest.mark.parametrize("case", VECTORS["unknown"], ids=lambda case: case["function"])
def test_a_function_outside_the_list_is_unknown(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        actions.parse(case["function"], case["arguments"])

    assert refused.value.code == "unknown"


def test_every_function_is_there_with_accepted_and_refused_vectors() -> None:
    assert set(FIRST) == set(actions.FUNCTIONS)
    assert {case["function"] for case in VECTORS["refused"]} == set(actions.FUNCTIONS)
    assert len(actions.FUNCTIONS) == 25


@pytest.mark.parametrize("function", sorted(FIRST))
@pytest.mark.parametrize("value", [None, 7, "text", [], [{}], True, 1.5], ids=repr)
def test_arguments_that_are_no_object_are_malformed(function: str, value: object) -> None:
    with pytest.raises(Refused) as refused:
        actions.parse(function, value)

    assert refused.value.code == "malformed"


@pytest.mark.parametrize("function", sorted(FIRST))
@pytest.mark.parametrize("value", [None, True, 1.5, -1, {}, [], "", "\n"], ids=repr)
def test_no_field_takes_a_value_of_another_kind(function: str, value: object) -> None:
    for name in FIRST[function]:
        with pytest.raises(Refused) as refused:
            actions.parse(function, {**FIRST[function], name: value})

        assert refused.value.code in ("malformed", "limit")


def test_a_refusal_names_the_field_and_what_it_must_be() -> None:
    with pytest.raises(Refused, match=r"datasets\[1\] must be 64 lower-case hex characters"):
        actions.parse("RequestTC", {**FIRST["RequestTC"], "datasets": ["01" * 32, "../x"]})
    with pytest.raises(Refused, match="m is 65, at most 64 is allowed"):
        actions.parse("CreateDS", {**FIRST["CreateDS"], "m": 65})
    with pytest.raises(Refused, match="missing fields: amount; fields that do not belong there: sum"):
        actions.parse("Withdraw", {"nonce": "01" * 32, "sum": 1})
