"""``campaign push|list|show|preview|live|pause|dry|end``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from germane.cli import common, pushing
from germane.cli.common import many
from germane.cli.desk import HERE, NO_SERVER, Desk, agreed, reading, writing
from germane.cli.project import CAMPAIGNS
from germane.cli.switching import tell_stops
from germane.domain.errors import CannotSend, GermaneError, NotFound

if TYPE_CHECKING:
    from germane.config.finding import Finding
    from germane.deliver.compiled import Compiled
    from germane.domain.campaign import Campaign

NONE = "There is no campaign yet. Write campaigns/NAME.toml, then run `germane campaign push`."
LEFT = "not in the folder; --prune ends it"
ENDED = "not in the folder: to be ended"
NAMED = 5
"""People of the sample that are named."""
MEANING = {
    "dry": "dry: everything but sending",
    "live": "live",
    "paused": "paused: nobody comes in, nothing moves on",
    "ended": "ended",
}
ENTERS = {
    "event": "an event lets people in",
    "item": "an item that changes lets people in",
    "schedule": "a schedule lets people in",
    "audience": "an audience, once",
}
Turn = Literal["live", "paused", "dry", "ended"]
WAITING = ("making", "approval", "queued")


def push(
    config: Path,
    data: Path | None,
    folder: Path | None,
    *,
    prune: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    name: str = "",
) -> int:
    """Check, compare, send what is new or changed, in an operator's ``name``. One that is new is dry; the
    others stand as they did."""
    import msgspec

    where = folder if folder is not None else config.parent / CAMPAIGNS
    read, findings = _checked(config, where)
    written = {name: made.campaign for name, made in read.items()}
    with writing(config, data, made=False, operator=name) as desk:
        listed = desk.get("campaigns")["campaigns"]
        there = {x["campaign"]: x["version"] for x in listed if x["status"] != "ended"}
        there |= {x["campaign"]: x["version"] for x in listed if x["campaign"] in written}
        found = pushing.difference({name: x.version for name, x in written.items()}, there)
        if not as_json:
            common.console().print(f"{many(len(written), 'campaign file')} in [bold]{where}[/].")
            pushing.show(found, ENDED if prune else LEFT)
            _warn(findings)
        removed = found.gone if prune else []
        if removed and not dry_run and not _meant(removed, yes=yes):
            return 1
        sent = _sent(desk, {} if dry_run else {x: written[x] for x in found.wanted})
        if not dry_run:
            for each in removed:
                desk.post("campaigns", each, "status", status="ended", reason=HERE)
    done = found.without(sent.refused)
    if as_json:
        warnings = [msgspec.to_builtins(each) for each in findings if each.level == "warning"]
        more = {
            "warnings": warnings,
            "missingContent": sent.missing,
            "obstacles": sent.obstacles,
            "refused": {name: each.message for name, each in sent.refused.items()},
        }
        common.print_json(pushing.told(done, removed, dry_run=dry_run, **more))
        return int(bool(sent.refused))
    pushing.summary(done, removed, "ended", dry_run=dry_run)
    _tell_what_is_next(done, sent, _told_of(findings), dry_run=dry_run)
    return int(bool(sent.refused))


class _Sent(NamedTuple):
    """What became of campaigns that were sent, each by name."""

    missing: dict[str, list[str]]
    """Content that is not there."""
    obstacles: dict[str, list[dict[str, str]]]
    """What keeps those from sending that were taken."""
    refused: dict[str, GermaneError]


def _sent(desk: Desk, campaigns: Mapping[str, Campaign]) -> _Sent:
    """One that is refused, because it is live and could not send, is in no other one's way."""
    from germane.config.campaign_written import as_table

    found = _Sent({}, {}, {})
    for name, campaign in campaigns.items():
        try:
            said = desk.put("campaigns", name, body=as_table(campaign))
        except GermaneError as error:
            if error.code != CannotSend.code:
                raise
            found.refused[name] = error
            continue
        if said["missingContent"]:
            found.missing[name] = said["missingContent"]
        if said["obstacles"]:
            found.obstacles[name] = said["obstacles"]
    return found


def _checked(config: Path, where: Path) -> tuple[dict[str, Compiled], list[Finding]]:
    from germane.config.audit_delivery import audit_campaigns
    from germane.config.audit_purposes import audit_campaign_purposes
    from germane.config.campaigns import load_campaigns

    if not any(where.glob("*.toml")):
        raise NotFound(
            f"There is no campaign in {where}.",
            hint="Write one: campaigns/NAME.toml, or name its folder.",
        )
    loaded = common.load(config)
    settings, titled = loaded.settings, loaded.channels.links.purposes
    read = load_campaigns(where, settings)
    campaigns = [each.campaign for each in read.values()]
    return read, [
        *audit_campaigns(read, settings, int(time.time() * 1000)),
        *audit_campaign_purposes(campaigns, settings.privacy, titled),
    ]


