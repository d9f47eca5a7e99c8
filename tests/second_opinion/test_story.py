"""The stories that other teams replay are the ones that the second opinion computes."""

from tests.second_opinion import story, story_operators


def test_the_market_comes_out_as_it_was_written_down() -> None:
    assert story.document() == story.VECTOR.read_text("ascii")


def test_the_operators_come_out_as_they_were_written_down() -> None:
    assert story_operators.document() == story_operators.VECTOR.read_text("ascii")
