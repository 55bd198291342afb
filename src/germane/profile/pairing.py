"""What takes back what: a refund takes the last purchase before it, of the same item and signal.

Events may arrive in any order. So where something is taken back, all that is remembered of the item
is paired anew, in order of time; the profile learns what became different. What finds nothing to
take back takes nothing, and waits for what happened before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings, SignalSpec

Signals = Mapping[str, SignalSpec]
Taken = Counter[tuple[str, int]]
"""(signal, time in ms) of what was taken back -> how often; below 0 in a difference: given back."""

NOTHING = OwnItem()


class Mark(NamedTuple):
    """Something that may be taken back, or that takes back. Marks sort by the order of time."""

    at_s: int
    takes: bool
    """Of one second, what is taken back comes first."""
    at_ms: int
    signal: str
    """What was done, or what is taken back; empty where only the time is remembered."""
    repeat: bool
    """Whether that signal counts in the history with the item."""


class Pairs(NamedTuple):
    """Marks of one item, paired."""

    times_s: list[int]
    """Of what counts in the history with the item, and was not taken back."""
    taken: Taken
    idle: Counter[Mark]
    """Marks that found nothing to take."""


class Change(NamedTuple):
    """What the pairs of one item were, and are."""

    before: Pairs
    after: Pairs

    @property
    def taken(self) -> Taken:
        """What is taken back in addition; below 0: given back."""
        more = Counter(self.after.taken)
        more.subtract(self.before.taken)
        return Counter({key: count for key, count in more.items() if count})

    @property
    def counted(self) -> int:
        """What counts in the history with the item, in addition."""
        return len(self.after.times_s) - len(self.before.times_s)


def changes(profile: Profile, new: Sequence[Interaction], settings: Settings) -> dict[str, Change]:
    """By item, where new interactions take something back, or come before what may take them."""
    found = {}
    for item_id in _involved(profile, new, settings.signals):
        own = profile.own_items.get(item_id, NOTHING)
        known = remembered(own, item_id, profile, settings)
        found[item_id] = Change(
            paired(known), paired([*known, *marks(item_id, new, settings.signals)])
        )
    return found


def joined(one: Profile, two: Profile, settings: Settings) -> dict[str, Change]:
    """By item that both know, where something was taken back, when the two turn out to be one."""
    found = {}
    takers = _takers(one, settings.signals) | _takers(two, settings.signals)
    for item_id in sorted(takers & one.own_items.keys() & two.own_items.keys()):
        each = [remembered(who.own_items[item_id], item_id, who, settings) for who in (one, two)]
        first, second = (paired(known) for known in each)
        apart = Pairs(
            [*first.times_s, *second.times_s],
            first.taken + second.taken,
            first.idle + second.idle,
        )
        found[item_id] = Change(apart, paired([*each[0], *each[1]]))
    return found


def paired(found: Iterable[Mark]) -> Pairs:
    """Each mark that takes, takes the last one before it that fits and is not taken yet."""
    left: list[Mark] = []
    pairs = Pairs([], Counter(), Counter())
    for mark in sorted(found):
        if not mark.takes:
            left.append(mark)
            continue
        place = next((n for n in reversed(range(len(left))) if _fits(mark, left[n])), None)
        if place is None:
            pairs.idle[mark] += 1
        else:
            pairs.taken[mark.signal, left.pop(place).at_ms] += 1
    pairs.times_s.extend(mark.at_s for mark in left if mark.repeat)
    return pairs


def remembered(own: OwnItem, item_id: str, profile: Profile, settings: Settings) -> list[Mark]:
    """All that is remembered of an item: the ring, and kept times that are older than the ring.

    Where the ring is not the whole life, what takes back there and finds nothing there is settled:
    it took what has left the ring since, and what was taken is not among the kept times.
    """
    told = marks(item_id, profile.recent, settings.signals)
    in_ring = Counter(mark.at_s for mark in told if mark.repeat and not mark.takes)
    older = (Counter(own.times_s) - in_ring).elements()
    kept = [Mark(at_s, False, at_s * 1000, "", True) for at_s in older]
    if kept or len(profile.recent) >= settings.profile.recent:
        told = list((Counter(told) - paired(told).idle).elements())
    return [*kept, *told]


def marks(item_id: str, interactions: Iterable[Interaction], signals: Signals) -> list[Mark]:
    """What interactions with an item may take back, or have taken back."""
    reversible = _reversible(signals)
    found = []
    for each in interactions:
        spec = signals.get(each.signal) if each.item_id == item_id else None
        if spec is None:
            continue
        meant = cancelled(spec, signals)
        if meant is not None or spec.repeat or spec.name in reversible:
            takes, of = meant is not None, meant or spec
            found.append(Mark(each.at_ms // 1000, takes, each.at_ms, of.name, of.repeat))
    return found


def cancelled(spec: SignalSpec, signals: Signals) -> SignalSpec | None:
    """The signal that this one takes back."""
    return signals.get(spec.cancels) if spec.cancels else None


def _involved(profile: Profile, new: Sequence[Interaction], signals: Signals) -> dict[str, None]:
    """Items to pair anew, in the order of the event. Nothing is looked for where all is in order."""
    last_s = profile.recent[-1].at_ms // 1000 if profile.recent else -1
    found: dict[str, None] = {}
    for each in new:
        takes = cancelled(signals[each.signal], signals) is not None
        if takes or (each.at_ms // 1000 <= last_s and _taken_later(each, profile, signals)):
            found[each.item_id] = None
    return found


def _taken_later(each: Interaction, profile: Profile, signals: Signals) -> bool:
    """Whether something after it, in the ring, may take it back."""
    if each.signal not in _reversible(signals):
        return False
    for other in reversed(profile.recent):
        if other.at_ms // 1000 < each.at_ms // 1000:
            return False
        spec = signals.get(other.signal) if other.item_id == each.item_id else None
        if spec is not None and spec.cancels == each.signal:
            return True
    return False


def _takers(profile: Profile, signals: Signals) -> set[str]:
    """Items of which something was taken back, as far as the ring remembers."""
    return {
        each.item_id
        for each in profile.recent
        if each.signal in signals and cancelled(signals[each.signal], signals) is not None
    }


def _fits(mark: Mark, earlier: Mark) -> bool:
    return earlier.repeat == mark.repeat and earlier.signal in (mark.signal, "")


def _reversible(signals: Signals) -> set[str]:
    return {spec.cancels for spec in signals.values() if spec.cancels}
