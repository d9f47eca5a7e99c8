"""Everything on Hyperledger Fabric: `FREEHOLD_FABRIC=DIR python -m tests.fabric`, and what was run.

Ends with pytest's exit code, or with NOT_RUN if Fabric's programs are not there: that nothing ran is no success.
"""

from __future__ import annotations

import sys

import pytest

from freehold.errors import FreeholdError
from freehold.ledger.fabric.programs import programs_from_environment

NOT_RUN = 3


def main() -> int:
    """Runs the tests of the engine and the behaviour suite."""
    try:
        programs = programs_from_environment()
    except FreeholdError as error:
        print(f"NOTHING RAN ON FABRIC: {error.what}\n  next  {error.next}", file=sys.stderr)
        return NOT_RUN
    print(f"Hyperledger Fabric {programs.line}, from {programs.path('peer')}", flush=True)
    return int(pytest.main(["-v", "tests/fabric", "tests/engines", "-k", "fabric"]))


if __name__ == "__main__":
    sys.exit(main())
