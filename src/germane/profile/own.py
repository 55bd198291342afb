"""A person's own history with single items: how often, when, and what was taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Literal

from germane.domain import had as hads
from germane.domain.decay import month_at
from germane.domain.event import Interaction
from germane.domain.had import Had
from germane.domain.pairing import Signals, cancelled
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings, SignalSpec
from germane.privacy import features
from germane.profile import bounds
from germane.profile.pairing import NOTHING, Change

Effect = Literal["had", "took_back", "rejected", "met"]


def effect(spec: SignalSpec, signals: Signals) -> Effect:
    """What a signal means for the history with its item."""
    meant = cancelled(spec, signals)
    if meant is not None and meant.repeat:
        return "took_back"
    if spec.weight < 0:
        return "rejected"
    return "had" if spec.repeat else "met"


def touch(
    profile: Profile,
    new: Sequence[Interaction],
    changes: Mapping[str, Change],
    settings: Settings,
) -> dict[str, OwnItem]:
    """The own items after new interactions.

    Args:
        profile: Before; not changed.
        new: What happened.
        changes: By item, what is taken back otherwise than before.
        settings: The declaration.
    """
    known, signals = profile.own_items, settings.signals
    after = dict(known)
    unsettled: dict[str, None] = {}
    for each in new:
        before = after.get(each.item_id, NOTHING)
        what = effect(signals[each.signal], signals)
        after[each.item_id] = _touched(before, what, each.at_ms // 1000)
        if each.item_id in changes and what in ("had", "took_back"):
            unsettled[each.item_id] = None
    for item_id in unsettled:
        touched = after[item_id]
        after[item_id] = _changed(
            known.get(item_id, NOTHING), changes[item_id], touched.last_s, touched.rejected_s
        )
    return after


def apart(
    known: Mapping[str, tuple[str, ...]],
    new: Sequence[Interaction],
    items: Container[str],
    settings: Settings,
) -> dict[str, tuple[str, ...]]:
    """Of which own items signals told that need a consent of their own, after new interactions.

    Args:
        known: Before; not changed.
        new: What happened.
        items: Own items that are kept.
        settings: The declaration.
    """
    found = {item: names for item, names in known.items() if item in items}
    for each in new:
        spec = settings.signals[each.signal]
        meant = cancelled(spec, settings.signals) or spec
        if each.item_id in items and (
            features.apart(spec.category) or features.apart(meant.category)
        ):
            found[each.item_id] = tuple(sorted({*found.get(each.item_id, ()), spec.name}))
    return found


def taken_back(profile: Profile, new: Sequence[Interaction], settings: Settings) -> Had:
    """What was had longer ago, without what is taken back now and is not among the own items: how often it was
    had is not known, so it was had once."""
    if not profile.had:
        return profile.had
    signals, own = settings.signals, profile.own_items
    gone = {
        each.item_id
        for each in new
        if effect(signals[each.signal], signals) == "took_back"
        and not own.get(each.item_id, NOTHING).count
    }
    return hads.less(profile.had, gone)


def let_go(
    had: Had,
    before: Mapping[str, OwnItem],
    after: Mapping[str, OwnItem],
    apart: Container[str],
) -> Had:
    """What was had longer ago, with the own items that a bound let go.

    Args:
        had: Before.
        before: Own items before they were cut.
        after: And after.
        apart: Items that signals told of which need a consent of their own: where that ends they must be
            found, so they are not among these.
    """
    if len(before) == len(after):
        return had
    gone = (each for each in before.items() if each[0] not in after)
    return hads.more(
        had,
        [
            (item_id, month_at(own.times_s[-1] * 1000))
            for item_id, own in gone
            if own.count and item_id not in apart
        ],
    )


def joined(item_id: str, one: Profile, two: Profile, change: Change | None) -> OwnItem:
    """Two people's histories with one item as one person's.

    ``change`` is what is taken back otherwise than before, if anything is taken back at all.
    """
    first, second = (each.own_items.get(item_id, NOTHING) for each in (one, two))
    last_s = max(first.last_s, second.last_s)
    rejected_s = max(first.rejected_s, second.rejected_s)
    months = _months(first) + _months(second)
    both = _settled(months, sorted((*first.times_s, *second.times_s)), last_s, rejected_s)
    return both if change is None else _changed(both, change, last_s, rejected_s)


def without(
    profile: Profile, changes: Mapping[str, Change], left: Iterable[Interaction], settings: Settings
) -> dict[str, OwnItem]:
    """The own items without interactions that were in the ring.

    Args:
        profile: Before; not changed.
        changes: By item, what is different without them.
        left: What stays in the ring.
        settings: The declaration.
    """
    after = dict(profile.own_items)
    latest: dict[str, int] = {}
    for each in left:
        latest[each.item_id] = max(latest.get(each.item_id, 0), each.at_ms // 1000)
    for item_id, change in changes.items():
        own = after.get(item_id, NOTHING)
        last_s = max(latest.get(item_id, 0), own.rejected_s, *change.after.times_s[-1:], 0)
        after[item_id] = _changed(own, change, last_s, own.rejected_s)
        if not last_s:
            del after[item_id]
    return after


def since(own: OwnItem, oldest_s: int) -> OwnItem:
    """The history without what happened before ``oldest_s``, the beginning of a month."""
    first = month_at(oldest_s * 1000)
    months = Counter({month: count for month, count in _months(own).items() if month >= first})
    left = tuple(each for each in own.times_s if each >= oldest_s)
    rejected_s = own.rejected_s if own.rejected_s >= oldest_s else 0
    return _settled(months, left, own.last_s, rejected_s)


def _months(own: OwnItem) -> Counter[int]:
    """How many of the count are of which month. What an earlier version counted without one is of the
    month of the oldest time that is kept: no later than that, so nothing young is lost."""
    if own.months:
        return Counter(dict(own.months))
    found = _by_month(own.times_s)
    if own.count > len(own.times_s) > 0:
        found[month_at(own.times_s[0] * 1000)] += own.count - len(own.times_s)
    return found


def _by_month(times_s: Iterable[int]) -> Counter[int]:
    return Counter(month_at(each * 1000) for each in times_s)


def _changed(own: OwnItem, change: Change, last_s: int, rejected_s: int) -> OwnItem:
    months = _months(own)
    months.update(_by_month(change.after.times_s))
    months.subtract(_by_month(change.before.times_s))
    return _settled(months, change.after.times_s, last_s, rejected_s)


def _touched(own: OwnItem, what: Effect, at_s: int) -> OwnItem:
    last_s = max(own.last_s, at_s)
    if what == "met":
        return OwnItem(own.count, own.times_s, last_s, own.rejected_s, own.months)
    if what == "had":
        times = (*own.times_s, at_s)
        if own.times_s and at_s < own.times_s[-1]:
            times = tuple(sorted(times))
        if own.count == len(own.times_s) < bounds.TIMES:
            return OwnItem(own.count + 1, times, last_s, own.rejected_s)
        month = month_at(at_s * 1000)
        if own.months and own.months[-1][0] <= month:
            return OwnItem(
                own.count + 1,
                times[-bounds.TIMES :],
                last_s,
                own.rejected_s,
                _one_more(own.months, month),
            )
        months = _months(own)
        months[month] += 1
        return _settled(months, times, last_s, own.rejected_s)
    return OwnItem(own.count, own.times_s, last_s, max(own.rejected_s, at_s), own.months)


def _one_more(months: tuple[tuple[int, int], ...], month: int) -> tuple[tuple[int, int], ...]:
    """One more in the last month, or after it."""
    last, count = months[-1]
    return (*months[:-1], (month, count + 1)) if last == month else (*months, (month, 1))


def _settled(months: Counter[int], times: Sequence[int], last_s: int, rejected_s: int) -> OwnItem:
    """Count and times agree: whatever has a count has a time, and the other way round. Months are kept
    where the times do not tell them."""
    kept = tuple(times[-bounds.TIMES :])
    found = sorted((month, count) for month, count in months.items() if count > 0)
    count = max(sum(count for _, count in found), len(kept)) if kept else 0
    told = tuple(found) if count > len(kept) else ()
    return OwnItem(count, kept, last_s, rejected_s, told)
