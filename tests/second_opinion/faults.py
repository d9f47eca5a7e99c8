"""How arguments go wrong: one thing is missing, added, strange, too large, out of order or somebody else's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from tests.second_opinion.books import Fields


class Raw(str):
    """Text that is put into an action as it stands."""

    __slots__ = ()


def spell(value: Any) -> str:
    """JSON that may be anything but canonical."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}":{spell(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(spell, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\n", "\\n") + '"'
    return str(value)


def mutated(fields: Fields, random: Random, ids: list[str], keys: list[str], fresh: Callable[[], str]) -> Fields:
    """The arguments with one fault."""
    r = random
    a: Fields = copy.deepcopy(fields)
    if not a:
        a["x"] = 1
        return a
    k = r.choice(list(a))
    v = a[k]
    s_ = v if isinstance(v, str) else fresh()
    q = r.random()
    allids = ids
    if isinstance(v, dict) and q < 0.9:
        a[k] = mutated(v, random, ids, keys, fresh)
    elif isinstance(v, list) and v and (q < 0.9):
        p = r.random()
        if p < 0.2:
            a[k] = v[::-1]
        elif p < 0.4:
            a[k] = [*v, v[-1]]
        elif p < 0.5:
            a[k] = []
        elif p < 0.6:
            a[k] = sorted(map(str, [*v, r.choice(allids)]))
        elif p < 0.7:
            a[k] = sorted(set(map(str, v + [fresh() for _ in range(r.choice([8, 64]))])))
        elif p < 0.8:
            v[r.randrange(len(v))] = r.choice(
                [
                    1,
                    "x",
                    "linear-0",
                    "linear-01",
                    "linear-1\n",
                    "forest-1",
                    "linear-" + "9" * 25,
                    "linear-" + "9" * 24 + "9" * 5,
                ]
            )
            a[k] = v
        else:
            v[r.randrange(len(v))] = r.choice(allids)
            a[k] = sorted(set(map(str, v)))
    elif q < 0.15:
        del a[k]
    elif q < 0.2:
        a[r.choice(["extra", "a", "zz", k + "x"])] = v
    elif isinstance(v, int):
        a[k] = r.choice(
            [
                0,
                1,
                2,
                3,
                4,
                5,
                64,
                65,
                v + 1,
                max(0, v - 1),
                2**53 - 1,
                2**53,
                -1,
                10**9,
                10**9 + 1,
                10**12,
                10**12 + 1,
                100000,
                100001,
                1000,
                1001,
                999,
                "1",
                Raw("1.0"),
                Raw("1e3"),
                Raw("01"),
                Raw("-0"),
                Raw("true"),
                Raw("null"),
                [],
                {},
            ]
        )
    else:
        a[k] = r.choice(
            [
                fresh(),
                r.choice(allids),
                r.choice(keys),
                s_.upper(),
                s_[:-1],
                s_ + "\n",
                s_ + "00",
                "",
                0,
                Raw("null"),
                Raw("true"),
                [v],
                {"a": v},
                Raw('"\\u0061"'),
                Raw('"\\ud800"'),
                Raw('"é"'),
                Raw("[[[[[[[1]]]]]]]"),
                "verified",
                "rejected",
                "linear-1",
                "statistics-1",
                "open-model-1",
                "linear",
                "open-model",
                "main",
                "spare",
                "else",
            ]
        )
    return a
