"""Campaigns from ``campaigns/NAME.toml`` or JSON: typed, checked as a whole, every error with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from germane.config import campaign_tables as tables
from germane.config import source
from germane.config.approvals import policy
from germane.config.campaign_checks import check
from germane.config.delivery import span
from germane.config.fields import Field
from germane.config.problems import Problem, Problems, did_you_mean, problems_of
from germane.config.reading import read, value_of
from germane.deliver.compiled import Compiled
from germane.deliver.conditions import Conditions
from germane.domain.campaign import Campaign, Enter, Leave, SendSpec, Step, Wait
from germane.domain.errors import BadCampaign, ConfigInvalid
from germane.domain.purposes import PERSONALISATION
from germane.domain.settings import Settings
from germane.domain.walltime import DAYS

PARTS = ("enter", "wait", "steps", "exit", "goal", "send", "approval")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_AFTER = Field("reentry", "duration", 'Write "after 30d".', low=60, high=2 * tables.YEAR_S)
_NUMBER_MAX = 2**53
_DURATIONS = ("for", "within", "fresh", "deadline")


def load_campaigns(folder: Path, settings: Settings) -> dict[str, Compiled]:
    """Every ``*.toml`` of a folder, by name; a folder that is not there has none.

    Raises:
        BadCampaign: with every error of every file in ``details["errors"]``.
    """
    found, wrong = read_folder(folder, settings)
    if wrong:
        raise _invalid(wrong)
    return found


def read_folder(folder: Path, settings: Settings) -> tuple[dict[str, Compiled], list[Problem]]:
    """The campaigns of a folder that are right, by name, and what is wrong with the others: also of files
    that cannot be read, or are no TOML."""
    conditions = Conditions(settings)
    found: dict[str, Compiled] = {}
    wrong: list[Problem] = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            table = source.parse(source.read_text(path), str(path))
            found[path.stem] = read_campaign(path.stem, table, settings, conditions, str(path))
        except (BadCampaign, ConfigInvalid) as error:
            wrong += problems_of(error)
    return found, wrong


def read_campaign(
    name: str,
    table: Mapping[str, Any],
    settings: Settings,
    conditions: Conditions | None = None,
    file: str = "",
) -> Compiled:
    """One campaign from its table, as TOML and JSON have it.

    Args:
        name: Its name: of a file, without the ending.
        table: What was written.
        settings: The declaration that conditions may speak of.
        conditions: Those of the declaration, if they are at hand.
        file: What to call the place in errors; empty: the name.

    Raises:
        BadCampaign: with every error in ``details["errors"]``, each with key, value, problem and remedy.
    """
    problems = Problems()
    if not _NAME.fullmatch(name):
        problems.add(
            "name",
            name,
            "It is no name of a campaign.",
            "Use small letters, digits, - and _: spring-sale.",
        )
    conditions = conditions or Conditions(settings)
    campaign = _campaign(name, dict(table), problems)
    made = Compiled(campaign, conditions)
    check(made, table, settings, problems)
    if problems.found:
        where = file or name
        raise _invalid([_placed(each, where) for each in problems.found])
    return made


def _placed(problem: Problem, file: str) -> Problem:
    return Problem(f"{file}: {problem.key}", problem.value, problem.problem, problem.remedy)


def _invalid(found: list[Problem]) -> BadCampaign:
    count = len(found)
    lines = "\n".join(f"  {each}" for each in found)
    return BadCampaign(
        f"There {'is 1 error' if count == 1 else f'are {count} errors'} in campaigns:\n{lines}",
        errors=[
            {"key": e.key, "value": e.value, "problem": e.problem, "remedy": e.remedy}
            for e in found
        ],
    )


def _campaign(name: str, table: dict[str, Any], problems: Problems) -> Campaign:
    values = read(table, tables.CAMPAIGN, "", problems, also=PARTS, tables_=tables.CAMPAIGN_TABLES)
    if values.get("channel") == "inapp" and "purpose" not in table:
        values["purpose"] = PERSONALISATION  # inside the product: on, with opt-out
    values["delivery"] = values.pop("class", "never_twice")
    content = values.pop("content", "")
    reentry = values.pop("reentry", "")
    enter = Enter(**_durations(_part(table, "enter", tables.ENTER, problems)))
    again, after_s = _reentry(reentry or ("always" if enter.schedule else "never"), problems)
    send = _part(table, "send", tables.SEND, problems)
    campaign = Campaign(
        name,
        **values,
        enter=enter,
        steps=_steps(table, content, problems),
        leave=Leave(**_part(table, "exit", tables.LEAVE, problems)),
        goal=Leave(**_part(table, "goal", tables.LEAVE, problems)),
        reentry=again,  # type: ignore[arg-type]
        reentry_s=after_s,
        send=SendSpec(**_durations(_sending(send, problems))),
        approval=_approval(table, problems),
    )
    return replace(campaign, priority="transactional") if campaign.transactional else campaign


def _part(
    table: Mapping[str, Any], name: str, fields: tuple[Field, ...], problems: Problems
) -> dict[str, Any]:
    part = table.get(name, {})
    if not isinstance(part, Mapping):
        problems.add(name, part, "It must be a table.", f"Write it as [{name}].")
        return {}
    return read(dict(part), fields, name, problems, tables_=tables.CAMPAIGN_TABLES)


def _durations(values: dict[str, Any]) -> dict[str, Any]:
    """Seconds carry their unit in the name inside."""
    return {(f"{name}_s" if name in _DURATIONS else name): each for name, each in values.items()}


def _reentry(text: str, problems: Problems) -> tuple[str, int]:
    if text in ("never", "always"):
        return text, 0
    word, _, duration = text.partition(" ")
    if word != "after":
        remedy = did_you_mean(text, ("never", "always", "after 30d"))
        problems.add("reentry", text, "It must be never, always, or after and a duration.", remedy)
        return "never", 0
    seconds = value_of(_AFTER, duration.strip(), "reentry", problems)
    return ("after", seconds) if seconds else ("never", 0)


def _steps(table: Mapping[str, Any], content: str, problems: Problems) -> tuple[Step, ...]:
    rows = table.get("steps")
    wait = _part(table, "wait", tables.WAIT, problems)
    if rows is None:
        return (Step(content, content, wait=Wait(**_durations(wait))),) if content else ()
    for key, there in (("content", content), ("wait", wait)):
        if there:
            problems.add(
                key,
                None,
                "It stands beside steps, which have their own.",
                f"Move it into [[steps]]: {key}.",
            )
    if not isinstance(rows, list) or not all(isinstance(each, Mapping) for each in rows):
        problems.add("steps", None, "It must be a list of tables.", "Write [[steps]] before each.")
        return ()
    return tuple(
        step
        for place, row in enumerate(rows)
        if (step := _step(dict(row), place, problems)) is not None
    )


def _step(row: dict[str, Any], place: int, problems: Problems) -> Step | None:
    """A step; its wait is a duration, or a table."""
    path = f"steps[{place}]"
    values = read(row, tables.STEP, path, problems, also=("wait",), tables_=tables.CAMPAIGN_TABLES)
    wait = row.get("wait", {})
    if isinstance(wait, str):
        wait = {"for": wait}
    if not isinstance(wait, Mapping):
        problems.add(
            f"{path}.wait", wait, "It must be a duration or a table.", 'Write wait = "3d".'
        )
        wait = {}
    found = read(dict(wait), tables.WAIT, f"{path}.wait", problems, tables_=tables.CAMPAIGN_TABLES)
    if "content" not in values:
        return None
    name = values.pop("name", "") or values["content"]
    return Step(name, wait=Wait(**_durations(found)), **values)


def _sending(values: dict[str, Any], problems: Problems) -> dict[str, Any]:
    window = values.pop("window", "")
    if window:
        values["window"] = span("send.window", window, problems)
    days = []
    for each in values.pop("days", ()):
        if each in DAYS:
            days.append(DAYS.index(each))
        else:
            problems.add("send.days", each, "That is no day of the week.", did_you_mean(each, DAYS))
    return {**values, "days": tuple(sorted(days))}


def _approval(table: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Checked, and kept as it stands."""
    part = table.get("approval", {})
    if not isinstance(part, Mapping):
        problems.add("approval", part, "It must be a table.", "Write it as [approval].")
        return {}
    if "approval" in table:
        policy(part, "approval", problems, tables.CAMPAIGN_TABLES)
    return dict(part) or ({"of": "each"} if "approval" in table else {})
