"""Where a record stands in the log, and how it is written there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from germane.domain.event import Interaction
from germane.domain.ids import slot_of
from germane.domain.outcome import Impression, Observation, Outcome
from germane.domain.profile import Profile
from germane.domain.record import Record, RecordKind

_encode = msgspec.msgpack.encode


@dataclass(slots=True)
class Arrival:
    """Where a record stands in the log: live it is new, in a rebuild it is as it was."""

    seq: int
    tenant: str
    received_ms: int
    logged: bool = False
    """Whether it is in the log already: then it is not refused any more."""

    def record(
        self,
        kind: RecordKind,
        person: str,
        message_id: str,
        at_ms: int,
        body: object,
        observation: Observation | None = None,
    ) -> Record:
        """What the log holds of it.

        Args:
            kind: What it is.
            person: Whose; empty: nobody's.
            message_id: What it is known again by.
            at_ms: When it happened, in milliseconds since 1970.
            body: The whole of it.
            observation: What shared state learned from it.
        """
        derived = _encode(observation) if observation is not None else b""
        slot = slot_of(self.tenant, person) if person else 0  # type: ignore[arg-type]
        return Record(
            self.seq,
            self.tenant,
            slot,
            person,
            kind,
            message_id,
            at_ms,
            self.received_ms,
            _encode(body),
            derived,
        )


def report_key(report: Impression | Outcome) -> str:
    """The id under which a report is known again: one of each kind may have the id of an event."""
    kind = "impression" if isinstance(report, Impression) else "outcome"
    return f"{kind}:{report.message_id}"


def until(interactions: Sequence[Interaction], now_ms: int) -> list[Interaction]:
    """As the profile takes them: a time that lies ahead of the clock is now."""
    return [
        each if each.at_ms <= now_ms else msgspec.structs.replace(each, at_ms=now_ms)
        for each in interactions
    ]


def newcomer(person: str, at: Arrival) -> Profile:
    """Somebody of whom nothing is known yet."""
    return Profile(person=person, first_seen_ms=at.received_ms)