def _warn(findings: list[Finding]) -> None:
    from rich.markup import escape

    out = common.console()
    for each in findings:
        if each.level == "warning":
            out.print(f"  [yellow]![/] {escape(each.text)} [dim]{escape(each.remedy)}[/]")


def _told_of(findings: list[Finding]) -> set[str]:
    """The warnings that ``_warn`` told of, as ``_plain`` has them."""
    return {_plain(each.text, each.remedy) for each in findings if each.level == "warning"}


def _plain(text: str, remedy: str) -> str:
    """A warning without what differs where a file tells it and where the server does."""
    return f"{text.removeprefix(f'{CAMPAIGNS}/')} {remedy}".casefold()


def _meant(names: list[str], *, yes: bool) -> bool:
    listed = ", ".join(names)
    return agreed(f"End {listed}?", yes=yes, remedy="Add --yes, or leave --prune out.")


def _tell_what_is_next(
    found: pushing.Difference, sent: _Sent, known: set[str], *, dry_run: bool
) -> None:
    """What was refused, what keeps from sending and is not ``known`` by a warning, and the next command."""
    from rich.markup import escape

    out = common.console()
    for error in sent.refused.values():
        out.print(f"[red]✗[/] {escape(error.message)} [dim]{escape(error.hint)}[/]")
    for name, each in sent.obstacles.items():
        for one in each:
            text = f"{name}: {one['text']}"
            if _plain(text, one["remedy"]) in known:
                continue
            out.print(f"[yellow]![/] {escape(text)} [dim]{escape(one['remedy'])}[/]")
    if found.new and not dry_run:
        name = found.new[0]
        out.print(f"A new campaign is dry. Next: germane campaign preview {name}")
        out.print(f"                            germane campaign live {name}")


def list_all(config: Path, data: Path | None, *, as_json: bool) -> None:
    """A line each, with how many messages stand how."""
    with reading(config, data) as desk:
        found = desk.get("campaigns")["campaigns"]
        stops = desk.get("switch")["on"]
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if not found:
        out.print(NONE)
    for each in found:
        out.print(
            f"[bold]{each['campaign']}[/]  {_coloured(each['status'])}  {each['channel']}  "
            f"[dim]{ENTERS[each['entersBy']]}[/]  {counted(each['messages'], 'message')}"
        )
    tell_stops(stops)


def _coloured(status: str) -> str:
    colour = {"live": "green", "paused": "yellow", "ended": "dim"}.get(status, "cyan")
    return f"[{colour}]{status}[/]"


def counted(counts: dict[str, int], noun: str) -> str:
    """``3 messages: 2 sent, 1 queued``."""
    if not any(counts.values()):
        return f"no {noun}"
    each = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()) if count)
    return f"{many(sum(counts.values()), noun)}: {each}"


