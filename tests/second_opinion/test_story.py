"""The market that other teams replay is the one that the second opinion computes."""

from tests.second_opinion.story import VECTOR, document


def test_the_story_comes_out_as_it_was_written_down() -> None:
    assert document() == VECTOR.read_text("ascii")
