"""Prints every attack as docs/threats.md shows it."""

from tests.adversaries.table import table

if __name__ == "__main__":
    print(table())
