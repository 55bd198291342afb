"""From TOML tables to ``Settings``, checking what only the whole can tell."""

from __future__ import annotations

import difflib
from typing import Any
from zoneinfo import ZoneInfo

from germane.config import choices, tables
from germane.config.currencies import CURRENCIES
from germane.config.fields import read
from germane.config.problems import Problems, did_you_mean
from germane.domain.errors import BadFilter
from germane.domain.settings import (
    AttributeSpec,
    OutcomeSpec,
    ProfileSpec,
    RuleSpec,
    Settings,
    SignalSpec,
    SurfaceSpec,
    TraitSpec,
)
from germane.predict.filters import Filter

STANDARD = ("category", "categories", "brand")


def build(whole: dict[str, Any], problems: Problems) -> Settings:
    """Typed settings; errors are noted in ``problems``, and what is wrong is left out."""
    project = read(whole.get("project", {}), tables.PROJECT, "project", problems)
    attributes = _attributes(whole.get("catalogue", {}), problems)
    signals = {
        name: SignalSpec(name, **values)
        for name, values in _named(whole, "signals", tables.SIGNAL, problems).items()
        if "event" in values and "item" in values
    }
    traits = _traits(whole, attributes, problems)
    profile = read(whole.get("profile", {}), tables.PROFILE, "profile", problems)
    surfaces = _surfaces(whole, tuple(attributes), signals, problems)
    choices.check(surfaces, whole.get("surfaces", {}), traits, attributes, problems)
    _check_signals(signals, problems)
    _check_zone(project.get("timezone", "UTC"), problems)
    _check_currency(project.get("currency", ""), problems)
    return Settings(
        project=project.get("name", "germane"),
        currency=project.get("currency", ""),
        timezone=project.get("timezone", "UTC"),
        attributes=attributes,
        signals=signals,
        traits=traits,
        surfaces=surfaces,
        profile=ProfileSpec(**profile),
    )


def _named(
    whole: dict[str, Any],
    section: str,
    fields: Any,
    problems: Problems,
    also: tuple[str, ...] = (),
) -> dict[str, dict[str, Any]]:
    """The tables ``[section.NAME]``."""
    out = {}
    for name, table in whole.get(section, {}).items():
        if not isinstance(table, dict):
            problems.add(
                f"{section}.{name}",
                table,
                "It must be a table.",
                f"Write it as [{section}.{name}].",
            )
            continue
        out[name] = read(table, fields, f"{section}.{name}", problems, also)
    return out


def _attributes(catalogue: dict[str, Any], problems: Problems) -> dict[str, AttributeSpec]:
    for name in catalogue:
        if name != "attributes":
            problems.add(
                f"catalogue.{name}",
                None,
                "There is no such setting here.",
                "Attributes are tables: [catalogue.attributes.NAME].",
            )
    named = _named(
        {"catalogue.attributes": catalogue.get("attributes", {})},
        "catalogue.attributes",
        tables.ATTRIBUTE,
        problems,
    )
    found = {name: AttributeSpec(name, **values) for name, values in named.items()}
    diverse = [name for name, spec in found.items() if spec.diversity]
    if found and len(diverse) != 1:
        problems.add(
            "catalogue.attributes",
            diverse or None,
            "Exactly one attribute must have diversity = true.",
            "Set it on the attribute that says what kind of thing an item is, usually category.",
        )
    return found


def _traits(
    whole: dict[str, Any], attributes: dict[str, AttributeSpec], problems: Problems
) -> dict[str, TraitSpec]:
    out = {}
    named = _named(whole, "traits", tables.TRAIT, problems, also=("values",))
    for name, values in named.items():
        path = f"traits.{name}"
        attribute = values.get("attribute", "")
        if attribute and attribute not in attributes and attribute not in STANDARD:
            problems.add(
                f"{path}.attribute",
                attribute,
                "No such catalogue attribute is declared.",
                did_you_mean(attribute, (*attributes, *STANDARD)),
            )
        mapping: dict[str, tuple[str, ...]] = {}
        raw = whole["traits"][name].get("values", {})
        if not isinstance(raw, dict):
            problems.add(
                f"{path}.values",
                raw,
                "It must be a table.",
                'Write trait value = ["attribute value", ...].',
            )
            raw = {}
        for said, means in raw.items():
            if isinstance(means, list) and all(isinstance(each, str) for each in means):
                mapping[said] = tuple(means)
            else:
                problems.add(
                    f"{path}.values.{said}",
                    means,
                    "It must be a list of texts.",
                    "List the attribute values that this trait value points to.",
                )
        out[name] = TraitSpec(name, values=mapping, **values)
    return out


