"""What cannot be done is refused before anything starts, with a sentence that says what to change."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold.demo.measure import train_centrally
from freehold.demo.plan import Plan, Wish, make_plan
from freehold.errors import Invalid, Unavailable
from freehold.learning.card import ByteColumn, NumberColumn
from freehold.learning.measured import read_measured
from freehold.learning.prepared import Prepared, load, prepare


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


def prepared(plan: Plan, out: Path) -> Prepared:
    """What the data owner's own command makes of the plan."""
    return prepare(plan.read(plan.training_rows), out, subsets=plan.subsets, map_name=plan.map)


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


def test_a_fault_is_told_by_its_line_in_the_file_whichever_side_it_would_fall_on(tmp_path: Path, work: Path) -> None:
    lines = ["size,outcome", *(f"{row % 37}.5,{'good' if row % 2 else 'bad'}" for row in range(400))]
    for fault in (5, 123, 399):
        text = "\n".join("<2,good" if place == fault else line for place, line in enumerate(lines)) + "\n"
        with pytest.raises(Invalid, match=f"in line {fault + 1},") as caught:
            make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome"), work)
        assert caught.value.now == "nothing was started"


def test_a_word_that_only_the_held_out_rows_hold_stops_nobody_later(tmp_path: Path) -> None:
    for seed in range(8):
        text = "children,outcome\n" + "".join(
            f"{'3 or more' if row == 7 else row % 3},{'good' if row % 2 else 'bad'}\n" for row in range(400)
        )
        folder = tmp_path / str(seed)
        folder.mkdir()
        plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome", seed=seed), folder)
        card = prepared(plan, folder / "prepared").card
        assert len(read_measured(plan.test_rows, card).truth) == 100
        assert train_centrally(plan, load(folder / "prepared")).test_rows == 100


def test_a_class_too_small_to_be_held_out_is_measured_all_the_same(tmp_path: Path, work: Path) -> None:
    text = "size,outcome\n" + "".join(f"{row % 37},{'abc'[row % 2 if row > 2 else 2]}\n" for row in range(400))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome", subsets=3, cheat=()), work)

    central = train_centrally(plan, prepared(plan, work / "prepared"))
    assert central.test_rows == 98
    assert 0.0 <= central.central <= 1.0


def test_a_missing_number_of_the_test_is_the_median_of_the_training(tmp_path: Path, work: Path) -> None:
    text = "size,outcome\n" + "".join(f"{row % 37 * 10},{'good' if row % 2 else 'bad'}\n" for row in range(400))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome"), work)
    card = prepared(plan, work / "prepared").card
    later = tmp_path / "later.csv"
    later.write_text("size,outcome\n,good\n9000,bad\n9000,ugly\n9000,\n", "utf-8")

    measured = read_measured(later, card)

    column = card.columns[0]
    assert isinstance(column, NumberColumn)
    assert measured.values[:, 0].tolist() == [column.median, 9000, 9000]
    assert measured.truth.tolist() == [1.0, 0.0, -1.0]


def test_rows_without_a_target_measure_nothing_and_are_not_held_out(tmp_path: Path, work: Path) -> None:
    text = "size,outcome\n" + "".join(f"{row % 37},{('good', 'bad', '?', '')[row % 4]}\n" for row in range(400))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome"), work)

    assert [row[1] for row in rows_of(plan.test_rows)[1:]].count("good") == 25
    assert {row[1] for row in rows_of(plan.test_rows)[1:]} == {"good", "bad"}


def test_blanks_around_a_patient_make_no_other_patient_and_a_missing_one_is_nobody_s(
    tmp_path: Path, work: Path
) -> None:
    lines = ["patient,size,outcome"]
    lines += [
        f"{'NA' if row < 200 else ' ' * (row % 3) + str(row // 4)},{row % 37},{'good' if row % 8 < 4 else 'bad'}"
        for row in range(600)
    ]
    data = table(tmp_path, "\n".join(lines) + "\n")
    plan = make_plan(wish(tmp_path, data=data, target="outcome", group="patient", map="identity"), work)

    training, test = ([row[0].strip() for row in rows_of(file)[1:]] for file in (plan.training_rows, plan.test_rows))
    assert set(training) & set(test) == {"NA"}
    assert 30 <= test.count("NA") <= 70


def test_a_number_of_few_values_is_held_out_by_chance_and_predicted_as_the_whole_file_says(
    tmp_path: Path, work: Path
) -> None:
    text = "x,y\n" + "".join(f"{row % 50},{row % 133}.5\n" for row in range(399))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="y", map="identity"), work)

    assert len(rows_of(plan.test_rows)) - 1 == 99
    assert plan.kind == "number"
    assert "--kind=number" in plan.reading


def test_whole_numbers_can_be_predicted_as_numbers(tmp_path: Path, work: Path) -> None:
    text = "x,y\n" + "".join(f"{row % 50},{3 if row == 7 else row % 3}\n" for row in range(400))
    data = table(tmp_path, text)
    with pytest.raises(Invalid, match="too few") as caught:
        make_plan(wish(tmp_path, data=data, target="y"), work)
    assert "--kind number" in caught.value.next
    assert make_plan(wish(tmp_path, data=data, target="y", kind="number"), work).kind == "number"


def test_an_embedding_is_read_as_one(tmp_path: Path, work: Path) -> None:
    text = "e1,e2,outcome\n" + "".join(f"0.{row % 91},-0.{row % 37},{'ab'[row % 2]}\n" for row in range(400))
    plan = make_plan(wish(tmp_path, data=table(tmp_path, text), target="outcome", map="embedding"), work)
    assert {type(column) for column in prepared(plan, work / "prepared").card.columns} == {ByteColumn}


def test_more_rows_and_features_get_more_time_for_the_first_round(tmp_path: Path, work: Path) -> None:
    small = make_plan(wish(tmp_path), work)
    assert replace(small, features=300).commit_window > 2 * small.commit_window
    assert replace(small, subsets=20).commit_window > 2 * small.commit_window
    assert replace(small, rows=100_000, features=300).commit_window > 2 * replace(small, features=300).commit_window


def test_a_demo_that_could_compare_with_nothing_is_refused_before_it_starts(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.demo.plan.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="scikit-learn") as caught:
        make_plan(wish(tmp_path), work)
    assert "freehold[demo]" in caught.value.next
    assert not list(work.iterdir())


def test_nobody_cheats_if_none_is_asked_for(tmp_path: Path, work: Path) -> None:
    assert make_plan(wish(tmp_path, cheat=("none",)), work).cheaters == ()
