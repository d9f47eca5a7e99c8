"""What is not clearly a table is refused with a sentence that says what to change, and never with a traceback."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.table import read_table

ROWS = "".join(f"{index}.5,{index % 7},{'ab'[index % 2]}\n" for index in range(40))
GOOD = "heart,lung,outcome\n" + ROWS


def refusal(folder: Path, data: bytes, target: str = "outcome") -> Invalid:
    path = folder / "table.csv"
    path.write_bytes(data)
    with pytest.raises(Invalid) as caught:
        read_table(path, target=target)
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_usual_delimiters_and_line_ends_are_read(tmp_path: Path, delimiter: str, end: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(GOOD.replace(",", delimiter).replace("\n", end).encode())
    table = read_table(path, target="outcome")
    assert table.rows.values[:3].tolist() == [[5, 0], [15, 1], [25, 2]]
    assert table.classes == ("a", "b")


def test_a_byte_order_mark_quotes_spaces_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    text = GOOD.replace("heart", '"heart"').replace("\n3.5,", '\n"3.5",').replace("\n7.5,0", "\n 7.5 , 0")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n\n")
    table = read_table(path, target="outcome")
    assert [column.name for column in table.columns] == ["heart", "lung"]
    assert table.rows.values[7].tolist() == [75, 0]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\n" + GOOD.encode(), "first line is empty"),
        (b"heart,lung,outcome\n", "no rows"),
        (b"PK\x03\x04 and so on", "Excel workbook"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PAR1....", "Parquet"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (b"a,b\n\x00\x01,2\n", "binary"),
        (GOOD.encode() * 20 + b"1,2,\x00\n", "line 821 holds a zero byte"),
        (GOOD.replace("outcome", "Größe").encode("latin-1"), "line 1 is not UTF-8: byte 0xF6"),
        ((GOOD + "1,2,é\n").encode("latin-1"), "line 42 is not UTF-8: byte 0xE9"),
        (GOOD.replace("3.5,3,b", "3.5,3").encode(), "line 5 has 2 cells, the header has 3"),
        (GOOD.replace("3.5,3,b", "3.5,3,b,").encode(), "line 5 has 4 cells"),
        (GOOD.replace("\n3.5,", '\n"3.5,').encode(), "unexpected end of data"),
        (GOOD.replace("\n", "\r").encode(), "line 1: new-line character"),
        (GOOD.replace("lung", '"lung').encode(), "line 1: unexpected end"),
        (GOOD.replace("lung", "heart").encode(), "two columns are called 'heart'"),
        (GOOD.replace("lung", " ").encode(), "column 2 has no name"),
        (GOOD.replace("lung", "l" * 101).encode(), "at most 100"),
        (GOOD.replace("lung", "lu\u202eng").encode(), "U+202E"),
        (ROWS.replace("a", "0").replace("b", "1").encode(), "first line holds numbers"),
        (b"outcome\na\nb\n", "one column only"),
        (b"x,outcome\n" + b"1" * (2**24 + 8) + b",a\n", "longer than"),
        (b'x,outcome\n"' + b"1" * 200_000 + b'",a\n', "field"),
        (b",".join(b"c%d" % index for index in range(1200)) + b",outcome\n", "at most 1100"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    assert what in refusal(tmp_path, data).what


def test_a_space_after_the_delimiter_is_no_part_of_a_quoted_cell(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f'{index}.5, "{("left, upper", "right")[index % 2]}", {"ab"[index % 2]}\n' for index in range(40))
    path.write_text('heart, "side, place", outcome\n' + rows, encoding="utf-8")
    table = read_table(path, target="outcome")
    assert [column.name for column in table.columns] == ["heart", "side, place"]
    assert getattr(table.columns[1], "values", ()) == ("left, upper", "right")


def test_a_delimiter_between_quotes_is_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('"heart, in mm, left";lung;outcome\n' + ROWS.replace(",", ";"), encoding="utf-8")
    assert [column.name for column in read_table(path, target="outcome").columns] == ["heart, in mm, left", "lung"]


def test_lines_of_blanks_are_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(GOOD + "   \n\t\n", encoding="utf-8")
    assert len(read_table(path, target="outcome").rows) == 40


def test_who_exported_row_numbers_without_a_name_learns_how_to_leave_them_out(tmp_path: Path) -> None:
    refused = refusal(tmp_path, (",heart,outcome\n" + "".join(f"{i},{i}.5,{'ab'[i % 2]}\n" for i in range(9))).encode())
    assert "index=False" in refused.next


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "table.csv"
    os.mkfifo(pipe)
    with pytest.raises(Invalid, match="pipe or a device") as caught:
        read_table(pipe, target="outcome")
    assert "write it to a file" in caught.value.next


def test_the_reader_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(GOOD, encoding="utf-8")
    told: list[float] = []
    read_table(path, target="outcome", told=told.append)
    assert told == [1.0]


def test_too_many_rows_are_refused_at_the_first_too_many(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"x,outcome\n" + b"1,a\n" * 300_001)
    assert "more than 300000 rows" in error.what


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, what in ((tmp_path / "none.csv", "there is no file"), (tmp_path, "is a folder")):
        with pytest.raises(Invalid, match=what):
            read_table(path, target="outcome")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_bring_the_reader_to_its_knees(tmp_path: Path, data: bytes) -> None:
    refusal(tmp_path, b"x,outcome\n" + data)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text('abc",;1.\n\r', max_size=120))
def test_no_text_brings_the_reader_to_its_knees(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(GOOD + text, encoding="utf-8")
    with suppress(Invalid):
        table = read_table(path, target="outcome")
        assert len(table.rows) + table.rows_left_out >= 40
