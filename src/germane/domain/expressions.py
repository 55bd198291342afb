"""What all conditions have in common, whatever they speak of: CEL text, its limits, its errors in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

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
_TEXT = re.compile(r'[rRbB]{0,2}(?:"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\')')


def bare(source: str) -> str:
    """The expression with every text in it blanked out; all positions stay."""
    return _TEXT.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', source)


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


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that was most likely meant; case does not count."""
    plain = {each.lower(): each for each in sorted(known)}
    found = difflib.get_close_matches(name.lower(), list(plain), 1, cutoff)
    return plain[found[0]] if found else None
