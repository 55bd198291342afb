"""What is said of a difference: a winner only where there is one."""

from __future__ import annotations

import pytest

from germane.app.outcomes.words import compared, general
from germane.measure.versus import Difference

UNKNOWN = (
    "Not known yet (-0.4 to 1.3 points, n = 800): about 46,000 more messages are needed to tell a "
    "difference of 0.6 points."
)


@pytest.mark.parametrize(
    ("measure", "found", "text"),
    [
        (
            "clicked",
            Difference("more", 0.012, 0.003, 0.021, n=3200, matters=0.006),
            "The writer's texts bring more clicks: +1.2 points (0.3 to 2.1), n = 3,200.",
        ),
        (
            "goal",
            Difference("less", -0.012, -0.021, -0.003, n=3200, matters=0.006),
            "The writer's texts bring fewer goals than a person's: -1.2 points (-2.1 to -0.3), n = 3,200.",
        ),
        (
            "opened",
            Difference("alike", 0.001, -0.004, 0.005, n=9000, matters=0.006),
            "The writer's texts bring about as many opens as a person's: +0.1 points (-0.4 to 0.5), n = 9,000.",
        ),
        (
            "clicked",
            Difference(
                "unknown", 0.004, -0.004, 0.013, n=800, matters=0.006, enough=True, needed=46_000
            ),
            UNKNOWN,
        ),
        (
            "left",
            Difference("unknown", n=30),
            "Not known yet (n = 30): too little has come back to tell how many messages are needed.",
        ),
    ],
)
def test_in_words(measure: str, found: Difference, text: str) -> None:
    """Points are hundredths of a message; small rates get more digits."""
    assert compared(measure, found) == text


def test_small_rates_have_more_digits() -> None:
    """Else nothing would be left of them."""
    found = Difference("more", 0.0006, 0.0002, 0.001, n=90_000, matters=0.0003)
    assert "+0.06 points (0.02 to 0.10)" in compared("left", found)


def test_notes() -> None:
    """Of a part of the people, and of goals that were not counted."""
    assert general(1.0, [], varies=True) == []
    said = general(0.25, ["weekly"], varies=False)
    assert [each.split()[0] for each in said] == ["No", "There", "The"]
    assert "25.00% of the people" in said[1]
