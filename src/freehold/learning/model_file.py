"""A trained model in one file: a zip of `model.json` and `weights.safetensors`, the same bytes for the same model.

`model.json` is canonical JSON: the feature map, the columns by name as a table must have them, the target, the chosen
ridge and its whole path, and where the model comes from (cards, training, evidence). The weights are one array in the
safetensors format, which any tool of the field reads. Nothing in the file can run: no pickle, no code.

A reader takes the file apart by its fixed layout, checks every part, writes it again and compares the bytes; so a file
has one spelling, and a damaged or crafted one is refused whatever it holds.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from freehold.errors import Invalid
from freehold.learning.map_form import LARGEST_MAP
from freehold.learning.model import Facts, Model
from freehold.learning.parameters import MOST_FEATURES, MOST_OUTPUTS
from freehold.learning.solver import Floats
from freehold.protocol.digests import sha256

FACTS: Final = "model.json"
WEIGHTS: Final = "weights.safetensors"
_LARGEST_FACTS: Final = LARGEST_MAP + 2**19
LARGEST_MODEL: Final = _LARGEST_FACTS + 8 * MOST_FEATURES * MOST_OUTPUTS + 4096
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_LENGTH: Final = struct.Struct("<Q")
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_MODE: Final = 0o100644 << 16


def encode_model(model: Model) -> bytes:
    """The bytes of a model's file."""
    weights = _encode_weights(model.weights)
    return _zipped({FACTS: model.facts(sha256(weights)).encode(), WEIGHTS: weights})


def decode_model(data: bytes) -> Model:
    """The model that `data` holds; Invalid for any other byte than `encode_model` would write."""
    if len(data) > LARGEST_MODEL:
        raise Invalid(f"a model's file has at most {LARGEST_MODEL} bytes, this one has {len(data)}")
    entries = _entries(data)
    if list(entries) != [FACTS, WEIGHTS] or len(entries[FACTS]) > _LARGEST_FACTS:
        raise Invalid("not a model's file", next="choose a file that `freehold train` wrote")
    facts = Facts.parse(entries[FACTS], largest=_LARGEST_FACTS)
    if sha256(entries[WEIGHTS]).hex() != facts.weights:
        raise Invalid("the weights are not those that the model's file names")
    model = Model.of(facts, _decode_weights(entries[WEIGHTS]))
    if encode_model(model) != data:
        raise Invalid("the model's file is not in its one spelling")
    return model


def read_model(path: Path) -> Model:
    """The model in the file at `path`; Invalid when it is missing, or no model's file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_MODEL + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}", next="name the model's file") from None
    return decode_model(data)


def _encode_weights(weights: Floats) -> bytes:
    data = np.ascontiguousarray(weights, dtype="<f8").tobytes()
    header: dict[str, object] = {"dtype": "F64", "shape": list(weights.shape), "data_offsets": [0, len(data)]}
    text = json.dumps({"weights": header}, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    return _LENGTH.pack(len(text)) + text + data


def _decode_weights(data: bytes) -> Floats:
    """The array of a safetensors file; whether it is spelled as we spell it shows when the file is written again."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        header = json.loads(data[_LENGTH.size : _LENGTH.size + length]) if length < 1024 else {}
        rows, columns = header["weights"]["shape"]
        if type(rows) is not int or type(columns) is not int:
            raise Invalid("the shape of the weights is not two numbers")
        if not 1 <= rows <= MOST_FEATURES or not 1 <= columns <= MOST_OUTPUTS:
            raise Invalid(f"weights of {rows} × {columns} are outside the limits")
        weights = np.frombuffer(data, dtype="<f8", offset=_LENGTH.size + length, count=rows * columns)
    except (ValueError, KeyError, TypeError, struct.error, RecursionError):
        raise Invalid("the weights cannot be read") from None
    if not np.isfinite(weights).all():
        raise Invalid("a weight is not a number")
    return weights.reshape(rows, columns).astype(np.float64)


def _zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            # date, system and mode fixed: the same model is the same file wherever it is written
            info = zipfile.ZipInfo(name, _OLDEST)
            info.create_system, info.external_attr = _UNIX, _MODE
            archive.writestr(info, data)
    return buffer.getvalue()


def _entries(data: bytes) -> dict[str, bytes]:
    """The two stored entries at the front of a zip, by its local headers alone."""
    entries, at = {}, 0
    for _ in range(2):
        if at + _LOCAL.size > len(data):
            raise Invalid("not a model's file: it is cut short")
        signature, _, _, method, _, _, _, size, whole, name_size, extra_size = _LOCAL.unpack_from(data, at)
        begin = at + _LOCAL.size + name_size + extra_size
        if signature != b"PK\x03\x04" or method != 0 or size != whole or begin + size > len(data):
            raise Invalid("not a model's file", next="choose a file that `freehold train` wrote")
        name = data[at + _LOCAL.size : at + _LOCAL.size + name_size].decode("ascii", "replace")
        entries[name] = data[begin : begin + size]
        at = begin + size
    return entries
