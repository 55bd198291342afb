"""One order that was sent more than once: again, in parts, by two clients, or under two ids of one person.

It counts once: all items that any copy names, and each of them once. Whose lines of an item count does not
depend on what came first: those of the earliest copy by its own time; of one time, the most pieces. An
order of which the ring remembers nothing is known, but not what it said: then nothing more of it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings, SignalSpec
from germane.profile import bounds, interests, own, pairing, statistics

ItemOf = Callable[[str], Item | None]
_Lines = dict[tuple[int, str], list[Interaction]]
"""(order, item) -> what the order said of the item."""
_DAY_MS = 86_400_000


def fresh(
    profile: Profile, interactions: Sequence[Interaction], settings: Settings
) -> list[Interaction]:
    """Those that were not counted before: of an order that was, the items that no copy named yet."""
    known = pairing.orders_of(profile)
    repeated = {each.order for each in interactions if each.order in known}
    if not repeated:
        return list(interactions)
    told = _lines(profile.recent, repeated, settings)
    return [
        each
        for each in interactions
        if each.order not in repeated
        or settings.signals[each.signal].cancels
        or _added(profile, told, each, settings)
    ]


def settled(
    profile: Profile, interactions: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> tuple[Profile, list[Interaction]]:
    """The person without what earlier copies of these orders say otherwise, and what of the
    interactions counts."""
    new = fresh(profile, interactions, settings)
    if len(new) == len(interactions):
        return profile, new
    keys = {each.order for each in interactions if each.order}
    known = _lines(profile.recent, keys, settings)
    better = {
        key
        for key, came in _lines(interactions, keys, settings).items()
        if key in known and _standing(came) < _standing(known[key])
    }
    if better:
        gone = [each for key in sorted(better) for each in known[key]]
        profile = without(profile, gone, item_of, settings)
        fits = {id(each) for each in new}
        new = [x for x in interactions if id(x) in fits or (x.order, x.item_id) in better]
    return profile, new


def apart(
    one: Profile, two: Profile, item_of: ItemOf, settings: Settings
) -> tuple[Profile, Profile]:
    """Two people who turn out to be one: each item of an order that both have is left in one of them."""
    keys = pairing.orders_of(one) & pairing.orders_of(two)
    if not keys:
        return one, two
    first, second = (_lines(each.recent, keys, settings) for each in (one, two))
    less: tuple[list[Interaction], list[Interaction]] = [], []
    for key in sorted(first.keys() | second.keys()):
        mine, theirs = first.get(key), second.get(key)
        if mine and theirs:
            later = _standing(theirs) < _standing(mine)
            less[not later].extend(mine if later else theirs)
        elif mine and not _added(two, second, mine[0], settings):
            less[0].extend(mine)
        elif theirs and not _added(one, first, theirs[0], settings):
            less[1].extend(theirs)
    if less[0]:
        one = without(one, less[0], item_of, settings)
    if less[1]:
        two = without(two, less[1], item_of, settings)
    return one, two


def without(
    profile: Profile, gone: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> Profile:
    """The person as if some interactions of the ring, all that orders say of some items, had never been
    told. The orders stay known."""
    keys = {(each.order, each.item_id) for each in gone}
    changes = pairing.without(profile, gone, settings)
    recent = tuple(
        each
        for each in profile.recent
        if (each.order, each.item_id) not in keys or settings.signals[each.signal].cancels
    )
    months = profile.months
    for each in gone:
        if statistics.positive(settings.signals[each.signal]):
            value = statistics.log_price(each, item_of(each.item_id))
            months = statistics.take(months, statistics.single(each.at_ms, value))
    items = own.without(profile, changes, recent, settings)
    return replace(
        profile,
        recent=recent,
        **interests.fields(
            interests.untold(interests.of(profile), gone, changes, item_of, settings)
        ),
        own_items=items,
        apart={item: names for item, names in profile.apart.items() if item in items},
        **statistics.totals(months),
    )


def remembered(
    profile: Profile, interactions: Iterable[Interaction], settings: Settings
) -> dict[int, int]:
    """The orders that are known after interactions that count; each as of its first day."""
    known = profile.known_orders
    new: dict[int, int] = {}
    for each in interactions:
        if each.order and not settings.signals[each.signal].cancels:
            day = each.at_ms // _DAY_MS
            new[each.order] = min(day, new.get(each.order, known.get(each.order, day)))
    return bounds.orders(known | new) if new else known


def _lines(
    interactions: Iterable[Interaction], orders: Collection[int], settings: Settings
) -> _Lines:
    """What orders said, by item."""
    found: _Lines = {}
    for each in interactions:
        if each.order not in orders:
            continue
        spec = settings.signals.get(each.signal)
        if spec is not None and not spec.cancels:
            found.setdefault((each.order, each.item_id), []).append(each)
    return found


def _added(profile: Profile, told: _Lines, each: Interaction, settings: Settings) -> bool:
    """Whether a line is of an item that its order, which is known, did not name yet.

    ``told`` is what the ring has of it. Nothing at all: it cannot be told.
    """
    if (each.order, each.item_id) in told or all(order != each.order for order, _ in told):
        return False
    spec = settings.signals[each.signal]
    if not _cut(profile, spec, settings):
        return True
    if profile.recent[0].at_ms < profile.known_orders[each.order] * _DAY_MS:
        return True  # the ring goes back to before the order
    return spec.repeat and _all_in_ring(profile, each, settings)


def _cut(profile: Profile, spec: SignalSpec, settings: Settings) -> bool:
    """Whether lines of this signal may have left the ring."""
    if not statistics.positive(spec):
        return len(profile.recent) >= settings.profile.recent
    specs = (settings.signals.get(each.signal) for each in profile.recent)
    return profile.evidence > sum(x is not None and statistics.positive(x) for x in specs)


def _all_in_ring(profile: Profile, each: Interaction, settings: Settings) -> bool:
    """Whether the ring has all that ever counted in the history with an item."""
    mine = profile.own_items.get(each.item_id)
    if mine is None:  # never met, or dropped for others
        return len(profile.own_items) < settings.profile.own_items
    specs = (settings.signals.get(x.signal) for x in profile.recent if x.item_id == each.item_id)
    return not mine.rejected_s and mine.count == sum(x is not None and x.repeat for x in specs)


def _standing(lines: Sequence[Interaction]) -> Any:
    """The order in which copies stand: the earliest first; of one time, the most pieces, then any fixed
    one."""
    said = sorted((each.quantity, each.price or 0.0) for each in lines)
    return lines[0].at_ms, -sum(many for many, _ in said), said
