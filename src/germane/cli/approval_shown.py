"""Approvals as people read them on a terminal."""

from __future__ import annotations

import json
from typing import Any

from germane.cli import common
from germane.cli.common import many

_COLOUR = {"pending": "yellow", "approved": "green", "rejected": "red"}


def show_all(found: list[dict[str, Any]], status: str) -> None:
    """A line each."""
    from rich.markup import escape

    out = common.console()
    if not found:
        out.print("Nothing waits." if status == "pending" else "There are none.")
    for each in found:
        whom = each["personId"] or "the whole campaign"
        amounts = "".join(f"  {name} {value:g}" for name, value in each["amounts"].items())
        wrote = f"  by {', '.join(each['authors'])}" if each["authors"] else ""
        until = f"  until {each['expiresAt']}" if each["status"] == "pending" else ""
        out.print(
            f"[bold]{escape(each['approvalId'])}[/]  {_coloured(each['status'])}  "
            f"{escape(each['campaign'])}  {escape(whom)}{escape(wrote)}{escape(amounts)}[dim]{until}[/]"
        )


def show_one(found: dict[str, Any]) -> None:
    """What would go out, and all that speaks for or against it."""
    from rich.markup import escape

    out = common.console()
    show_all([found], found["status"])
    out.print(f"[dim]digest[/] {found['digest']}")
    if found["authorsNote"]:
        out.print(f"[yellow]![/] {escape(found['authorsNote'])}")
    if found["ways"]:
        out.print(escape(f"Goes by {', '.join(found['ways'])}."))
    for each in found["demanded"]:
        who = " or ".join(each["approvers"])
        have = ", ".join(each["approvedBy"]) or "nobody"
        out.print(escape(f"Takes {each['quorum']} of {who}; approved by {have}."))
    for each in found["verdicts"]:
        out.print(
            escape(
                f"{each['at']}  {each['operator']}: {each['answer']} ({each['how']}) {each['reason']}"
            )
        )
    for each in found["past"]:
        out.print(escape(f"[until {each['until']}] another text: {each['why']}"), style="dim")
    for each in found.get("decisions", []):
        _show_decision(each)
    content = found.get("content")
    if content is not None:
        out.print(f"\n[bold]{escape(content['subject'])}[/]")
        out.print(content["text"] or json.dumps(content["payload"], indent=2), markup=False)
    for each in found.get("slots", []):
        _show_slot(each)
    if found["subject"] == "campaign":
        for name, version in found["contents"].items():
            out.print(escape(f"content {name}, version {version}  germane content show {name}"))


def _show_slot(slot: dict[str, Any]) -> None:
    """What can be changed by ``edit --slot``."""
    from rich.markup import escape

    whose = "changed" if slot["changed"] else slot["variant"] or ""
    for field, text in slot["fields"].items():
        place = slot["name"] if field == "text" else f"{slot['name']}.{field}"
        common.console().print(escape(f"slot {place}  ({whose})  {text}"), style="dim")


def _show_decision(decision: dict[str, Any]) -> None:
    from rich.markup import escape

    out = common.console()
    if not decision["credited"]:
        out.print(escape(f"{decision['surface']}: a person wrote other words, no credit."))
    choice = decision.get("choice")
    if choice is not None:
        out.print(
            escape(
                f"{decision['surface']}: {choice['title']}, expected {choice['expected']:.3g} "
                f"({choice['low']:.3g} to {choice['high']:.3g}), {decision['meaning']}"
            )
        )
    for text in decision.get("reasons", []):
        out.print(escape(f"  {text}"))
    for item in decision.get("items", []):
        out.print(escape(f"  {item['itemId']}: {' '.join(item['reasons'])}"))


def show_stats(found: list[dict[str, Any]]) -> None:
    """A paragraph for each campaign."""
    from rich.markup import escape

    out = common.console()
    if not found:
        out.print("Nothing was ever to be approved.")
    for each in found:
        counts = ", ".join(f"{count} {status}" for status, count in each["statuses"].items())
        speed = "" if each["medianHours"] is None else f"; decided after {each['medianHours']:g} h"
        edited = f"; {many(each['edited'], 'message')} changed" if each["edited"] else ""
        out.print(f"[bold]{escape(each['campaign'])}[/]  {escape(counts + speed + edited)}")
        for reason in each["reasons"]:
            out.print(escape(f"  {reason['count']:>4} × {reason['reason']}"))


def _coloured(status: str) -> str:
    return f"[{_COLOUR.get(status, 'dim')}]{status}[/]"
