"""Own items by visits: whoever comes often and whoever comes rarely are read on the same clock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from germane.domain.profile import OwnItem, Profile
from germane.predict.person import VISIT_DECAYS, OwnItems
from germane.predict.state import State
from germane.testing import a_shop

DAY_S = 86_400


def shares(*items: Sequence[int], days: int = 1) -> dict[str, list[float]]:
    """For each decay, the shares of visits of items that were had on these days (times ``days``)."""
    state, own = State(a_shop()), {}
    for place, had in enumerate(items):
        times_s = tuple(each * days * DAY_S for each in had)
        state.number(f"i{place}")
        own[f"i{place}"] = OwnItem(count=len(had), times_s=times_s, last_s=times_s[-1])
    found = OwnItems(Profile("p", own_items=own), state, 100.0 * days * DAY_S)
    return {name: share.tolist() for name, share in found.visit_share.items()}


def test_an_item_of_every_visit_has_the_whole_share() -> None:
    found = shares([1, 2, 3], [2])
    for name, fading in VISIT_DECAYS.items():
        assert found[name][0] == pytest.approx(1.0)
        assert found[name][1] == pytest.approx(fading / (1 + fading + fading**2))


def test_the_length_of_the_pauses_does_not_matter() -> None:
    daily, monthly = shares([1, 3], [2, 3]), shares([1, 3], [2, 3], days=30)
    for name in VISIT_DECAYS:
        assert daily[name] == pytest.approx(monthly[name])


def test_items_of_one_visit_count_it_once() -> None:
    for share in shares([5], [5]).values():
        assert share == pytest.approx([1.0, 1.0])
