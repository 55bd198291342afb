"""The gate: what of a person may be kept, read and used, by what they said and the law that holds.

Everything that keeps or uses data of people asks here: the fold, a decision, training, a campaign, a message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.profile import Profile
from germane.domain.purposes import OFFLINE, PERSONALISATION, TRANSACTIONAL
from germane.domain.settings import Settings
from germane.privacy.categories import ANY_OF, CONTACT, NEEDS, SERVICE, category_of
from germane.privacy.declared import OF_VISITS, Declared, called, told
from germane.privacy.dropping import without
from germane.privacy.features import apart
from germane.privacy.jurisdictions import rule
from germane.privacy.ledger import says
from germane.privacy.refusals import ABOUT_ADDRESSES, GPC

_OF_ADDRESSES = ("list_id", "purpose", "email_id", "message_id", "permanent")
"""Properties that say which message and which purpose an answer is about."""


class Met(NamedTuple):
    """What is known of an event beside what it says."""

    served: bool = False
    """A transactional campaign listens to it."""
    says_no: bool = False
    """It says no to something for the first time."""
    links: bool = False
    """It says of two ids that they are one person's: a no must follow them."""
    writes: bool = False
    """There are messages that people must have: an address is needed."""
    used: bool = False
    """Something beside signals uses events of that name: a campaign, or a message that they answer."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What passes of an event."""

    event: Event | None
    """Without what may not be kept; ``None``: nothing of it may be kept."""
    refused: tuple[str, ...] = ()
    """Names of what was left out, for counting: ``trait health_score``, ``track Product Viewed``."""
    personal: bool = True
    """Whether it may be learned from; else it is there for transactional messages alone."""


