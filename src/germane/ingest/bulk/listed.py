"""Products that a row lists itself, as an event of the API does: its lines, in place of one in its columns."""

from __future__ import annotations

from typing import Any

from germane.domain.settings import SignalSpec
from germane.ingest.bulk.rows import Row
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.bulk.values import blank


def list_of(spec: SignalSpec | None) -> str:
    """Where a signal has its list of products: ``properties.products``; empty: it has none."""
    path, mark, _ = spec.item.partition("[].") if spec is not None else ("", "", "")
    return path if mark else ""


def listed(row: Row, spec: SignalSpec | None) -> list[Any] | None:
    """The list that a row has in that place; ``None``: there is none."""
    found = _found(row, list_of(spec))
    return found if isinstance(found, list) else None


def own_lines(row: Row, spec: SignalSpec | None, item_id: str) -> list[dict[str, Any]] | None:
    """The products that a row lists; ``None``: it lists none.

    Args:
        row: As it was read.
        spec: The signal that it is of.
        item_id: What its columns name.

    Raises:
        Unusable: its columns name an item as well; or they name none, and there is no list of products.
    """
    found, name = _found(row, list_of(spec)), list_of(spec).removeprefix("properties.")
    if not isinstance(found, list):
        if item_id or blank(found):
            return None
        raise Unusable(f"{name} is no list", repr(found)[:100])
    if item_id:
        raise Unusable(
            f"the row names an item, and lists {name} as well",
            repr(item_id),
            remedy="write each product as a row, or all of them into the list",
        )
    wrong = [each for each in found if not isinstance(each, dict)]
    if wrong:
        raise Unusable(f"an entry of {name} is no object", repr(wrong[0])[:100])
    return found


def _found(row: Row, path: str) -> Any:
    found: Any = row.values if path else None
    for step in path.removeprefix("properties.").split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found
