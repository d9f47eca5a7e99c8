"""`python -m tests.fuzz.child FORMAT …`: one format under the fuzzer, until its time is over or something is found."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from random import Random

from tests.fuzz.mutations import mutated


def main(arguments: list[str]) -> None:
    """Begins with the genuine values of the format; everything after its name is for libFuzzer, the corpus last
    (or one file, to try that alone)."""
    import atheris

    name, *options = arguments
    with atheris.instrument_imports(include=["freehold"]):
        formats = importlib.import_module("tests.fuzz.formats")
    format = formats.FORMATS[name]
    corpus = Path(options[-1])
    for number, seed in enumerate(format.seeds() if corpus.is_dir() else ()):
        (corpus / f"seed-{number:02}").write_bytes(seed)

    def one(data: bytes) -> None:
        format.read(data)

    def change(data: bytes, largest: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return bytes(atheris.Mutate(data, largest))
        return mutated(data, random)[:largest]

    atheris.Setup([name, f"-max_len={format.largest}", *options], one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
