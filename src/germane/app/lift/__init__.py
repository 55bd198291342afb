"""What personalisation brings, by the holdout of a surface or a campaign: read from the log and the ledger.

A person belongs to the arm in which they were met first, and counts from there on for some days, whatever they
do and wherever. Who turns out to be somebody else, too, may see the other arm later on, and stays where they
began: left out, those who sign in would be rare in the smaller arm alone. Who was there before the holdout was,
or had another share, does not count: they are other people than those who came since.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from germane.app.engine import Engine
from germane.app.lift.campaigns import people_of
from germane.app.lift.figures import Told, figures
from germane.app.lift.log import LiftLog
from germane.app.lift.people import People
from germane.app.reading import through

__all__ = ["LiftLog", "Told", "figures", "gathered", "held_out_of", "steps_of"]


def held_out_of(engine: Engine) -> list[tuple[str, float]]:
    """Surfaces and then campaigns by name, each with the share of its holdout; 0: it has none."""
    surfaces = [(each.name, each.holdout_share) for each in engine.settings.surfaces.values()]
    campaigns = engine.library.campaigns.values()
    shares = ((x.name, 0.0 if x.transactional else x.holdout_share) for x in campaigns)
    return [*surfaces, *shares]


def steps_of(engine: Engine, names: Sequence[str]) -> int:
    """How many records and messages there are to read."""
    counts = engine.entries.counts(engine.tenant, "message")
    messages = sum(count for (topic, _), count in counts.items() if topic in names)
    return engine.store.last_seq() + messages


def gathered(engine: Engine, names: Sequence[str], days: int) -> Generator[int, None, LiftLog]:
    """Read the messages of campaigns, then the log once; yields how many more were read, returns what was
    found.

    Args:
        engine: Whose log it is.
        names: Of surfaces and campaigns with a holdout; one that both have is the surface.
        days: So long a person counts.
    """
    people: list[People] = []
    for name in names:
        surface = engine.settings.surfaces.get(name)
        if surface is not None and surface.holdout_share > 0:
            people.append(People("surface", name, surface.holdout_share))
        else:
            people.append((yield from people_of(engine, engine.library.campaign(name))))
    log = LiftLog(engine, people, days)
    yield from through(engine, log.take)
    return log
