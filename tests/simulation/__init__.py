"""A whole market in one loop and one seeded chance: `python -m tests.simulation --help` says how it is run."""
