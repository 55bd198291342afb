"""How long data are kept, by category: the first moment that still counts."""

from __future__ import annotations

from germane.domain.decay import oldest_ms
from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY
from germane.domain.settings import Settings
from germane.privacy.categories import BEHAVIOUR, category_of
from germane.privacy.declared import called


class Limits:
    """As of one moment. All times are milliseconds since 1970."""

    def __init__(self, settings: Settings, now_ms: int) -> None:
        self.settings = settings
        self.now_ms = now_ms
        spec = settings.privacy
        kept = {name: spec.kept_months(x.category) for name, x in settings.signals.items()}
        self._of_signal = {name: oldest_ms(now_ms, months) for name, months in kept.items()}
        longest = max((spec.kept_months(BEHAVIOUR), *kept.values()))
        self.oldest = oldest_ms(now_ms, longest)
        """Of what people did, whichever signal told it."""
        self._of_event: dict[str, int] = {}
        for name, spec_of in settings.signals.items():
            first = self._of_event.setdefault(spec_of.event, self._of_signal[name])
            self._of_event[spec_of.event] = min(first, self._of_signal[name])

    def of_signal(self, name: str) -> int:
        """Of what a signal told; of one that is declared no more, as of behaviour."""
        return self._of_signal.get(name, self.oldest)

    def of_trait(self, name: str) -> int:
        """Of what was declared."""
        return self.of_category(category_of(name, self.settings))

    def of_event(self, event: Event) -> int:
        """Of what an event tells by any signal; of what an ``identify`` declares, of all its traits."""
        if event.kind == "identify":
            return max(map(self.of_trait, event.traits), default=0)
        return self._of_event.get(called(event), self.oldest)

    def of_category(self, name: str) -> int:
        """Of data of a category."""
        return oldest_ms(self.now_ms, self.settings.privacy.kept_months(name))

    def keeps_signal(self, name: str, at_ms: int) -> bool:
        """Whether what a signal told at a time is kept."""
        return at_ms >= self.of_signal(name)

    def keeps_trait(self, name: str, at_ms: int) -> bool:
        """Whether what was declared at a time is kept."""
        return at_ms >= self.of_trait(name)


class _Latest:
    """What was asked for last: an engine asks for the same all day long."""

    limits: Limits | None = None


def of(settings: Settings, now_ms: int) -> Limits:
    """The limits of a moment; they change with the day."""
    known = _Latest.limits
    if (
        known is None
        or known.settings is not settings
        or known.now_ms // MS_PER_DAY != now_ms // MS_PER_DAY
    ):
        known = _Latest.limits = Limits(settings, now_ms)
    return known
