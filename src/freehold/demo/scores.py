"""How a score is written: accuracy as per cent, R² as the number it is (it falls below zero, so it is no share)."""

from typing import Final

ACCURACY: Final = "accuracy"
R_SQUARED: Final = "R²"


def written(measure: str, score: float) -> str:
    """A score for people: `97.9 %` of accuracy, `0.427` of R²."""
    text = f"{100 * score:.1f} %" if measure == ACCURACY else f"{score:.3f}"
    return text.replace("-", "\N{MINUS SIGN}")
