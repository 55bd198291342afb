"""What an event says no to: somebody who says no is heard at once, whoever brings the news.

Nothing is *granted* by an event: a browser's key is public.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Any

from germane.domain.event import Event
from germane.domain.purposes import EMAIL_MARKETING, PURPOSES, TRANSACTIONAL, is_purpose
from germane.domain.settings import PrivacySpec

_REFUSALS = {"Unsubscribed": "unsubscribed", "Email Marked as Spam": "complained"}
ABOUT_ADDRESSES = (*_REFUSALS, "Email Bounced")
"""Track events that speak against writing to an address: they are kept whatever was said."""
MOST = 64
"""Purposes that one person can have said something to."""
GPC = "gpc"
"""Of an event's context: the browser sent ``Sec-GPC: 1`` (Global Privacy Control, W3C)."""


def said(event: Event, stated: Collection[str], spec: PrivacySpec) -> dict[str, str]:
    """Purposes that an event says no to, and how.

    ``Unsubscribed`` and ``Email Marked as Spam`` (Segment's e-mail events) are of the purpose that they name
    (``list_id``), or of all e-mail. ``context.consent.categoryPreferences`` is what a consent banner sends:
    absent, nothing changes; empty, everything is denied; else what is false in it, or left out of it, is.

    Args:
        event: As it came.
        stated: Purposes that the person has said something to.
        spec: Which categories of a banner speak of which purposes, and what the browser's signal means.
    """
    found = dict.fromkeys(spec.gpc, "gpc") if event.context.get(GPC) is True else {}
    consent = event.context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        found |= dict.fromkeys(_denied(preferences, spec.categories), "banner")
    if event.kind == "track" and event.name in _REFUSALS:
        found |= dict.fromkeys(_unsubscribed(event, stated), _REFUSALS[event.name])
    room = max(MOST - len({*stated}), 0)
    known = {*PURPOSES, *stated}
    new = [each for each in sorted(found) if each not in known]
    return {name: how for name, how in sorted(found.items()) if name not in new[room:]}


def speaks(event: Event) -> bool:
    """Whether an event names purposes or categories of a banner at all."""
    return (event.kind == "track" and event.name in _REFUSALS) or "consent" in event.context


def strange(event: Event, spec: PrivacySpec, known: Container[str]) -> Iterator[str]:
    """``purpose NAME`` and ``category NAME``: what an event speaks of, and nothing has. It is a slip on one
    side or the other: a no to it stops nothing, and a yes in a banner is not heard.

    Args:
        event: As it came.
        spec: Which categories of a banner there are.
        known: Purposes that anything names.
    """
    if event.kind == "track" and event.name in _REFUSALS:
        named = _list_of(event)
        if named and named not in known:
            yield f"purpose {named}"
    consent = event.context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        named_there = (x for x in preferences if x not in spec.categories and x not in known)
        yield from (f"category {each}" for each in named_there)


def _unsubscribed(event: Event, stated: Collection[str]) -> set[str]:
    named = _list_of(event)
    if named and (named in stated or len(stated) < MOST):
        return {named}
    return {EMAIL_MARKETING, *(each for each in stated if each.startswith("email"))}


def _list_of(event: Event) -> str:
    """The purpose that an unsubscription names; empty: none."""
    named = event.properties.get("list_id") or event.properties.get("purpose")
    known = isinstance(named, str) and is_purpose(named) and named != TRANSACTIONAL
    return str(named) if known else ""


def _denied(preferences: Mapping[str, Any], categories: Mapping[str, Sequence[str]]) -> set[str]:
    """What is agreed to must be said; a category that is false takes with it all that it speaks of."""
    agreed: set[str] = set()
    denied: set[str] = set()
    for name, value in preferences.items():
        meant = categories.get(name, (name,) if is_purpose(name) else ())
        (agreed if value is True else denied).update(meant)
    return (denied | ({*PURPOSES} - agreed)) - {TRANSACTIONAL}
