"""What an import of consent would undo is told before as it is counted then, whatever was said."""

from __future__ import annotations

import random

import pytest

from germane.app import Engine
from germane.app.foreseen import Foreseen
from germane.domain.moves import Stated
from germane.testing import an_event

DAY_MS = 86_400_000
PEOPLE = ("u:ann", "a:phone", "u:bob", "u:eve")
PURPOSES = ("email_marketing", "personalisation")


def said(rng: random.Random, begin_ms: int) -> list[Stated]:
    """Up to 12 statements in the order of time, of few days, so that many meet."""
    found = []
    for _ in range(rng.randrange(13)):
        granted, at_ms = rng.random() < 0.6, begin_ms + rng.randrange(8) * DAY_MS
        until_ms = at_ms + DAY_MS if granted and rng.random() < 0.1 else 0
        person, purpose = rng.choice(PEOPLE), rng.choice(PURPOSES)
        found.append(Stated(person, purpose, granted, "import", at_ms=at_ms, until_ms=until_ms))
    return sorted(found, key=lambda each: each.at_ms)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_comes(engine: Engine, seed: int) -> None:
    """Import after import, with two ids that are one person's, read in pieces of any size."""
    engine.accept_now(
        [an_event(user="ann"), an_event(kind="identify", user="ann", anonymous_id="phone")]
    )
    rng, undone = random.Random(seed), 0
    begin_ms = engine.world.now_ms() - 200 * DAY_MS
    for _ in range(25):
        moves, size = said(rng, begin_ms), rng.randrange(1, 6)
        foreseen = Foreseen(engine.store, engine.world.now_ms(), engine.tenant)
        pieces = (moves[n : n + size] for n in range(0, len(moves), size))
        meant = [each for piece in pieces for each in foreseen.of(piece)]
        with engine.importer() as importer:
            importer.add_statements(moves)
        assert importer.taken_back == meant
        undone += len(meant)
        begin_ms += DAY_MS
    assert undone > 5
