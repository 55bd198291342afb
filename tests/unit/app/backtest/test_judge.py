"""What may be said of a difference."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from germane.app.backtest.findings import Step
from germane.app.backtest.judge import crossing, verdict, worse
from germane.measure.bootstrap import Estimate


def about(value: float, half: float, people: int = 200, n: int = 1_000) -> Estimate:
    return Estimate(value, value - half, value + half, n, people)


@pytest.mark.parametrize(
    ("difference", "base", "said"),
    [
        (about(0.10, 0.02), 0.2, "yes"),
        (about(0.002, 0.001), 0.2, "no"),  # clear, but a trifle
        (about(-0.03, 0.01), 0.2, "no"),
        (about(0.0, 0.005), 0.2, "no"),  # what may still be gained is a trifle
        (about(0.02, 0.05), 0.2, "unclear"),
        (about(0.009, 0.008), 0.1, "unclear"),  # clear, and it may be a trifle or not
        (about(0.10, 0.02, people=5), 0.2, "too little"),
        (about(0.10, 0.02, n=40), 0.2, "too little"),
    ],
)
def test_verdicts(difference: Estimate, base: float, said: str) -> None:
    """By the interval, and by what matters."""
    assert verdict(difference, base) == said


def step(earlier: int, difference: Estimate, part: Estimate | None = None) -> Step:
    plain = about(0.2, 0.01)
    return Step(
        str(earlier),
        earlier,
        None,
        plain,
        plain,
        "best-sellers",
        difference,
        plain,
        "alone/repeat",
        plain,
        part or about(0.0, 0.1),
        plain,
        plain,
    )


def test_where_the_lines_cross() -> None:
    """From where on it is clear in every later group; groups of few people decide nothing."""
    steps = [
        step(0, about(0.05, 0.01)),
        step(1, about(0.0, 0.02)),
        step(2, about(0.05, 0.01)),
        step(5, about(-0.3, 0.01, people=3)),
        step(10, about(0.08, 0.01)),
    ]
    assert crossing(steps) == 2
    assert crossing([*steps, step(20, about(0.0, 0.01))]) is None
    assert crossing([]) is None


def test_a_blend_that_is_worse_than_its_part_is_named() -> None:
    """Beyond noise only, and not on few people."""
    bad = about(-0.05, 0.02)
    steps = [
        step(0, about(0, 1), bad),
        step(1, about(0, 1), replace(bad, people=4)),
        step(2, about(0, 1), about(-0.05, 0.06)),
    ]
    assert worse(steps) == ("0",)
