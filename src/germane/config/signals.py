"""``[signals.NAME]``: paths that lead somewhere, and signals that take others back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from germane.config.problems import Problems, did_you_mean

ROOTS = ("properties", "context", "traits")


def check(
    signals: dict[str, dict[str, Any]], declared: Collection[str], problems: Problems
) -> None:
    """What is wrong with the values of each signal, whether or not the rest of it is right.

    Args:
        signals: The values by signal.
        declared: Names of all signals, also of those that are no tables.
        problems: Takes the errors.
    """
    for name, values in signals.items():
        path = f"signals.{name}"
        if values.get("weight") == 0:
            problems.add(
                f"{path}.weight",
                0,
                "A weight of 0 says nothing.",
                "Leave the signal out, or give it a weight above or below 0.",
            )
        _event(path, values.get("event"), problems)
        _cancels(name, signals, declared, problems)
        _item(path, values.get("item"), problems)
        _brackets(path, values, problems)
        for key in () if problems.at(f"{path}.item") else ("quantity", "price"):
            _beside(f"{path}.{key}", values.get(key, ""), values.get("item"), problems)
        _root(f"{path}.order", values.get("order", ""), problems)


def _event(path: str, event: str | None, problems: Problems) -> None:
    kind, colon, name = (event or "").partition(":")
    if colon and kind in ("page", "screen") and not name:
        problems.add(
            f"{path}.event",
            event,
            f"It names no {kind}.",
            f"Write {kind}:NAME, as the {kind} call names it.",
        )


def _cancels(
    name: str,
    signals: dict[str, dict[str, Any]],
    declared: Collection[str],
    problems: Problems,
) -> None:
    target, key = signals[name].get("cancels", ""), f"signals.{name}.cancels"
    if not target:
        return
    if target == name:
        problems.add(
            key,
            target,
            "A signal cannot take itself back.",
            "Name the signal that it takes back, such as the purchase of a refund.",
        )
    elif target not in declared:
        known(key, target, [each for each in declared if each != name], problems)
    elif signals.get(target, {}).get("cancels") == name and _before(target, name, signals):
        problems.add(
            key,
            target,
            f"It takes back {target!r}, which takes back this one.",
            "Only one of the two can take back the other.",
        )


def _before(one: str, other: str, signals: dict[str, dict[str, Any]]) -> bool:
    names = list(signals)
    return names.index(one) < names.index(other)


def known(key: str, name: str | None, signals: Collection[str], problems: Problems) -> None:
    """A reference to a signal must be to one that is declared, be it right or wrong in itself."""
    if name is not None and name not in signals and "signals" not in problems.unsure:
        problems.add(key, name, "No such signal is declared.", did_you_mean(name, signals))


def _item(path: str, item: str | None, problems: Problems) -> None:
    if item is None:
        return
    rows, mark, rest = item.partition("[]")
    if mark and (not rest.startswith(".") or "[]" in rest):
        problems.add(
            f"{path}.item",
            item,
            "[] stands once, after the list and before the field of each product.",
            "Write it like properties.products[].product_id.",
        )
        return
    if mark and ".." not in item and not item.endswith("."):
        _root(f"{path}.item", rows, problems, shown=item)
    else:
        _root(f"{path}.item", item, problems)


def _brackets(path: str, values: dict[str, Any], problems: Problems) -> None:
    """Where quantity or price are read inside each product, and item is not: [] was forgotten."""
    item = values.get("item") or ""
    steps = item.split(".")
    inside = [key for key in ("quantity", "price") if _bare(values.get(key, ""))]
    if "[]" in item or steps[0] not in ROOTS or len(steps) < 3 or not inside:
        return
    meant = f"{'.'.join(steps[:-1])}[].{steps[-1]}"
    problems.add(
        f"{path}.item",
        item,
        f"It leads into one object, but {' and '.join(inside)} are read inside each product of a list."
        if len(inside) > 1
        else f"It leads into one object, but {inside[0]} is read inside each product of a list.",
        f"Write {meant} if {steps[-2]} is a list; if not, begin {inside[0]} with properties.",
    )


def _bare(value: str) -> bool:
    return bool(value) and "." not in value and "[]" not in value


def _beside(key: str, value: str, item: str | None, problems: Problems) -> None:
    """A path is read where the item is: inside each product of a list, or in the event."""
    if item is None or not value:
        return
    rows, mark, _ = item.partition("[].")
    if not mark:
        _root(key, value, problems)
        return
    inside = value.removeprefix(f"{rows}[].")
    if inside != value or value.split(".", maxsplit=1)[0] in ROOTS or "[]" in value:
        problems.add(
            key,
            value,
            f"It is read inside each product of {rows}, and begins there.",
            f'Write only the field: "{inside.rpartition(".")[2]}".',
        )
    elif "" in value.split("."):
        _gap(key, value, problems)


def _root(key: str, value: str, problems: Problems, shown: str = "") -> None:
    if not value:
        return
    steps = value.split(".")
    if "[]" in value:
        problems.add(
            key,
            shown or value,
            "It is read from the event, not from a list.",
            "Take [] away, or make item a list path too.",
        )
    elif steps[0] not in ROOTS or len(steps) < 2:
        problems.add(
            key,
            shown or value,
            "The path begins nowhere.",
            f"Begin it with properties., for example properties.{steps[-1] or 'product_id'}.",
        )
    elif "" in steps:
        _gap(key, shown or value, problems)


def _gap(key: str, value: str, problems: Problems) -> None:
    problems.add(key, value, "The path has an empty step.", "Take the extra point away.")
