"""Small plots as inline SVG: no scripts, no outside hosts; colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 34, 44


class Point(NamedTuple):
    """A value with its interval."""

    value: float
    low: float
    high: float


class Series(NamedTuple):
    """One line: ``None`` where there is nothing to show."""

    name: str
    css: str
    points: Sequence[Point | None]


class Bar(NamedTuple):
    """One bar: a name, a value with its interval, and how it is said."""

    name: str
    point: Point
    said: str
    css: str = "b"


def lines(
    title: str,
    text: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    shares: bool = True,
) -> str:
    """Lines with intervals over labelled steps.

    Args:
        title: Read out by screen readers.
        text: What is to be seen, in a sentence.
        labels: Of the steps, left to right.
        series: Each with one point a step.
        x: What the steps are.
        y: What is shown, from 0 up.
        shares: Whether it is a share, in per cent.
    """
    height = 320
    top = _nice(max((p.high for s in series for p in s.points if p), default=0.0))
    inner, tall = WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    parts = [_grid(top, inner, tall, shares=shares)]

    def at(step: int, number: int) -> float:
        shift = (number - (len(series) - 1) / 2) * 9
        return _LEFT + inner * (step + 0.5) / len(labels) + shift

    def up(value: float) -> float:
        return _TOP + tall * (1 - value / top)

    for step, label in enumerate(labels):
        middle = _LEFT + inner * (step + 0.5) / len(labels)
        parts.append(_text(middle, height - 24, label, "middle"))
    parts.append(_text(_LEFT + inner / 2, height - 6, x, "middle", "m"))
    parts.append(_text(4, 14, y, "start", "m"))
    for number, each in enumerate(series):
        known = [(at(step, number), p) for step, p in enumerate(each.points) if p is not None]
        path = " ".join(f"{where:.1f},{up(p.value):.1f}" for where, p in known)
        parts.append(f'<polyline class="l {each.css}" points="{path}"/>')
        for where, p in known:
            parts.append(_whisker(where, up(p.low), up(p.high), each.css))
            parts.append(_mark(where, up(p.value), each.css))
        parts.append(_legend(number, len(series), each))
    return _svg(title, text, height, parts)


def bars(title: str, text: str, rows: Sequence[Bar], *, x: str) -> str:
    """Bars with intervals, one below the other, from 0 (or from the lowest, if that is below 0)."""
    step, left = 28, 230
    height = 30 + step * len(rows) + 26
    high = _nice(max([row.point.high for row in rows] + [0.0]))
    lowest = min([row.point.low for row in rows] + [0.0])
    low = -_nice(-lowest) if lowest < 0 else 0.0
    inner = WIDTH - left - 80

    def at(value: float) -> float:
        return left + inner * (value - low) / (high - low)

    parts = [f'<line class="g" x1="{at(0):.1f}" x2="{at(0):.1f}" y1="22" y2="{height - 24}"/>']
    parts.append(_text(left, 14, x, "start", "m"))
    for number, row in enumerate(rows):
        y = 30 + step * number
        begin, end = sorted((at(0), at(row.point.value)))
        parts.append(_text(left - 10, y + 14, row.name, "end"))
        parts.append(
            f'<rect class="{row.css}" x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" '
            f'height="18" rx="3"/>'
        )
        middle = y + 9
        parts.append(
            f'<path class="w" d="M{at(row.point.low):.1f} {middle}H{at(row.point.high):.1f}"/>'
        )
        parts.append(_text(max(at(row.point.high), at(0)) + 8, y + 14, row.said, "start"))
    return _svg(title, text, height, parts)


def _grid(top: float, inner: float, tall: float, *, shares: bool) -> str:
    found = []
    for part in range(5):
        value = top * part / 4
        y = _TOP + tall * (1 - part / 4)
        found.append(
            f'<line class="g" x1="{_LEFT}" x2="{_LEFT + inner}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        found.append(
            _text(_LEFT - 8, y + 4, _percent(value, top) if shares else f"{value:.3g}", "end", "m")
        )
    return "".join(found)


def _percent(value: float, top: float) -> str:
    return f"{value:.0%}" if top >= 0.08 else f"{value:.1%}"


def _whisker(x: float, low: float, high: float, css: str) -> str:
    return f'<path class="w {css}" d="M{x:.1f} {low:.1f}V{high:.1f}"/>'


def _mark(x: float, y: float, css: str) -> str:
    """Round for the first kind, square for the second: colour alone tells nothing to some."""
    if css == "a":
        return f'<circle class="d a" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    return f'<rect class="d {css}" x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>'


def _legend(number: int, count: int, series: Series) -> str:
    x = WIDTH - _RIGHT - 10 - 200 * (count - number - 1)
    return _text(x - 12, 14, series.name, "end") + _mark(x, 10, series.css)


def _text(x: float, y: float, said: str, anchor: str, css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _svg(title: str, text: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(text)}</desc>{''.join(parts)}</svg>"
    )


def _nice(value: float) -> float:
    """A round number that is not below."""
    if value <= 0:
        return 0.1
    unit = 10.0 ** math.floor(math.log10(value))
    return next(
        step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * unit >= value
    )