class Gate:
    """Asked by whoever keeps or uses data of people. Pure."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.declared = Declared(settings)
        declared = {each.category for each in settings.signals.values()}
        declared |= {each.category for each in settings.traits.values()}
        self._apart = sorted(each for each in declared if apart(each))
        """Declared categories that need more than personalisation."""

    def allows(self, person: Profile, purpose: str, now_ms: int) -> bool:
        """Whether a purpose is allowed, by what somebody said and, where they said nothing, by law."""
        if purpose == TRANSACTIONAL:
            return True
        said = says(person, purpose, now_ms)
        if said is None:
            return rule(self.settings.privacy.jurisdiction, purpose) == "opt_out"
        return said

    def opted_out(self, person: Profile, now_ms: int) -> bool:
        """Whether nothing may be read, learned or kept of what somebody does."""
        return not self.allows(person, PERSONALISATION, now_ms)

    def opted_out_ms(self, person: Profile, now_ms: int) -> int:
        """Since when somebody has opted out, in milliseconds since 1970; -1: they have not, or never were
        in."""
        if not self.opted_out(person, now_ms):
            return -1
        stand = person.stands.get(PERSONALISATION)
        if stand is None:
            return -1
        return stand.until_ms if person.consent.get(PERSONALISATION) else stand.heard_ms

    def readable(self, person: Profile, now_ms: int) -> Profile:
        """What may be read of somebody to decide and to write: of who opted out, what a service needs to reach
        them in their language and at their hour."""
        if not self.opted_out(person, now_ms):
            return self.fit(person, now_ms)
        traits = {
            name: each
            for name, each in person.traits.items()
            if self._category(name) in (CONTACT, SERVICE)
        }
        return Profile(
            person.person,
            timezone=person.timezone,
            locale=person.locale,
            traits=traits,
            consent=person.consent,
            stands=person.stands,
        )

    def fit(self, person: Profile, now_ms: int) -> Profile:
        """The person without what may not be kept of them: data of a category that they have not agreed to, or
        no longer, and traits that are not declared any more."""
        out = [x for x in self._apart if not self._kept(x, person, now_ms)]
        traits = {
            x: y
            for x, y in person.traits.items()
            if self._category(x) not in out and self.declared.trait(x)
        }
        if len(traits) < len(person.traits):
            person = replace(person, traits=traits)
        if not out:
            return person
        specs = self.settings.signals
        gone = {name for name, each in specs.items() if each.category in out}
        gone |= {name for name, each in specs.items() if each.cancels in gone}
        return without(person, gone, self.settings)

    def admitted(self, event: Event, person: Profile, now_ms: int, met: Met) -> Admitted:
        """What may be kept of an event.

        Args:
            event: As it came.
            person: Whose, with what this very event says no to.
            now_ms: Its arrival.
            met: What else is known of it.
        """
        if self.opted_out(person, now_ms):
            return self._left(event, person, met)
        if self._unfit_signal(event, person, now_ms):
            return self._left(event, person, met)
        if met.used or met.served or self.declared.event(event):
            return self._fitting(event, person, now_ms)
        if event.kind == "track":
            return self._left(event, person, met)
        return self._fitting(_visit(event), person, now_ms)

    def crosses(self, event: Event) -> bool:
        """Whether an event links an id that somebody has offline with one that they have online."""
        other = event.previous_id if event.kind == "alias" else event.anonymous_id
        ends = self.settings.privacy.offline_ids
        if not (ends and other and event.user_id):
            return False
        return event.user_id.startswith(ends) != other.startswith(ends)

    def may_link(self, survivor: Profile, other: Profile, now_ms: int) -> bool:
        """Whether who somebody is offline and online may be linked: the stricter of both counts."""
        refused = says(other, OFFLINE, now_ms) is False
        return self.allows(survivor, OFFLINE, now_ms) and not refused

    def contact(self, event: Event) -> dict[str, Any]:
        """How they are reached, where they say who they are."""
        if event.kind != "identify":
            return {}
        return {x: y for x, y in event.traits.items() if self._category(x) == CONTACT}

    # -- the parts -------------------------------------------------------------------------------

    def _left(self, event: Event, person: Profile, met: Met) -> Admitted:
        """Of what may not be learned from: what a transactional message needs, a no, and who is who."""
        if met.served:
            return Admitted(self._needed(event), personal=False)
        refused = (told(f"{event.kind} {event.name}".strip()),)
        spoke = bool(person.consent)
        traits = self.contact(event) if spoke or met.writes else {}
        news = met.says_no or (event.kind == "track" and event.name in ABOUT_ADDRESSES)
        moved = any(_value(person, name) != value for name, value in traits.items())
        if news or moved or (met.links and spoke):
            return Admitted(bare(event, traits), refused, personal=False)
        return Admitted(None, refused, personal=False)

    def _needed(self, event: Event) -> Event:
        """What a transactional message is filled from: what happened, and how they are reached."""
        said = event.context.get("traits")
        inside = said if isinstance(said, dict) else {}
        reached = {x: y for x, y in inside.items() if self._category(x) == CONTACT}
        context = {x: y for x, y in event.context.items() if x in ("consent", GPC)}
        context |= {"traits": reached} if reached else {}
        return replace(event, traits=self.contact(event), context=context, extra={})

    def _fitting(self, event: Event, person: Profile, now_ms: int) -> Admitted:
        """Without the traits that may not be kept."""
        said = event.context.get("traits")
        inside = said if isinstance(said, dict) else {}
        out = self._unfit(event.traits if event.kind == "identify" else {}, person, now_ms)
        out_inside = self._unfit(inside, person, now_ms)
        of_account = self._unfit_account(event, person, now_ms)
        left_out = [f"trait {each}" for each in sorted({*out, *out_inside})]
        left_out += [f"account {each}" for each in sorted(of_account)]
        if out or of_account:
            event = replace(event, traits=_without(event.traits, out | of_account))
        if out_inside:
            context = event.context | {"traits": _without(inside, out_inside)}
            event = replace(event, context=context)
        context = self.declared.context(event.context)
        if context is not event.context:
            left_out += [f"context {x}" for x in sorted(event.context.keys() - context.keys())]
            event = replace(event, context=context)
        if event.extra and not self.declared.all_kept:
            left_out += [f"field {each}" for each in sorted(event.extra)]
            event = replace(event, extra={})
        return Admitted(event, tuple(told(each) for each in left_out))

    def _unfit_account(self, event: Event, person: Profile, now_ms: int) -> set[str]:
        """Traits of an account that nothing declares, or that this person may not tell."""
        if event.kind != "group":
            return set()
        specs = self.settings.traits
        return {
            each
            for each in event.traits
            if not self.declared.of_account(each)
            or (each in specs and not self._kept(specs[each].category, person, now_ms))
        }

    def _unfit(self, names: Iterable[str], person: Profile, now_ms: int) -> set[str]:
        return {
            each
            for each in names
            if not self.declared.trait(each) or not self._kept(self._category(each), person, now_ms)
        }

    def _unfit_signal(self, event: Event, person: Profile, now_ms: int) -> bool:
        """Whether it is a signal of a category that may not be kept."""
        name = called(event)
        return any(
            each.event == name and not self._kept(each.category, person, now_ms)
            for each in self.settings.signals.values()
        )

    def _kept(self, category: str, person: Profile, now_ms: int) -> bool:
        needs, either = NEEDS.get(category), ANY_OF.get(category)
        if either is not None:
            return any(self.allows(person, each, now_ms) for each in either)
        return all(self.allows(person, x, now_ms) for x in needs or (PERSONALISATION,))

    def _category(self, trait: str) -> str:
        return category_of(trait, self.settings)


def unlinked(event: Event) -> Event | None:
    """An event without the second id that it names; ``None``: it tells nothing else."""
    if event.kind != "alias":
        return replace(event, anonymous_id="")
    context = {x: y for x, y in event.context.items() if x in ("consent", GPC)}
    if not context:
        return None
    return replace(event, kind="identify", previous_id="", traits={}, context=context)


def _visit(event: Event) -> Event:
    """A page or screen that nothing uses: that somebody was there, and not where. Other calls as they are."""
    if event.kind not in ("page", "screen"):
        return event
    context = {x: y for x, y in event.context.items() if x in OF_VISITS}
    return replace(event, name="", properties={}, context=context)


def bare(event: Event, traits: dict[str, Any]) -> Event:
    """Whose it is, what it says no to, and these traits."""
    about = event.kind == "track" and event.name in ABOUT_ADDRESSES
    context = {x: y for x, y in event.context.items() if x in ("consent", GPC)}
    said = event.context.get("traits")
    if about and isinstance(said, dict) and "email" in said:
        context["traits"] = {"email": said["email"]}
    return Event(
        event.message_id,
        event.kind,
        event.at_ms,
        name=event.name if about else "",
        user_id=event.user_id,
        anonymous_id=event.anonymous_id,
        previous_id=event.previous_id,
        properties={x: event.properties[x] for x in _OF_ADDRESSES if x in event.properties}
        if about
        else {},
        traits=traits,
        context=context,
    )


def _value(person: Profile, trait: str) -> Any:
    known = person.traits.get(trait)
    return known.value if known is not None else None


def _without(traits: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in traits.items() if name not in names}
