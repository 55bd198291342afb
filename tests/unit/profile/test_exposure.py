"""What was decided for a person, and what they saw of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from germane.domain.decision import Arm, Decision, SlateItem, Slot
from germane.domain.profile import Profile, QuotaCount
from germane.domain.settings import ProfileSpec
from germane.profile.exposure import fold_decision, fold_impression
from tests.unit.profile.people import NOW, SHOP

WINDOW_MS = SHOP.longest_window_s * 1000


def a_decision(
    name: str = "d1", slots: Sequence[Slot] = ("relevant",) * 3, arm: Arm = "personalised"
) -> Decision:
    """Items ``a``, ``b``, ``c``... in their positions."""
    items = tuple(SlateItem("abcdefgh"[n], n, 1.0, 1.0, slot, {}) for n, slot in enumerate(slots))
    return Decision(name, "u:1", "home", arm, NOW, NOW, 1, "v", 1, 1, 0.5, items, quota_short=1)


def seen(
    profile: Profile, name: str, positions: Sequence[int], at_ms: int = NOW, now_ms: int = NOW
) -> Profile:
    decision = a_decision(name)
    return fold_impression(profile, decision, positions, at_ms, SHOP, seq=2, now_ms=now_ms)


def test_slots_are_counted() -> None:
    """Slots, diverse ones, and what was owed and could not be; over time."""
    decision = a_decision(slots=("relevant", "diverse", "explore", "diverse"))
    profile = Profile("u:1")
    for seq in (1, 2):
        profile = fold_decision(profile, decision, SHOP, seq=seq)
    assert profile.quotas == {"home": QuotaCount(8, 4, 2)}
    assert profile.seq == 2


@pytest.mark.parametrize("arm", ["broadcast", "opted_out", "fallback"])
def test_only_the_policy_owes_diversity(arm: Arm) -> None:
    """The default list is the same for everybody."""
    profile = Profile("u:1")
    assert fold_decision(profile, a_decision(arm=arm), SHOP, seq=1) is profile


def test_impressions_extend_and_never_double() -> None:
    """Scrolling reports more of the same slate; a repeat reports nothing new."""
    profile = seen(Profile("u:1"), "d1", [0])
    profile = seen(profile, "d1", [0, 2, 7], NOW + 5, NOW + 5)
    (exposure,) = profile.exposures
    assert (exposure.items, exposure.at_ms, exposure.surface) == (("a", "c"), NOW, "home")
    again = seen(profile, "d1", [0, 2], NOW + 9, NOW + 9)
    assert again.exposures == profile.exposures
    assert again.last_seen_ms == NOW + 9


def test_late_impressions_are_put_in_their_place() -> None:
    """Latest last, whenever they arrive; a time to come is now."""
    profile = seen(Profile("u:1"), "d2", [0], NOW + 99)
    profile = seen(profile, "d1", [1], NOW - 50)
    assert [(e.decision_id, e.at_ms) for e in profile.exposures] == [("d1", NOW - 50), ("d2", NOW)]


def test_nothing_seen_is_no_exposure() -> None:
    """Positions that the decision does not have."""
    assert seen(Profile("u:1"), "d1", []).exposures == ()
    assert seen(Profile("u:1"), "d1", [12]).exposures == ()


def test_exposures_expire_after_the_longest_window() -> None:
    """To the millisecond."""
    profile = seen(Profile("u:1"), "d1", [0])
    kept = seen(profile, "d2", [0], NOW + WINDOW_MS, NOW + WINDOW_MS)
    assert [each.decision_id for each in kept.exposures] == ["d1", "d2"]
    gone = seen(profile, "d2", [0], NOW + WINDOW_MS + 1, NOW + WINDOW_MS + 1)
    assert [each.decision_id for each in gone.exposures] == ["d2"]


def test_exposures_are_bounded() -> None:
    """The newest are kept."""
    shop = replace(SHOP, profile=ProfileSpec(exposures=3))
    profile = Profile("u:1")
    for n in (4, 1, 3, 0, 2):
        decision = a_decision(f"d{n}")
        profile = fold_impression(profile, decision, [0], NOW + n, shop, seq=n, now_ms=NOW + 9)
    assert [each.decision_id for each in profile.exposures] == ["d2", "d3", "d4"]
