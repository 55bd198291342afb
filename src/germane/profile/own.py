"""A person's own history with single items: how often, when, and what was taken back.

What a refund takes back is the last purchase before it. Events may arrive in any order, so where a
refund is involved the purchases are paired anew, in order of time, from what the profile remembers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings, SignalSpec
from germane.profile import bounds

Signals = Mapping[str, SignalSpec]
Effect = Literal["had", "took_back", "rejected", "met"]

NOTHING = OwnItem()
_HAD, _TAKEN_BACK = 0, 1  # in this order when they happen in the same second
_Mark = tuple[int, int]


def effect(spec: SignalSpec, signals: Signals) -> Effect:
    """What a signal means for the history with its item."""
    cancelled = signals.get(spec.cancels) if spec.cancels else None
    if cancelled is not None and cancelled.repeat:
        return "took_back"
    if spec.weight < 0:
        return "rejected"
    return "had" if spec.repeat else "met"


def touch(profile: Profile, new: Sequence[Interaction], settings: Settings) -> dict[str, OwnItem]:
    """The own items after new interactions.

    Args:
        profile: Before; not changed.
        new: What happened.
        settings: The declaration.
    """
    known, signals = profile.own_items, settings.signals
    after = dict(known)
    unpaired: list[str] = []
    for each in new:
        before = after.get(each.item_id, NOTHING)
        what = effect(signals[each.signal], signals)
        at_s = each.at_ms // 1000
        if what == "took_back" or (what == "had" and at_s <= before.rejected_s):
            unpaired.append(each.item_id)
        after[each.item_id] = _touched(before, what, at_s)
    for item_id in dict.fromkeys(unpaired):
        before = known.get(item_id, NOTHING)
        marks = _marks(before, item_id, profile, settings)
        left = _left([*marks, *_told(item_id, new, signals)])
        count = before.count + len(left) - len(_left(marks))
        touched = after[item_id]
        after[item_id] = _settled(count, left, touched.last_s, touched.rejected_s)
    return after


def joined(item_id: str, one: Profile, two: Profile, settings: Settings) -> OwnItem:
    """Two people's histories with one item as one person's."""
    first, second = (each.own_items.get(item_id, NOTHING) for each in (one, two))
    last_s = max(first.last_s, second.last_s)
    rejected_s = max(first.rejected_s, second.rejected_s)
    times = sorted((*first.times_s, *second.times_s))
    count = first.count + second.count
    if rejected_s:
        marks = [_marks(first, item_id, one, settings), _marks(second, item_id, two, settings)]
        times = _left([*marks[0], *marks[1]])
        count += len(times) - sum(len(_left(each)) for each in marks)
    return _settled(count, times, last_s, rejected_s)


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
        count = min(own.count, len(_left(_marks(kept, item_id, young, settings))))
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


def _marks(own: OwnItem, item_id: str, profile: Profile, settings: Settings) -> list[_Mark]:
    """All that is remembered of an item: the ring, and kept times that are older than the ring.

    In a full ring, a refund whose purchase is not there either took one that has left the ring
    since, and it is not among the kept times; so that refund is settled.
    """
    told = _told(item_id, profile.recent, settings.signals)
    if len(profile.recent) >= settings.profile.recent:
        told = _within(told)
    in_ring = Counter(at_s for at_s, what in told if what == _HAD)
    older = (Counter(own.times_s) - in_ring).elements()
    return [*((at_s, _HAD) for at_s in older), *told]


def _within(marks: list[_Mark]) -> list[_Mark]:
    """Without the refunds that no purchase here comes before."""
    kept, open_ = [], 0
    for mark in sorted(marks):
        open_ += 1 if mark[1] == _HAD else -1
        if open_ < 0:
            open_ = 0
        else:
            kept.append(mark)
    return kept


def _told(item_id: str, interactions: Iterable[Interaction], signals: Signals) -> list[_Mark]:
    marks = []
    for each in interactions:
        spec = signals.get(each.signal) if each.item_id == item_id else None
        what = effect(spec, signals) if spec is not None else "met"
        if what == "had":
            marks.append((each.at_ms // 1000, _HAD))
        elif what == "took_back":
            marks.append((each.at_ms // 1000, _TAKEN_BACK))
    return marks


def _left(marks: list[_Mark]) -> list[int]:
    """Times of the purchases that no later refund takes back; each takes the last one before it."""
    times: list[int] = []
    for at_s, what in sorted(marks):
        if what == _HAD:
            times.append(at_s)
        elif times:
            times.pop()
    return times
