"""``consent``: what somebody said to a purpose, with the proof. ``privacy``: what holds for everybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from germane.cli import common, consented
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json
from germane.cli.desk import reading, writing
from germane.domain.errors import NotFound, UnknownPerson, WrongUse

Answer = Literal["grant", "withdraw"]
Who = Annotated[str, typer.Argument(help="User id (anonymous ids as a:ID).")]
_DURATION = re.compile(r"([1-9]\d{0,4})([hdw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


def add_to(app: typer.Typer) -> None:
    """Put the commands where they belong."""
    app.command("consent")(consent)
    app.command("privacy")(privacy)


def consent(
    who: Who,
    purpose: Annotated[str, typer.Argument(help="Such as email_marketing; none: show all.")] = "",
    answer: Annotated[str, typer.Argument(help="grant or withdraw.")] = "",
    notice: Annotated[str, typer.Option(help="Version of the text that they were shown.")] = "",
    notice_name: Annotated[
        str, typer.Option(help="Name of that text, as in \\[privacy.notices.NAME].")
    ] = "",
    source: Annotated[str, typer.Option(help="Where they said it: a page, a form, a call.")] = "",
    expires: Annotated[str, typer.Option(help="How long a yes holds, such as 365d.")] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With a yes to personalisation: begin anew.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what somebody has agreed to, or record that they said yes or no to a purpose."""
    if not purpose:
        _show(who, config, data, as_json=as_json)
        return
    if answer not in ("grant", "withdraw"):
        raise WrongUse(
            f"Did {who} say yes or no to {purpose}?",
            hint=f"germane consent {who} {purpose} grant, or withdraw.",
        )
    body: dict[str, Any] = {
        **ids_of(who),
        "purpose": purpose,
        "state": "granted" if answer == "grant" else "withdrawn",
        "method": "command line",
        "notice": notice_name,
        "noticeVersion": notice,
        "source": source,
        "fresh": fresh,
    }
    if expires:
        body["expiresAt"] = _until(expires)
    _state(who, purpose, answer, body, config, data, as_json=as_json)  # type: ignore[arg-type]


