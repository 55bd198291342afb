"""The names that a template looks up, against what there is and what is speakable."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from germane.domain.near import did_you_mean
from germane.domain.settings import Settings
from germane.domain.toml import toml_key
from germane.generate.views import ITEM_FIELDS, ROOTS
from germane.privacy.categories import SPELLINGS

if TYPE_CHECKING:
    from germane.generate.liquid import Template


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with a name."""

    level: Literal["error", "warning"]
    text: str
    remedy: str


def names_in(template: Template) -> list[tuple[Any, ...]]:
    """The names that it takes from outside, as paths: ``("person", "first_name")``."""
    found = template.analyze(include_partials=False).globals
    paths = (tuple(each.segments) for uses in found.values() for each in uses)
    return list(dict.fromkeys(tuple(_frozen(x) for x in path) for path in paths))


def _frozen(segment: Any) -> Any:
    return tuple(map(_frozen, segment)) if isinstance(segment, list) else segment


def wrong_name(
    path: tuple[Any, ...], settings: Settings, attributes: Collection[str]
) -> Wrong | None:
    """What speaks against looking a name up; None where nothing does.

    Args:
        path: As ``names_in`` gives it.
        settings: What is declared and speakable.
        attributes: Names of attributes that items have.
    """
    shown = ".".join(str(each) for each in path)
    if any(isinstance(each, tuple) for each in path):
        return Wrong("error", f"{shown}: a name in brackets could be any.", "Write names out.")
    root, name = path[0], path[1] if len(path) > 1 else ""
    if root not in ROOTS:
        return Wrong("error", f"There is no {root!r}.", did_you_mean(str(root), ROOTS))
    if root != "now" and not name:
        return Wrong("error", f"{root} alone says nothing.", f"Name what of it: {root}.NAME.")
    match root:
        case "interest":
            return _interest(shown, str(name), settings)
        case "person" | "account":
            return _trait(shown, str(name), settings)
        case "item":
            return _attribute(shown, str(name), settings, attributes)
        case "project" if name != "name":
            return Wrong("error", f"There is no {shown}.", "There is project.name.")
    return None


def _muted(what: str, table: str) -> Wrong:
    return Wrong(
        "error",
        f"{what} is not speakable: it may rank, and may not be mentioned.",
        f"Take it out; or, if people may read it, set speakable = true under [{table}].",
    )


def _trait(shown: str, name: str, settings: Settings) -> Wrong | None:
    spellings = SPELLINGS.get(name, (name,))
    declared = [settings.traits[each] for each in spellings if each in settings.traits]
    if any(not each.speakable for each in declared):
        return _muted(shown, f"traits.{toml_key(declared[0].name)}")
    if declared or name in SPELLINGS:
        return None
    return Wrong(
        "warning",
        f"{shown}: no such trait is declared.",
        f"Declare it, so that it is known to be speakable: [traits.{toml_key(name)}]. "
        + did_you_mean(name, (*settings.traits, *SPELLINGS)),
    )


def _interest(shown: str, name: str, settings: Settings) -> Wrong | None:
    kept = [name for name, each in settings.attributes.items() if each.interest]
    if name not in kept:
        return Wrong("error", f"{shown}: no interests are kept of it.", did_you_mean(name, kept))
    if not settings.attributes[name].speakable:
        return _muted(shown, f"catalogue.attributes.{toml_key(name)}")
    if not any(each.speakable and each.weight > 0 for each in settings.signals.values()):
        return Wrong("error", f"{shown}: no signal is speakable.", "Set speakable = true on one.")
    return None


def _attribute(
    shown: str, name: str, settings: Settings, attributes: Collection[str]
) -> Wrong | None:
    spec = settings.attributes.get(name)
    if spec is not None and not spec.speakable:
        return _muted(shown, f"catalogue.attributes.{toml_key(name)}")
    if name in ITEM_FIELDS or name in attributes:
        return None
    known = (*ITEM_FIELDS, *attributes)
    return Wrong("error", f"Items have no {name!r}.", did_you_mean(name, known))
