"""Conditions are checked before they are used."""

from __future__ import annotations

import pytest

from germane.domain.errors import BadFilter
from germane.predict.filters import Filter


@pytest.mark.parametrize("text", ['item.price < "100"', "item.brand < 5", "item.price + 1 < 5.0"])
def test_a_filter_that_mixes_types(text: str) -> None:
    """It would hold for no item ever: an empty slate without a word."""
    with pytest.raises(BadFilter, match="types do not fit"):
        Filter(text)
    Filter("item.attributes.width < 5 && context.extra.n > 3")  # may be anything
