"""From the ledger: what became of the message of each decision, and what people answered it with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from germane.app.engine import Engine
from germane.app.library import CLICK
from germane.app.outcomes.made import ContentLog, SlotLog, key_of
from germane.deliver import outbox
from germane.domain.message import Message

WINDOW_MS = CLICK.window_s * 1000
"""An answer counts so long after the message went out: the window of what choices are rewarded with."""
LEFT = ("unsubscribed", "email_marked_as_spam")
"""Codes of the reasons that say that somebody wants no more."""
PAGE = 500

Times = npt.NDArray[np.int64]


class SlotRows:
    """Decisions about one slot with what became of them, a row each. Times are milliseconds since 1970;
    0: never."""

    def __init__(self, log: SlotLog) -> None:
        keys = np.array(log.key, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        self.name, self.variants, self.authors = log.name, list(log.variants), log.authors
        self.key = keys[order]
        self.person = np.array(log.person, dtype=np.int64)[order]
        """Whose the message is; of a decision without one, whose the decision is."""
        self.variant = np.array(log.variant, dtype=np.int64)[order]
        self.propensity = np.array(log.propensity, dtype=np.float64)[order]
        self.writer = np.array(log.writer, dtype=np.float64)[order]
        self.drafted = np.array(log.drafted, dtype=bool)[order]
        self.allowed = np.array(log.allowed, dtype=np.uint64)[order]
        rows = len(self.key)
        self.sent_ms, self.opened_ms, self.clicked_ms, self.left_ms, self.goal_ms = (
            np.zeros(rows, dtype=np.int64) for _ in range(5)
        )
        self.edited = np.zeros(rows, dtype=bool)
        self.campaign = np.full(rows, -1, dtype=np.int64)
        """Place of the campaign among those whose goal is counted; -1: none."""

    def place(self, key: int) -> int | None:
        """Row of a decision."""
        found = int(np.searchsorted(self.key, key))
        return found if found < len(self.key) and self.key[found] == key else None


class Answered:
    """All slots of one content item."""

    def __init__(self, engine: Engine, log: ContentLog) -> None:
        self.content = log.content
        self.share = log.share
        self.unread = log.unread
        self.now_ms = engine.world.now_ms()
        self.slots = [SlotRows(each) for each in log.slots.values() if each.key]
        self._engine = engine
        self._places = {name: place for place, name in enumerate(log.campaigns)}
        self._goals = [
            np.array(each, dtype=np.int64)
            for each in (log.goal_person, log.goal_campaign, log.goal_ms)
        ]

    @property
    def with_goal(self) -> bool:
        """Whether any campaign that says it has a goal that is counted."""
        return bool(self._places)

    def messages(self) -> Iterator[int]:
        """Read all messages; yields how many more were read."""
        entries, tenant = self._engine.entries, self._engine.tenant
        topics = {topic for topic, _ in entries.counts(tenant, "message") if topic}
        for topic in sorted(topics | {*self._engine.library.campaigns}):
            after = ""
            while page := entries.page(tenant, "message", topic=topic, after=after, limit=PAGE):
                for each in page:
                    self._message(outbox.read(each))
                after = page[-1].key
                yield len(page)

    def _message(self, message: Message) -> None:
        if message.content != self.content.content_id or not message.decisions:
            return
        for key in map(key_of, message.decisions):
            for slot in self.slots:
                row = slot.place(key)
                if row is not None:
                    self._fill(slot, row, message)

    def _fill(self, slot: SlotRows, row: int, message: Message) -> None:
        slot.person[row] = key_of(message.person)
        slot.edited[row] = bool(message.edited_by)
        slot.campaign[row] = self._places.get(message.campaign, -1)
        if message.status != "sent":
            return
        slot.sent_ms[row] = message.claimed_ms or message.settled_ms
        slot.opened_ms[row], slot.clicked_ms[row] = message.opened_ms, message.clicked_ms
        left = [each.at_ms for each in message.whys if each.code in LEFT]
        slot.left_ms[row] = min(left, default=0)

    def goals(self) -> None:
        """A goal belongs to the latest message of its campaign before it, while that one's window is open."""
        for slot in self.slots:
            rows = np.flatnonzero((slot.sent_ms > 0) & (slot.campaign >= 0))
            sent = slot.person[rows], slot.campaign[rows], slot.sent_ms[rows]
            row, at_ms = latest(sent, (self._goals[0], self._goals[1], self._goals[2]))
            # the earliest goal of a message is written last, and stays
            for n in np.argsort(-at_ms, kind="stable"):
                slot.goal_ms[rows[row[n]]] = at_ms[n]


def latest(
    sent: tuple[Times, Times, Times], goals: tuple[Times, Times, Times]
) -> tuple[Times, Times]:
    """For each goal that has one, the last message before it (or at its time) of the same person and campaign.

    Args:
        sent: Person, campaign and time of each message, shape (messages,) each.
        goals: The same of goals, shape (goals,) each.

    Returns:
        Number of the message, and time of the goal, shape (pairs,) each.
    """
    person, campaign, at_ms = (np.concatenate(each) for each in zip(sent, goals, strict=True))
    is_goal = np.arange(len(person)) >= len(sent[0])
    order = np.lexsort((is_goal, at_ms, campaign, person))
    is_message = ~is_goal[order]
    last = np.maximum.accumulate(np.where(is_message, np.arange(len(order)), -1))
    at = np.flatnonzero(~is_message & (last >= 0))
    message, goal = order[last[at]], order[at]
    same = (person[message] == person[goal]) & (campaign[message] == campaign[goal])
    return message[same], at_ms[goal[same]]
