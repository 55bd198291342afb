"""What the variants of a content item brought, the writer's and people's: read from log and ledger."""

from __future__ import annotations

from collections.abc import Generator

from germane.app.engine import Engine
from germane.app.outcomes.answered import Answered
from germane.app.outcomes.figures import ContentOutcomes, figures
from germane.app.outcomes.made import ContentLog
from germane.app.reading import through
from germane.domain.content import Content

__all__ = ["Answered", "ContentOutcomes", "figures", "gathered", "steps_of"]


def steps_of(engine: Engine) -> int:
    """How many records and messages there are to read."""
    return engine.store.last_seq() + _messages(engine)


def gathered(engine: Engine, content: Content) -> Generator[int, None, Answered]:
    """Read the log once and the ledger once; yields how many more were read, returns what was found.

    Memory is bounded (``made.MOST``), whatever the length of the log.
    """
    log = ContentLog(engine, content)
    yield from through(engine, log.take)
    answered = Answered(engine, log)
    yield from answered.messages()
    answered.goals()
    return answered


def _messages(engine: Engine) -> int:
    counts = engine.entries.counts(engine.tenant, "message")
    return sum(count for (topic, _), count in counts.items() if topic)
