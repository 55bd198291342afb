"""What the variants of a content item brought, the writer's and people's: read from log and ledger."""

from __future__ import annotations

from collections.abc import Generator

from germane.app.engine import Engine
from germane.app.outcomes.answered import Answered
from germane.app.outcomes.figures import ContentOutcomes, figures
from germane.app.outcomes.made import ContentLog
from germane.domain.content import Content

__all__ = ["Answered", "ContentOutcomes", "figures", "gathered", "steps_of"]

EVERY = 500
"""Records or messages that are read between two looks at other work."""


def steps_of(engine: Engine) -> int:
    """How many records and messages there are to read."""
    return engine.store.last_seq() + _messages(engine)


def gathered(engine: Engine, content: Content) -> Generator[int, None, Answered]:
    """Read the log once and the ledger once; yields how many more were read, returns what was found.

    Memory is bounded (``made.MOST``), whatever the length of the log.
    """
    log = ContentLog(engine, content)
    seen = done = 0
    for record in engine.store.read(0, until=engine.store.last_seq()):
        log.take(record)
        seen += 1
        if seen % EVERY == 0:
            yield EVERY
            done += EVERY
    yield seen - done
    answered = Answered(engine, log)
    yield from answered.messages()
    answered.goals()
    return answered


def _messages(engine: Engine) -> int:
    counts = engine.entries.counts(engine.tenant, "message")
    return sum(count for (topic, _), count in counts.items() if topic)
