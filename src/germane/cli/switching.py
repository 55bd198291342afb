"""``stop-sending`` and ``go-on-sending``: the kill switch. ``consent``: what somebody has agreed to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from germane.cli import common
from germane.cli.desk import HERE, reading, writing
from germane.domain.errors import NotFound, WrongUse

Answer = Literal["grant", "withdraw"]


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
    for each in found:
        named = f"{each['scope']} {each['name']}".strip() if each["name"] else "everything"
        its = f" --{each['scope']} {each['name']}" if each["name"] else ""
        out.print(
            f"[yellow]Still stopped[/]: {escape(named)} ({escape(each['reason'])})  "
            f"[dim]germane go-on-sending{escape(its)}[/]"
        )


def state(
    who: str,
    purpose: str,
    answer: Answer,
    notice: str,
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Record that somebody said yes or no to a purpose; it holds for the next message."""
    body = {
        **ids_of(who),
        "purpose": purpose,
        "state": "granted" if answer == "grant" else "withdrawn",
        "method": "command line",
        "noticeVersion": notice,
    }
    with writing(config, data, made=False) as desk:
        campaigns = desk.get("campaigns")["campaigns"]
        found = desk.post("consent", **body)["consent"]
    if as_json:
        common.print_json({"consent": found})
        return
    out = common.console()
    said = "agreed to" if answer == "grant" else "said no to"
    out.print(f"Recorded: {who} {said} {purpose}.", markup=False)
    if purpose not in {each["purpose"] for each in campaigns}:
        out.print(f"No campaign has the purpose {purpose} so far.", markup=False)


def show(who: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """What somebody has agreed to."""
    with reading(config, data) as desk:
        try:
            found = desk.get("people", who)["consent"]
        except NotFound:
            raise NotFound(
                f"Nothing is known about {who!r}.",
                hint=f"germane consent {who} email_marketing grant  makes them known.",
            ) from None
    if as_json:
        common.print_json({"consent": found})
        return
    out = common.console()
    if not found:
        out.print(f"{who} has said neither yes nor no to anything.", markup=False)
        out.print("Only transactional messages go out to them.")
    for purpose, granted in found.items():
        mark = "[green]yes[/]" if granted else "[red]no[/] "
        out.print(f"  {mark}  {purpose}")


def ids_of(who: str) -> dict[str, str]:
    """How the API names a person: a user id, or ``a:`` and an anonymous id."""
    return {"anonymousId": who[2:]} if who.startswith("a:") else {"userId": who.removeprefix("u:")}
