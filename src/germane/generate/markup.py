"""The little mark-up of texts: paragraphs, lists with ``- ``, ``**strong**``, ``[words](address)``.

It is read from what an author wrote, never from a value: values come with their signs guarded
(``recording.guarded``). There is no HTML in it; what looks like HTML is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from germane.generate.links import resolved
from germane.generate.recording import CLOSE, MIDDLE, OPEN, plain

_INLINE = re.compile(r"\[([^\[\]\n]+)\]\(([^()\n]+)\)|\*\*([^*\n]+)\*\*")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_POINT = re.compile(r"^[ \t]*- ")
_VALUE = re.compile(f"{OPEN}(\\d+){MIDDLE}[^{CLOSE}]*{CLOSE}")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\s*\n+\s*(?:- )?")
Link = Callable[[str], str]
"""From an address as it is written to the one that is sent."""


def to_html(marked: str, link: Link) -> str:
    """Safe HTML: paragraphs, line breaks, lists, strong words and links, and nothing else."""
    return "".join(_block(each, link) for each in _paragraphs(marked))


def to_text(marked: str, link: Link) -> str:
    """Plain text: paragraphs with an empty line between, links as ``words (address)``."""
    return "\n\n".join(
        "\n".join(plain(_INLINE.sub(lambda m: _said(m, link), line)).strip() for line in block)
        for block in _paragraphs(marked)
    )


def links_in(marked: str) -> list[str]:
    """The addresses in a text, as they are written."""
    return [resolved(found[2]) for found in _INLINE.finditer(marked) if found[2]]


def sentences(marked: str) -> list[tuple[str, list[int]]]:
    """The sentences of a text, each with the numbers of the values in it."""
    values: list[str] = []

    def hide(found: re.Match[str]) -> str:
        values.append(found[0])
        return f"{OPEN}{len(values) - 1}{CLOSE}"

    def show(found: re.Match[str]) -> str:
        return values[int(found[1])]

    hidden = _VALUE.sub(hide, _INLINE.sub(lambda m: m[1] or m[3], marked))
    found = []
    for each in _SENTENCE.split(hidden):
        whole = re.sub(f"{OPEN}(\\d+){CLOSE}", show, each)
        said = " ".join(plain(whole).split()).removeprefix("- ")
        if said:
            found.append((said, [int(x[1]) for x in _VALUE.finditer(whole)]))
    return found


def _paragraphs(marked: str) -> list[list[str]]:
    """Lines by paragraph; without empty ones."""
    blocks = (each.split("\n") for each in _PARAGRAPHS.split(marked.strip()))
    kept = ([line.strip() for line in block if plain(line).strip()] for block in blocks)
    return [block for block in kept if block]


def _block(lines: list[str], link: Link) -> str:
    if all(_POINT.match(line) for line in lines):
        points = "".join(f"<li>{_line(_POINT.sub('', line), link)}</li>" for line in lines)
        return f"<ul>{points}</ul>"
    return f"<p>{'<br>'.join(_line(line, link) for line in lines)}</p>"


def _line(line: str, link: Link) -> str:
    out, place = [], 0
    for found in _INLINE.finditer(line):
        out.append(_escaped(line[place : found.start()]))
        if found[2]:
            address = escape(link(resolved(found[2])), quote=True)
            out.append(f'<a href="{address}">{_escaped(found[1])}</a>')
        else:
            out.append(f"<strong>{_escaped(found[3])}</strong>")
        place = found.end()
    out.append(_escaped(line[place:]))
    return "".join(out)


def _said(found: re.Match[str], link: Link) -> str:
    return f"{found[1]} ({link(resolved(found[2]))})" if found[2] else found[3]


def _escaped(marked: str) -> str:
    return escape(plain(marked), quote=False)
