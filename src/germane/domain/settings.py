"""What the operator declares, typed. ``germane.config`` reads it; the steps receive it as arguments."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.domain.approval import ApprovalPolicy
from germane.domain.months import DROPPED_AFTER_MONTHS
from germane.domain.purposes import ADVERTISING, CROSS_SITE

PEOPLE_IN_MEMORY = 50_000
"""Profiles that are kept decoded, where nothing else is said."""
AttributeKind = Literal["text", "number", "flag", "list"]


class AttributeSpec(msgspec.Struct, frozen=True):
    """A catalogue attribute."""

    name: str
    kind: AttributeKind = "text"
    interest: bool = False
    """Keep a decaying interest per value of it in every profile."""
    diversity: bool = False
    """The attribute whose values count as *categories* for the diversity quota (exactly one)."""
    speakable: bool = True


class SignalSpec(msgspec.Struct, frozen=True):
    """How an event becomes evidence about items."""

    name: str
    event: str
    """Name of the track event (or ``page:NAME``, ``screen:NAME``)."""
    item: str
    """Path of the item id in the event: ``properties.product_id`` or ``properties.products[].product_id``."""
    weight: float = 1.0
    """Above 0: interest. Below 0: the opposite. Never 0."""
    half_life_days: float = 90.0
    category: str = "behaviour"
    """Category of data, for consent."""
    speakable: bool = True
    repeat: bool = False
    """A strong positive that people repeat (a purchase): feeds buy-it-again and its rhythm."""
    quantity: str = ""
    """Path of the quantity, relative to the product where ``item`` is a list path."""
    price: str = ""
    """Path of the unit price, likewise."""
    order: str = ""
    """Path of an order id: an order counts once however often it is sent (the latest 400 of two years).
    Of a signal that ``cancels``: the order that it takes from; empty: where that one has it."""
    cancels: str = ""
    """Name of the signal that this one takes back (refund, removal)."""


class TraitSpec(msgspec.Struct, frozen=True):
    """A declared trait that may guide a first slate."""

    name: str
    attribute: str = ""
    """Catalogue attribute that the trait's values speak about; empty: kept, not used to rank."""
    values: dict[str, tuple[str, ...]] = {}
    """Trait value -> attribute values it points to; empty: the values are the same."""
    half_life_days: float = 180.0
    category: str = "declared"
    speakable: bool = True


class OutcomeSpec(msgspec.Struct, frozen=True):
    """A response that counts for a surface."""

    name: str
    signal: str
    """The signal that means it."""
    window_s: int
    """Attribution window after the impression, in seconds."""
    value: float = 1.0
    """Reward of one; with ``value_from = "revenue"`` it multiplies price times quantity."""
    value_from: Literal["count", "revenue"] = "count"


class RuleSpec(msgspec.Struct, frozen=True):
    """What an operator insists on. ``when`` is CEL over ``item`` (and ``context``)."""

    kind: Literal["include", "exclude", "boost", "pin"]
    when: str = ""
    items: tuple[str, ...] = ()
    """Item ids, instead of or in addition to ``when``."""
    factor: float = 1.0
    """For boost: odds are multiplied by this, above 0."""
    position: int | None = None
    """For pin: from 0."""


class ActionSpec(msgspec.Struct, frozen=True):
    """One of the few things that a choice surface may do."""

    id: str
    title: str = ""
    cost: float = 0.0
    """What doing it costs, in the unit of the surface's outcome values."""
    attributes: dict[str, str | float | bool] = {}
    """Actions with equal attributes are expected to do alike."""


