"""What is kept of somebody who is not learned from: who they are, and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.profile import Profile, Trait
from germane.profile import bounds


def told(
    person: Profile, event: Event, contact: Mapping[str, Any], *, seq: int, now_ms: int
) -> Profile:
    """The person after an event of which nothing is learned.

    Args:
        person: Before; not changed.
        event: What was kept of it.
        contact: Traits that say how they are reached.
        seq: Its log offset.
        now_ms: Its arrival. A late one overwrites nothing that is newer.
    """
    changes: dict[str, Any] = {"seq": seq}
    if event.user_id and not person.user_id and person.person.startswith("u:"):
        changes["user_id"] = event.user_id
    if event.anonymous_id and event.anonymous_id not in person.anonymous_ids:
        known = (*person.anonymous_ids, event.anonymous_id)
        changes["anonymous_ids"] = known[-bounds.ANONYMOUS_IDS :]
    at_ms = min(event.at_ms, now_ms)
    reached = {
        name: Trait(value, at_ms)
        for name, value in contact.items()
        if bounds.small(value) and (name not in person.traits or person.traits[name].at_ms <= at_ms)
    }
    if reached:
        changes["traits"] = bounds.traits({**person.traits, **reached})
    return replace(person, **changes)
