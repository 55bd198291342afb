"""What declared traits speak for, learned from the oldest part of the data, where nobody said it.

For each value of a trait: categories that clearly more of these people turn to than of all people
(two-proportion z test, on people, not on choices; as strict as there are pairs of value and category to
try, Bonferroni). Only what came before the first prediction counts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import NormalDist

from germane.app.backtest.intake import Intake, key_of
from germane.domain.event import Event
from germane.domain.settings import TraitSpec
from germane.ingest.signals import Extractor

MIN_PEOPLE = 20
MIN_LIFT, ALPHA = 1.2, 0.05
MAX_VALUES = 5
TOP = 3
"""A person turns to the categories that they choose from most, so many of them."""


def learned(intake: Intake, split_ms: int) -> dict[str, TraitSpec]:
    """The declared traits, with the attribute values that each of their values points to.

    Traits that were mapped already stay as they are; one that points to nothing stays unmapped.
    """
    said, turned = _people(intake, split_ms)
    all_of_them: Counter[str] = Counter()
    for mine in turned.values():
        all_of_them.update(mine)
    by_value: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, traits in said.items():
        if key in turned:
            for name, value in traits.items():
                by_value[name, value].append(key)
    tried = max(len(by_value) * len(all_of_them), 1)
    clear = NormalDist().inv_cdf(1 - ALPHA / tried)
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for (name, value), keys in by_value.items():
        kinds = _pointed(keys, turned, all_of_them, clear)
        if kinds:
            found[name][value] = kinds
    attribute = intake.settings.diversity_attribute
    return {
        name: spec
        if spec.attribute or name not in found
        else TraitSpec(name, attribute, found[name], spec.half_life_days)
        for name, spec in intake.settings.traits.items()
    }


def _people(
    intake: Intake, split_ms: int
) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    """What each declared, and the categories they turned to, before the split."""
    extractor, said = Extractor(intake.settings), defaultdict[str, dict[str, str]](dict)
    chosen: dict[str, Counter[str]] = defaultdict(Counter)
    for key, events in intake.told.items():
        for event in events:
            said[key] |= _words(event)
    for at_ms, events in intake.spool.groups():
        if at_ms >= split_ms:
            break
        for event in events:
            key = key_of(event)
            said[key] |= _words(event)
            for each in extractor.extract(event)[0]:
                kind = intake.kind(each.item_id) if each.signal in intake.targets else ""
                if kind:
                    chosen[key][kind] += 1
    turned = {key: [kind for kind, _ in each.most_common(TOP)] for key, each in chosen.items()}
    return said, turned


def _words(event: Event) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in event.traits.items()
        if isinstance(value, str | int | bool) and value != ""
    }


def _pointed(
    keys: list[str], turned: Mapping[str, list[str]], all_of_them: Counter[str], clear: float
) -> tuple[str, ...]:
    count, people = len(keys), len(turned)
    if count < MIN_PEOPLE or people - count < MIN_PEOPLE:
        return ()
    mine: Counter[str] = Counter()
    for key in keys:
        mine.update(turned[key])
    strong = []
    for kind, number in mine.items():
        share, usual = number / count, all_of_them[kind] / people
        other = (all_of_them[kind] - number) / (people - count)
        noise = math.sqrt(usual * (1 - usual) * (1 / count + 1 / (people - count)))
        z = (share - other) / noise if noise > 0 else 0.0
        if z >= clear and share >= MIN_LIFT * max(other, 1e-9):
            strong.append((-z, kind))
    return tuple(kind for _, kind in sorted(strong)[:MAX_VALUES])
