"""The simple lists."""

from __future__ import annotations

import numpy as np

from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem
from germane.train.rivals import BEST, RECENT, Popular, Rivals, again, again_lately, filled


def test_popularity_fades() -> None:
    """Ten long ago against two today: all time and the last day tell two stories."""
    rivals = Rivals()
    for _ in range(10):
        rivals.learn([], ["old"], 0)
    for _ in range(2):
        rivals.learn([], ["young"], 60 * MS_PER_DAY)
    lists = rivals.everyone()
    assert lists[BEST] == ["old", "young"]
    assert lists[RECENT[28]] == ["old", "young"]  # 10 x 2 ** -(60 / 28) = 2.3
    assert lists[RECENT[7]] == ["young", "old"]
    assert lists[RECENT[1]] == ["young", "old"]


def test_decades_do_not_overflow() -> None:
    """Counts are scaled down on the way; the order stays right."""
    counts = Popular(1)
    for year in range(30):
        counts.add(np.array([year]), year * 365 * MS_PER_DAY)
    counts.add(np.array([3, 3]), 30 * 365 * MS_PER_DAY)
    assert counts.top(2)[0] == 3
    assert np.isfinite(counts._sums).all()


def test_what_follows() -> None:
    """After the very latest item, what most others chose next."""
    rivals = Rivals()
    for _ in range(3):
        rivals.learn(["bread"], ["butter"], 1)
    rivals.learn(["bread"], ["jam"], 2)
    assert rivals.following(["bread", "milk"]) == ["butter", "jam"]
    assert rivals.following(["butter"]) == []
    assert rivals.following([]) == []


def test_own_items() -> None:
    """Most often, and lately; filled up without doubles."""
    day = 86_400
    own = {
        "often": OwnItem(5, tuple(day * n for n in range(5)), day * 4),
        "lately": OwnItem(2, (day * 398, day * 399), day * 399),
    }
    assert again(own) == ["often", "lately"]
    assert again_lately(own, 400 * MS_PER_DAY) == ["lately", "often"]
    assert filled(["a", "b"], ["b", "c"]) == ["a", "b", "c"]
