"""What a backtest found, as plain values: the report and ``--json`` are made from nothing else."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.measure.bootstrap import Estimate

Verdict = Literal["yes", "no", "unclear", "too little"]


class Answer(msgspec.Struct, frozen=True):
    """Would personal lists have beaten the best one for everyone?"""

    verdict: Verdict
    personal: Estimate
    """hit@10."""
    broadcast: Estimate
    difference: Estimate
    """Paired: personal less broadcast."""
    broadcast_name: str
    """The best of the lists for everyone, chosen afterwards: in its favour."""
    rule: Estimate
    rule_name: str
    rule_difference: Estimate
    """Personal less the best simple rule."""


class Row(msgspec.Struct, frozen=True):
    """One list, judged on the same choices as all others."""

    name: str
    hit: Estimate
    ndcg: Estimate
    mrr: Estimate
    difference: Estimate
    """NDCG: the personal list less this one, paired."""


class Step(msgspec.Struct, frozen=True):
    """People with so many interactions before."""

    label: str
    earlier_min: int
    earlier_max: int | None
    personal: Estimate
    """hit@10."""
    broadcast: Estimate
    """Of the best list for everyone in this step."""
    broadcast_name: str
    difference: Estimate
    ndcg: Estimate
    part_name: str
    """The best single source or simple list in this step, by NDCG."""
    part_ndcg: Estimate
    part_difference: Estimate
    """NDCG: personal less that part, paired. Clearly below 0: the blend is worse than its best part."""
    with_traits: Estimate
    """NDCG of people whose declared traits speak for something."""
    traits_gain: Estimate
    """NDCG: with what they declared less without, the same people at the same times."""


class Source(msgspec.Struct, frozen=True):
    """One source of the blend."""

    name: str
    share: float
    """Of all that speaks for what was shown, in [0, 1]."""
    alone: Estimate
    """NDCG of a list by this source alone."""
    alone_difference: Estimate
    """The blend (without trees) less that."""
    lost: Estimate
    """What the blend (without trees) loses when it may not use this source."""


class Kind(msgspec.Struct, frozen=True):
    """Repeat or new."""

    name: str
    share: float
    """Of what people chose, in [0, 1]."""
    personal: Estimate
    broadcast: Estimate
    rule: Estimate
    """hit@10 for this kind of choice."""
    rule_name: str


class Quota(msgspec.Struct, frozen=True):
    """One diversity quota."""

    quota: float
    hit: Estimate
    ndcg: Estimate
    price: Estimate
    """NDCG lost against no quota, paired; above 0: it costs something."""
    new_kind: float
    """Share of places with a category that was new to the person."""
    new_kind_hits: float
    """Share of those places whose item was chosen."""
    short: float
    """Share of places that should have been diverse and could not be."""


class Newcomers(msgspec.Struct, frozen=True):
    """Items that were in the catalogue for less than a week."""

    choices: float
    """Share of what people chose."""
    places: float
    """Share of the places in personal lists."""
    places_broadcast: float
    hit_rate: float
    """Share of those places whose item was chosen."""
    hit_rate_all: float
    """The same of all places."""
    unknown: float
    """Share of choices of an item that the catalogue had not heard of."""
    n: int


class Check(msgspec.Struct, frozen=True):
    """One look at the data."""

    name: str
    level: Literal["good", "warning", "bad"]
    value: str
    meaning: str


class Advice(msgspec.Struct, frozen=True):
    """One thing to do next."""

    title: str
    why: str
    how: str = ""


class Bin(msgspec.Struct, frozen=True):
    """Choices of which the blend expected about as much."""

    expected: float
    found: Estimate


class Sample(msgspec.Struct, frozen=True):
    """What was replayed."""

    events: int
    events_done: int
    people: int
    items: int
    first_ms: int
    last_ms: int
    split_ms: int
    people_asked: int
    people_could: int
    occasions: int
    choices: int
    stopped_ms: int | None
    left_out: bool
    """Whether what people had was left out of all lists."""
    targets: tuple[str, ...]
    derived: bool
    """Whether settings were derived from the data."""
    trainings: int
    promoted: int
    trains: bool
    """Whether LightGBM is there."""
    seconds: float


class Findings(msgspec.Struct, frozen=True):
    """Everything."""

    sample: Sample
    answer: Answer
    steps: tuple[Step, ...]
    lists: tuple[Row, ...]
    sources: tuple[Source, ...]
    kinds: tuple[Kind, ...]
    only_new: tuple[Estimate, Estimate] | None
    """hit@10 of lists of new things only: personal, best list for everyone."""
    quotas: tuple[Quota, ...]
    newcomers: Newcomers
    checks: tuple[Check, ...]
    advice: tuple[Advice, ...]
    calibration: tuple[Bin, ...]
    coverage: float
    """Share of the catalogue that was shown to anybody in a personal list."""
    coverage_broadcast: float
    candidate_recall: float
    """Share of choices that were among the candidates at all."""
    personal_by_people: Estimate
    """hit@10 when everyone counts the same."""
    broadcast_by_people: Estimate
    crossing: int | None
    """Interactions from which on personal lists are clearly better, here and in every later step."""
    worse_than_part: tuple[str, ...]
    """Steps where the blend is clearly worse than its best part."""
