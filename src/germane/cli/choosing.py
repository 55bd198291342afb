"""Choices in the terminal."""

from __future__ import annotations

from typing import Any

from germane.cli import common


def show_choice(choice: dict[str, Any]) -> None:
    """One decision: what, why, and how every action stands."""
    from rich.markup import escape

    out = common.console()
    name = choice["action"] or "do nothing"
    out.print(
        f"  [bold]{escape(name)}[/]  p {choice['propensity']:.3f}  [dim]{choice['meaning']}[/]"
    )
    for reason in choice.get("reasons", []):
        out.print(f"       {escape(reason['text'])}")
    _table(choice.get("actions", []))


def show_standing(found: dict[str, Any]) -> None:
    """A surface: how every action stands for everyone."""
    from rich.markup import escape

    out = common.console()
    out.print(f"[bold]{escape(found['surface'])}[/]")
    for text in found["reasons"]:
        out.print(escape(text))
    out.print(f"{found['meaning']} {found['waiting']:,} still wait for their windows to close.\n")
    _table(found["actions"])


def _table(actions: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not actions:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("action", "expected", "95 % interval", "decisions", "responses", "taken"):
        table.add_column(name, no_wrap=name != "action")
    for each in actions:
        table.add_row(
            escape(each["title"]),
            f"{each['expected']:.4g}",
            f"{each['low']:.4g} to {each['high']:.4g}",
            f"{each['decisions']:,.0f}",
            f"{each['responses']:,.0f}",
            f"{each['propensity']:.1%}",
        )
    common.console().print(table)
