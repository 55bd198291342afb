"""What an event says about consent: somebody who says no is heard at once, whoever brings the news."""

from __future__ import annotations

from collections.abc import Collection

from germane.domain.event import Event
from germane.domain.purposes import EMAIL_MARKETING

_REFUSALS = ("Unsubscribed", "Email Marked as Spam")


def withdrawn(event: Event, stated: Collection[str] = ()) -> tuple[str, ...]:
    """Purposes that an event takes consent from; ``stated``: those that the person has said something to.

    ``Unsubscribed`` and ``Email Marked as Spam`` (Segment's e-mail events) are of the purpose that they name
    (``list_id``), or of all e-mail. In ``context.consent.categoryPreferences`` a category is a purpose; one
    that is false is withdrawn. Nothing is *granted* by an event: a browser's key is public.
    """
    found: set[str] = set()
    if event.kind == "track" and event.name in _REFUSALS:
        named = event.properties.get("list_id") or event.properties.get("purpose")
        found.add(named if isinstance(named, str) and named else EMAIL_MARKETING)
        if not named:
            found |= {each for each in stated if each.startswith("email")}
    consent = event.context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        found |= {name for name, value in preferences.items() if value is False}
    return tuple(sorted(found))
