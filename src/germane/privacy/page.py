"""An export as a page that a person can read: one file, without script, pictures or anything from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
)
"""The same for the file, which has no headers."""
_STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{margin:0;background:light-dark(#fbfaf8,#14161a);color:light-dark(#1c1f24,#e8e6e1)}"
    "main{max-width:60rem;margin:4rem auto;padding:0 1.5rem}"
    "h2{margin-top:3rem;border-bottom:1px solid light-dark(#cfc9bd,#3a3f48)}"
    "details{border:1px solid light-dark(#cfc9bd,#3a3f48);border-radius:.5rem;margin:.5rem 0;"
    "padding:.4rem 1rem}summary{cursor:pointer}"
    "dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.1rem 1rem;margin:.3rem 0}"
    "dt{color:light-dark(#6a6459,#9a968c)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}"
    "ul{margin:.2rem 0;padding-left:1.2rem}"
    ":focus-visible{outline:3px solid light-dark(#8a4b08,#e7a95b);outline-offset:2px}"
)
_PLAIN = re.compile(r"[a-z]+(?:[_A-Z][a-z]+)*")
_JOINT = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
_MOMENTS_MS = range(631_152_000_000, 4_102_444_800_000)
"""1990 to 2100: such a number of milliseconds is a moment."""
_PARTS = {
    "profile": (
        "What we know of you",
        "Folded from what follows; each interest with where it is from.",
    ),
    "consent": (
        "What you agreed to, or refused",
        "Each time, with how, and which notice you were shown.",
    ),
    "events": ("What you did", "As it was told to us."),
    "decisions": (
        "What was chosen for you",
        "Every list or offer, with the probability of each item, its sources and its reasons.",
    ),
    "impressions": ("What you saw of it", ""),
    "outcomes": ("How you answered", "What was reported for a decision."),
    "messages": ("What was written to you", "With the whole text."),
    "moves": ("What was done with these messages", "When, and why."),
    "ledger": ("How things stand", "Campaigns that you are in, messages, approvals."),
    "deadLetters": ("What could not be used", "Kept with the reason."),
    "state": ("The stored profile, field by field", ""),
}


def page(export: Mapping[str, Any]) -> str:
    """The page of an export (``app.access``)."""
    title = f"Everything that is stored about {export['personId']}"
    parts = "".join(_part(name, export.get(name)) for name in _PARTS)
    keys = ", ".join(export.get("keys", ()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'{_POLICY}<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<main><h1>{escape(title)}</h1>"
        f"<p>As of {escape(str(export.get('exported', '')))}. Known as: {escape(keys)}.</p>"
        f"{parts}</main></html>"
    )


def _part(name: str, value: Any) -> str:
    title, text = _PARTS[name]
    if not value:
        return f"<h2>{title}</h2><p>Nothing.</p>"
    body = "".join(_rows(value)) if isinstance(value, list) else _value(value)
    return f"<h2>{title}</h2>{f'<p>{text}</p>' if text else ''}{body}"


def _rows(rows: list[Any]) -> Iterator[str]:
    for each in rows:
        yield f"<details><summary>{escape(_summary(each))}</summary>{_value(each)}</details>"


def _summary(row: Mapping[str, Any]) -> str:
    """When it was, and what, in a line."""
    names = ("name", "kind", "surface", "outcome", "what", "purpose", "code")
    what = next((str(row[x]) for x in names if row.get(x)), "")
    return f"{row.get('recorded') or row.get('received') or ''}  {what}".strip()


def _value(value: Any) -> str:
    """Any value, as far down as it goes."""
    if isinstance(value, Mapping):
        pairs = (
            f"<dt>{escape(label)}</dt><dd>{_value(each)}</dd>"
            for label, each in (_labelled(str(name), each) for name, each in value.items())
            if each not in (None, "", [], {}, ())
        )
        return f"<dl>{''.join(pairs)}</dl>"
    if isinstance(value, list):
        if all(not isinstance(each, Mapping | list) for each in value):
            return escape(", ".join(map(str, value)))
        return f"<ul>{''.join(f'<li>{_value(each)}</li>' for each in value)}</ul>"
    return escape(str(value))


def _labelled(name: str, value: Any) -> tuple[str, Any]:
    """A field as it is read: its name in words, a moment as a date."""
    if name.endswith("_ms") and isinstance(value, int) and value in _MOMENTS_MS:
        name = name.removesuffix("_ms")
        value = f"{datetime.fromtimestamp(value // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if _PLAIN.fullmatch(name):
        name = _JOINT.sub(" ", name).lower()
    return name, value
