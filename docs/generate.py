"""The reference pages that come from the code: `python docs/generate.py [--check]`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import typer

import germane
from germane.api import errors as api_errors
from germane.api import permissions as rights
from germane.api.auth import Keys
from germane.api.routes import endpoints
from germane.app.engine import Engine
from germane.cli.program import app
from germane.config.campaign_tables import CAMPAIGN_TABLES
from germane.config.content_fields import CONTENT_TABLES
from germane.config.fields import Field
from germane.config.tables import LISTS, TABLES
from germane.deliver.schema import MEANING, WINDOWS, names
from germane.domain.content import FIELDS
from germane.domain.errors import GermaneError
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from the code: change it there. -->\n\n"


def configuration() -> str:
    """Every setting of germane.toml."""
    parts = [
        "# Configuration\n\nOne file, `germane.toml`. All errors are reported at once, each with its key, "
        "its value and what to do ([more](../how-to/check-a-configuration.md)). Every setting of what the file "
        "declares can be overridden by the environment: "
        "`GERMANE_SERVER__PORT=9000`, `GERMANE_SURFACES__HOME_GRID__SIZE=8`. Keys are read from "
        "`GERMANE_WRITE_KEY` and `GERMANE_SERVER_KEY`, or from `.env` beside the file.\n"
    ]
    for table, fields in TABLES.items():
        many = table in LISTS
        parts.append(
            f"\n## `{'[[' if many else '['}{table}{']]' if many else ']'}`\n\n{HEAD}"
            + "".join(map(row, fields))
        )
    parts.append(
        "\nTraits may have a table `values`, from what people say to attribute values:\n\n"
        '```toml\n[traits.role.values]\nbuyer = ["Tools", "Safety"]\n```\n'
        "\nActions may have a table `attributes`, of texts, numbers and flags; actions with like ones are "
        "expected to do alike ([more](../how-to/choose-an-action.md)):\n\n"
        '```toml\n[[surfaces.offer.actions]]\nid = "tenth-off"\n'
        'attributes = { theme = "price", discount = 10 }\n```\n'
        "\nImports may have a table `columns`, from fields to the columns of the file:\n\n"
        '```toml\n[imports.orders.columns]\ntimestamp = "when"\n```\n'
    )
    parts.append(
        "\n## Content files\n\nEach file `content/NAME.toml` is one content item "
        "([how to write one](../how-to/write-content.md)). They are checked by `germane content check`, "
        "and cannot be set by the environment.\n"
    )
    for table, fields in CONTENT_TABLES.items():
        heading = f"`[[{table}]]`" if table else "The file itself"
        parts.append(f"\n### {heading}\n\n{HEAD}" + "".join(map(row, fields)))
    parts.append(
        "\nThe texts of a variant stand under `[slots.variants.texts.LOCALE]`, by the kind of its slot:\n\n"
        "| kind | must have | may have |\n|---|---|---|\n"
    )
    for kind, (must, may) in FIELDS.items():
        fields = [", ".join(f"`{each}`" for each in group) for group in (must, may)]
        parts.append(f"| `{kind}` | {fields[0]} | {fields[1]} |\n")
    return "".join(parts)


HEAD = "| setting | type | default | meaning |\n|---|---|---|---|\n"


def row(field: Field) -> str:
    """One setting."""
    default = "required" if field.required else f"`{shown(field.default)}`"
    span = f" From {field.span[0]} to {field.span[1]}." if field.span is not None else ""
    kind = field.kind.replace("|", " or ")
    return f"| `{field.name}` | {kind} | {default} | {field.help}{span} |\n"


def campaigns() -> str:
    """Every setting of a campaign, and every name of its conditions."""
    parts = [
        "# Campaigns\n\nOne file each, `campaigns/NAME.toml`; the same as JSON by the API. "
        "[How to write one](../how-to/campaigns.md). One of `enter.event`, `enter.schedule` and "
        "`enter.audience` says who comes in. A campaign has `content` and `[wait]`, or `[[steps]]` that "
        "each have their own (`wait` is a table, or a duration).\n"
    ]
    for table, fields in CAMPAIGN_TABLES.items():
        title = {"campaign": "At the top", "steps": "`[[steps]]`"}.get(table, f"`[{table}]`")
        parts.append(f"\n## {title}\n\n{HEAD}" + "".join(map(row, fields)))
    parts.append(
        "\n## What conditions may speak of\n\nConditions are CEL. `enter.when`, `goal.when`, `wait.when` "
        "(and `exit.when` with an event) see all of it; `still`, `steps.when` and `exit.when` alone see no "
        "event and no change; a schedule and an audience see no item either. Declared attributes are "
        f"`item.NAME`. Counts have the windows {', '.join(f'`{each}`' for each in WINDOWS)}.\n\n"
        "| name | meaning |\n|---|---|\n"
    )
    parts += [f"| `{name}` | {meaning} |\n" for name, meaning in MEANING.items()]
    parts.append("\n| name | type |\n|---|---|\n")
    parts += [f"| `{name}` | {kind} |\n" for name, kind in names(Settings()).items()]
    return "".join(parts)


def shown(value: Any) -> str:
    """A default as it would be written."""
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def command_line() -> str:
    """Every command with its options."""
    parts = [
        "# Command line\n\nExit codes: 0 done, 1 failed, 2 wrong use, 3 configuration invalid, "
        "4 done in part (an import that could not use some rows), 130 interrupted. `germane check` answers 1 "
        "to any error, in the configuration or of a surface; with `--json` it prints a wrong configuration in "
        "the [one shape of errors](errors.md), every error under `details.errors` with `key`, `value`, "
        "`problem` and `remedy`.\n"
    ]
    _commands(typer.main.get_command(app), "germane", parts)
    return "".join(parts)


def _commands(command: Any, name: str, parts: list[str]) -> None:
    for sub, each in getattr(command, "commands", {}).items():
        if getattr(each, "commands", None):
            _commands(each, f"{name} {sub}", parts)
            continue
        parts.append(f"\n## `{name} {sub}`\n\n{(each.help or '').strip()}\n\n")
        rows = []
        for parameter in each.params:
            if parameter.name == "help":
                continue
            option = parameter.param_type_name == "option"
            label = (
                ", ".join((*parameter.opts, *parameter.secondary_opts))
                if option
                else (parameter.metavar or parameter.name or "").upper()
            )
            rows.append(f"| `{label}` | {parameter.help or ''} |\n")
        if rows:
            parts.append("| argument or option | meaning |\n|---|---|\n" + "".join(rows))


def http_api() -> str:
    """Every route."""
    settings = Settings()
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"x")
    parts = [
        "# HTTP API\n\nA running server shows this at `/docs`, and as OpenAPI 3.1 at "
        "`/openapi.json`. Keys go into basic auth as the user name, or as a bearer token; operators' tokens "
        "are bearer tokens. Which keys and roles have which permission says [Permissions](permissions.md): "
        "a write key may send events, and, with a person token, ask from a browser for the token's "
        "person (`decide`: [how](../how-to/in-the-browser.md)). Errors have [one shape](errors.md).\n"
    ]
    tag = ""
    for each in endpoints(engine, Keys("w", "s")):
        if each.tag != tag:
            tag = each.tag
            note = f"{NOTES[tag]}\n" if tag in NOTES else ""
            parts.append(
                f"\n## {tag}\n\n{note}| route | permission | what it does |\n|---|---|---|\n"
            )
        parts.append(f"| `{each.method} {each.path}` | `{each.permission}` | {each.summary} |\n")
    return "".join(parts)


NOTES = {
    "Decisions": "A decision is answered when it is computed; its record becomes durable with the next "
    "group, some milliseconds later. One that was answered just before a crash may be missing from the "
    "log; its signed id still tells surface and items, so that a report which names it is accepted. "
    "Its impressions count as shown; its outcomes count for nothing (verdict `untaught`), because nobody "
    "keeps account of them: the id does not tell the person.\n",
    "Operations": "In a list of dead letters, a body begins with its first 1,000 characters "
    "(`bodyBytes` tells its size); one alone is whole.\n",
}
"""Under the heading of a group of routes: what a table cannot say."""


def permissions() -> str:
    """Who may do what."""
    columns = [
        *((f"{scope} key", allowed) for scope, allowed in rights.OF_SCOPE.items()),
        *rights.OF_ROLE.items(),
    ]
    parts = [
        "# Permissions\n\nEvery route of the [HTTP API](http-api.md) asks for one permission. Keys have "
        "those of their scope, operators those of all their roles; a key that is used in an operator's name "
        "has those that both have ([how](../how-to/keys-and-roles.md)). The server key of the configuration "
        "is an admin key as long as none was made.\n\n"
        f"| permission | what it lets do | {' | '.join(name for name, _ in columns)} |\n"
        f"|---|---|{'---|' * len(columns)}\n"
    ]
    for each, meaning in rights.MEANING.items():
        marks = " | ".join("yes" if each in allowed else "" for _, allowed in columns)
        parts.append(f"| `{each}` | {meaning} | {marks} |\n")
    parts.append(
        "\nA write key with a person token has `decide` for that person. Whose approval counts is said by the "
        "[policies of approvals](../how-to/approve.md), not by `approvals.judge` alone.\n"
    )
    return "".join(parts)


def errors() -> str:
    """Every error code."""
    parts = [
        "# Errors\n\nEvery route answers an error in one shape, and the command line says the same "
        "message and hint:\n\n```json\n"
        '{"success": false, "code": "decide.unknown_surface", "message": "...", "hint": "...", '
        '"details": {}, "requestId": "..."}\n```\n\n'
        "| code | status | meaning | hint |\n|---|---|---|---|\n"
    ]
    for module in walk_packages(
        germane.__path__, "germane."
    ):  # an error is known once it is loaded
        if not module.name.endswith("__main__"):
            import_module(module.name)
    seen: dict[str, type[GermaneError]] = {}
    todo = [GermaneError]
    while todo:
        kind = todo.pop()
        seen.setdefault(kind.code, kind)
        todo += kind.__subclasses__()
    for code, kind in sorted(seen.items()):
        status = api_errors.status_of(kind())
        parts.append(f"| `{code}` | {status} | {(kind.__doc__ or '').strip()} | {kind.hint} |\n")
    return "".join(parts)


def data() -> str:
    """What is stored of a person and what a prediction sees, with where it is from."""
    from germane.predict.features import NAMES
    from germane.privacy.features import FIELDS, made_from

    parts = [
        "# Data of people\n\n"
        "Every field of a profile: what it is made from, its category, and what becomes of what a signal told "
        "when the consent ends that its "
        "[category](../explanation/privacy.md#what-may-be-kept-categories) needs. "
        "*exact*: it goes. *not counted*: signals that need a consent of their own never count in it. "
        "*not told*: no signal tells it.\n\n"
        "| field | from | category | what a signal told |\n|---|---|---|---|\n"
    ]
    for name, each in FIELDS.items():
        told = each.origin in ("signals", "traits")
        category = each.category or ("of each signal or trait" if told else "")
        undone = f"{each.undone}: {each.why}" if each.why else each.undone
        parts.append(f"| `{name}` | {each.origin} | {category} | {undone} |\n")
    parts.append(
        "\nEvery feature of the ranker, and the fields of the profile and the shared things that it is made "
        "from. Its categories and purposes are those of its sources: what may not be kept is in none.\n\n"
        "| feature | made from |\n|---|---|\n"
    )
    parts += [f"| `{name}` | {', '.join(made_from(name))} |\n" for name in NAMES]
    return "".join(parts)


PAGES = {
    "data.md": data,
    "configuration.md": configuration,
    "campaigns.md": campaigns,
    "cli.md": command_line,
    "http-api.md": http_api,
    "permissions.md": permissions,
    "errors.md": errors,
}


def main() -> int:
    """Write the pages, or with --check tell which are not what the code says."""
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, MADE + make()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text("utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, "utf-8")
    if stale:
        print(f"Out of date: {', '.join(stale)}. Run: python docs/generate.py")
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
