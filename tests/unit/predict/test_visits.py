"""Own items by visits: whoever comes often and whoever comes rarely are read on the same clock."""

import numpy as np
import pytest

from germane.predict.person import VISIT_DECAYS, _visit_shares

DAY_S = 86_400.0


def test_an_item_of_every_visit_has_the_whole_share() -> None:
    times = np.array([1.0, 2.0, 3.0, 2.0]) * DAY_S
    shares = _visit_shares(times, np.array([0, 3]))
    for name, fading in VISIT_DECAYS.items():
        assert shares[name][0] == pytest.approx(1.0)
        assert shares[name][1] == pytest.approx(fading / (1 + fading + fading**2))


def test_the_length_of_the_pauses_does_not_matter() -> None:
    times, starts = np.array([1.0, 3.0, 2.0, 3.0]), np.array([0, 2])
    daily, monthly = _visit_shares(times * DAY_S, starts), _visit_shares(times * 30 * DAY_S, starts)
    for name in VISIT_DECAYS:
        assert daily[name] == pytest.approx(monthly[name])


def test_items_of_one_visit_count_it_once() -> None:
    times = np.array([5.0, 5.0]) * DAY_S
    for share in _visit_shares(times, np.array([0, 1])).values():
        assert share == pytest.approx([1.0, 1.0])
