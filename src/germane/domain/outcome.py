"""What came back: impressions, outcomes, and what they are worth; and what the shared model learns."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.domain.event import Interaction
from germane.domain.moment import Activity

Verdict = Literal["counted", "duplicate", "late", "forgotten", "untaught"]
"""What became of a reported outcome: it counts; it, or its order, was counted before; its window was over;
the decision is so old that what was counted for it is not known any more; nothing is learned from this
decision (a default, or one whose record was lost)."""


class Impression(msgspec.Struct, frozen=True, gc=False):
    """Positions of a decision that were really rendered to the person."""

    message_id: str
    decision_id: str
    positions: tuple[int, ...]
    at_ms: int


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A response that was reported for a decision by id."""

    message_id: str
    decision_id: str
    item_id: str
    outcome: str
    value: float | None
    """Of revenue: price times quantity, in the project's currency, at least 0. Else not used."""
    at_ms: int
    order_id: str = ""
    """The order that it reports, for refunds; of a choice, the order's own event does not count again."""


class Reward(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A number credited to one shown item of one decision, in the unit of the surface's outcome value."""

    decision_id: str
    surface: str
    item_id: str
    outcome: str
    value: float
    at_ms: int
    rule: str
    """``id``: named by decision id. ``window``: same item, inside the attribution window. ``returned``,
    ``returned in part``: it takes one back."""
    order: int = 0
    """Key of the order that was reported with it (``domain.ids.order_key``); 0: none was."""


class Example(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One listwise lesson for a ranker: which of these rows was chosen.

    ``features`` is a row-major float16 matrix, ``rows`` x ``len(features) / 2 / rows``, as bytes.
    """

    surface: str
    rows: int
    features: bytes
    chosen: tuple[int, ...]
    """Row numbers of the positives."""
    weight: float = 1.0
    sampled: int = 0
    """So many of the last rows are a sample of what was far behind."""
    stands_for: float = 1.0
    """Candidates that each row of that sample stands for, itself included; at least 1."""
    keys: bytes = b""
    """What stands for the item of each row (``domain.had.key_of``, four bytes), where somebody had come back:
    so that it can be told which of them they took later on."""


class Trial(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a choice teaches: that it was made, or a reward that it was credited with."""

    surface: str
    action: str
    at_ms: int
    """When it was decided: it belongs there, whenever its rewards arrive."""
    layout: int
    features: tuple[float, ...]
    made: bool
    """The decision itself; otherwise a reward."""
    how: str = ""
    """For a decision: why it was made."""
    reward: float = 0.0
    """What is added now; below 0 for what was taken back."""
    before: float = 0.0
    """What the decision had been credited with before."""


class Observation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that shared state may learn from one log record. Stored with it, so that shared state
    is a fold of the log alone: a learner needs nobody's profile to follow it."""

    at_ms: int
    interactions: tuple[Interaction, ...] = ()
    before: tuple[Interaction, ...] = ()
    """The person's latest interactions before these, newest last (what the sequence sources need)."""
    owned: tuple[int, ...] = ()
    """For each of ``interactions``: 1 if the person had this item before, else 0."""
    examples: tuple[Example, ...] = ()
    shown: tuple[str, ...] = ()
    """Items that were shown (impressions)."""
    rewards: tuple[Reward, ...] = ()
    activity: Activity | None = None
    """An hour in which the person was seen for the first time."""
    trials: tuple[Trial, ...] = ()
    """Choices that were made, and their rewards."""
