"""``messages list|show|cancel|resolve`` and ``why-not``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from germane.cli import common
from germane.cli.desk import HERE, agreed, reading, writing
from germane.domain.errors import WrongUse

COLOURS = {
    "sent": "green",
    "queued": "cyan",
    "claimed": "cyan",
    "approval": "yellow",
    "ambiguous": "bold red",
    "failed": "red",
}


def list_all(
    campaign: str,
    status: str,
    person: str,
    limit: int,
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """A line each, the newest first, with the last reason."""
    with reading(config, data) as desk:
        found = desk.get("messages", campaign=campaign, status=status, person=person, limit=limit)[
            "messages"
        ]
        doubts = desk.get("messages", status="ambiguous", limit=1)["messages"]
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if not found:
        out.print(
            "There is no such message."
            if campaign or status or person
            else "There is no message yet: a campaign makes them (`germane campaign list`)."
        )
    for each in found:
        out.print(line(each))
    if len(found) == limit:
        out.print(f"[dim]… the newest {limit}; --limit shows more.[/]")
    if doubts and status != "ambiguous":
        out.print(
            "[bold red]Some are in doubt[/]: germane messages list --status ambiguous, "
            "then germane messages resolve ID --arrived or --again"
        )


def line(each: dict[str, Any]) -> str:
    """One message: when, how it stands, whose, for whom, and the last reason."""
    from rich.markup import escape

    colour = COLOURS.get(each["status"], "dim")
    when = each["settled"] or each["due"] or each["created"]
    last = each["whys"][-1]["text"] if each["whys"] else ""
    return (
        f"{each['messageId']}  [{colour}]{each['status']}[/]  {when}  {escape(each['campaign'])}  "
        f"{escape(each['personId'])}  [dim]{escape(last)}[/]"
    )


def show(message_id: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """One, with its text and all its reasons."""
    with reading(config, data) as desk:
        found = desk.get("messages", message_id)
    if as_json:
        common.print_json(found)
        return
    from rich.markup import escape

    out = common.console()
    out.print(line(found | {"whys": []}))
    webhook = f" {found['webhook']}" if found["webhook"] else ""
    facts = {
        "by": f"{found['channel']}{webhook}",
        "content": found["content"],
        "about": found["item"],
        "chosen": ", ".join(f"{slot} {id_}" for slot, id_ in found["chosen"].items() if id_),
        "attempts": found["attempts"] or "",
        "due": found["due"],
        "expires": found["expires"],
    }
    for name, value in facts.items():
        if value:
            out.print(f"[dim]{name:>9}[/] {escape(str(value))}")
    out.print("\n[bold]What happened[/]")
    for each in found["whys"]:
        out.print(f"  {each['at']}  [dim]{each['code']}[/]  {escape(each['text'])}")
    _text(found["rendered"])


def _text(rendered: dict[str, Any] | None) -> None:
    from rich.markup import escape

    out = common.console()
    if rendered is None:
        out.print("\nIts text is not kept any more.")
        return
    if rendered["subject"]:
        out.print(f"\n[bold]{escape(rendered['subject'])}[/]")
    if rendered["text"]:
        out.print(f"\n{rendered['text'].strip()}", markup=False)
    if rendered["payload"]:
        out.print()
        common.print_json(rendered["payload"])
    for each in rendered["dropped"]:
        out.print(f"[yellow]Left out[/] {escape(each['slot'])}: {escape(each['reason'])}")


def cancel(message_id: str, reason: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """One that waits will not go out."""
    with writing(config, data) as desk:
        found = desk.post("messages", message_id, "cancel", reason=reason or HERE)
    _done(found, "It will not go out.", as_json=as_json)


def resolve(
    message_id: str,
    reason: str,
    config: Path,
    data: Path | None,
    *,
    arrived: bool,
    again: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Say what became of one in doubt.

    Raises:
        WrongUse: neither was said, or both.
    """
    if arrived == again:
        raise WrongUse(
            "Did it arrive?",
            hint="Look into the log of the mail server, or ask the person. Then say --arrived, or --again "
            "to send it once more.",
        )
    question = "Send it again? If it did arrive, the person gets it twice."
    if again and not agreed(question, yes=yes):
        return 1
    with writing(config, data) as desk:
        body = {"arrived": arrived} | ({"reason": reason} if reason else {})
        found = desk.post("messages", message_id, "resolve", **body)
    said = "It counts as sent." if arrived else "It goes out again."
    _done(found, said, as_json=as_json)
    return 0


def _done(found: dict[str, Any], said: str, *, as_json: bool) -> None:
    if as_json:
        common.print_json({name: each for name, each in found.items() if name != "success"})
        return
    out = common.console()
    out.print(line(found))
    out.print(said)


def why_not(person: str, campaign: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """Why somebody has had, or has not had, a campaign's message."""
    with reading(config, data) as desk:
        found = desk.get("why-not", person=person, campaign=campaign)
    if as_json:
        common.print_json(found)
        return
    from rich.markup import escape

    out = common.console()
    out.print(f"[bold]{escape(found['personId'])}[/] and [bold]{escape(found['campaign'])}[/]")
    out.print(escape(found["answer"]))
    if found["enrolments"]:
        out.print("\n[bold]In the campaign[/]")
    for each in found["enrolments"]:
        step = f", step {each['step']}" if each["step"] else ""
        due = f", looked at again {each['due']}" if each["due"] else ""
        count = f", counted {each['counted']}" if each["counted"] else ""
        out.print(
            f"  {escape(each['subject'])}: {each['phase']}{step}{count}{due}  "
            f"[dim]{escape(each['reason'])}[/]"
        )
    if found["messages"]:
        out.print("\n[bold]Messages[/]")
    for each in found["messages"]:
        out.print(f"  {line(each)}")
