"""``messages list|show|cancel|resolve`` and ``why-not``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from germane.cli import common
from germane.cli.desk import HERE, agreed, reading, writing
from germane.domain.errors import GermaneError, NotFound, WrongMove, WrongUse

if TYPE_CHECKING:
    from germane.cli.desk import Desk

COLOURS = {
    "sent": "green",
    "queued": "cyan",
    "claimed": "cyan",
    "dry": "cyan",
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


def cancel(
    message_ids: list[str], reason: str, config: Path, data: Path | None, *, as_json: bool
) -> int:
    """Those that wait will not go out; 1 when some cannot be taken back."""
    with writing(config, data) as desk:
        found = _each(desk, message_ids, "cancel", reason=reason or HERE)
    return _done(found, "will not go out", as_json=as_json)


def resolve(
    message_ids: list[str],
    reason: str,
    config: Path,
    data: Path | None,
    *,
    arrived: bool,
    again: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Say what became of some in doubt; 1 when that was not meant, or of some it cannot be said.

    Raises:
        WrongUse: neither was said, or both.
        WrongMove: none of them is in doubt.
    """
    if arrived == again:
        raise WrongUse(
            "Did it arrive?",
            hint="Look into the log of the mail server, or ask the person. Then say --arrived, or --again "
            "to send it once more.",
        )
    if again and not yes and not _meant(message_ids, config, data):
        return 1
    with writing(config, data) as desk:
        body = {"arrived": arrived} | ({"reason": reason} if reason else {})
        found = _each(desk, message_ids, "resolve", **body)
    return _done(found, "counts as sent" if arrived else "goes out again", as_json=as_json)


def _meant(message_ids: list[str], config: Path, data: Path | None) -> bool:
    """Whether they are to be sent again. Of what cannot be, that is said, and nothing asked."""
    with reading(config, data) as desk:
        stands = [_stands(desk, each, message_ids) for each in dict.fromkeys(message_ids)]
    doubts = stands.count("ambiguous")
    if not doubts:
        how = f"It is {stands[0]}" if len(stands) == 1 else "None of them is ambiguous"
        raise WrongMove(f"{how}: there is no doubt to resolve.")
    what = "it" if len(stands) == 1 else common.many(doubts, "message")
    question = f"Send {what} again? What did arrive, its person gets twice."
    return agreed(question, yes=False)


def _stands(desk: Desk, message_id: str, among: list[str]) -> str:
    try:
        return str(desk.get("messages", message_id)["status"])
    except GermaneError as error:
        if len(among) == 1 or error.code != NotFound.code:
            raise
        return "not there"


class _Done(NamedTuple):
    """What became of several."""

    messages: list[dict[str, Any]]
    refused: dict[str, GermaneError]


def _each(desk: Desk, message_ids: list[str], act: str, **body: Any) -> _Done:
    """One that is refused is in no other's way; alone it is raised."""
    found = _Done([], {})
    for each in dict.fromkeys(message_ids):
        try:
            said = desk.post("messages", each, act, **body)
        except GermaneError as error:
            if len(message_ids) == 1:
                raise
            found.refused[each] = error
            continue
        found.messages.append({name: said[name] for name in said if name != "success"})
    return found


def _done(found: _Done, said: str, *, as_json: bool) -> int:
    alone = len(found.messages) == 1 and not found.refused
    if as_json:
        refused = {each: error.message for each, error in found.refused.items()}
        several = {"messages": found.messages, "refused": refused}
        common.print_json(found.messages[0] if alone else several)
        return int(bool(found.refused))
    out = common.console()
    for each in found.messages:
        out.print(line(each))
    for message_id, error in found.refused.items():
        out.print(f"{message_id}  {error.message}", markup=False)
    out.print(f"It {said}." if alone else f"{len(found.messages)} of them: {said}.")
    return int(bool(found.refused))


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
