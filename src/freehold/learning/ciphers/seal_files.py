"""Words in and out of SEAL, whose Python binding reads and writes files only.

A SEAL file is a header of 16 bytes (magic, its length, the library's version, the compression, the whole length) and a
body, which the library compresses as it likes when it writes and takes plain when it reads. We write plain bodies. Keys
pass through here, so a file has no name that another process could open: on Linux it is anonymous memory; elsewhere it
lies in a private folder that is removed before the call returns, whatever happens.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import zstandard

from freehold.errors import Broken
from freehold.ports.cipher import Words

_MAGIC: Final = 0xA15E
_HEADER: Final = struct.Struct("<HBBBBHQ")
_CIPHERTEXT: Final = struct.Struct("<QQQdQ")
_PLAINTEXT: Final = struct.Struct("<Qd")
_LEVEL_BYTES: Final = 32
_LARGEST_BODY: Final = 1 << 26
_DESCRIPTORS: Final = "/proc/self/fd"
_MEMORY: Final = "/dev/shm"  # noqa: S108 - a private folder is made inside


class Saved(Protocol):
    """What SEAL can save: `save` writes the object to the file that it names."""

    def save(self, path: str, /) -> None:
        """Write the object."""
        ...


class SealFiles:
    """Reads and writes the files of one installed SEAL."""

    def __init__(self, sample: Saved) -> None:
        # SEAL refuses files of another version, so the version is learnt from a file that it wrote itself
        _, _, self._major, self._minor, _, _, _ = _HEADER.unpack_from(saved(sample))

    def load(self, target: Any, context: Any, data: bytes) -> None:
        """Let SEAL read `data` into `target`."""
        with _file(data) as path:
            target.load(context, path)

    def ciphertext(self, words: Words, level: bytes, *, ntt: bool) -> bytes:
        """The file of a ciphertext: (size, primes, N) words at the level that SEAL names with 32 bytes."""
        size, primes, degree = words.shape
        fields = _CIPHERTEXT.pack(size, degree, primes, 1.0, 1)
        return self._file(level + bytes([ntt]) + fields + self._array(words))

    def plaintext(self, coefficients: Words) -> bytes:
        """The file of a plaintext in coefficient form."""
        fields = _PLAINTEXT.pack(coefficients.size, 1.0)
        return self._file(bytes(_LEVEL_BYTES) + fields + self._array(coefficients))

    def _array(self, words: Words) -> bytes:
        data = np.ascontiguousarray(words, dtype="<u8").tobytes()
        return self._file(struct.pack("<Q", words.size) + data)

    def _file(self, body: bytes) -> bytes:
        size = _HEADER.size + len(body)
        return _HEADER.pack(_MAGIC, _HEADER.size, self._major, self._minor, 0, 0, size) + body


def saved(source: Saved) -> bytes:
    """The file that SEAL writes of `source`."""
    with _file(b"") as path:
        source.save(path)
        return Path(path).read_bytes()


def ciphertext_words(source: Saved) -> Words:
    """The (size, primes, N) words of a ciphertext."""
    body = _body(saved(source))
    size, degree, primes, _, _ = _CIPHERTEXT.unpack_from(body, _LEVEL_BYTES + 1)
    return _words(body[_LEVEL_BYTES + 1 + _CIPHERTEXT.size :]).reshape(size, primes, degree)


def plaintext_words(source: Saved, length: int) -> Words:
    """The coefficients of a plaintext, filled with zeros to `length`: SEAL drops leading ones."""
    body = _body(saved(source))
    found = _words(body[_LEVEL_BYTES + _PLAINTEXT.size :])
    coefficients = np.zeros(length, np.uint64)
    coefficients[: len(found)] = found
    return coefficients


def _words(data: bytes) -> Words:
    body = _body(data)
    (count,) = struct.unpack_from("<Q", body)
    return np.frombuffer(body, "<u8", count, 8)


def _body(data: bytes) -> bytes:
    magic, header, _, _, compression, _, size = _HEADER.unpack_from(data)
    if magic != _MAGIC or header != _HEADER.size or size != len(data):
        raise Broken("the cipher library wrote a file of an unknown form")
    body = data[header:]
    match compression:
        case 0:
            return body
        case 1:
            return zlib.decompress(body)
        case 2:
            return zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST_BODY)
    raise Broken(f"the cipher library wrote a file with the unknown compression {compression}")


@contextmanager
def _file(data: bytes) -> Iterator[str]:
    """A file that holds `data`, under a path that only this process can open, gone when the block ends."""
    if hasattr(os, "memfd_create") and os.path.isdir(_DESCRIPTORS):
        descriptor = os.memfd_create("seal", os.MFD_CLOEXEC)
        try:
            _fill(descriptor, data)
            yield f"{_DESCRIPTORS}/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="freehold-", dir=_MEMORY if os.path.isdir(_MEMORY) else None) as folder:
        named = Path(folder, "seal")
        named.write_bytes(data)
        yield str(named)


def _fill(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
