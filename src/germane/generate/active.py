"""Whether HTML that a person wrote does more than show: an e-mail runs nothing, sends nothing, frames nothing.

It is read without a parser: a mail program's own may read it otherwise than ours would. So a tag, a handler
or an address counts wherever it stands, in a comment or in quotes, too.
"""

from __future__ import annotations

import re
from html import unescape

_SHOWN = frozenset(
    (
        *(
            "a",
            "abbr",
            "address",
            "area",
            "article",
            "aside",
            "b",
            "big",
            "blockquote",
            "body",
            "br",
        ),
        *(
            "caption",
            "center",
            "cite",
            "code",
            "col",
            "colgroup",
            "dd",
            "del",
            "dfn",
            "div",
            "dl",
            "dt",
        ),
        *(
            "em",
            "figcaption",
            "figure",
            "font",
            "footer",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "head",
        ),
        *(
            "header",
            "hr",
            "html",
            "i",
            "img",
            "ins",
            "kbd",
            "li",
            "main",
            "map",
            "mark",
            "meta",
            "nav",
        ),
        *("noscript", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike"),
        *("strong", "style", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time"),
        *("title", "tr", "tt", "u", "ul", "var", "wbr", "xml"),
    )
)
"""Elements that only show; with the ``o:``, ``v:`` and ``w:`` of Outlook."""
_OUTLOOK = ("o:", "v:", "w:")
_TAG = re.compile(r"</?([a-z][^\s/>\x00]*)", re.IGNORECASE)
_HANDLER = re.compile(r"[\s/\"'`](on[a-z]+)\s*=", re.IGNORECASE)
_EQUIV = re.compile(r"http-equiv[\"'`]*=[\"'`]*+(?!content-type|x-ua-compatible)", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:href|src|background|content|cite|longdesc|ping)=[\"'`]?"
    r"((?:java|vb|live)script|data(?!:image/(?:png|gif|jpe?g|webp)\b)):",
    re.IGNORECASE,
)
_BLANK = re.compile(r"[\x00-\x20]")


def active(html: str) -> str:
    """The first thing in it that acts, as people may be told of it; empty where it only shows."""
    for found in _TAG.finditer(html):
        name = found[1].lower()
        if name not in _SHOWN and not name.startswith(_OUTLOOK):
            return f"<{found[1][:40]}>"
    handler = _HANDLER.search(html)
    if handler is not None:
        return f"{handler[1][:40]}="
    packed = _BLANK.sub("", unescape(html))
    if _EQUIV.search(packed):
        return "http-equiv="
    address = _ADDRESS.search(packed)
    return f"{address[1].lower()}:" if address is not None else ""
