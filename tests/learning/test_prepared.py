"""A prepared folder appears whole or not at all, fits together, and says in public only what it should."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from freehold.errors import Invalid, Unavailable
from freehold.learning import prepared, whole_folder
from freehold.learning.card import Card
from freehold.learning.certificate import Certificate, bin_edges, labels_of
from freehold.learning.prepared import Prepared, load, prepare
from freehold.learning.rows import Rows, join
from freehold.learning.table import read_table
from tests.learning.tables import SEED, patient_table, patients, write_csv


@pytest.fixture
def ready(tmp_path: Path) -> Prepared:
    return prepare(patient_table(tmp_path), tmp_path / "out", seed=SEED, title="Ward survey")


def test_the_folder_reads_back_and_every_count_is_right(ready: Prepared) -> None:
    again = load(ready.folder)
    again.check()
    assert again.card == ready.card
    assert again.plan.subsets == 4
    assert sum(len(Rows.parse(again.rows(index))) for index in range(4)) == ready.card.rows


def test_the_same_table_and_seed_give_the_same_bytes(ready: Prepared, tmp_path: Path) -> None:
    prepare(patient_table(tmp_path), tmp_path / "again", seed=SEED, title="Ward survey")
    for path in sorted(ready.folder.iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_a_seed_of_its_own_splits_otherwise(ready: Prepared, tmp_path: Path) -> None:
    other = prepare(patient_table(tmp_path), tmp_path / "other")
    assert other.certificate.digests != ready.certificate.digests
    assert other.card.columns == ready.card.columns


def test_no_made_up_row_is_a_row_of_the_table(ready: Prepared, tmp_path: Path) -> None:
    assert len(ready.card.samples.rows) == 20
    real = {tuple(str(cell) for cell in row[:4]) for row in patients(240)[1]}
    assert not real & {row[:4] for row in ready.card.samples.rows}
    # a table so small that every row exists shows none
    rows = [[["a", "b"][i % 2], ["c", "d"][i // 2 % 2], ["yes", "no"][i // 4 % 2]] for i in range(80)]
    tiny = prepare(
        read_table(write_csv(tmp_path, ["x", "y", "outcome"], rows), target="outcome"), tmp_path / "tiny", seed=SEED
    )
    assert tiny.card.samples.rows == ()
    assert any("no made-up rows" in notice for notice in tiny.notices)


def test_the_card_says_nothing_of_single_subsets(ready: Prepared) -> None:
    value = json.loads(ready.card_bytes)
    assert set(value["split"]) == {"certificate", "rules", "subsets"}
    assert all(digest not in ready.card_bytes.decode() for digest in ready.certificate.digests)


def test_knots_are_never_the_extremes(ready: Prepared) -> None:
    rows = join([Rows.parse(ready.rows(index)) for index in range(4)])
    for index, column in enumerate(ready.card.columns[:3]):
        knots = column.knots  # type: ignore[union-attr]
        assert rows.values[:, index].min() < knots[0]
        assert knots[-1] < rows.values[:, index].max()


def test_only_the_owner_can_read_what_stays_in_the_house(ready: Prepared) -> None:
    assert ready.folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in ready.folder.iterdir())


@pytest.mark.parametrize("name", ["card.json", "split.json", "plan.json", "subset-02.rows"])
def test_a_changed_or_missing_file_is_noticed(ready: Prepared, name: str) -> None:
    path = ready.folder / name
    data = path.read_bytes()
    middle = len(data) // 2
    for changed in (data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], data[:-1], b"", None):
        path.unlink() if changed is None else path.write_bytes(changed)
        with pytest.raises(Invalid):
            load(ready.folder).check()


def test_parts_of_two_preparations_do_not_mix(ready: Prepared, tmp_path: Path) -> None:
    other = prepare(patient_table(tmp_path, seed=2), tmp_path / "other", seed=SEED)
    (ready.folder / "split.json").write_bytes((other.folder / "split.json").read_bytes())
    with pytest.raises(Invalid, match="not the certificate"):
        load(ready.folder)


def test_a_folder_in_use_is_not_touched(ready: Prepared, tmp_path: Path) -> None:
    before = (ready.folder / "card.json").read_bytes()
    with pytest.raises(Invalid, match="exists already"):
        prepare(patient_table(tmp_path, seed=3), ready.folder)
    assert (ready.folder / "card.json").read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = patient_table(tmp_path)
    before = sorted(tmp_path.iterdir())
    written: list[Path] = []

    def full(path: Path, data: bytes) -> None:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        whole_folder.write_file(path, data)

    monkeypatch.setattr(prepared, "write_file", full)
    with pytest.raises(Unavailable, match="No space left") as caught:
        prepare(table, tmp_path / "out", seed=SEED)
    assert caught.value.now == "nothing was written"
    assert sorted(tmp_path.iterdir()) == before


def test_folders_that_were_made_on_the_way_are_gone_after_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = patient_table(tmp_path)
    before = sorted(tmp_path.iterdir())

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(prepared, "write_file", full)
    with pytest.raises(Unavailable):
        prepare(table, tmp_path / "a" / "b" / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_more_features_than_can_train_are_refused_with_a_smaller_map(tmp_path: Path) -> None:
    names = [f"c{index}" for index in range(46)]
    rows = [[*((row * column) % 89 for column in range(1, 47)), "ab"[row % 2]] for row in range(6_000)]
    table = read_table(write_csv(tmp_path, [*names, "outcome"], rows), target="outcome")
    with pytest.raises(Invalid, match="makes 1128 features of these columns, at most 1025") as caught:
        prepare(table, tmp_path / "out", map_name="poly2")
    assert "--map identity" in caught.value.next


def test_rows_are_counted_in_the_groups_that_will_train(tmp_path: Path) -> None:
    table = patient_table(tmp_path, rows=240)
    prepare(table, tmp_path / "one", subsets=8, map_name="poly2")
    with pytest.raises(Invalid, match=r"60 rows are 2\.1 per feature") as caught:
        prepare(table, tmp_path / "four", subsets=8, group_min=2, map_name="poly2")
    assert "--group-min 8" in caught.value.next
    assert not (tmp_path / "four").exists()


def test_what_a_crash_left_is_removed_by_the_next_attempt(tmp_path: Path) -> None:
    left = tmp_path / ".out.unfinished"
    left.mkdir()
    (left / "subset-01.rows").write_bytes(b"half")
    table = patient_table(tmp_path)
    prepare(table, tmp_path / "out", seed=SEED)
    assert not left.exists()
    load(tmp_path / "out").check()


def test_too_few_rows_for_the_map_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    table = patient_table(tmp_path, rows=40)
    with pytest.raises(Invalid, match=r"40 rows are 4\.0 per feature of the map standard") as caught:
        prepare(table, tmp_path / "out")
    assert "choose --map identity: 5.7 rows per feature" in caught.value.next
    assert not (tmp_path / "out").exists()
    prepare(table, tmp_path / "out", map_name="identity")


def test_few_rows_are_warned_of_and_many_are_not(tmp_path: Path) -> None:
    few = prepare(patient_table(tmp_path, rows=120), tmp_path / "few")
    assert any("12.0 rows per feature of the map standard: below 20" in notice for notice in few.notices)
    many = prepare(patient_table(tmp_path, rows=400), tmp_path / "many")
    assert not any("rows per feature" in notice for notice in many.notices)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"subsets": 1}, "1 subsets are outside 2 to 64"),
        ({"subsets": 65}, "65 subsets"),
        ({"replicas": 4}, "4 replicas cannot vote"),
        ({"group_min": 5}, "at least 5 subsets is outside 2 to 4"),
        ({"map_name": "magic"}, "no feature map 'magic'"),
        ({"subsets": 2}, "2 classes cannot be split into 2 subsets"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, object], what: str
) -> None:
    table = patient_table(tmp_path)
    with pytest.raises(Invalid, match=what):
        prepare(table, tmp_path / "out", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_numeric_target_is_split_by_its_quantile_bins(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    rows = [[f"{x:.2f}", f"{3 * x + y:.2f}"] for x, y in random.normal(size=(300, 2))]
    table = read_table(write_csv(tmp_path, ["x", "dose"], rows), target="dose")
    ready = prepare(table, tmp_path / "out", seed=SEED)
    assert len(ready.certificate.classes) == 8
    edges = ready.certificate.edges
    for index in range(4):
        bins = labels_of(Rows.parse(ready.rows(index)).targets, edges)
        assert len(set(bins.tolist())) == 7
    load(ready.folder).check()


def test_a_number_that_is_mostly_one_value_still_has_two_bins() -> None:
    targets = np.array([0] * 90 + list(range(1, 11)), dtype=np.int32)
    assert bin_edges(targets, 4) == (1,)
    assert bin_edges(-targets, 4) == (0,)


@given(st.lists(st.integers(0, 12), min_size=40, max_size=200).filter(lambda values: len(set(values)) > 1))
def test_no_bin_of_a_number_is_nearly_empty(values: list[int]) -> None:
    targets = np.array(values, dtype=np.int32)
    edges = bin_edges(targets, 4)
    counts = np.bincount(labels_of(targets, edges), minlength=len(edges) + 1)
    assert list(edges) == sorted(set(edges))
    assert len(edges) == 1 or counts.min() >= len(values) / 16
    assert counts.min() >= 1


def test_a_certificate_that_breaks_a_rule_is_refused(ready: Prepared) -> None:
    value = json.loads(ready.certificate.encode())
    for counts, rule in (([[1, 1], [59, 0], [60, 0], [0, 119]], "R1"), ([[0, 90], [0, 30], [60, 0], [60, 0]], "R2")):
        value["counts"] = counts
        data = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
        with pytest.raises(Invalid, match=rule):
            Certificate.parse(data)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"format": "freehold/split/9"}, "format"),
        ({"rules": ["R1"]}, "rules"),
        ({"digests": ["ab" * 32] * 3}, "digest per subset"),
        ({"counts": [[0], [0], [60], [60]]}, "count per subset and class"),
        ({"left_out": -1}, "below zero"),
        ({"edges": [1, 2]}, "edge"),
        ({"seed": "AB" * 32}, "hex"),
    ],
)
def test_a_certificate_of_another_form_is_refused(ready: Prepared, changes: dict[str, object], what: str) -> None:
    value = json.loads(ready.certificate.encode()) | changes
    data = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(Invalid, match=what):
        Certificate.parse(data)


def test_a_certificate_is_not_believed_but_counted_again(ready: Prepared) -> None:
    certificate = ready.certificate
    assert len(certificate.check_subset(0, ready.rows(0))) == sum(certificate.counts[0])

    fewer = tuple(tuple(max(0, count - 1) for count in row) for row in certificate.counts)
    lying = structs.replace(certificate, counts=fewer)
    lying.check()
    with pytest.raises(Invalid, match="other counts than the certificate says"):
        lying.check_subset(0, ready.rows(0))
    with pytest.raises(Invalid, match="not those that the certificate names"):
        certificate.check_subset(0, ready.rows(1))


def test_a_plan_for_another_number_of_subsets_is_noticed(ready: Prepared) -> None:
    plan = json.loads((ready.folder / "plan.json").read_bytes())
    plan["subsets"] += 1
    (ready.folder / "plan.json").write_text(json.dumps(plan, separators=(",", ":"), sort_keys=True))
    with pytest.raises(Invalid, match="different numbers of subsets"):
        load(ready.folder)


def test_a_cloud_owner_refuses_rows_that_do_not_fit_the_card(ready: Prepared) -> None:
    card = Card.parse(ready.card_bytes)
    rows = Rows.parse(ready.rows(0))
    card.check_rows(rows)
    every = join([Rows.parse(ready.rows(index)) for index in range(4)])
    for wrong, what in (
        (every, "holds every class|more than half"),
        (Rows(values=rows.values[:, :3], targets=rows.targets, held=rows.held), "3 columns"),
        (Rows(values=rows.values + 4, targets=rows.targets, held=rows.held), "category that the card does not list"),
        (Rows(values=rows.values, targets=rows.targets + 2, held=rows.held), "class that the card does not name"),
        (join([rows] * 5), "larger than its dataset"),
        (join([rows, rows]), "more than half"),
    ):
        with pytest.raises(Invalid, match=what):
            card.check_rows(wrong)


def test_the_split_page_shows_every_count_and_runs_nothing(ready: Prepared) -> None:
    page = (ready.folder / "split.html").read_text(encoding="utf-8")
    assert all(f">{count}<" in page for row in ready.certificate.counts for count in row)
    assert "<script" not in page
    assert "http" not in page
