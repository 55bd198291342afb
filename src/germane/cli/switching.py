"""``stop-sending`` and ``go-on-sending``: the kill switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from germane.cli import common
from germane.cli.desk import HERE, writing
from germane.domain.errors import WrongUse


def switch(
    channel: str,
    campaign: str,
    reason: str,
    config: Path,
    data: Path | None,
    *,
    on: bool,
    as_json: bool,
) -> None:
    """Stop everything, a channel or a campaign, or let it go on. It holds when this returns.

    Raises:
        WrongUse: both a channel and a campaign are named.
    """
    if channel and campaign:
        raise WrongUse(
            "A channel and a campaign are named.", hint="One at a time: run it once for each."
        )
    scope = "channel" if channel else "campaign" if campaign else "all"
    name = channel or campaign
    body = {"scope": scope, "on": on, "reason": reason or HERE}
    with writing(config, data) as desk:
        before = desk.get("switch")["on"]
        found = desk.post("switch", **(body | ({"name": name} if name else {})))["on"]
    if as_json:
        common.print_json({"on": found})
        return
    what = f"{scope} {name}" if name else "everything"
    was = any((each["scope"], each["name"]) == (scope, name) for each in before)
    option = f" --{scope} {name}" if name else ""
    _say(what, option, found, was=was, on=on)


def _say(what: str, option: str, found: list[dict[str, Any]], *, was: bool, on: bool) -> None:
    from rich.markup import escape

    out = common.console()
    if on:
        out.print(f"[bold red]Stopped[/]: {escape(what)}. No message begins any more.")
        out.print(
            "What was on its way already may still arrive. "
            f"`germane go-on-sending{escape(option)}` ends this."
        )
        return
    if was:
        out.print(
            f"[bold green]Goes on[/]: {escape(what)}. What was held goes out within a minute."
        )
    else:
        out.print(f"There was no stop of {escape(what)}.")
    tell_stops(found, "Still stopped")


def tell_stops(found: list[dict[str, Any]], what: str = "Sending is stopped") -> None:
    """Which kill switches are on, why, and how each is ended."""
    from rich.markup import escape

    for each in found:
        named = f"{each['scope']} {each['name']}".strip() if each["name"] else "everything"
        its = f" --{each['scope']} {each['name']}" if each["name"] else ""
        common.console().print(
            f"[yellow]{what}[/]: {escape(named)} ({escape(each['reason'])})  "
            f"[dim]germane go-on-sending{escape(its)}[/]"
        )
