"""The configuration says which market a name stands for, and what a person wrote into it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.errors import Invalid
from freehold.node.configuration import Network, Profile, add_table, read_configuration, set_values

NODES = ("http://127.0.0.1:7420",)
MINE, ANOTHER = Network(id="ab" * 32, nodes=NODES), Network(id="cd" * 32, nodes=NODES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "freehold" / "config.toml"


def test_a_name_that_stands_for_one_market_never_comes_to_stand_for_another(path: Path) -> None:
    add_table(path, "networks", "hospitals", MINE)
    add_table(path, "profiles", "ward", Profile(role="data-owner", network="hospitals"))
    before = path.read_bytes()

    with pytest.raises(Invalid, match="already has another"):
        add_table(path, "networks", "hospitals", ANOTHER)
    with pytest.raises(Invalid, match="already has another"):
        add_table(path, "profiles", "ward", Profile(role="model-owner", network="hospitals"))

    assert path.read_bytes() == before
    assert read_configuration(path, {}).network("hospitals") == MINE


def test_what_is_added_again_changes_nothing(path: Path) -> None:
    for _ in range(2):
        add_table(path, "networks", "hospitals", MINE)

    assert path.read_text("utf-8").count("[networks.hospitals]") == 1


def test_what_a_person_wrote_stays_beside_what_a_command_sets(path: Path) -> None:
    add_table(path, "networks", "hospitals", MINE)
    with path.open("a") as file:
        file.write('[cloud]\n# our own floor\nmin_price_job = "0.25"\nmax_rows = 500\n')

    set_values(path, "cloud", {"max_rows": 900})

    assert "# our own floor" in path.read_text("utf-8")
    rules = read_configuration(path, {}).cloud
    assert (rules.min_price_job, rules.max_rows) == (250_000, 900)


def test_a_configuration_that_is_no_text_or_too_large_is_refused(path: Path) -> None:
    add_table(path, "networks", "hospitals", MINE)
    whole = path.read_bytes()
    for data, what in ((whole + b"#" * 2**20, "larger than"), (whole + b"# \xff", "not text"), (b"[", "not TOML")):
        path.write_bytes(data)
        with pytest.raises(Invalid, match=what):
            read_configuration(path, {})