def show(name: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """One, with its definition and how it stands."""
    with reading(config, data) as desk:
        found = desk.get("campaigns", name)
        stops = desk.get("switch")["on"]
    if as_json:
        common.print_json(found)
        return
    from rich.markup import escape

    out = common.console()
    out.print(f"[bold]{found['campaign']}[/]  {escape(found['title'])}")
    by = f", put here by {found['putBy']}" if found["putBy"] else ""
    out.print(f"It is {MEANING[found['status']]}. [dim]Version {found['version']}{by}[/]")
    out.print(f"{counted(found['messages'], 'message').capitalize()}.")
    out.print(f"{counted(found['enrolments'], 'enrolment').capitalize()}.")
    tell_stops(_concerning(stops, name))
    out.print()
    for line in as_toml(found["definition"]):
        out.print(line, markup=False)
    _obstacles(found)


def _obstacles(found: dict[str, Any]) -> None:
    """What keeps it from going live."""
    from rich.markup import escape

    out = common.console()
    for each in found["obstacles"]:
        out.print(f"\n[red]✗[/] {escape(each['text'])}\n  [dim]{escape(each['remedy'])}[/]")


def as_toml(definition: dict[str, Any]) -> list[str]:
    """A definition as lines of a campaign file, one setting a line."""
    steps = definition.get("steps", [])
    rest = {key: value for key, value in definition.items() if key != "steps"}
    lines = _settings("", rest)
    for step in steps:
        lines += ["", "[[steps]]", *_settings("", step)]
    return lines


def _settings(before: str, table: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _settings(f"{before}{key}.", value)
        else:
            lines.append(f"{before}{key} = {json.dumps(value, ensure_ascii=False)}")
    return lines


def preview(name: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """Whom it would reach as of now, and why not the others."""
    with reading(config, data) as desk:
        campaign, found = _looked_at(desk, name)
    if as_json:
        common.print_json(found)
        return
    show_audience(campaign, found)
    _obstacles(campaign)


def _looked_at(desk: Desk, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return desk.get("campaigns", name), desk.get("campaigns", name, "audience")


def show_audience(campaign: dict[str, Any], found: dict[str, Any]) -> None:
    """Counts in plain words, the largest last, and some of those who would be reached."""
    from rich.markup import escape

    out = common.console()
    out.print(
        f"[bold]{campaign['campaign']}[/]  {escape(campaign['title'])}  {_coloured(campaign['status'])}  "
        f"{campaign['channel']}  [dim]{ENTERS[campaign['entersBy']]}[/]"
    )
    if not found["people"]:
        out.print("Nobody is known yet: send events, or `germane import people FILE`.")
        return
    some = campaign["entersBy"] in ("event", "item")
    condition = ", if they all came in now" if some else ""
    known = "1 person who is" if found["people"] == 1 else f"{found['people']:,} people who are"
    out.print(f"Of {known} known{condition}:")
    for code, count in reversed(found["counts"].items()):
        if count or code == "reached":
            colour = "green" if code == "reached" else "dim"
            out.print(f"  {count:>9,}  [{colour}]{escape(found['words'][code])}[/]")
    if found["notKnown"]:
        unknown = many(found["notKnown"], "person", "people")
        out.print(f"Of {unknown} something that the condition asks for is not known.")
    if found["ofAnotherType"]:
        untold = many(found["ofAnotherType"], "person", "people")
        out.print(
            f"[yellow]Of {untold} something that the condition asks for is of another type.[/] "
            f"{escape(found['whyOfAnotherType'])}"
        )
    if found["sample"]:
        named = ", ".join(found["sample"][:NAMED])
        more = " and others" if found["counts"]["reached"] > NAMED else ""
        out.print(f"They are {escape(named)}{more}.")


def turn(
    name: str, status: Turn, config: Path, data: Path | None, *, yes: bool, as_json: bool
) -> int:
    """Let one go live, pause it, make it dry again, end it; 1 when it was not meant."""
    with writing(config, data) as desk:
        campaign, audience = _looked_at(desk, name)
        if campaign["status"] == status:
            notes = _notes(desk, name, audience) if status == "live" else []
            _told(campaign, [f"It is {status} already.", *notes], as_json=as_json)
            return 0
        if status == "live":
            meant = _live(campaign, audience, yes=yes, as_json=as_json)
        else:
            meant = _stopped(campaign, status, yes=yes)
        if not meant:
            return 1
        said = desk.post("campaigns", name, "status", status=status, reason=HERE)
        notes = _notes(desk, name, audience) if status == "live" else []
    _told(said, notes, as_json=as_json)
    return 0


def _live(campaign: dict[str, Any], audience: dict[str, Any], *, yes: bool, as_json: bool) -> bool:
    """Whether it is meant, after the audience was shown. What stands in the way is said when it is turned."""
    if not as_json:
        show_audience(campaign, audience)
    if campaign["obstacles"]:
        return True
    return agreed(f"Let {campaign['campaign']} go live?", yes=yes)


def _stopped(campaign: dict[str, Any], status: Turn, *, yes: bool) -> bool:
    """Whether it is meant: what waits goes with a campaign that ends, or is dry again."""
    waiting = sum(campaign["messages"].get(each, 0) for each in WAITING)
    if status == "paused" or not waiting:
        return True
    verb = "End" if status == "ended" else "Make dry"
    wait = "message waits" if waiting == 1 else "messages wait"
    return agreed(
        f"{verb} {campaign['campaign']}? {waiting:,} {wait} and will not go out.", yes=yes
    )


def _concerning(stops: list[dict[str, Any]], campaign: str) -> list[dict[str, Any]]:
    """All stops, but those of another campaign."""
    return [each for each in stops if each["scope"] != "campaign" or each["name"] == campaign]


def _notes(desk: Desk, campaign: str, audience: dict[str, Any]) -> list[str]:
    """What a person may not expect of a campaign that is live."""
    notes = []
    if audience["people"] and not audience["counts"]["reached"]:
        notes.append("As things stand it reaches nobody of those who are known.")
    for each in _concerning(desk.get("switch")["on"], campaign):
        option = f" --{each['scope']} {each['name']}" if each["name"] else ""
        notes.append(f"Sending is stopped: `germane go-on-sending{option}` lets it go on.")
    return notes if desk.served else [*notes, NO_SERVER]


def _told(campaign: dict[str, Any], notes: list[str], *, as_json: bool) -> None:
    if as_json:
        view = {name: each for name, each in campaign.items() if name != "success"}
        common.print_json(view | {"notes": notes})
        return
    out = common.console()
    out.print(f"[bold]{campaign['campaign']}[/] is {MEANING[campaign['status']]}.")
    for each in notes:
        out.print(each, markup=False)
