"""A person's own history with single items: how often, when, and what was taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings, SignalSpec
from germane.profile import bounds, pairing
from germane.profile.pairing import NOTHING, Change, Signals

Effect = Literal["had", "took_back", "rejected", "met"]


def effect(spec: SignalSpec, signals: Signals) -> Effect:
    """What a signal means for the history with its item."""
    cancelled = pairing.cancelled(spec, signals)
    if cancelled is not None and cancelled.repeat:
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
        change, touched = changes[item_id], after[item_id]
        count = known.get(item_id, NOTHING).count + change.counted
        after[item_id] = _settled(count, change.after.times_s, touched.last_s, touched.rejected_s)
    return after


def joined(item_id: str, one: Profile, two: Profile, change: Change | None) -> OwnItem:
    """Two people's histories with one item as one person's.

    ``change`` is what is taken back otherwise than before, if anything is taken back at all.
    """
    first, second = (each.own_items.get(item_id, NOTHING) for each in (one, two))
    times = sorted((*first.times_s, *second.times_s))
    count = first.count + second.count
    if change is not None:
        times = change.after.times_s
        count += change.counted
    last_s = max(first.last_s, second.last_s)
    return _settled(count, times, last_s, max(first.rejected_s, second.rejected_s))


def since(item_id: str, own: OwnItem, young: Profile, settings: Settings, oldest_s: int) -> OwnItem:
    """The history without what happened before. Of a long one, what is still remembered is left.

    Args:
        item_id: The item.
        own: Its history.
        young: The person with the interactions that are young enough.
        settings: The declaration.
        oldest_s: When what still counts begins.
    """
    left = tuple(each for each in own.times_s if each >= oldest_s)
    kept = replace(own, times_s=left)
    count = len(left)
    if count and own.count > count:
        marks = pairing.remembered(kept, item_id, young, settings)
        count = min(own.count, len(pairing.paired(marks).times_s))
    rejected_s = own.rejected_s if own.rejected_s >= oldest_s else 0
    return _settled(count, left, own.last_s, rejected_s)


def _touched(own: OwnItem, what: Effect, at_s: int) -> OwnItem:
    last_s = max(own.last_s, at_s)
    if what == "met":
        return OwnItem(own.count, own.times_s, last_s, own.rejected_s)
    if what == "had":
        times = (*own.times_s, at_s)
        if own.times_s and at_s < own.times_s[-1]:
            times = tuple(sorted(times))
        return OwnItem(own.count + 1, times[-bounds.TIMES :], last_s, own.rejected_s)
    return OwnItem(own.count, own.times_s, last_s, max(own.rejected_s, at_s))


def _settled(count: int, times: Sequence[int], last_s: int, rejected_s: int) -> OwnItem:
    """Count and times agree: whatever has a count has a time, and the other way round."""
    count = max(count, len(times)) if times else 0
    return OwnItem(count, tuple(times[-bounds.TIMES :]), last_s, rejected_s)
