"""Bugs that are planted are caught, and the frame that says so does not fool itself."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted.__main__ import main
from tests.planted.patches import QUICK, ROOT, BadPatch, Bug, every_bug, named, plant, read
from tests.planted.trial import FOLDER_PREFIX, Trials, is_a_test, trials

PATCH = """{mistake}
Caught-by: tests/test_sums.py::{test}

--- a/src/freehold/__init__.py
+++ b/src/freehold/__init__.py
@@ -1,2 +1,2 @@
 def added(one: int, other: int) -> int:
-    return one + other
+    return {planted}
"""
TESTS = """from freehold import added


def test_two_numbers_are_added():
    assert added(2, 2) == 4


def test_nothing_changes_nothing():
    assert added(3, 0) == 3


def test_that_was_red_all_along():
    assert added(1, 1) == 3
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Trials]:
    """Trials of a product that can do nothing but add."""
    product = tmp_path / "product"
    for folder in ("src/freehold", "tests/planted", "docs", "bench"):
        (product / folder).mkdir(parents=True)
    for file in ("pyproject.toml", "README.md", "Makefile", "tests/__init__.py", "tests/planted/__init__.py"):
        (product / file).touch()
    shutil.copy(ROOT / "tests/planted/witness.py", product / "tests/planted")
    (product / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["processes"]\n')
    (product / "src/freehold/__init__.py").write_text(
        "def added(one: int, other: int) -> int:\n    return one + other\n"
    )
    (product / "tests/test_sums.py").write_text(TESTS.partition("\n\n\ndef test_that_was_red")[0] + "\n")
    with trials(product) as made:
        yield made


def bug(folder: Path, planted: str, test: str = "test_two_numbers_are_added", mistake: str = "It is wrong.") -> Bug:
    """A bug of the product that adds."""
    file = folder / "it-is-wrong.patch"
    file.write_text(PATCH.format(mistake=mistake, test=test, planted=planted))
    return read(file)


def test_the_bugs_whose_tests_are_quickest_are_caught_by_the_tests_that_they_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--quick", "--format", "json"])

    said = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in said["bugs"]] == sorted(QUICK)
    assert [each["name"] for each in said["bugs"] if not each["caught"] or each["trouble"]] == []
    assert (code, said["caught"], said["of"]) == (0, len(QUICK), len(QUICK))
    for planted, each in zip(named(QUICK), said["bugs"], strict=True):
        assert each["caught_by"].partition("[")[0] in planted.caught_by


def test_every_patch_applies_to_the_present_source_and_leaves_a_program(tmp_path: Path) -> None:
    wrong = []
    for each in every_bug():
        for touched in each.touches:
            (tmp_path / touched).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / touched, tmp_path / touched)
        try:
            plant(each, ROOT, only_check=True)
            plant(each, tmp_path)
            for touched in each.touches:
                ast.parse((tmp_path / touched).read_text("utf-8"))
        except (BadPatch, SyntaxError) as error:
            wrong.append(f"{each.name}: {error}")

    assert wrong == []


def test_every_patch_is_one_mistake_of_the_product_with_tests_that_exist() -> None:
    bugs = every_bug()

    assert len(bugs) >= 40
    assert [each.name for each in bugs if not all(is_a_test(test) for test in each.caught_by)] == []
    assert all(touched.startswith("src/freehold/") for each in bugs for touched in each.touches)
    assert all(each.touches for each in bugs)
    assert len({each.mistake for each in bugs}) == len(bugs)
    diffs = {each.file.read_text("utf-8").partition("\n--- a/")[2] for each in bugs}
    assert len(diffs) == len(bugs), "no mistake is planted under two names"
    parts = {touched.split("/")[2] for each in bugs for touched in each.touches}
    assert parts >= {"agents", "cli", "contract", "learning", "ledger", "node", "objects", "protocol"}


def test_a_bug_is_caught_by_the_test_that_it_names(bench: Trials, tmp_path: Path) -> None:
    verdict = bench.try_out(bug(tmp_path, "one - other"))

    assert (verdict.caught_by, verdict.trouble) == ("tests/test_sums.py::test_two_numbers_are_added", "")


def test_a_bug_that_another_test_catches_is_caught_and_the_wrong_name_is_told(bench: Trials, tmp_path: Path) -> None:
    verdict = bench.try_out(bug(tmp_path, "one * other"))

    assert verdict.caught_by == "tests/test_sums.py::test_nothing_changes_nothing"
    assert "not by the tests that it names" in verdict.trouble


def test_what_changes_nothing_is_caught_by_nobody(bench: Trials, tmp_path: Path) -> None:
    verdict = bench.try_out(bug(tmp_path, "other + one"))

    assert not verdict.is_caught
    assert verdict.trouble == "no test of the suite noticed it"


def test_a_test_that_was_red_anyway_catches_nothing(bench: Trials, tmp_path: Path) -> None:
    (bench.healthy / "tests/test_sums.py").write_text(TESTS)
    for planted in ("one - other", "other + one"):
        verdict = bench.try_out(bug(tmp_path, planted, "test_that_was_red_all_along"))

        assert not verdict.is_caught
        assert "fails without any bug" in verdict.trouble


def test_a_test_that_does_not_exist_catches_nothing(bench: Trials, tmp_path: Path) -> None:
    verdict = bench.try_out(bug(tmp_path, "one - other", "test_that_nobody_wrote"))

    assert not verdict.is_caught
    assert "there is no such test" in verdict.trouble


def test_code_that_cannot_be_imported_is_no_bug_that_was_caught(bench: Trials, tmp_path: Path) -> None:
    verdict = bench.try_out(bug(tmp_path, "one -"))

    assert not verdict.is_caught
    assert verdict.trouble


def test_a_patch_whose_place_is_gone_says_so(bench: Trials, tmp_path: Path) -> None:
    (bench.healthy / "src/freehold/__init__.py").write_text("from operator import add as added\n")

    verdict = bench.try_out(bug(tmp_path, "one - other"))

    assert not verdict.is_caught
    assert "does not apply any more" in verdict.trouble


def test_another_product_than_the_copy_is_never_tested(bench: Trials, tmp_path: Path) -> None:
    shutil.rmtree(bench.healthy / "src/freehold")

    verdict = bench.try_out(bug(tmp_path, "one - other"))

    assert not verdict.is_caught
    assert "not from the copy" in verdict.trouble


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no sentence\nCaught-by: tests/x.py::y\n\n--- a/x\n+++ b/x\n",
        "A sentence.\n\n--- a/x\n+++ b/x\n",
        "A sentence.\nCaught-by: tests/x.py::y\n",
        "Caught-by: tests/x.py::y.\n\n--- a/x\n+++ b/x\n",
    ],
)
def test_a_patch_that_does_not_say_what_it_is_is_not_read(text: str, tmp_path: Path) -> None:
    file = tmp_path / "silent.patch"
    file.write_text(text)

    with pytest.raises(BadPatch, match=r"silent\.patch"):
        read(file)


def test_a_bug_that_nobody_planted_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moon-is-cheese"]) == 1
    assert "moon-is-cheese" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_whoever_is_interrupted_leaves_nothing_behind(how: signal.Signals, tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.planted"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # whoever starts the tests in the background hands down that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(f"{FOLDER_PREFIX}*/tmp")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)

    running.send_signal(how)
    said, _ = running.communicate(timeout=30)

    assert running.returncode == 130
    assert "Interrupted" in said
    assert list(tmp_path.iterdir()) == []
