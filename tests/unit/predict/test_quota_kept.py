"""The diversity quota holds as long as anything of the related categories may be shown."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from germane.domain.decision import Ask
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.muting import Muted
from germane.domain.outcome import Observation
from germane.domain.ports import Ranked
from germane.domain.profile import Profile
from germane.predict.model import SharedModel
from germane.profile.fold import fold
from germane.testing import a_shop, an_event, an_item
from germane.testing.world import START_MS

SHOP = a_shop(surface={"size": 10, "diversity_quota": 0.2, "exploration_share": 0.0})
OWN, NEAR = 200, 60
"""Items of the category that the person likes, and of the one that is related to it: ``n0``, ``n1``, …"""
VIEWED = 50
"""Of the related ones, so many were ever looked at."""


def the_item(number: int, **changes: Any) -> Item:
    """Own ones first."""
    near = number >= OWN
    name = f"n{number - OWN}" if near else f"i{number}"
    return replace(an_item(number, category="near" if near else "own", item_id=name), **changes)


def taught(sold_out: int) -> SharedModel:
    """What is related sells little; its first items, which were looked at most, are sold out."""
    model = SharedModel(SHOP)
    for number in range(OWN + NEAR):
        model.put_item(number, the_item(number))
    before = (Interaction("i0", "view", START_MS),)
    viewed = [f"i{n}" for n in range(OWN)] * 2
    viewed += [f"n{n}" for n in range(VIEWED) for _ in range(1 + (n < 25))]
    for seq, item_id in enumerate(viewed):
        seen = Interaction(item_id, "view", START_MS)
        model.fold(seq, Observation(START_MS, (seen,), before, owned=(0,)))
    for number in range(sold_out):
        gone = the_item(OWN + number, in_stock=False)
        model.put_item(1_000 + number, gone)
    return model


def asked(model: SharedModel, muted: Muted | None = None) -> Ranked:
    """By somebody who looked at an item of the own category."""
    profile = Profile("u:1", muted=muted or Muted())
    event, seen = an_event(item="i0"), Interaction("i0", "view", START_MS)
    item = model.state.items[0]
    profile = fold(profile, event, [seen], lambda _: item, SHOP, seq=1, now_ms=START_MS)
    surface = SHOP.surfaces["home"]
    return model.rank(profile, surface, Ask("home"), at_ms=START_MS, seed=1, readiness=0.5)


def diverse(ranked: Ranked) -> list[str]:
    """What fills the quota."""
    return [each.item_id for each in ranked.items if each.slot == "diverse"]


def test_the_best_of_a_related_category_are_sold_out() -> None:
    """The next ones take their places; where none of those that were looked at is left, any of it does."""
    for sold_out in (0, 3, 20, VIEWED, NEAR - 2):
        ranked = asked(taught(sold_out))
        assert ranked.quota_short == 0
        assert len(ranked.items) == 10
        chosen = diverse(ranked)
        assert len(set(chosen)) == 2
        assert all(int(each.removeprefix("n")) >= sold_out for each in chosen)


def test_only_what_cannot_be_shown_is_missing() -> None:
    """One is left of two, and none."""
    for sold_out in (NEAR - 1, NEAR):
        ranked = asked(taught(sold_out))
        assert len(diverse(ranked)) == NEAR - sold_out
        assert ranked.quota_short == 2 - (NEAR - sold_out)


def test_a_category_that_the_person_wants_less_of_does_not_fill_it() -> None:
    """The quota is short then, whatever is in stock."""
    ranked = asked(taught(3), Muted(values={"category": {"near": START_MS + 1}}))
    assert (diverse(ranked), ranked.quota_short) == ([], 2)
