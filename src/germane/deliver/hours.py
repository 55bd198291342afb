"""The best hour of those that are open, and now and then another one, to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from germane.deliver import said
from germane.domain.hours import SLOTS, slot_of_week
from germane.domain.plan import Ask, Reason, SendPolicy
from germane.domain.walltime import DAY_MS, HOUR_MS, Piece, Pieces, stretches

LOOK_AHEAD_MS = 7 * DAY_MS
"""After a week the same hours come again: nothing is won by waiting longer."""


class Hour(NamedTuple):
    """An open part of one hour of the wall clock."""

    start_ms: int
    end_ms: int
    slot: int
    """Of the week, 0 (Monday 00:00) to 167."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The part of an hour that was chosen."""

    piece: Piece
    propensity: float
    reasons: tuple[Reason, ...]
    chance: float
    """How many times the average hour's its chance is."""


def open_hours(pieces: Pieces, zone: ZoneInfo) -> list[Hour]:
    """The open parts of each hour, a week from the first on, in order."""
    found: list[Hour] = []
    end_ms = pieces[0][0] + LOOK_AHEAD_MS
    for low, high in pieces:
        for start, stop, ahead in stretches(low, min(high, end_ms), zone):
            at = start
            while at < stop:
                wall = (at + ahead) // HOUR_MS
                after = (wall + 1) * HOUR_MS - ahead
                found.append(Hour(at, min(after, stop), slot_of_week(wall)))
                at = after
    return found


def choose(policy: SendPolicy, ask: Ask, pieces: Pieces, zone: ZoneInfo) -> Taken:
    """An hour of those that are open: mostly the likeliest (of equals the first), in
    ``exploration_share`` of the cases any of them, each as likely.

    Args:
        policy: With ``exploration_share``.
        ask: With ``week``, shape (168,), and ``seed``.
        pieces: What is open; at least one.
        zone: Whose hours they are.
    """
    hours = open_hours(pieces, zone)
    week = ask.week
    best = max(range(len(hours)), key=lambda n: week[hours[n].slot])
    tries, which = draws(ask.seed)
    explores = tries < policy.exploration_share
    taken = min(int(which * len(hours)), len(hours) - 1) if explores else best
    share = policy.exploration_share / len(hours)
    propensity = share + (1.0 - policy.exploration_share if taken == best else 0.0)
    hour = hours[taken]
    chance = week[hour.slot] * SLOTS
    when, among = said.moment(hour.start_ms, zone), said.counted(len(hours), "open hour")
    if explores:
        code, text = "explored", f"To learn from: {when}, any of {among} (chance {propensity:.4f})."
    else:
        code, text = (
            "best_hour",
            f"The best of {among}: {when}, {chance:.2f} times the average hour.",
        )
    return Taken((hour.start_ms, hour.end_ms), propensity, (Reason(code, text),), chance)


def draws(seed: int) -> tuple[float, float]:
    """Two numbers in [0, 1) that follow from a seed, on every machine."""
    digest = blake2b(str(seed).encode(), digest_size=16, person=b"germane.hours").digest()
    return _share(digest[:8]), _share(digest[8:])


def _share(digest: Sequence[int] | bytes) -> float:
    return (int.from_bytes(bytes(digest), "big") >> 11) / 2**53
