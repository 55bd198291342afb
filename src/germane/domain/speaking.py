"""What of a person may be put into words: only what rests on something *speakable* (domain.settings).

Everything is used to rank; not everything may be said. A sentence is allowed where at least one speakable
signal or trait carries it. Where it cannot be told any more which signal did (it left the ring of latest
interactions), it counts as one that may not be spoken of.
"""

from __future__ import annotations

from functools import cached_property

from germane.domain import decay
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings

NEUTRAL = "Picked for you"
"""Said instead of a reason that rests on nothing speakable."""


class Speech:
    """What may be said of one profile, as of ``now_ms``. Asked lazily: most shops say all they know."""

    def __init__(self, profile: Profile, settings: Settings, now_ms: int) -> None:
        self._profile = profile
        self._settings = settings
        self._now_ms = now_ms
        self._free = all(each.speakable for each in settings.signals.values())

    def signal(self, name: str) -> bool:
        """Whether a signal may be named."""
        spec = self._settings.signals.get(name)
        return self._free or (spec is not None and spec.speakable)

    def attribute(self, name: str) -> bool:
        """Whether an attribute's values may be named. Standard fields that nobody declared may."""
        spec = self._settings.attributes.get(name)
        return spec is None or spec.speakable

    def trait(self, name: str) -> bool:
        """Whether a trait may be named. One that nobody declared may."""
        spec = self._settings.traits.get(name)
        return spec is None or spec.speakable

    def interest(self, attribute: str, value: str, *, liked: bool = True) -> bool:
        """Whether an interest (or, not ``liked``, the opposite) may be named: its attribute is speakable,
        and so is a signal that speaks for it."""
        if not self.attribute(attribute):
            return False
        masses = self._profile.interests.get(attribute, {}).get(value, ())
        return self._free or any(
            self._speaks(each.signal, liked=liked) for each in decay.live(masses, self._now_ms)
        )

    def turned_to(self, item_id: str) -> bool:
        """Whether it may be said that the person turned to an item."""
        return self._free or item_id in self._told

    def anything(self) -> bool:
        """Whether any of the latest interactions may be spoken of."""
        return self._free or bool(self._told)

    def times_s(self, item_id: str) -> tuple[int, ...]:
        """The kept times at which the person had an item, of those that may be told, oldest first."""
        own = self._profile.own_items.get(item_id)
        if own is None:
            return ()
        if self._repeats_are_free:
            return own.times_s
        return tuple(each for each in own.times_s if (item_id, each) in self._had)

    def repeats(self, item_id: str) -> bool:
        """Whether how often the person had an item, and its rhythm, may be told."""
        if self._repeats_are_free:
            return True
        own = self._profile.own_items.get(item_id)
        return own is None or len(self.times_s(item_id)) == own.count

    def declared(self, item: Item) -> bool:
        """Whether a trait that may be named speaks for an item."""
        for name, trait in self._profile.traits.items():
            spec = self._settings.traits.get(name)
            if spec is None or not spec.speakable or not spec.attribute:
                continue
            said = trait.value if isinstance(trait.value, list | tuple) else (trait.value,)
            values = {v for each in said for v in spec.values.get(str(each), (str(each),))}
            if values.intersection(item.values_of(spec.attribute)):
                return True
        return False

    # -- inside ----------------------------------------------------------------------------------

    @cached_property
    def _repeats_are_free(self) -> bool:
        return all(each.speakable for each in self._settings.signals.values() if each.repeat)

    @cached_property
    def _told(self) -> frozenset[str]:
        """Items that a speakable signal speaks for, among the latest interactions."""
        return frozenset(
            each.item_id for each in self._profile.recent if self._speaks(each.signal, liked=True)
        )

    @cached_property
    def _had(self) -> frozenset[tuple[str, int]]:
        """(item, whole second) of the latest speakable interactions that people repeat."""
        signals = self._settings.signals

        def told(each: Interaction) -> bool:
            spec = signals.get(each.signal)
            return spec is not None and spec.repeat and spec.speakable

        return frozenset((e.item_id, e.at_ms // 1000) for e in self._profile.recent if told(e))

    def _speaks(self, signal: str, *, liked: bool) -> bool:
        spec = self._settings.signals.get(signal)
        return spec is not None and spec.speakable and (spec.weight > 0) == liked
