"""A model is one file with one spelling; it predicts any table that has its columns."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.learning.maps import approved, map_description
from freehold.learning.model import Model, make_model, number
from freehold.learning.model_file import LARGEST_MODEL, decode_model, encode_model, read_model
from freehold.learning.predict import predict, predict_values
from freehold.learning.prepared import prepare
from freehold.learning.rehearsal import plain_statistics, rehearse_linear
from freehold.learning.rows import Rows
from freehold.learning.solver import problem_of
from freehold.learning.table import read_table
from tests.learning.tables import SEED, patients, write_csv


def trained(folder: Path, path: Path, target: str, map_name: str = "standard") -> Model:
    ready = prepare(read_table(path, target=target), folder / f"out-{map_name}", seed=SEED, map_name=map_name)
    cards = [ready.card]
    feature_map = approved(map_description(cards, map_name), cards)
    problem = problem_of(cards, feature_map)
    subsets = [Rows.parse(ready.rows(index)) for index in range(ready.plan.subsets)]
    solution = rehearse_linear(problem, [plain_statistics(subsets, feature_map, (), problem.shift)], 6)[-1]
    return make_model(cards, feature_map, solution, rounds=6, training="ab" * 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return trained(folder, write_csv(folder, *patients(300, 3)), "outcome")


@pytest.fixture(scope="module")
def data(model: Model) -> bytes:
    return encode_model(model)


def test_a_model_reads_back_and_is_written_alike(model: Model, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.freehold"
    path.write_bytes(data)
    again = read_model(path)
    assert np.array_equal(again.weights, model.weights)
    assert again.path == model.path
    assert again.class_names == ("class 0", "class 1", "class 2")
    assert encode_model(again) == data


def test_any_tool_opens_the_file_and_reads_the_weights(model: Model, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["model.json", "weights.safetensors"]
        tensors = archive.read("weights.safetensors")
        facts = json.loads(archive.read("model.json"))
    (length,) = struct.unpack_from("<Q", tensors)
    header = json.loads(tensors[8 : 8 + length])["weights"]
    assert header["dtype"] == "F64"
    assert (8 + length) % 8 == 0
    weights = np.frombuffer(tensors, "<f8", offset=8 + length).reshape(header["shape"])
    assert np.array_equal(weights, model.weights)
    assert facts["training"] == "ab" * 32


def test_a_flipped_bit_anywhere_is_noticed(data: bytes) -> None:
    random = np.random.default_rng(1)
    for place in [*range(80), *random.integers(0, len(data), 300).tolist(), *range(len(data) - 60, len(data))]:
        changed = bytearray(data)
        changed[place] ^= 1 << int(random.integers(8))
        with pytest.raises(Invalid):
            decode_model(bytes(changed))


@given(st.binary(max_size=400))
def test_no_bytes_bring_the_reader_to_its_knees(junk: bytes) -> None:
    with pytest.raises(Invalid):
        decode_model(junk)


def test_a_cut_a_longer_and_a_huge_file_are_refused(data: bytes) -> None:
    for junk in (data[:-1], data[:1000], data + b"\x00", b"PK\x03\x04" + data, bytes(LARGEST_MODEL + 1)):
        with pytest.raises(Invalid):
            decode_model(junk)


def test_a_compressed_copy_is_refused(data: bytes) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(Invalid):
        decode_model(packed.getvalue())


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "01.0", "1", "1.00", " 1.0", "1_0.0", ""])
def test_fractions_have_one_spelling(text: str) -> None:
    with pytest.raises(Invalid):
        number(text)


def test_predictions_are_good_and_measured_when_the_target_is_there(model: Model, tmp_path: Path) -> None:
    names, rows = patients(400, 3, seed=8)
    found = predict(model, write_csv(tmp_path, names, rows))
    assert found.score is not None
    assert found.score > 0.65  # a third would be guessing
    assert found.classes is not None
    assert found.probabilities is not None
    assert found.score == np.mean([f"class {label}" == row[4] for label, row in zip(found.classes, rows, strict=True)])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    assert np.array_equal(found.probabilities.argmax(axis=1), found.classes)


def test_columns_may_stand_in_any_order_with_others_between_them_and_no_target(model: Model, tmp_path: Path) -> None:
    names, rows = patients(50, 3, seed=8)
    expected = predict(model, write_csv(tmp_path, names, rows))
    order = [3, 1, 0, 2]
    shuffled = [["x", *(row[index] for index in order)] for row in rows]
    found = predict(model, write_csv(tmp_path, ["other", *(names[index] for index in order)], shuffled))
    assert np.array_equal(found.classes, expected.classes)  # type: ignore[arg-type]
    assert found.score is None


def test_missing_values_and_unknown_categories_still_get_a_prediction(model: Model, tmp_path: Path) -> None:
    names, rows = patients(50, 3, seed=8)
    rows[0][0], rows[1][3], rows[2][3], rows[3][4], rows[4][4] = "", "", "nowhere", "", "class 9"
    found = predict(model, write_csv(tmp_path, names, rows))
    assert found.classes is not None
    assert len(found.classes) == 50
    assert found.measured is not None
    assert np.isnan(found.measured[3])
    assert found.measured[4] == -1  # a class that the model does not know counts as wrong


def test_a_missing_column_and_a_text_among_numbers_are_refused(model: Model, tmp_path: Path) -> None:
    names, rows = patients(20, 3)
    with pytest.raises(Invalid, match="no column 'heart'"):
        predict(model, write_csv(tmp_path, ["hearth", *names[1:]], rows))
    rows[5][1] = "high"
    with pytest.raises(Invalid, match="'lung' holds 'high' in line 7"):
        predict(model, write_csv(tmp_path, names, rows))


@pytest.mark.parametrize("map_name", ["identity", "quantile", "poly2", "rff-6"])
def test_every_map_predicts_the_same_from_a_file_and_from_a_package(folder: Path, map_name: str) -> None:
    path = write_csv(folder, *patients(300, 3))
    model = decode_model(encode_model(trained(folder, path, "outcome", map_name)))
    from_file = predict(model, path)
    from_rows = predict_values(model, read_table(path, target="outcome").rows.values)
    assert np.array_equal(from_file.classes, from_rows.classes)  # type: ignore[arg-type]


def test_a_number_is_predicted_in_its_own_units(folder: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    rows = [[f"{x:.3f}", f"{z:.3f}", f"{1000 + 40 * x - 25 * z + y:.2f}"] for x, y, z in random.normal(size=(400, 3))]
    path = write_csv(tmp_path, ["x", "z", "dose"], rows)
    found = predict(decode_model(encode_model(trained(tmp_path, path, "dose"))), path)
    assert found.numbers is not None
    assert found.score is not None
    assert found.score > 0.99
    truth = np.array([float(str(row[2])) for row in rows])
    assert float(np.median(np.abs(found.numbers - truth))) < 3