def _surfaces(
    whole: dict[str, Any],
    attributes: tuple[str, ...],
    signals: dict[str, SignalSpec],
    problems: Problems,
) -> dict[str, SurfaceSpec]:
    out = {}
    named = _named(
        whole, "surfaces", tables.SURFACE, problems, also=("outcomes", "rules", "actions")
    )
    for name, values in named.items():
        table, path = whole["surfaces"][name], f"surfaces.{name}"
        expires = values.pop("expires", None)
        if expires is not None:
            values["expires_s"] = expires
        actions = choices.actions(table.get("actions", []), path, problems)
        out[name] = SurfaceSpec(
            name,
            **values,
            actions=actions,
            outcomes=_outcomes(table.get("outcomes", []), path, signals, problems),
            rules=_rules(table.get("rules", []), path, attributes, problems),
        )
    return out


def _outcomes(
    rows: Any, path: str, signals: dict[str, SignalSpec], problems: Problems
) -> tuple[OutcomeSpec, ...]:
    out, names = [], set()
    for place, table in enumerate(_list(rows, f"{path}.outcomes", problems)):
        where = f"{path}.outcomes[{place}]"
        values = read(table, tables.OUTCOME, where, problems)
        signal, name = values.get("signal"), values.get("name")
        if signal is not None and signal not in signals:
            problems.add(
                f"{where}.signal",
                signal,
                "No such signal is declared.",
                did_you_mean(signal, signals),
            )
        if name in names:
            problems.add(f"{where}.name", name, "Two outcomes have this name.", "Rename one.")
        names.add(name)
        if {"name", "signal", "window"} <= values.keys():
            values["window_s"] = values.pop("window")
            out.append(OutcomeSpec(**values))
    return tuple(out)


def _rules(
    rows: Any, path: str, attributes: tuple[str, ...], problems: Problems
) -> tuple[RuleSpec, ...]:
    out = []
    for place, table in enumerate(_list(rows, f"{path}.rules", problems)):
        where = f"{path}.rules[{place}]"
        values = read(table, tables.RULE, where, problems)
        kind = values.get("kind")
        if kind is None:
            continue
        if kind == "pin" and not values.get("items"):
            problems.add(
                f"{where}.items",
                None,
                "A pin needs the items it is about.",
                'Add items = ["SKU"] and position = 0.',
            )
        elif kind != "pin" and not values.get("when") and not values.get("items"):
            problems.add(where, None, "The rule is about nothing.", "Add when or items.")
        if values.get("when"):
            try:
                Filter(values["when"], attributes)
            except BadFilter as error:
                problems.add(f"{where}.when", values["when"], error.message, error.hint)
        if kind != "pin":
            values.pop("position", None)
        out.append(RuleSpec(**values))
    return tuple(out)


def _list(rows: Any, path: str, problems: Problems) -> list[dict[str, Any]]:
    if isinstance(rows, list) and all(isinstance(each, dict) for each in rows):
        return rows
    problems.add(path, None, "It must be a list of tables.", f"Write [[{path}]] before each.")
    return []


def _check_signals(signals: dict[str, SignalSpec], problems: Problems) -> None:
    for name, spec in signals.items():
        if spec.weight == 0:
            problems.add(
                f"signals.{name}.weight",
                0,
                "A weight of 0 says nothing.",
                "Leave the signal out, or give it a weight above or below 0.",
            )
        if spec.cancels and spec.cancels not in signals:
            problems.add(
                f"signals.{name}.cancels",
                spec.cancels,
                "No such signal is declared.",
                did_you_mean(spec.cancels, signals),
            )
        if not spec.item.startswith(("properties.", "context.", "traits.")):
            problems.add(
                f"signals.{name}.item",
                spec.item,
                "The path begins nowhere.",
                "Begin it with properties., for example properties.product_id.",
            )


def _check_zone(name: str, problems: Problems) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        problems.add(
            "project.timezone",
            name,
            "No such time zone is known.",
            "Use a tzdata name such as Europe/Berlin.",
        )


def _check_currency(code: str, problems: Problems) -> None:
    if not code or code in CURRENCIES:
        return
    near = difflib.get_close_matches(code.upper(), sorted(CURRENCIES), 1)
    problems.add(
        "project.currency",
        code,
        "It is no currency code of ISO 4217: three capital letters.",
        f"Did you mean {near[0]!r}?" if near else "Write it like EUR, USD or GBP.",
    )
