"""Lives of one person in the small shop, and what they must add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from germane.domain.event import Event, Interaction
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY, month_of
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.ingest.signals import Extractor
from germane.profile.fold import fold
from germane.testing import a_shop, an_event, an_item, an_order
from germane.testing.world import START_MS

SHOP = a_shop()
EXTRACTOR = Extractor(SHOP)
ITEMS = {f"i{n}": an_item(n) for n in range(60)}
NOW = START_MS


def folded(
    events: Sequence[Event],
    profile: Profile | None = None,
    *,
    now_ms: int = NOW,
    shop: Settings = SHOP,
    item_of: Callable[[str], Item | None] = ITEMS.get,
) -> Profile:
    """Fold events in their order, all arriving at ``now_ms``."""
    profile = profile or Profile("u:u1")
    extractor = EXTRACTOR if shop is SHOP else Extractor(shop)
    for seq, event in enumerate(events, 1):
        interactions, _ = extractor.extract(event)
        profile = fold(profile, event, interactions, item_of, shop, seq=seq, now_ms=now_ms)
    return profile


def a_refund(item: str, *, at_ms: int = NOW, message_id: str = "") -> Event:
    """One item of an order comes back."""
    products = [{"product_id": item}]
    return an_event(
        "Order Refunded", at_ms=at_ms, message_id=message_id, properties={"products": products}
    )


def kept(events: Sequence[Event]) -> list[Interaction]:
    """What was done and not taken back, by the definition in words: each refund takes the last
    purchase of its item before it (of one second, purchases come first), or nothing."""
    done = [each for event in events for each in EXTRACTOR.extract(event)[0]]
    left: list[Interaction] = []
    for each in sorted(done, key=lambda one: (one.at_ms // 1000, one.signal == "refund")):
        if each.signal != "refund":
            left.append(each)
            continue
        bought = [one for one in left if (one.item_id, one.signal) == (each.item_id, "purchase")]
        if bought:
            left.remove(bought[-1])
    return left


def oracle(events: Sequence[Event], now_ms: int) -> dict[str, float]:
    """Interest per category from the raw events, by the definition in words."""
    out: dict[str, float] = {}
    for each in kept(events):
        spec = SHOP.signals[each.signal]
        months = month_of(now_ms) - month_of(each.at_ms)
        factor = 1.0 if months < 12 else 0.5 if months < 24 else 0.0
        days = (now_ms - each.at_ms) / MS_PER_DAY
        weight = spec.weight * factor * 2 ** -(days / spec.half_life_days)
        category = ITEMS[each.item_id].category
        out[category] = out.get(category, 0.0) + weight
    return out


def ms(*when: int) -> int:
    """A time in UTC: year, month, day, hour, minute, second, microsecond."""
    return round(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@st.composite
def histories(draw: st.DrawFn, items: int = 60, days: int = 1_100) -> list[Event]:
    """Up to three years of views, dismissals, orders, refunds and traits, no two at once."""
    found = []
    ages = draw(st.lists(st.integers(0, days * 86_400), min_size=1, max_size=25, unique=True))
    for number, age_s in enumerate(ages):
        at_ms = NOW - age_s * 1000
        item = f"i{draw(st.integers(0, items - 1))}"
        kind = draw(st.sampled_from(["view", "dismiss", "order", "refund", "identify"]))
        found.append(_made(kind, number, item, at_ms))
    return found


def _made(kind: str, number: int, item: str, at_ms: int) -> Event:
    if kind == "order":
        return an_order([item, "i1"], at_ms=at_ms, order_id=f"o{number}")
    if kind == "refund":
        return a_refund(item, at_ms=at_ms)
    if kind == "identify":
        traits = {"likes": f"c{number}", f"t{number % 3}": number}
        return Event(f"id{number}", "identify", at_ms, user_id="u1", traits=traits)
    name = "Product Viewed" if kind == "view" else "Product Dismissed"
    return an_event(name, item=item, at_ms=at_ms)