def privacy(
    digest: Annotated[
        str,
        typer.Option(help="One that the ledger had: whether it still has all that it had then."),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show which law holds, and whether the ledger of consent is as it was written; 1 if it is not."""
    found = _standing(config, data, digest.strip().lower())
    ledger = found["ledger"] or {"broken": None, "passed": None}
    broken = ledger["broken"] or ledger["passed"] is False
    if as_json:
        common.print_json(found)
    else:
        _tell_standing(found)
    raise typer.Exit(1 if broken else 0)


def _standing(config: Path, data: Path | None, digest: str) -> dict[str, Any]:
    """As the API tells it; before there is data, from the configuration, without a ledger."""
    from germane.app.retaining import standing
    from germane.domain.purposes import PURPOSES
    from germane.privacy.features import in_brief
    from germane.privacy.jurisdictions import rule

    loaded = common.load(config)
    folder = common.data_dir(loaded, config, data)
    if (folder / "germane.db").exists() or (folder.exists() and not folder.is_dir()):
        with reading(config, data) as desk:
            return desk.get("privacy", digest=digest)
    law = loaded.settings.privacy.jurisdiction
    return {
        "jurisdiction": law,
        "purposes": {each: rule(law, each) for each in PURPOSES},
        "gpc": list(loaded.settings.privacy.gpc),
        "refused": {},
        "refusedSince": None,
        "declared": in_brief(loaded.settings),
        "retention": standing(loaded.settings, {}),
        "undeclared": [],
        "ledger": None,
    }


def _tell_standing(found: dict[str, Any]) -> None:
    out = common.console()
    out.print(f"Jurisdiction: {found['jurisdiction']}. Before anybody has said anything:")
    for purpose, rule in found["purposes"].items():
        words = (
            "[green]yes[/], until they say no"
            if rule == "opt_out"
            else "[red]no[/], until they say yes"
        )
        out.print(f"  {purpose:<28} {words}")
    out.print(f"Sec-GPC: 1 says no to {', '.join(found['gpc']) or 'nothing'}.", markup=False)
    out.print("Declared:")
    for category, each in found["declared"].items():
        names = ", ".join((*each["signals"], *each["traits"]))
        needs = " and ".join(each["needs"]) or "how people are reached"
        out.print(f"  {category:<28} {names}; needs {needs}", markup=False)
    _tell_undeclared(found["undeclared"])
    out.print(_ledger_text(found["ledger"]))
    if (found["ledger"] or {}).get("passed") is False:
        out.print(
            "[bold red]It is another ledger[/]: it never had that digest. Lines were taken out or put in, "
            "and it was made anew. Keep the data folder as it is, and compare it with a backup."
        )


def _tell_undeclared(names: list[dict[str, Any]]) -> None:
    """What nothing declares, and what to do about it."""
    out = common.console()
    if names:
        out.print("Refused, for nothing declares it:")
    for each in names:
        out.print(f"  {each['count']:>8,} × {each['name']}: {each['remedy']}.", markup=False)


def _ledger_text(ledger: dict[str, Any] | None) -> str:
    """How the ledger stands, in a line."""
    if ledger is None:
        return "There is no ledger yet: nothing is stored."
    broken = ledger["broken"]
    if not broken:
        lines = common.many(ledger["lines"], "line")
        return f"The ledger has {lines}, and none was changed. Digest {ledger['digest']}"
    where = "lines are missing at the end"
    if broken != "the end":
        where = f"line {broken} is not what was written, or one before it is missing"
    return (
        f"[bold red]The ledger was changed[/]: {where}. Keep the data folder as it is, and compare it with "
        "a backup."
    )


def _state(
    who: str,
    purpose: str,
    answer: Answer,
    body: dict[str, Any],
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Record that somebody said yes or no to a purpose; it holds for the next request."""
    with writing(config, data, made=False) as desk:
        found = desk.post("consent", **body)
    if as_json:
        shown = ("consent", "allowed", "stands", "warnings")
        common.print_json({name: found[name] for name in shown})
        return
    out = common.console()
    said = "agreed to" if answer == "grant" else "said no to"
    out.print(f"Recorded: {who} {said} {purpose}.", markup=False)
    if not found["stands"]:
        out.print("[yellow]They have said something newer, which holds.[/]")
    for each in found["warnings"]:
        out.print(f"{each['text']} {each['remedy']}", markup=False, style="yellow")


def _show(who: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """What somebody has said, what is allowed by it, and the lines that prove it."""
    with reading(config, data) as desk:
        try:
            found = desk.get("people", who, "consent")
        except NotFound:
            raise UnknownPerson(f"Nothing is known about {who!r}.") from None
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if not found["consent"]:
        out.print(f"{who} has said neither yes nor no to anything.", markup=False)
    from rich.markup import escape

    for purpose, allowed in found["allowed"].items():
        mark = "[green]yes[/]" if allowed else "[red]no[/] "
        out.print(f"  {mark}  {escape(purpose)}{_whence(found['consentStates'].get(purpose))}")
    for line in found["history"]:
        out.print(_line(line), markup=False, style="dim")


def _whence(said: dict[str, Any] | None) -> str:
    """Where it comes from that a purpose is allowed or not, if not from what they said last."""
    if said is None:
        return "  [dim]by default[/]"
    if said["state"] != "expired":
        return ""
    return f"  [dim]by default[/]  [yellow]their yes {consented.state(said)}[/]"


def _line(line: dict[str, Any]) -> str:
    named = " ".join(line[x] for x in ("notice", "noticeVersion") if x in line)
    parts = [line["at"], line["state"], line["purpose"], f"by {line['method']}"]
    parts += [f"shown {named}"] if named else []
    parts += [f"at {line['source']}"] if "source" in line else []
    parts += [f"until {line['expiresAt']}"] if "expiresAt" in line else []
    parts += [] if line["stands"] else ["(older than what they said since)"]
    return "  " + "  ".join(parts)


def _until(text: str) -> str:
    """A duration from now on, as a time.

    Raises:
        WrongUse: it is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise WrongUse(
            f"A yes cannot hold for {text!r}.",
            hint='Write a duration of 1h or more, like "12h", "365d" or "8w".',
        )
    until = datetime.now(UTC) + timedelta(hours=int(found[1]) * _HOURS[found[2]])
    return until.isoformat(timespec="seconds").replace("+00:00", "Z")


def ids_of(who: str) -> dict[str, str]:
    """How the API names a person: a user id, or ``a:`` and an anonymous id."""
    return {"anonymousId": who[2:]} if who.startswith("a:") else {"userId": who.removeprefix("u:")}
