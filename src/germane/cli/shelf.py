"""``content push|list|show|remove``: what is written, brought to where messages are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from germane.cli import common, pushing
from germane.cli.common import many
from germane.cli.contents import catalogue, folder_of
from germane.cli.desk import Desk, agreed, reading, writing

if TYPE_CHECKING:
    from germane.config.finding import Finding
    from germane.domain.content import Content

NONE = "There is no content yet. Write content/NAME.toml, then run `germane content push`."
LEFT = "not in the folder; --prune takes it away"
TAKEN = "not in the folder: to be taken away"


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
    """Check, compare, send what is new or changed, in an operator's ``name``; 1 when a file has an error,
    and then nothing is sent."""
    import msgspec

    from germane.config.contents import to_json

    where = folder_of(config, folder)
    contents, findings = _checked(config, data, where)
    errors = [each for each in findings if each.level == "error"]
    if errors:
        return _refused(errors, where, as_json=as_json)
    with writing(config, data, made=False, operator=name) as desk:
        there = {each["contentId"]: each["version"] for each in desk.get("content")["content"]}
        found = pushing.difference({x.content_id: x.version for x in contents}, there)
        if not as_json:
            common.console().print(f"{many(len(contents), 'content file')} in [bold]{where}[/].")
            pushing.show(found, TAKEN if prune else LEFT)
            _warn(findings)
        removed = found.gone if prune else []
        if removed and not dry_run and not _meant(removed, yes=yes):
            return 1
        if not dry_run:
            for each in contents:
                if each.content_id in found.wanted:
                    desk.put("content", each.content_id, body=to_json(each))
            for gone in removed:
                desk.delete("content", gone)
    if as_json:
        warnings = [msgspec.to_builtins(each) for each in findings if each.level == "warning"]
        common.print_json(pushing.told(found, removed, dry_run=dry_run, warnings=warnings))
    else:
        pushing.summary(found, removed, "taken away", dry_run=dry_run)
    return 0


def _checked(config: Path, data: Path | None, where: Path) -> tuple[list[Content], list[Finding]]:
    """All content of a folder that can be read, and what the check has to say."""
    from germane.config.audit_content import audit_content
    from germane.config.contents import load_folder

    contents, _ = load_folder(where)
    return contents, audit_content(common.load(config), where, catalogue(config, data))


def _refused(errors: list[Finding], where: Path, *, as_json: bool) -> int:
    import msgspec

    from germane.cli.project import print_findings

    if as_json:
        body = {"pushed": False, "errors": [msgspec.to_builtins(each) for each in errors]}
        common.print_json(body)
        return 1
    out = common.console()
    print_findings(errors, out)
    out.print(f"\n[bold red]Nothing was pushed[/]: {where} has {many(len(errors), 'error')}.")
    return 1


def _warn(findings: list[Finding]) -> None:
    warnings = sum(each.level == "warning" for each in findings)
    if warnings:
        common.console().print(
            f"[yellow]![/] {many(warnings, 'warning')}: `germane content check` tells them."
        )


def _meant(names: list[str], *, yes: bool) -> bool:
    listed = ", ".join(names)
    return agreed(f"Take away {listed}?", yes=yes, remedy="Add --yes, or leave --prune out.")


def list_all(config: Path, data: Path | None, *, as_json: bool) -> None:
    """A line each."""
    with reading(config, data) as desk:
        found = desk.get("content")["content"]
        users = _users(desk)
    for each in found:
        each["campaigns"] = users.get(each["contentId"], [])
    if as_json:
        common.print_json(found)
        return
    from rich.markup import escape

    out = common.console()
    if not found:
        out.print(NONE)
    for each in found:
        said = (
            f"said by {', '.join(each['campaigns'])}"
            if each["campaigns"]
            else "said by no campaign"
        )
        drafts = f"  [yellow]{many(each['unapproved'], 'draft')}[/]" if each["unapproved"] else ""
        out.print(
            f"[bold]{each['contentId']}[/]  {each['channel']}  {escape(each['title'])}  "
            f"[dim]{many(len(each['slots']), 'slot')}, {said}, version {each['version']}[/]{drafts}"
        )


def _users(desk: Desk) -> dict[str, list[str]]:
    """Content -> campaigns that say it and have not ended."""
    found: dict[str, list[str]] = {}
    for each in desk.get("campaigns")["campaigns"]:
        for name in each["contents"] if each["status"] != "ended" else ():
            found.setdefault(name, []).append(each["campaign"])
    return found


def show(name: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """One, with every text."""
    with reading(config, data) as desk:
        found = desk.get("content", name)
    if as_json:
        common.print_json(found)
        return
    from rich.markup import escape

    out = common.console()
    out.print(
        f"[bold]{found['contentId']}[/]  {found['channel']}  {escape(found['title'])}  "
        f"[dim]version {found['version']}[/]"
    )
    for slot in found["definition"].get("slots", []):
        must = ", must be there" if slot.get("required") else ""
        shows = f", from the surface {slot['surface']}" if slot.get("surface") else ""
        out.print(f"\n[bold]{slot['name']}[/] [dim]{slot['kind']}{must}{shows}[/]")
        for each in slot.get("variants", []):
            _variant(each)


def _variant(each: dict[str, Any]) -> None:
    from rich.markup import escape

    out = common.console()
    draft = "" if each.get("approved", True) else "  [yellow]a draft: nobody has approved it[/]"
    when = f"  [dim]when {escape(each['when'])}[/]" if each.get("when") else ""
    out.print(f"  {escape(each['id'])}{when}{draft}")
    for locale, fields in each.get("texts", {}).items():
        for field, text in fields.items():
            name = f"{locale}.{field}"
            body = text.strip().replace("\n", "\n" + " " * 18)
            out.print(f"    [dim]{escape(name):<13}[/] {escape(body)}")


def remove(name: str, config: Path, data: Path | None, *, yes: bool, as_json: bool) -> int:
    """Take one away; 1 when it was not meant."""
    with writing(config, data) as desk:
        desk.get("content", name)
        if not agreed(f"Take away {name}?", yes=yes):
            return 1
        desk.delete("content", name)
    if as_json:
        common.print_json({"removed": name})
    else:
        common.console().print(f"Took away {name}. Its file, if there is one, is as it was.")
    return 0
