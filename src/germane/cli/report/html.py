"""Pieces of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple


class Column(NamedTuple):
    """A column's heading, and whether it holds numbers."""

    name: str
    numbers: bool = False


def section(title: str, *parts: str, anchor: str = "") -> str:
    """A heading with what belongs to it; ``anchor``: by which links in the page find it."""
    name = f' id="{anchor}"' if anchor else ""
    return f"<section{name}><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str, css: str = "") -> str:
    """Plain text."""
    kind = f' class="{css}"' if css else ""
    return f"<p{kind}>{escape(text)}</p>"


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A table with headings of columns and rows."""
    head = "".join(f'<th scope="col"{_kind(each)}>{escape(each.name)}</th>' for each in columns)
    body = "".join(_row(columns, row) for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], row: Sequence[str]) -> str:
    first, *rest = row
    cells = "".join(
        f"<td{_kind(column)}>{escape(cell)}</td>"
        for column, cell in zip(columns[1:], rest, strict=True)
    )
    return f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'


def _kind(column: Column) -> str:
    return ' class="n"' if column.numbers else ""


def figure(plot: str, caption: str, behind: str) -> str:
    """A plot, what it says, and the table behind it."""
    return (
        f"<figure>{plot}<figcaption>{escape(caption)}</figcaption></figure>"
        f"<details><summary>The table behind it</summary>{behind}</details>"
    )
