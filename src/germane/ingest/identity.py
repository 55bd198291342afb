"""Whose event it is, and which two histories turn out to be one person's.

* An event with a user id belongs to that user.
* One with only an anonymous id belongs to whoever that id is linked to, else to the visitor.
* ``identify`` with both ids, and ``alias``, merge the visitor's history into the user's.
* Two known users are merged by ``alias`` alone. An ``identify`` on a shared device links the
  anonymous id to the new user for the future and merges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from germane.domain.event import Event
from germane.domain.ids import anonymous_person, known_person

Lookup = Callable[[str], str | None]
"""External key -> the person it now belongs to."""


@dataclass(frozen=True, slots=True)
class Link:
    """The answer: a person, who is merged into them, and which keys point to them from now on."""

    person: str
    merge: tuple[str, ...] = ()
    claims: dict[str, str] = field(default_factory=dict)


def keys_of(event: Event) -> list[str]:
    """The external keys that ``resolve`` begins with, for whoever reads them ahead."""
    keys = [known_person(event.user_id)] if event.user_id else []
    return [*keys, anonymous_person(event.anonymous_id)] if event.anonymous_id else [*keys]


def resolve(event: Event, lookup: Lookup) -> Link:
    """Decide by the event and what is linked already. Pure."""
    if event.kind == "alias":
        return _alias(event, lookup)
    anonymous = anonymous_person(event.anonymous_id) if event.anonymous_id else ""
    if not event.user_id:
        return Link(lookup(anonymous) or anonymous)
    known = known_person(event.user_id)
    person = lookup(known) or known
    if event.kind != "identify" or not anonymous:
        return Link(person)
    linked = lookup(anonymous)
    if linked == person:
        return Link(person)
    merge = (anonymous,) if linked is None else ()
    return Link(person, merge, {anonymous: person})


def _alias(event: Event, lookup: Lookup) -> Link:
    known = known_person(event.user_id)
    person = lookup(known) or known
    merge: list[str] = []
    claims: dict[str, str] = {}
    for external in (anonymous_person(event.previous_id), known_person(event.previous_id)):
        linked = lookup(external) or external
        if linked not in (person, *merge):
            merge.append(linked)
        if external != person:
            claims[external] = person
        if linked not in (external, person):
            claims[linked] = person
    return Link(person, tuple(merge), claims)
