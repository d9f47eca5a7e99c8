"""`python -m freehold.demo.sample DIR`: real rows to try Freehold with, before rows of one's own are at hand.

Writes the breast cancer table of this package as two CSV files: rows to offer to the market, and a quarter that is held
out, to measure a model on rows that nobody in the market ever had. The same rows are held out every time.
"""

import errno
import os
import sys
from importlib import resources
from pathlib import Path
from typing import Final

from freehold.demo.holdout import hold_out
from freehold.demo.plan import BUILT_IN, BUILT_IN_TARGET

OFFERED: Final = "patients.csv"
HELD_OUT: Final = "later.csv"
_SEED: Final = 1


def write_sample(folder: Path) -> dict[str, int]:
    """Writes both files into `folder`; the number of rows in each. A file that is there already raises OSError."""
    written = [folder / OFFERED, folder / HELD_OUT]
    for path in written:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with resources.as_file(resources.files("freehold.demo.data").joinpath(BUILT_IN)) as table:
        hold_out(table, *written, target=BUILT_IN_TARGET, group=None, seed=_SEED)
    return {path.name: len(path.read_text("utf-8").splitlines()) - 1 for path in written}


def main() -> int:
    """Writes the files into the folder that is named on the command line, or into the present one."""
    folder = Path(*sys.argv[1:2])
    try:
        rows = write_sample(folder)
    except OSError as error:
        print(f"{error.filename or folder} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    for name, count in rows.items():
        print(f" {count:>3} rows  {folder / name}, the column to predict is {BUILT_IN_TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
