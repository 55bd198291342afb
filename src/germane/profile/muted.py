"""The fold of what a person asked to be spared: each holds for a time, and what is said again begins anew."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from germane.domain.moves import Disliked
from germane.domain.muting import (
    ITEM_MS,
    NOTHING,
    SAID_CHARS,
    SOURCE_MS,
    SOURCES,
    VALUE_MS,
    Muted,
    Objection,
)
from germane.domain.profile import Profile
from germane.profile import bounds


def fold(profile: Profile, move: Disliked, *, seq: int, now_ms: int) -> Profile:
    """The person after they asked for less of something, or took all of that back."""
    if move.undone:
        return replace(profile, seq=seq, muted=NOTHING)
    known = profile.muted.now(now_ms)
    told = {
        name: Objection(now_ms + SOURCE_MS, said[:SAID_CHARS])
        for name, said in move.sources.items()
        if name in SOURCES
    }
    values = {
        name: dict.fromkeys(each, now_ms + VALUE_MS) for name, each in move.values.items() if each
    }
    after = Muted(
        {**known.items, **dict.fromkeys(move.items, now_ms + ITEM_MS)},
        _each(known.values, values),
        {**known.sources, **told},
    )
    return replace(profile, seq=seq, muted=bounds.muted(after))


def joined(one: Muted, two: Muted, now_ms: int) -> Muted:
    """What two histories muted that are one person's: all of it, each as long as either said."""
    one, two = one.now(now_ms), two.now(now_ms)
    if two.empty:
        return one
    sources = dict(one.sources)
    for name, each in two.sources.items():
        known = sources.get(name, each)
        sources[name] = known if known.until_ms >= each.until_ms else each
    return bounds.muted(
        Muted(_longest(one.items, two.items), _each(one.values, two.values), sources)
    )


def _each(
    one: Mapping[str, dict[str, int]], two: Mapping[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    return {name: _longest(one.get(name, {}), two.get(name, {})) for name in sorted({*one, *two})}


def _longest(one: Mapping[str, int], two: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), two.get(name, 0)) for name in {**one, **two}}