class SurfaceSpec(msgspec.Struct, frozen=True):
    """A place that can vary."""

    name: str
    kind: Literal["grid", "together", "choice"] = "grid"
    """``grid``: the best for this person. ``together``: goes with the item in the context.
    ``choice``: one of a few actions, or nothing."""
    size: int = 12
    item_types: tuple[str, ...] = ("product",)
    rules: tuple[RuleSpec, ...] = ()
    in_stock_only: bool = True
    already_bought: Literal["allow", "exclude", "demote"] = "allow"
    horizon: Literal["next", "day"] = "next"
    """``next``: it is looked at when it is asked for. ``day``: it is made ahead, for all that is taken within
    a day of coming back."""
    diversity_quota: float = 0.15
    """Share of slots, over time and per person, from adjacent categories. 0 to 0.5."""
    exploration_share: float = 0.02
    """Chance per explorable slot of an exploring pick. 0 to 0.5."""
    explore_from: int = 3
    """First position (from 0) that may explore."""
    holdout_share: float = 0.0
    """Share of people who get the default list for ever, so that the lift can be measured."""
    default: tuple[str, ...] = ()
    """Curated items, best first: what is shown when nothing may be personalised."""
    default_source: Literal["curated", "bestsellers", "trending"] = "bestsellers"
    """Fills up the curated list."""
    outcomes: tuple[OutcomeSpec, ...] = ()
    expires_s: int = 1800
    actions: tuple[ActionSpec, ...] = ()
    """For ``choice``: at least two with *do nothing* counted."""
    nothing: bool = False
    """For ``choice``: whether doing nothing is one of the actions."""
    features: tuple[str, ...] = ()
    """For ``choice``: what of the person and the context may matter (predict.bandit.features)."""
    half_life_days: float = 180.0
    """For ``choice``: after how many days a decision and its reward count half."""

    @property
    def window_s(self) -> int:
        """The longest attribution window of its outcomes, in seconds; 0 without any."""
        return max((each.window_s for each in self.outcomes), default=0)


class ProfileSpec(msgspec.Struct, frozen=True):
    """Bounds and constants of a profile."""

    values_per_attribute: int = 64
    recent: int = 200
    own_items: int = 400
    exposures: int = 30
    beyond_year_factor: float = 0.5
    """Extra factor for evidence older than 12 months. 0 to 1."""
    readiness_half: float = 7.0
    """Positive interactions at which the personal part has half of its full weight."""


class TrainingSpec(msgspec.Struct, frozen=True):
    """When the server trains in the background."""

    enabled: bool = True
    lessons_min: int = 1_000
    """Lessons of a head below which nothing is trained for it."""
    lessons_new: int = 2_000
    """New lessons that are worth another training."""
    every_s: int = 7 * 86_400
    """After this long, half of them is."""


class CapSpec(msgspec.Struct, frozen=True):
    """At most so many messages to one person."""

    count: int
    per_s: int
    """In any time of this length, in seconds; with ``calendar``: whole days of it."""
    channel: str = ""
    """Empty: all that reach out to people (e-mail and webhooks) together."""
    calendar: bool = False
    """Count days on the person's own calendar instead: one day means today, seven today and six before."""


class DeliverySpec(msgspec.Struct, frozen=True):
    """What holds for every message that is not transactional, unless its campaign says otherwise."""

    quiet_hours: tuple[int, int] | None = (22 * 60, 7 * 60)
    """Minutes of the day on the person's clock in which nothing goes out; ``None``: there are none."""
    window: tuple[int, int] | None = None
    """Minutes of the day in which campaigns send that name no window; ``None``: any time."""
    zone: str = ""
    """Of people whose zone is not known; empty: the project's."""
    spread_s: int = 900
    """What becomes due for many at one moment is spread over this."""
    deadline_s: int = 2 * 86_400
    """After this a message that could not go out is dropped, where its campaign says nothing."""
    exploration_share: float = 0.05
    """Of messages at their best hour: share at a random admissible hour, to learn from. 0 to 0.5."""
    caps: tuple[CapSpec, ...] = (
        CapSpec(1, 86_400, "email", calendar=True),
        CapSpec(4, 7 * 86_400),
    )


class ContentSpec(msgspec.Struct, frozen=True):
    """What holds for all content."""

    link_hosts: tuple[str, ...] = ()
    """Hosts that links and images may lead to; ``*.shop.example`` for all below one."""
    link_schemes: tuple[str, ...] = ()
    """Beside ``https``: ``http``, or the scheme of an app's deep links."""
    banned_words: tuple[str, ...] = ()
    """Words that no text may have, whatever their case."""
    sender_name: str = ""
    """Who is speaking, as the foot of an e-mail names them; empty: the project's name."""
    sender_address: str = ""
    """Postal address in the foot of an e-mail; the law of most countries asks for one."""
    color: str = "#1f5eff"
    """Of buttons and links."""
    logo: str = ""
    """Address of a picture at the head of e-mails."""


