"""The log records of one person, also those from before two histories turned out to be one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from germane.domain.event import Event
from germane.domain.record import Record
from germane.ingest.identity import resolve

_LINKING = ("identify", "alias")
Merge = tuple[int, str, str]
"""Log offset, the key that ended there, and the person that went on."""


def records_of(records: Iterable[Record], again: Iterable[Record], person: str) -> Iterator[Record]:
    """The records of one person under every key that was theirs, in log order.

    A device that went from one person to another is no key of both: what was recorded under it before
    its first merge belongs to whom it was merged into, and to nobody else.

    Args:
        records: The log of one tenant in order, to look for merges in.
        again: The same log once more, to take the records from.
        person: The key that the person has now.
    """
    ends = keys_of(merges(records), person)
    for record in again:
        if record.person == person or record.seq < ends.get(record.person, 0):
            yield record


def merges(records: Iterable[Record]) -> list[Merge]:
    """Where histories were merged, in log order."""
    links: dict[str, str] = {}
    found: list[Merge] = []

    def lookup(external: str) -> str | None:
        return end_of(links, external)

    for record in records:
        if record.kind != "event":
            continue
        event = msgspec.msgpack.decode(record.body, type=Event)
        if event.kind in _LINKING:
            link = resolve(event, lookup)
            found += [(record.seq, gone, record.person) for gone in link.merge]
            links |= link.claims
    return found


def keys_of(found: list[Merge], person: str) -> dict[str, int]:
    """Every earlier key of a person, with the log offset at which it ended."""
    ends: dict[str, int] = {}
    for seq, gone, into in reversed(found):
        if (into == person or seq < ends.get(into, 0)) and gone != person:
            ends[gone] = max(seq, ends.get(gone, 0))
    return ends


def end_of(links: dict[str, str], external: str) -> str | None:
    """The end of a key's links, as the engine follows them; ``None``: it has none."""
    person, passed = links.get(external), {external}
    while person is not None and person not in passed:
        passed.add(person)
        further = links.get(person)
        if further is None:
            break
        person = further
    return person
