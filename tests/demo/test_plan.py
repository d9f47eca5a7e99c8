"""What cannot be done is refused before anything starts, with a sentence that says what to change."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from freehold.demo.plan import Wish, make_plan
from freehold.errors import Invalid


def wish(tmp_path: Path, **changes: Any) -> Wish:
    asked: dict[str, Any] = {
        "data": None,
        "target": None,
        "group": None,
        "map": "standard",
        "subsets": 4,
        "replicas": 3,
        "group_min": None,
        "rounds": 6,
        "cheat": None,
        "seed": 1,
        "out": tmp_path / "out",
    }
    return Wish(**{**asked, **changes})


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "data.csv"
    file.write_text(text, "utf-8")
    return file


def two_classes(rows: int, *, patients: int = 0) -> str:
    """A table of two classes and one column that tells them apart; with patients, several rows belong to each."""
    lines = ["patient,size,outcome" if patients else "size,outcome"]
    for row in range(rows):
        values = [str(row % 37), "good" if row % 2 else "bad"]
        lines.append(",".join([f"p{row % patients}", *values] if patients else values))
    return "\n".join(lines) + "\n"


def rows_of(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_the_built_in_data_needs_no_options_and_a_quarter_of_it_is_kept_aside(tmp_path: Path, work: Path) -> None:
    plan = make_plan(wish(tmp_path), work)

    training, test = rows_of(plan.training_rows), rows_of(plan.test_rows)
    assert training[0] == test[0]
    assert len(training) + len(test) - 2 == 569
    assert len(test) - 1 == 357 // 4 + 212 // 4
    assert not {tuple(row) for row in training[1:]} & {tuple(row) for row in test[1:]}
    assert sum(row[0] == "malignant" for row in test) == 212 // 4
    assert plan.cheaters == ("copying", "silent")
    assert plan.cloud_owners == 13


def test_the_same_seed_holds_out_the_same_rows_and_another_seed_others(tmp_path: Path) -> None:
    def held(seed: int) -> list[list[str]]:
        folder = tmp_path / f"work-{seed}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return rows_of(make_plan(wish(tmp_path, seed=seed), folder).test_rows)

    assert held(1) == held(1)
    assert held(1) != held(2)


def test_rows_of_one_patient_are_never_on_both_sides(tmp_path: Path, work: Path) -> None:
    data = table(tmp_path, two_classes(400, patients=200))
    plan = make_plan(wish(tmp_path, data=data, target="outcome", group="patient", map="identity"), work)

    sides = [{row[0] for row in rows_of(file)[1:]} for file in (plan.training_rows, plan.test_rows)]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        ("", {}, "empty"),
        ("\x00\x01\x02", {}, "binary"),
        (two_classes(400), {"target": "outcom"}, "outcome"),
        (two_classes(400), {"group": "patient"}, "patient"),
        (two_classes(8), {}, ""),
        (two_classes(400), {"map": "standart"}, "standart"),
        (two_classes(400), {"map": "rff-200"}, "per feature"),
        (two_classes(400), {"subsets": 3}, "subsets"),
        (two_classes(400), {"replicas": 4}, "replicas"),
        (two_classes(400), {"group_min": 9}, "group"),
        (two_classes(400), {"subsets": 8, "group_min": 2, "rounds": 3}, "rounds"),
        (two_classes(400), {"rounds": 0}, "rounds"),
        (two_classes(400), {"cheat": ("lying",)}, "lying"),
        (two_classes(400), {"cheat": ("lazy",) * 5}, "cheaters"),
        (two_classes(400), {"subsets": 40, "replicas": 3}, "jobs"),
        ("size,outcome\n" + "1,same\n" * 100, {}, ""),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_way_out(
    tmp_path: Path, work: Path, text: str, changes: dict[str, Any], said: str
) -> None:
    data = table(tmp_path, text)

    with pytest.raises(Invalid) as caught:
        make_plan(wish(tmp_path, **{"data": data, "target": "outcome", "map": "identity", **changes}), work)

    assert said in f"{caught.value.what} {caught.value.next}"
    assert caught.value.next or caught.value.why or caught.value.what


def test_a_file_without_a_target_is_asked_for_one(tmp_path: Path, work: Path) -> None:
    with pytest.raises(Invalid, match="Which column"):
        make_plan(wish(tmp_path, data=table(tmp_path, two_classes(100))), work)


def test_a_numeric_target_is_held_out_too(tmp_path: Path, work: Path) -> None:
    text = "x,y\n" + "".join(f"{row % 50},{row * 1.5}\n" for row in range(400))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="y", map="identity"), work)

    assert len(rows_of(plan.test_rows)) - 1 == 100


def test_nobody_cheats_if_none_is_asked_for(tmp_path: Path, work: Path) -> None:
    assert make_plan(wish(tmp_path, cheat=("none",)), work).cheaters == ()
