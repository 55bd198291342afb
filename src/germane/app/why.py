"""*Why am I seeing this?*: what was shown, the reasons as they were told, and what of the person they rest on.

Only what may be spoken of (domain.speaking) is told: the reasons are those that the decision stored, and what
they rest on is taken from the readable profile without what is not to be mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.feedback import category_of, may_return
from germane.domain.decision import Decision, How, Reason, SlateItem
from germane.domain.links import Link, LinkKeys
from germane.domain.message import Message
from germane.domain.muting import source_of
from germane.domain.purposes import TRANSACTIONAL

LONGEST_URL = 2_000
"""Characters of an address that every browser and mail program takes."""
NAMED = 3
"""Items and traits that a reason names."""
CHOSEN: dict[How, tuple[str, ...]] = {
    "constant": ("What does best over all people; some are shown something else",),
    "default": ("What is shown where nothing is chosen by what somebody did",),
    "personal": ("Chosen for you, by what you did here before",),
    "exploring": ("Tried out, to learn what is liked",),
}
"""Why an action was taken: nobody gets it for sure, there are others."""
_OF_NOBODY = {
    "trending": "What many people turn to these days. It is the same for everyone.",
    "bestsellers": "What many people here choose. It is the same for everyone.",
    "curated": "Our own choice, for people whom we know little of.",
    "new": "It came here only lately.",
    "together": "What people take together with the thing on that page.",
    "explore": "A few places show something at random, to learn what people like.",
    "adjacent": "Near to what you like, and of a kind that you have not met here.",
}


class Because(msgspec.Struct, frozen=True):
    """One reason."""

    code: str
    text: str
    rests_on: tuple[str, ...]
    """What of the person it rests on, in sentences."""
    source: str
    """What is muted by *not for this reason*; empty: it cannot be."""
    muted: bool
    """Whether it is already."""


class Shown(msgspec.Struct, frozen=True):
    """One item that was shown."""

    decision_id: str
    item_id: str
    position: int
    title: str
    category: str
    because: tuple[Because, ...]
    muted: bool
    """Whether the person wants to see it no more."""


class Told(msgspec.Struct, frozen=True):
    """All that the page says."""

    shown: tuple[Shown, ...]
    personal: bool
    """Whether anything in it was chosen for the person."""
    opted_out: bool
    """Whether they are opted out now."""
    may_return: bool
    """Whether they may come back by this page."""
    known: bool
    """Whether anything is stored of them."""
    muted: dict[str, Any]
    """As in the readable profile."""
    message: bool = False
    """It is about a message."""
    choice: bool = False
    """It was a choice of one of a few actions, or none."""


def link_of(decision: Decision, keys: LinkKeys, base_url: str) -> str:
    """Address of the page about a decision; empty where it would be too long, or nobody's."""
    if not decision.decision_id or not decision.person:
        return ""
    about = Link("w", "", decision.person, decision.at_ms // 1000, decision_id=decision.decision_id)
    return _short(f"{base_url}/w/{keys.seal(about)}")


def link_to_message(message: Message, keys: LinkKeys, base_url: str) -> str:
    """The same about a message, where there is something to tell: it holds decisions, or it is sent to some
    people and not to others."""
    if not message.person or (message.purpose == TRANSACTIONAL and not message.decisions):
        return ""
    about = Link(
        "w", message.message_id, message.person, message.created_ms // 1000, message.campaign
    )
    return _short(f"{base_url}/w/{keys.seal(about)}")


def decisions_of(engine: Engine, link: Link) -> list[Decision]:
    """The decisions that a link is about, as far as they are still known."""
    named: Sequence[str] = (link.decision_id,) if link.decision_id else ()
    if link.message_id:
        message = engine.moving.message(engine.tenant, link.message_id)
        named = message.decisions if message is not None else ()
    found = (engine.decision(each) for each in named)
    return [each for each in found if each is not None]


def told(engine: Engine, link: Link) -> Told:
    """What the page of a link says now. Of a person nothing is told where the link was made for somebody who
    was merged into them since: whoever has it need not be them."""
    decisions = decisions_of(engine, link)
    profile = engine.profile_of(link.person)
    opted_out = engine.gate.opted_out(profile, engine.world.now_ms())
    theirs = profile.person == link.person
    view = (engine.person(profile.person) or {}) if theirs and not opted_out else {}
    muted = view.get("muted") or {"items": [], "values": [], "reasons": []}
    in_message = bool(link.message_id)
    return Told(
        shown=tuple(
            _shown(engine, each, item, view, muted)
            for each in decisions
            for item in each.items
            if each.choice is None or not in_message  # which text a mail has is no item of it
        ),
        personal=any(map(_for_them, decisions)),
        opted_out=opted_out,
        may_return=theirs and may_return(engine, profile.person),
        known=bool(decisions) or engine.knows(link.person, link.message_id),
        muted=muted,
        message=in_message,
        choice=any(each.choice is not None for each in decisions),
    )


def _for_them(decision: Decision) -> bool:
    """Whether it was chosen for the person: of a choice between actions most is not."""
    if decision.choice is not None:
        return decision.choice.how == "personal"
    return decision.arm == "personalised"


def _short(url: str) -> str:
    return url if len(url) <= LONGEST_URL else ""


def _shown(
    engine: Engine, decision: Decision, item: SlateItem, view: dict[str, Any], muted: dict[str, Any]
) -> Shown:
    if decision.choice is not None:
        return _action(engine, decision, item, muted)
    known = engine.item(item.item_id)
    sources = {each["source"] for each in muted["reasons"]}
    return Shown(
        decision.decision_id,
        item.item_id,
        item.position,
        (known.title if known is not None else "") or item.item_id,
        category_of(engine, item.item_id),
        _once(_because(engine, each, item.item_id, view, sources) for each in item.reasons),
        _gone(item.item_id, "", muted),
    )


def _once(reasons: Iterable[Because]) -> tuple[Because, ...]:
    """What several reasons of an item rest on is said with the first."""
    found: list[Because] = []
    said: set[str] = set()
    for each in reasons:
        new = tuple(x for x in each.rests_on if x not in said)
        said |= {*new}
        found.append(replace(each, rests_on=new))
    return tuple(found)


def _action(engine: Engine, decision: Decision, item: SlateItem, muted: dict[str, Any]) -> Shown:
    """The reasons of a choice are figures, and for operators only."""
    assert decision.choice is not None
    surface = engine.settings.surfaces.get(decision.surface)
    titles = {each.id: each.title for each in surface.actions} if surface is not None else {}
    texts = CHOSEN[decision.choice.how]
    because = tuple(Because("", each, (), "", False) for each in texts)
    title = titles.get(item.item_id) or item.item_id
    gone = _gone(item.item_id, decision.surface, muted)
    return Shown(decision.decision_id, item.item_id, item.position, title, "", because, gone)


def _gone(item_id: str, choice_of: str, muted: dict[str, Any]) -> bool:
    named = (item_id, choice_of or None)
    return any((each["itemId"], each["choiceOf"]) == named for each in muted["items"])


def _because(
    engine: Engine, reason: Reason, item_id: str, view: dict[str, Any], muted: set[str]
) -> Because:
    source = source_of(reason.code)
    rests_on = (
        tuple(_rests_on(engine, source, item_id, view)) if view or source in _OF_NOBODY else ()
    )
    return Because(reason.code, reason.text, rests_on, source, source in muted)


def _rests_on(engine: Engine, source: str, item_id: str, view: dict[str, Any]) -> list[str]:
    """What of the readable profile a reason rests on, without what is not to be mentioned."""
    match source:
        case "interests":
            return _interest(
                view, engine.settings.diversity_attribute, category_of(engine, item_id)
            )
        case "repeat":
            own = (x for x in view["ownItems"] if x["itemId"] == item_id and x["speakable"])
            return [f"You had it {each['text']}." for each in own if each["everyDays"]]
        case "covisitation" | "sequence" | "linear":
            return _latest(engine, view)
        case "declared":
            return _declared(engine, item_id, view)
        case "price":
            return _prices(view["priceBand"])
        case _:
            return [_OF_NOBODY[source]] if source in _OF_NOBODY else []


def _declared(engine: Engine, item_id: str, view: dict[str, Any]) -> list[str]:
    """The traits that speak for an item, as they were told."""
    item, told = engine.catalogue.get(item_id), []
    for name, each in view["traits"].items():
        spec = engine.settings.traits.get(name)
        if item is None or spec is None or not spec.attribute or not each["speakable"]:
            continue
        said = each["value"] if isinstance(each["value"], list | tuple) else (each["value"],)
        meant = {x for one in said for x in spec.values.get(str(one), (str(one),))}
        if meant & {*item.values_of(spec.attribute)}:
            told.append(f"You told us: {name} = {each['value']}.")
    return told[:NAMED]


def _interest(view: dict[str, Any], attribute: str, value: str) -> list[str]:
    rows = view["interests"].get(attribute, ())
    found = [each for each in rows if each["value"] == value and each["speakable"]]
    return [f"What you did with {value}: {each['from']['text']}." for each in found]


def _latest(engine: Engine, view: dict[str, Any]) -> list[str]:
    """The latest items that may be named."""
    signals = engine.settings.signals
    may = {name for name, each in signals.items() if each.speakable and each.weight > 0}
    names = [x["title"] or x["itemId"] for x in view["recent"] if x["signal"] in may]
    named = list(dict.fromkeys(names))[:NAMED]
    return [f"What you turned to lately: {' · '.join(named)}"] if named else []


def _prices(band: dict[str, Any] | None) -> list[str]:
    if band is None:
        return []
    currency = f" {band['currency']}" if band["currency"] else ""
    low, high = f"{band['low']:,.2f}", f"{band['high']:,.2f}"
    return [f"Most of what you looked at cost {low} to {high}{currency}."]
