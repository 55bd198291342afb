"""People who choose, simulated: by popularity alone, or by tastes of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from germane.domain.event import Event

STEP_MS = 600_000
TASTE = 8
"""Items that each person likes."""


def choices(
    *, taste: float, people: int = 120, items: int = 100, events: int = 6_000, seed: int = 1
) -> Iterator[Event]:
    """Events named ``Interaction``, one every ten minutes, of people at random.

    Args:
        taste: Chance, in [0, 1], that a choice is one of the person's own eight items, each as likely;
            else it is drawn by popularity, which falls as 1 / rank, and tells nothing of the person.
        people: How many.
        items: How many.
        events: How many.
        seed: Of all chance.
    """
    chance = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, items + 1)
    popularity /= popularity.sum()
    own = [chance.permutation(items)[:TASTE] for _ in range(people)]
    for number in range(events):
        person = int(chance.integers(people))
        liked = chance.random() < taste
        item = int(chance.choice(own[person]) if liked else chance.choice(items, p=popularity))
        yield Event(
            f"choice-{number}",
            "track",
            1_700_000_000_000 + number * STEP_MS,
            name="Interaction",
            user_id=f"person-{person}",
            properties={"product_id": f"item-{item}"},
        )
