"""What is chosen for a person: candidates, slate, decision."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Arm = Literal["personalised", "broadcast", "opted_out", "fallback"]
Slot = Literal["relevant", "diverse", "explore", "pinned", "default"]


class Context(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known at decision time beside the person; frozen into the decision."""

    item: str = ""
    """The item the page is about (``frequently bought together`` needs it)."""
    locale: str = ""
    timezone: str = ""
    device: str = ""
    account: str = ""
    """The account that the person acts for: as asked, or else the one their profile knows."""
    extra: dict[str, Any] = {}


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One surface's question: rank what for whom."""

    surface: str
    size: int | None = None
    """Slots wanted; ``None``: the surface's own size."""
    exclude: tuple[str, ...] = ()
    filter: str = ""
    context: Context = Context()


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why an item is there: a stable code, plain words, and its share of the score."""

    code: str
    text: str
    contribution: float


class Candidate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An eligible item as the policy saw it."""

    item_id: str
    score: float
    sources: tuple[str, ...]


class SlateItem(msgspec.Struct, frozen=True, gc=False):
    """One filled position."""

    item_id: str
    position: int
    score: float
    propensity: float
    """Probability, in (0, 1], that the policy that acted put this item here, given the positions before."""
    slot: Slot
    sources: dict[str, float]
    """Source -> its contribution to the score."""
    reasons: tuple[Reason, ...] = ()
    features: bytes = b""
    """The ranker's view of it, as float16; an outcome is learned from exactly these."""


How = Literal["constant", "personal", "exploring", "default"]
"""Why an action was taken: the best single one; better for this person, and proven so; to learn;
because nothing may be learned or used here."""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An action as the policy saw it, for this person."""

    action: str
    """Its id; empty: do nothing."""
    propensity: float
    """Probability, in [0, 1], that the policy takes it here and now."""
    mean: float
    """Expected reward of a decision, less the action's cost, in the unit of the outcome values."""
    low: float
    high: float
    """95 % posterior interval of ``mean``."""
    decisions: float
    """Decisions it rests on: their windows are closed, and they count less with age."""
    responses: float
    """Those of them that were rewarded, likewise."""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """What a choice surface did: one action, or nothing, and how likely that was."""

    action: str
    """Id of the action; empty: do nothing."""
    propensity: float
    """Probability, in (0, 1], with which the policy that acted took this action."""
    how: How
    constant: str
    """The best single action for everyone, as far as it was known."""
    layout: int
    """Fingerprint of the features' names."""
    features: tuple[float, ...]
    """The context as the policy saw it; a reward is learned with exactly these."""
    arms: tuple[Standing, ...]
    """Every action, in the order of the configuration, *do nothing* last."""
    reasons: tuple[Reason, ...] = ()


class Actions(msgspec.Struct, frozen=True, gc=False):
    """How a choice surface stands for everyone."""

    choice: Choice
    made: dict[str, int]
    """Why (``How``) -> decisions ever made."""
    waiting: int
    """Decisions whose windows are still open: they count for nothing yet."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The logged choice (law 6). Replaying it with the same state, ``seed`` and ``at_ms`` gives it again."""

    decision_id: str
    person: str
    surface: str
    arm: Arm
    at_ms: int
    expires_ms: int
    seed: int
    model_version: str
    personal_seq: int
    """Log offset of the personal state that was used."""
    shared_seq: int
    """Log offset of the shared state that was used."""
    readiness: float
    items: tuple[SlateItem, ...]
    candidates: tuple[Candidate, ...] = ()
    """The best of those that were not shown, with their scores."""
    candidate_count: int = 0
    quota_short: int = 0
    ask: Ask | None = None
    choice: Choice | None = None
    """Of a choice surface; ``items`` then holds its action, or none for *do nothing*."""
