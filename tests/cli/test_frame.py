"""What every command has in common: help with an example, errors in five parts, exit codes, a quick start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold import __version__
from freehold.cli import errors
from freehold.cli.application import build, run
from freehold.cli.exits import KINDS, Interrupted, Usage, kind_and_code
from freehold.cli.naming import one_of
from freehold.errors import Broken, FreeholdError, Invalid, Refused, Unavailable
from freehold.protocol.refusals import CODES
from freehold.terminal.colors import Ink, wants_color
from freehold.terminal.live import Progress
from freehold.terminal.money import in_credits, parse_credits
from freehold.terminal.symbols import ASCII, UNICODE, plain, symbols_for

DOCS = Path(__file__).parents[2] / "docs"


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its words."""
    import typer.main

    root = typer.main.get_command(build())
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            for verb, inner in command.commands.items():
                yield f"{name} {verb}", inner
        else:
            yield name, command


@pytest.mark.parametrize(("words", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_every_command_has_help_with_one_example_that_it_would_take(words: str, command: Any) -> None:
    assert command.help
    example = command.epilog.removeprefix("Example: ")
    assert example.startswith(f"freehold {words}")
    assert command.epilog.count("freehold ") == 1
    rest = example.removeprefix(f"freehold {words}").split()
    context = command.make_context(words, rest, resilient_parsing=True)
    assert context.args == []
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{words}: {parameter.name} is not explained"


def test_every_command_speaks_both_formats() -> None:
    for words, command in commands():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--format" in options, words
        assert "--color" in options, words


def test_every_refusal_code_is_explained() -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    for code, explanation in CODES.items():
        assert f"### {code}\n\n{explanation.meaning} {explanation.next}\n" in text, code


def test_every_exit_code_is_explained() -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    for code in {0, 1, *(code for _, _, code in KINDS)}:
        assert f"\n| {code} | " in text, code


def test_the_version_is_told_without_loading_what_commands_need() -> None:
    heavy = ("numpy", "cryptography", "nacl", "httpx", "starlette", "obstore", "tenseal", "rich", "msgspec", "sqlite3")
    program = f"""
import sys
from freehold.cli.application import run
code = run(["--version"])
print(code, *(name for name in {heavy} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == f"freehold {__version__}\n0\n"


def test_a_mistyped_command_or_option_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verfy", "x"]) == 2
    assert "Did you mean 'verify'?" in capsys.readouterr().err
    assert run(["verify", "x", "--formt", "json"]) == 2
    assert "--format" in capsys.readouterr().err


def test_what_is_no_command_is_not_offered_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    run(["trian"])
    assert "freehold --help" in capsys.readouterr().err
    run(["train", "--nonsense"])
    assert "freehold train --help" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    run([])
    said = capsys.readouterr()
    assert "verify" in said.out + said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Usage("what"), 2),
        (Refused("no-funds"), 3),
        (Invalid("what"), 4),
        (Unavailable("what"), 5),
        (Broken("what"), 6),
        (Interrupted("what"), 130),
    ],
)
def test_each_kind_of_trouble_has_its_exit_code(error: FreeholdError, code: int) -> None:
    assert kind_and_code(error)[1] == code


def test_an_error_is_told_in_five_parts() -> None:
    error = Refused("no-funds", "The training was not requested.", why="36.00 are needed", now="nothing was sent")
    text = errors.as_text(error, UNICODE, Ink(on=False)).splitlines()
    assert text[0] == "✗ refused:no-funds   The training was not requested."
    assert [line.split()[0] for line in text[1:]] == ["why", "next", "more", "now"]
    assert "36.00 are needed" in text[1]
    assert CODES["no-funds"].next in text[2]
    assert text[-1].endswith("(exit 3)")
    document = json.loads(errors.as_json(error))
    assert document["kind"] == "refused"
    assert document["code"] == "no-funds"
    assert document["exit"] == 3
    assert document["more"] == "docs/errors.md#no-funds"


def test_errors_are_json_on_stderr_when_json_is_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["verify", str(tmp_path / "absent"), "--format", "json"]) == 5
    said = capsys.readouterr()
    assert said.out == ""
    assert json.loads(said.err)["kind"] == "unavailable"


def test_a_mistake_of_ours_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("freehold.agents.auditor.verify.verify", fails)
    (tmp_path / "file").write_bytes(b"x")
    assert run(["verify", str(tmp_path / "file")]) == 6
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "ZeroDivisionError: oops" in said


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from freehold.cli.application import run; sys.exit(run(['--help']))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "0.00"), (250_000, "0.25"), (54_000_000, "54.00"), (1, "0.000001"), (9_600_000_000, "9,600.00")],
)
def test_amounts_are_written_in_credits_and_read_back(micro: int, text: str) -> None:
    assert in_credits(micro) == text
    assert parse_credits(text.replace(",", "")) == micro


@pytest.mark.parametrize("text", ["", "-1", "1e3", "0.1234567", "1,5", ".5", "5.", "nan", "1" * 12])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_credits(text)


def test_a_prefix_names_a_thing_if_nothing_else_begins_so() -> None:
    known = ["abcdef11" + "0" * 56, "abcdef22" + "0" * 56, "123456" + "0" * 58]
    assert one_of("123456", known, "training") == known[2]
    assert one_of(known[0], known, "training") == known[0]
    for wrong, said in (("abcdef", "2 trainings begin"), ("12345", "too short"), ("123457", "There is no training")):
        with pytest.raises(Invalid, match=said):
            one_of(wrong, known, "training")
    with pytest.raises(Invalid) as caught:
        one_of("123465", known, "training")
    assert "did you mean 123456" in caught.value.next


class Screen:
    """A stream that says whether it is a terminal."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        self.terminal = terminal
        self.encoding = encoding
        self.written = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_colour_obeys_the_option_then_the_environment_then_the_terminal() -> None:
    terminal: Any = Screen(terminal=True)
    pipe: Any = Screen(terminal=False)
    assert wants_color(terminal, "auto", {})
    assert not wants_color(pipe, "auto", {})
    assert not wants_color(terminal, "auto", {"NO_COLOR": "1"})
    assert not wants_color(terminal, "auto", {"TERM": "dumb"})
    assert wants_color(pipe, "auto", {"FORCE_COLOR": "1"})
    assert wants_color(pipe, "always", {"NO_COLOR": "1"})
    assert not wants_color(terminal, "never", {"FORCE_COLOR": "1"})


def test_symbols_have_ascii_twins_where_a_terminal_cannot_show_them() -> None:
    plain_screen: Any = Screen(terminal=True, encoding="ascii")
    assert symbols_for(plain_screen) is ASCII
    utf: Any = Screen(terminal=True)
    assert symbols_for(utf) is UNICODE
    for name in ASCII.__slots__:
        assert getattr(ASCII, name).isascii()


def test_a_stranger_s_text_cannot_move_the_cursor_or_turn_the_line_around() -> None:
    assert plain("a\x1b[2Jb‮c\n") == "a?[2Jb?c?"
    assert len(plain("x" * 1000)) == 200


def test_in_a_log_each_change_is_one_line_and_nothing_is_repeated() -> None:
    log: Any = Screen(terminal=False)
    with Progress(log) as progress:
        progress.show("round", "round 1")
        progress.show("round", "round 1")
        progress.say("paid")
        progress.show("round", "round 2")
    assert log.written.splitlines() == ["round 1", "paid", "round 2"]


def test_quiet_says_nothing() -> None:
    log: Any = Screen(terminal=False)
    with Progress(log, quiet=True) as progress:
        progress.show("round", "round 1")
        progress.say("paid")
    assert log.written == ""


def test_colour_never_reaches_a_pipe(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("FORCE_COLOR", None)
    (tmp_path / "bad").write_bytes(b"{}")
    subprocess.run([sys.executable, "-m", "freehold", "verify", str(tmp_path / "bad")], env=environment, check=False)
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err
