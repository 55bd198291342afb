"""What commands share."""

from __future__ import annotations

import pytest

from germane.cli.common import many


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 people"),
        (1, "1 person"),
        (1.4, "1 person"),
        (1.6, "2 people"),
        (1200, "1,200 people"),
    ],
)
def test_many(count: float, said: str) -> None:
    """The noun goes by the number that is shown."""
    assert many(count, "person", "people") == said
    assert many(1, "row") + many(2, "row") == "1 row2 rows"
