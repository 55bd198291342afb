"""What is known of one person: small, bounded, readable. Personal state, folded from the log."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.domain.consent import Stand
from germane.domain.event import Interaction
from germane.domain.muting import Muted


class Mass(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Evidence of one signal in one calendar month.

    ``mass`` is the sum over its events of ``quantity-free 1 * 2 ** ((at - month_start) / half_life)``,
    so that decay to any later moment is exact: multiply by ``2 ** -((now - month_start) / half_life)``.
    The signal's weight (and sign) is applied when it is read. What was taken back is not in it.
    """

    month: int
    signal: str
    count: int
    mass: float


class Trait(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A declared fact and when it was last declared."""

    value: Any
    at_ms: int


class OwnItem(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A person's own history with one item. Times are whole seconds since 1970."""

    count: int = 0
    """Strong positive interactions (signals with ``repeat = true``, such as a purchase)."""
    times_s: tuple[int, ...] = ()
    """The last eight of those, oldest first."""
    last_s: int = 0
    """Last interaction of any kind."""
    rejected_s: int = 0
    """Last negative interaction (dismissed, removed, returned); 0 if none."""
    months: tuple[tuple[int, int], ...] = ()
    """(month since 1970, how many of ``count``), in order; empty while ``times_s`` has all of them."""

    @property
    def occasions(self) -> int:
        """``count``, with lines of one order as one, as far as times are kept."""
        return self.count - len(self.times_s) + len({*self.times_s})


class PriceBand(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Running statistics of the natural log of prices met with a positive signal."""

    count: float = 0.0
    mean: float = 0.0
    m2: float = 0.0
    """Sum of squared deviations (Welford 1962)."""


class MonthSum(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the positive interactions of one calendar month add up to."""

    month: int
    """Since January 1970."""
    evidence: int = 0
    """How many there were."""
    prices: int = 0
    """How many of them had a price."""
    mean: float = 0.0
    """Of the natural log of those prices."""
    m2: float = 0.0
    """Sum of squared deviations."""


class Credit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an item's purchase was credited for one outcome, and what is left of it."""

    item_id: str
    """Empty: a whole order that was reported."""
    outcome: str
    value: float
    left: float
    """Not taken back yet: between 0 and ``value``."""
    at_ms: int
    """When it was bought."""
    order: int = 0
    """Key of its order (``domain.ids.order_key``); 0: none was named."""
    reported: bool = False
    """By ``POST /v1/outcomes``: its own event, if it comes, may have another time and order."""


class Exposure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A slate that was shown, kept until its longest attribution window is over."""

    decision_id: str
    surface: str
    at_ms: int
    items: tuple[str, ...]
    credited: tuple[str, ...] = ()
    """``item|outcome`` pairs that were attributed already: each counts once."""
    credits: tuple[Credit, ...] = ()
    """Of these, how much, and for which purchase."""


class OpenChoice(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A choice that was made for the person and may still be rewarded."""

    decision_id: str
    surface: str
    at_ms: int
    credited: tuple[str, ...] = ()
    """``item|outcome`` pairs that were counted (and ``|returned`` where taken back)."""
    value: float = 0.0
    """Sum of what it was credited with."""
    credits: tuple[Credit, ...] = ()
    """Of ``credited``, how much, and for which purchase."""


class QuotaCount(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Slots served on one surface, for the diversity guarantee over time."""

    slots: int = 0
    diverse: int = 0
    short: int = 0
    """Slots that should have been diverse and could not be (no adjacent item was eligible)."""


class Profile(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One person's state at log offset ``seq``. Every collection is bounded (see profile/bounds.py)."""

    person: str
    seq: int = 0
    first_seen_ms: int = -1
    """-1: not yet."""
    last_seen_ms: int = 0
    user_id: str = ""
    anonymous_ids: tuple[str, ...] = ()
    account: str = ""
    timezone: str = ""
    locale: str = ""
    traits: dict[str, Trait] = {}
    interests: dict[str, dict[str, tuple[Mass, ...]]] = {}
    """attribute -> value -> evidence."""
    recent: tuple[Interaction, ...] = ()
    """The last few hundred interactions, oldest first."""
    own_items: dict[str, OwnItem] = {}
    price: PriceBand = PriceBand()
    """Of all months."""
    rhythm: tuple[int, ...] | dict[int, float] = ()
    """The latest hours in which the person was there, as local hours since 1970, oldest first.
    (A mapping is what an earlier version kept; it tells no times and is not read.)"""
    evidence: float = 0.0
    """Number of positive interactions, undecayed: what readiness is computed from."""
    exposures: tuple[Exposure, ...] = ()
    quotas: dict[str, QuotaCount] = {}
    orders: tuple[str, ...] = ()
    """What an earlier version kept of orders: read, and turned into ``known_orders``."""
    consent: dict[str, bool] = {}
    """Consent purpose -> granted. Absent: not stated."""
    swept_month: int = 0
    """Month (since January 1970) in which what is too old was last dropped, and by which retention
    (``profile.sweep.stamp``)."""
    choices: tuple[OpenChoice, ...] = ()
    """Latest choices, oldest first (see profile/chosen.py)."""
    months: tuple[MonthSum, ...] = ()
    """Of which ``price`` and ``evidence`` are the sums, oldest first."""
    known_orders: dict[int, int] = {}
    """``domain.ids.order_key`` -> day since 1970, of the latest orders by their own time: so that one
    that is sent twice counts once."""
    stands: dict[str, Stand] = {}
    """Consent purpose -> since when, and until when, ``consent`` has it so."""
    muted: Muted = Muted()
    """What the person asked to be spared."""
    apart: dict[str, tuple[str, ...]] = {}
    """Own item -> signals that told of it and whose category needs a consent of its own: when that ends, what
    they told must be found (``privacy.dropping``)."""
    had: dict[int, bytes] = {}
    """What was had and is not among ``own_items`` any more (``domain.had``)."""
    unplaced: dict[str, tuple[Mass, ...]] = {}
    """Item that the catalogue does not have -> evidence that goes to ``interests`` when it has come."""