class WriterSpec(msgspec.Struct, frozen=True):
    """The language model that drafts variants: any endpoint that speaks the OpenAI chat protocol."""

    url: str = ""
    """Base address, such as ``http://127.0.0.1:11434/v1``; empty: there is no writer."""
    model: str = ""
    key: str = ""
    """Sent as a bearer token; empty: none is needed."""
    timeout_s: int = 30
    """For a whole answer."""
    tone: str = ""
    """How the project speaks, in a few words."""


Jurisdiction = Literal["first_party", "gdpr", "ccpa", "pipeda"]


class NoticeSpec(msgspec.Struct, frozen=True):
    """A text that people are shown when they are asked for consent."""

    name: str
    version: str
    text_sha256: str
    """SHA-256 of the text, in hexadecimal."""


class PrivacySpec(msgspec.Struct, frozen=True):
    """What may be kept and used of people."""

    jurisdiction: Jurisdiction = "first_party"
    """Which law says what is allowed before anybody has said anything (``privacy.jurisdictions``)."""
    gpc: tuple[str, ...] = (CROSS_SITE, ADVERTISING)
    """Purposes that the header ``Sec-GPC: 1`` says no to."""
    keep_profile: bool = True
    """Of who opts out: keep what was known, unread, for when they opt in again; else it is dropped at once."""
    undeclared: Literal["keep", "refuse"] = "refuse"
    """Events and traits that nothing declares (``privacy.declared``)."""
    offline_ids: tuple[str, ...] = ()
    """How ids begin that people have offline, such as ``card:``."""
    categories: dict[str, tuple[str, ...]] = {}
    """Category of a consent banner (``context.consent.categoryPreferences``) -> purposes that it speaks of."""
    notices: dict[str, NoticeSpec] = {}
    archive_months: int = 12
    """What is older than 24 months is in the archive for so long, and then nowhere. 0: there is no archive."""
    retention: dict[str, int] = {}
    """Category -> after how many calendar months its data are deleted, without an archive. 1 to 24."""

    def kept_months(self, category: str) -> int:
        """After how many calendar months data of a category are in no profile any more."""
        return self.retention.get(category, DROPPED_AFTER_MONTHS)

    @property
    def shortest_months(self) -> int:
        """The least of them."""
        return min(self.retention.values(), default=DROPPED_AFTER_MONTHS)


class Settings(msgspec.Struct, frozen=True):
    """The whole declaration, validated."""

    project: str = "germane"
    currency: str = ""
    timezone: str = "UTC"
    attributes: dict[str, AttributeSpec] = {}
    signals: dict[str, SignalSpec] = {}
    traits: dict[str, TraitSpec] = {}
    surfaces: dict[str, SurfaceSpec] = {}
    profile: ProfileSpec = ProfileSpec()
    delivery: DeliverySpec = DeliverySpec()
    approvals: dict[str, ApprovalPolicy] = {}
    """Channel -> who must agree before anything goes out by it; the empty name: by any."""
    privacy: PrivacySpec = PrivacySpec()

    @property
    def diversity_attribute(self) -> str:
        """Name of the attribute whose values are the categories of the diversity quota."""
        return next((a.name for a in self.attributes.values() if a.diversity), "category")

    @property
    def makes_ahead(self) -> bool:
        """Whether any list is made ahead."""
        return any(x.horizon == "day" and x.kind != "choice" for x in self.surfaces.values())

    @property
    def default_zone(self) -> str:
        """Time zone of people whose own is not known, for messages."""
        return self.delivery.zone or self.timezone

    @property
    def longest_window_s(self) -> int:
        """The longest attribution window of any surface, in seconds."""
        windows = (o.window_s for s in self.surfaces.values() for o in s.outcomes)
        return max(windows, default=0)
