"""What personalisation brings: the people of two arms compared, as often as anybody likes.

Each person counts once, when the days in which their answers count are over: what they came to does not change
any more, and people come one after another. Whoever looks at such a comparison again and again finds a
difference sooner or later, if the interval is an ordinary one. These hold at all times at once: asymptotic
confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2021, "Time-uniform central limit theory and
asymptotic confidence sequences", theorem 2.2), for the difference of two means and, as Fieller 1954 turned it,
for their ratio.
"""

from __future__ import annotations

from math import lgamma, log, sqrt
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Verdict = Literal["more", "less", "unknown", "too_few"]

ALPHA = 0.05
TIGHTEST = 5_000
"""People at whom the intervals are as narrow as they can be."""
ENOUGH_PEOPLE = 100
ENOUGH_ANSWERS = 20.0
"""People, and people who did anything at all, that each arm needs before its mean is believed: means of fewer
are not yet normal. Where few brought much and many little, they count as fewer (``Side.effective``)."""
SPLIT_ALPHA = 0.001
SPLIT_PRIOR = 100.0
"""People that the guess of another split is worth."""
MOST_TIMES = 100
"""Beyond so many times the people that there are, nobody can say how many it needs."""
_WORTH = -2 * log(ALPHA)
_RHO_SQUARED = (_WORTH + log(_WORTH + 1)) / TIGHTEST


class Side(msgspec.Struct, frozen=True, rename="camel"):
    """One arm."""

    people: int
    mean: float
    """Of a person."""
    answers: int
    """People whose value is not 0."""
    effective: float
    """Those of equal values that would tell as much (Kish 1965, "Survey sampling"); ``answers`` at most."""


class Span(msgspec.Struct, frozen=True, rename="camel"):
    """A value and its 95 % interval, which holds at all times at once."""

    value: float
    low: float
    high: float


class Lift(msgspec.Struct, frozen=True, rename="camel"):
    """What the personalised arm brings more than the holdout."""

    verdict: Verdict
    personalised: Side
    holdout: Side
    difference: Span | None = None
    """Of the means; ``None``: too few people."""
    ratio: Span | None = None
    """Mean of the personalised over that of the holdout; ``None``: the holdout's may be 0."""
    needed: int | None = None
    """Of ``unknown``: about so many more people until it is known, if the difference is what it seems;
    ``None``: nobody knows."""


def compare(personalised: Floats, holdout: Floats) -> Lift:
    """What one person brings more in the personalised arm.

    Args:
        personalised: What each person came to, shape (people,).
        holdout: The same of the holdout.
    """
    sides = _side(personalised), _side(holdout)
    if any(x.people < ENOUGH_PEOPLE or x.effective < ENOUGH_ANSWERS for x in sides):
        return Lift("too_few", *sides)
    errors = _errors(personalised, holdout)
    people = len(personalised) + len(holdout)
    far = reach(people)
    value, wide = sides[0].mean - sides[1].mean, far * sqrt(errors[0] + errors[1])
    span = Span(value, value - wide, value + wide)
    verdict: Verdict = "more" if span.low > 0 else "less" if span.high < 0 else "unknown"
    return Lift(
        verdict,
        *sides,
        span,
        _ratio(sides, errors, far),
        _needed(people, value, wide) if verdict == "unknown" else None,
    )


def _errors(personalised: Floats, holdout: Floats) -> list[float]:
    """Squared standard errors of both means. The spread of an arm is never taken for less than that of all
    people: the few large values that make most of it may not have come yet in the smaller one."""
    everybody = float(np.concatenate((personalised, holdout)).var(ddof=1))
    return [max(float(each.var(ddof=1)), everybody) / len(each) for each in (personalised, holdout)]


def reach(people: int) -> float:
    """Standard errors to each side of a mean over so many people."""
    scaled = people * _RHO_SQUARED
    return sqrt((scaled + 1) / scaled * log((scaled + 1) / ALPHA**2))


def split_is_off(personalised: int, holdout: int, share: float) -> bool:
    """Whether the arms have other numbers of people than the share of the holdout explains: then something
    loses people of one of them, and no comparison can be believed.

    A test that may be asked at all times (Lindon & Malek 2022, "Anytime-valid inference for multinomial count
    data"): the odds of any other split against this one, by a beta prior around it; false in a thousandth.

    Args:
        personalised: People of that arm.
        holdout: People of the holdout.
        share: Of the holdout, in (0, 1).
    """
    one, two = SPLIT_PRIOR * (1 - share), SPLIT_PRIOR * share
    odds = _log_beta(one + personalised, two + holdout) - _log_beta(one, two)
    odds -= personalised * log(1 - share) + holdout * log(share)
    return odds > -log(SPLIT_ALPHA)


def _log_beta(one: float, two: float) -> float:
    return lgamma(one) + lgamma(two) - lgamma(one + two)


def _side(values: Floats) -> Side:
    squares = float((values**2).sum())
    effective = float(values.sum()) ** 2 / squares if squares else 0.0
    mean = float(values.mean()) if len(values) else 0.0
    return Side(len(values), mean, int(np.count_nonzero(values)), effective)


def _ratio(sides: tuple[Side, Side], errors: list[float], far: float) -> Span | None:
    """All ratios r for which ``mean one - r mean two`` may be 0."""
    one, two = sides[0].mean, sides[1].mean
    square = two**2 - far**2 * errors[1]
    if square <= 0 or two <= 0:
        return None
    root = sqrt(max((one * two) ** 2 - square * (one**2 - far**2 * errors[0]), 0.0))
    return Span(one / two, (one * two - root) / square, (one * two + root) / square)


def _needed(people: int, value: float, wide: float) -> int | None:
    """People until the interval reaches no farther than the difference, to two digits."""
    if value == 0:
        return None
    least = (wide / value) ** 2
    if least > MOST_TIMES:
        return None
    wanted = people * least
    for _ in range(5):  # the reach grows with the people, slowly
        wanted = people * least * (reach(int(wanted)) / reach(people)) ** 2
    return int(float(f"{max(wanted - people, 1.0):.1e}")) or 1
