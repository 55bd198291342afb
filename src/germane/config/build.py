"""From TOML tables to ``Settings``, checking what only the whole can tell."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from germane.config import approvals, choices, privacy, signals, surfaces, tables
from germane.config import attributes as catalogue
from germane.config.currencies import CURRENCIES
from germane.config.delivery import delivery
from germane.config.fields import Field
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import named, read, value_of
from germane.domain.settings import AttributeSpec, ProfileSpec, Settings, SignalSpec, TraitSpec

STANDARD = ("category", "categories", "brand")


def build(whole: dict[str, Any], problems: Problems, folder: Path | None = None) -> Settings:
    """Typed settings; errors are noted in ``problems``, and what is wrong is left out. ``folder``: of the
    configuration file."""
    project = read(whole.get("project", {}), tables.PROJECT, "project", problems)
    attributes = catalogue.attributes(whole.get("catalogue", {}), problems)
    said = named(whole, "signals", tables.SIGNAL, problems)
    declared = tuple(whole.get("signals", {}))
    signals.check(said, declared, problems)
    traits = _traits(whole, attributes, problems)
    profile = read(whole.get("profile", {}), tables.PROFILE, "profile", problems)
    found = {
        name: surfaces.surface(
            name, whole["surfaces"][name], values, tuple(attributes), declared, problems
        )
        for name, values in named(
            whole, "surfaces", tables.SURFACE, problems, also=("outcomes", "rules", "actions")
        ).items()
    }
    choices.check(found, whole.get("surfaces", {}), traits, attributes, problems)
    _check_zone(project.get("timezone", "UTC"), problems)
    _check_currency(project.get("currency", ""), problems)
    specs = {
        name: SignalSpec(name, **values)
        for name, values in said.items()
        if "event" in values and "item" in values
    }
    privacy.check_speech(specs, traits, problems)
    return Settings(
        project=project.get("name", "germane"),
        currency=project.get("currency", ""),
        timezone=project.get("timezone", "UTC"),
        attributes=attributes,
        signals=specs,
        traits=traits,
        surfaces=found,
        profile=ProfileSpec(**profile),
        delivery=delivery(whole.get("delivery", {}), problems),
        approvals=approvals.policies(whole.get("delivery", {}), problems),
        privacy=privacy.privacy(whole.get("privacy", {}), folder, problems),
    )


def _traits(
    whole: dict[str, Any], attributes: dict[str, AttributeSpec], problems: Problems
) -> dict[str, TraitSpec]:
    out = {}
    tables_ = named(whole, "traits", tables.TRAIT, problems, also=("values",))
    for name, values in tables_.items():
        path = f"traits.{name}"
        attribute = values.get("attribute", "")
        known = (*attributes, *STANDARD)
        if attribute and attribute not in known and not catalogue.unsure(attribute, problems):
            problems.add(
                f"{path}.attribute",
                attribute,
                "No such catalogue attribute is declared.",
                did_you_mean(attribute, known),
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
            meaning = Field(said, "texts", "List the attribute values that it points to.")
            mapping[said] = value_of(meaning, means, f"{path}.values.{said}", problems) or ()
        out[name] = TraitSpec(name, values=mapping, **values)
    return out


def _check_zone(name: str, problems: Problems) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        plain = name.lower().replace(" ", "_")
        meant = next(
            (
                x
                for x in sorted(available_timezones())
                if plain in (x.lower(), x.lower().split("/")[-1])
            ),
            None,
        )
        problems.add(
            "project.timezone",
            name,
            "No such time zone is known to tzdata.",
            f"Did you mean {meant!r}?"
            if plain and meant
            else "Write it like Europe/Berlin or UTC.",
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
