"""The cheating benchmark: attacks on whole markets, measured against the same market without them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from freehold.bench.attacks import ATTACKS
from freehold.bench.drawing import picture
from freehold.bench.market import PRICE_JOB, ROUNDS, Market
from freehold.bench.measuring import Measured, chosen, measure
from freehold.bench.people import Chance
from freehold.bench.plays import PLAYS, Play
from freehold.bench.running import PICTURE, RESULT, SCHEMA, run
from freehold.bench.text import ending_text, markdown, table_text
from freehold.cli import application
from freehold.cli.exits import DONE, INVALID, UNAVAILABLE, USAGE
from freehold.errors import Broken, Invalid
from freehold.terminal.colors import Ink
from freehold.terminal.live import Progress
from freehold.terminal.symbols import ASCII

FIELDS = ["attack", "runs", "detected", "false_blame", "honest_loss", "rounds_lost", "seconds_to_detection"]

PLAYED = [
    "copies",
    "two-outvote-one",
    "deals-unequal-packages",
    "sends-another-base",
    "replays-actions",
    "shows-two-histories",
]


def played(name: str, folder: Path, *, seeds: int = 1) -> Measured:
    folder.mkdir(exist_ok=True)
    (measured,) = measure(chosen([name]), seeds, folder, lambda attack, seed: None)
    return measured


def result(attack: str, **changes: object) -> Measured:
    values: dict[str, object] = {
        "runs": 2, "detected": 1.0, "false_blame": 0, "honest_loss": 0, "rounds_lost": 0, "seconds_to_detection": 0.5
    }  # fmt: skip
    return Measured(attack=attack, **(values | changes))  # type: ignore[arg-type]


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_every_attack_is_defined_for_others_and_played_here() -> None:
    assert list(ATTACKS) == list(PLAYS)
    assert len(ATTACKS) >= 16
    assert {attack.by for attack in ATTACKS.values()} == {
        "cloud owner", "data owner", "model owner", "outsider", "operator"
    }  # fmt: skip
    for name, attack in ATTACKS.items():
        lines = [line.strip() for line in attack.definition.strip().splitlines()]
        assert lines[0].endswith("."), name
        assert lines[2].startswith("1. "), name
        assert sum(line.startswith("Detected: ") for line in lines) == 1, name
        assert sum(line.startswith("Stopped by: ") for line in lines) == 1, name


def test_attacks_of_every_role_are_found_but_two_who_lie_alike_and_what_each_costs_the_honest_is_told(
    tmp_path: Path,
) -> None:
    measured = measure(chosen(PLAYED), 1, tmp_path, lambda attack, seed: None)

    figures = {each.attack: each for each in measured}
    found = [name for name in PLAYED if figures[name].detected == 1]
    assert [name for name in PLAYED if name not in found] == ["two-outvote-one"]
    assert {ATTACKS[name].by for name in found} == {attack.by for attack in ATTACKS.values()}
    assert {name: figures[name].false_blame for name in PLAYED if figures[name].false_blame} == {
        "two-outvote-one": 1,
        "sends-another-base": 1,
    }
    lost = {name: figures[name].honest_loss // PRICE_JOB for name in PLAYED if figures[name].honest_loss}
    assert lost == dict.fromkeys(("two-outvote-one", "deals-unequal-packages", "sends-another-base"), ROUNDS)
    assert not any(each.rounds_lost for each in measured)
    copier, liars = figures["copies"].seconds_to_detection, figures["two-outvote-one"].seconds_to_detection
    assert copier is not None
    assert 0 < copier < 2
    assert liars is None

    # one seed gives the same figures again, whatever else is played
    assert played("copies", tmp_path / "again") == figures["copies"]
    assert Chance("1/market")(8) == Chance("1/market")(8) != Chance("2/market")(8)


def test_an_attack_that_shows_nowhere_counts_as_not_detected_and_one_that_never_begins_counts_as_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(market: Market) -> None:
        market.acts()
        market.trains()

    monkeypatch.setitem(PLAYS, "copies", Play(unseen))
    assert played("copies", tmp_path / "unseen").detected == 0

    monkeypatch.setitem(PLAYS, "copies", Play(lambda market: None))
    with pytest.raises(Broken, match="never began"):
        played("copies", tmp_path / "idle")
    assert everything(tmp_path / "idle") == everything(tmp_path / "unseen")


def test_the_command_writes_one_object_an_attack_and_a_picture_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    asked = [
        "bench",
        "cheating",
        "--attack",
        "opens-another-draw",
        "--seeds",
        "1",
        "--format",
        "json",
        "--out",
        str(out),
    ]
    assert application.run(asked) == DONE

    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / RESULT).read_text())
    assert printed["schema"] == "freehold/cheating/1"
    assert printed["seeds"] == 1
    (attack,) = printed["attacks"]
    assert list(attack) == FIELDS
    assert attack["attack"] == "opens-another-draw"
    assert attack["detected"] == 1
    assert everything(out) == {RESULT, PICTURE}
    assert "opens-another-draw" in "".join(ElementTree.parse(out / PICTURE).getroot().itertext())


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["--attack", "copys"], INVALID, ["no attack 'copys'", "copies, returns-base", "truncates-ledger"]),
        (["--seeds", "0"], USAGE, ["--seeds"]),
        (["--seeds", "many"], USAGE, ["--seeds"]),
        (["--seeds", "1001"], USAGE, ["--seeds"]),
    ],
)
def test_what_cannot_be_played_is_said_before_anything_is(
    asked: list[str], code: int, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert application.run(["bench", "cheating", *asked, "--out", str(tmp_path / "out")]) == code
    told = " ".join(capsys.readouterr().err.split())
    assert all(each in told for each in said)
    assert everything(tmp_path) == set()


def test_somebody_s_folder_is_not_replaced_and_a_place_that_is_none_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")

    assert application.run(["bench", "cheating", "--out", str(tmp_path / "thesis")]) == INVALID
    assert "not made by the cheating benchmark" in capsys.readouterr().err
    assert application.run(["bench", "cheating", "--out", str(tmp_path / "thesis" / "chapter" / "out")]) == UNAVAILABLE
    assert everything(tmp_path) == {"thesis", "thesis/chapter"}


class Impatient(Progress):
    """Somebody who presses Ctrl-C as soon as the first market is published."""

    def say(self, line: str) -> None:
        raise KeyboardInterrupt


def test_whoever_stops_it_finds_the_earlier_result_and_nothing_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    (out / RESULT).write_text(json.dumps({"schema": SCHEMA, "seeds": 7}))
    monkeypatch.setattr("tempfile.tempdir", str(work))

    with pytest.raises(KeyboardInterrupt):
        run(["ends-in-mid-round"], 1, out, Impatient())

    assert json.loads((out / RESULT).read_text())["seeds"] == 7
    assert everything(tmp_path) == {"work", "out", f"out/{RESULT}"}

    run(["ends-in-mid-round"], 1, out, Progress(quiet=True))
    assert json.loads((out / RESULT).read_text())["seeds"] == 1
    assert everything(tmp_path) == {"work", "out", f"out/{RESULT}", f"out/{PICTURE}"}


def test_table_page_and_picture_say_what_was_found_and_at_whose_cost() -> None:
    measured = [result("copies"), result("two-outvote-one", detected=0.5, false_blame=3, honest_loss=1_500_000)]

    table, ending = table_text(measured, Ink(on=False), ASCII), ending_text(measured, 2, "out", 3.2, Ink(on=False))
    assert [line.split()[0] for line in table.splitlines()] == ["attack", "cloud", "V", "X"]
    assert table.splitlines()[2].split()[2:] == ["2/2", "0.50", "s", "0", "0.00", "0"]
    assert "1 of 2 in every run; not two-outvote-one (1/2)" in ending
    assert "two-outvote-one (3)" in ending
    assert "| cloud owner | `two-outvote-one` | 1/2 | 0.50 s | 3 | 1.50 | 0 |" in markdown(measured)
    drawn = ElementTree.fromstring(picture(measured, 2))
    dots = [each.get("class") for each in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert dots == ["dot", "dot some"]


def test_attacks_are_played_in_the_order_of_the_list_each_once() -> None:
    assert [attack.name for attack in chosen(["vanishes", "copies", "vanishes"])] == ["copies", "vanishes"]
    assert [attack.name for attack in chosen([])] == list(ATTACKS)
    with pytest.raises(Invalid, match="no attack"):
        chosen(["copies", ""])


def test_the_page_shows_a_reference_run_of_every_attack() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cheating.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("|") and line.count("|") == 8]

    assert [row[1].strip("`") for row in rows[2:]] == list(ATTACKS)
    assert all(f"`{field}`" in page for field in FIELDS)
