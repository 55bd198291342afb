"""Attribution: inside the window, to the latest slate, once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from germane.domain.event import Interaction
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec
from germane.measure.attribution import attribute, credit
from germane.testing import a_shop
from germane.testing.world import START_MS

WINDOW_S = 7 * 86_400
SHOP = a_shop(
    surface={
        "outcomes": (
            OutcomeSpec("purchase", "purchase", WINDOW_S, 2.0, "revenue"),
            OutcomeSpec("view", "view", 3_600),
        )
    }
)


def bought(item: str, after_s: float, **values: float) -> Interaction:
    """A purchase some seconds after the slate."""
    return Interaction(item, "purchase", START_MS + int(after_s * 1000), **values)


def seen(*items: str, name: str = "d1", at_ms: int = START_MS) -> Exposure:
    """A slate that was seen."""
    return Exposure(name, "home", at_ms, items)


def test_value_is_revenue() -> None:
    """Factor times price times quantity."""
    profile = Profile("u:1", exposures=(seen("a"),))
    (reward,) = attribute(profile, [bought("a", 5, quantity=3, price=4.0)], SHOP.surfaces)
    assert (reward.value, reward.rule) == (24.0, "window")


def test_window_and_order() -> None:
    """Before the slate, after the window and other items do not count; the edge of the window does."""
    profile = Profile("u:1", exposures=(seen("a"),))
    for after_s, counts in ((-1, 0), (0, 1), (WINDOW_S, 1), (WINDOW_S + 1, 0)):
        assert len(attribute(profile, [bought("a", after_s)], SHOP.surfaces)) == counts
    assert attribute(profile, [bought("b", 5)], SHOP.surfaces) == []


def test_the_latest_slate_gets_it() -> None:
    """Of two slates that showed the item, the later one; then the earlier."""
    profile = Profile("u:1", exposures=(seen("a"), seen("a", name="d2", at_ms=START_MS + 10)))
    first = attribute(profile, [bought("a", 60)], SHOP.surfaces)
    assert [each.decision_id for each in first] == ["d2"]
    second = attribute(credit(profile, first), [bought("a", 70)], SHOP.surfaces)
    assert [each.decision_id for each in second] == ["d1"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6)), max_size=40))
def test_each_outcome_counts_once(purchases: list[tuple[str, int]]) -> None:
    """However often an item is bought, a slate is credited for it at most once."""
    profile = Profile("u:1", exposures=(seen("a", "b"), seen("b", name="d2")))
    total = []
    for item, after_s in purchases:
        rewards = attribute(profile, [bought(item, after_s), bought(item, after_s)], SHOP.surfaces)
        total += [(each.decision_id, each.item_id) for each in rewards]
        profile = credit(profile, rewards)
    assert len(total) == len(set(total))
    assert set(total) <= {("d1", "a"), ("d1", "b"), ("d2", "b")}
