"""`predict` writes where it was told to, and never over what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.application import run


@pytest.mark.parametrize("written", ["rows.csv", "link.csv", "model.freehold"])
def test_the_rows_and_the_model_are_never_replaced_by_predictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    (tmp_path / "rows.csv").write_text("heart\n1\n", "utf-8")
    (tmp_path / "link.csv").symlink_to("rows.csv")
    (tmp_path / "model.freehold").write_bytes(b"a model")

    code = run(
        ["predict", str(tmp_path / "model.freehold"), str(tmp_path / "rows.csv"), "--out", str(tmp_path / written)]
    )

    assert code == 4
    assert "would be replaced" in capsys.readouterr().err
    assert (tmp_path / "rows.csv").read_text("utf-8") == "heart\n1\n"
    assert (tmp_path / "model.freehold").read_bytes() == b"a model"
