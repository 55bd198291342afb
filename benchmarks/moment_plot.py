"""The picture of `benchmarks.moment`: hit rates with their intervals, as a small SVG."""

from __future__ import annotations

from typing import Any

TITLES = {
    "completejourney": "Shopping trips, 2,469 households",
    "moodle-course": "Moodle course, 130 students",
}
LABELS = {
    "global": "everyone's hours",
    "own_week": "own, hour of the week, add one",
    "own_day": "own, hour of the day, add one",
    "own_raw": "own, hour of the week, raw",
    "germane": "Germane",
}
WIDTH, ROW, LEFT, SCALE = 640, 22, 210, 850.0
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.h{font-weight:600}"
    ".b{fill:#b9b4a8}.g{fill:#0b5d51}line{stroke:#333}"
)


def draw(found: dict[str, Any]) -> str:
    """An SVG with a group of bars for each data set."""
    parts, top = [], 18
    for name, each in found.items():
        parts.append(f'<text class="h" x="8" y="{top}">{TITLES.get(name, name)}</text>')
        for key, label in LABELS.items():
            top += ROW
            parts.append(_bar(label, each["active_hours"]["day"][key]["hit_rate"], key, top))
        top += 2 * ROW
    height = top - ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        "<title>Share of active hours that were among the three best of their day</title>"
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _bar(label: str, rate: dict[str, float], key: str, top: int) -> str:
    value, low, high = (LEFT + SCALE * rate[name] for name in ("value", "low", "high"))
    kind = "g" if key == "germane" else "b"
    return (
        f'<text x="{LEFT - 8}" y="{top}" text-anchor="end">{label}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{top - 12}" width="{value - LEFT:.1f}" height="15"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{top - 4}" y2="{top - 4}"/>'
        f'<text x="{high + 6:.1f}" y="{top}">{rate["value"]:.1%}</text>'
    )
