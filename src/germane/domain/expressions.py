"""What can be told of an expression by its text alone: its limits, the names in it, what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

MAX_LENGTH = 1_000
MAX_LOOPS = 1
"""CEL's macros loop; nested ones could be made to loop for ever."""
ITEM_FIELDS = (
    "id",
    "type",
    "title",
    "category",
    "categories",
    "brand",
    "price",
    "currency",
    "inStock",
    "url",
    "imageUrl",
    "attributes",
)
"""What every item has in expressions, beside the declared attributes."""

_LOOP = re.compile(
    r"\.\s*(?:map|filter|all|exists|exists_one|existsOne|transformList|transformMap)\s*\("
)
_TEXT = re.compile(
    r"""
    (?P<comment>//[^\n]*)
    | [bB]?[rR](?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')
    | [bB]?(?:\"{3}(?:\\[\s\S]|[^\\])*?\"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3})
    | [bB]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE,
)
_BLANK = '" *"'
"""A text, as ``bare`` leaves it."""
_SIMPLE = re.compile(r"""(["'])(?!\1.)[^\\]*""", re.DOTALL)
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*")


def bare(source: str) -> str:
    """The expression with every text and every comment in it blanked out; all positions stay."""
    return _TEXT.sub(_blanked, source)


def _blanked(found: re.Match[str]) -> str:
    if found["comment"]:
        return " " * len(found[0])
    return '"' + " " * (len(found[0]) - 2) + '"'


def too_long(source: str) -> bool:
    """Whether it is longer than any condition has to be."""
    return len(source) > MAX_LENGTH


def loops(source: str) -> int:
    """How many loops (map, filter, all, exists) it has."""
    return len(_LOOP.findall(bare(source)))


def too_many_loops(source: str) -> bool:
    """Whether it loops more than once: with one loop, the work is bounded by the size of the data."""
    return loops(source) > MAX_LOOPS


def fields_after(name: str, source: str) -> list[str]:
    """Names that follow ``name.`` in an expression, in order; texts left out."""
    return re.findall(rf"(?<![\w.]){re.escape(name)}\s*\.\s*([A-Za-z_]\w*)", bare(source))


def fields_read(name: str, source: str) -> tuple[str, ...] | None:
    """The fields of a map that an expression names; ``None`` where it may read others as well.

    Where it is in doubt (``item["price"]``, the word in a text), it reads more.
    """
    plain = re.escape(name)
    named = re.findall(rf"\b{plain}\s*\.\s*([A-Za-z_]\w*)", source)
    if len(re.findall(rf"\b{plain}\b", source)) != len(named):
        return None
    return tuple(dict.fromkeys(named))


def words(source: str) -> list[tuple[str, int]]:
    """Dotted names with their positions, from 1; texts left out."""
    return [(re.sub(r"\s", "", each[0]), each.start() + 1) for each in _WORD.finditer(bare(source))]


def names_read(source: str, known: Collection[str]) -> tuple[str, ...]:
    """Known names that occur in an expression: the longest that each word begins with."""
    found: dict[str, None] = {}
    for word, _ in words(source):
        steps = word.split(".")
        for length in range(len(steps), 0, -1):
            name = ".".join(steps[:length])
            if name in known:
                found[name] = None
                break
    return tuple(found)


def paths(source: str, known: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """What an expression looks at: each known name that it reads, and the entries that follow it."""
    reads = names_read(source, known)
    found = []
    for word, _ in words(source):
        name = next((each for each in reads if word == each or word.startswith(f"{each}.")), None)
        if name is not None:
            found.append((name, *word[len(name) :].split(".")[1:]))
    return tuple(dict.fromkeys(found))


def compared(name: str, source: str) -> list[tuple[str, int]]:
    """Texts that a name is compared with (``==``, ``!=``, ``in [...]``), with their positions, from 1. Texts
    with a prefix or an escape are left out, and all of them where something is joined by ``+``."""
    plain, spaced = bare(source), r"\s*\.\s*".join(map(re.escape, name.split(".")))
    named = rf"(?<![\w.]){spaced}(?!\w|\s*[.(\[])"
    patterns = (
        rf"{named}\s*[=!]=\s*({_BLANK})",
        rf"{named}\s*in\s*\[([^\[\]?]*)\]",
        rf"({_BLANK})\s*[=!]=\s*{named}",
    )
    spans = [each.span(1) for pattern in patterns for each in re.finditer(pattern, plain)]
    texts = [each for span in spans for each in re.compile(_BLANK).finditer(plain, *span)]
    found = [(source[each.start() : each.end()], each.start() + 1) for each in texts]
    simple = [(text[1:-1], at) for text, at in found if _SIMPLE.fullmatch(text)]
    return [] if "+" in plain else simple


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that was most likely meant; case does not count."""
    plain = {each.lower(): each for each in sorted(known)}
    found = difflib.get_close_matches(name.lower(), list(plain), 1, cutoff)
    return plain[found[0]] if found else None
