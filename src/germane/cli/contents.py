"""``content check`` and ``preview``: what is written, held against the guardrails, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from germane.cli import common
from germane.cli.common import many
from germane.cli.project import CONTENT
from germane.domain.errors import WrongUse

if TYPE_CHECKING:
    from germane.config.finding import Finding
    from germane.domain.content import Content
    from germane.domain.item import Item


def folder_of(config: Path, folder: Path | None) -> Path:
    """The content folder: the named one, else that beside the configuration."""
    return folder if folder is not None else config.parent / CONTENT


def check(
    config: Path, data: Path | None, folder: Path | None, *, links: bool, as_json: bool
) -> int:
    """Check all content of a folder; 1 when any has an error."""
    import msgspec

    from germane.cli.project import print_findings
    from germane.config.audit_content import audit_content
    from germane.config.contents import content_files

    loaded = common.load(config)
    where = folder_of(config, folder)
    files = content_files(where)
    items = catalogue(config, data)
    findings = audit_content(loaded, where, items)
    if links:
        findings += _links(where)
    errors = sum(each.level == "error" for each in findings)
    if as_json:
        warnings = sum(each.level == "warning" for each in findings)
        common.print_json(
            {
                "errors": errors,
                "warnings": warnings,
                "findings": [msgspec.to_builtins(each) for each in findings],
            }
        )
        return int(errors > 0)
    out = common.console()
    out.print(f"{many(len(files), 'content file')} in [bold]{where}[/].\n")
    print_findings(findings, out)
    return int(errors > 0)


def _links(folder: Path) -> list[Finding]:
    """Every address that is written out, asked once."""
    from germane.cli.links import asked
    from germane.config.contents import load_folder
    from germane.config.finding import Finding

    contents, _ = load_folder(folder)
    found = []
    for url, (users, answer) in asked(_addresses(contents)).items():
        text = f"{url} ({', '.join(users)}): {answer.text}"
        if answer.good:
            found.append(Finding("links", "links", "good", text))
        else:
            remedy = "Mend the address, or look at the server behind it."
            found.append(Finding("links", "links", "error", text, remedy))
    return found


def _addresses(contents: Sequence[Content]) -> dict[str, list[str]]:
    """Address -> where it is used; those with values in them cannot be asked."""
    from germane.generate.markup import links_in

    found: dict[str, list[str]] = {}
    for content in contents:
        for slot in content.slots:
            for variant in slot.variants:
                for fields in variant.texts.values():
                    written = [fields.get("url", ""), fields.get("image", "")]
                    for text in fields.values():
                        written += links_in(text)
                    for url in written:
                        if url.startswith(("http://", "https://")) and "{" not in url:
                            users = found.setdefault(url, [])
                            name = f"{content.content_id}.{slot.name}"
                            users += [] if name in users else [name]
    return found


def catalogue(config: Path, data: Path | None) -> list[Item]:
    """The items of the data folder; none where there is no data yet."""
    loaded = common.load(config)
    folder = common.data_dir(loaded, config, data)
    if not (folder / "germane.db").exists():
        return []
    with common.opened(config, data, mode="read") as engine:
        return list(engine.catalogue.values())


def made_up(text: str) -> dict[str, Any]:
    """Traits from ``first_name=Ann,age=31,vip=true``.

    Raises:
        WrongUse: a part is no NAME=VALUE.
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        name, mark, value = part.partition("=")
        if not mark or not name.strip():
            raise WrongUse(
                f"{part.strip()!r} is no trait.",
                hint='Write --made-up "first_name=Ann,role=buyer".',
            )
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def chosen_variants(pairs: Sequence[str]) -> dict[str, str]:
    """``slot=id`` pairs.

    Raises:
        WrongUse: one is none.
    """
    found = {}
    for each in pairs:
        slot, mark, variant = each.partition("=")
        if not mark or not slot:
            raise WrongUse(f"{each!r} is no choice.", hint="Write --variant SLOT=ID.")
        found[slot] = variant
    return found
