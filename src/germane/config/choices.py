"""What only choice surfaces have: actions and features, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from germane.config import tables
from germane.config.attributes import unsure
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import misspelt, read
from germane.domain.settings import ActionSpec, AttributeSpec, SurfaceSpec, TraitSpec
from germane.domain.toml import toml_key
from germane.predict.bandit.features import PLAIN, parse

NOTHING = "nothing"
ACTIONS_MAX, FEATURES_MAX = 20, 24
TOGETHER_MAX = 160
"""Coefficients: beyond it a posterior would take more than some tens of milliseconds."""
ONLY_CHOICE = ("actions", "nothing", "features", "half_life_days")
NOT_CHOICE = ("size", "item_types", "in_stock_only", "already_bought", "horizon", "diversity_quota")
NOT_CHOICE_EITHER = ("explore_from", "default_source")
_FEATURE_HELP = (
    f"Write {', '.join(PLAIN)}, trait:NAME, trait:NAME=VALUE, interest:ATTRIBUTE=VALUE, "
    "context:NAME or context:NAME=VALUE."
)


def actions(rows: Any, path: str, problems: Problems) -> tuple[ActionSpec, ...]:
    """The tables ``[[surfaces.NAME.actions]]``."""
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        where = f"{path}.actions"
        problems.add(where, None, "It must be a list of tables.", f"Write [[{where}]] before each.")
        return ()
    out: list[ActionSpec] = []
    for place, table in enumerate(rows):
        where = f"{path}.actions[{place}]"
        values = read(table, tables.ACTION, where, problems, also=("attributes",))
        name = values.get("id")
        if name is None:
            continue
        if len(name) > 256:
            problems.add(f"{where}.id", name, "An id has at most 256 characters.", "Shorten it.")
        if name == NOTHING:
            problems.add(
                f"{where}.id",
                name,
                "That is what doing nothing is called.",
                f"Set nothing = true under [{path}] instead, or rename the action.",
            )
        if any(each.id == name for each in out):
            problems.add(f"{where}.id", name, "Two actions have this id.", "Rename one.")
        attributes = _attributes(table.get("attributes", {}), where, problems)
        out.append(ActionSpec(**values, attributes=attributes))
    return tuple(out)


def _attributes(table: Any, where: str, problems: Problems) -> dict[str, str | float | bool]:
    if isinstance(table, dict) and all(_plain(x) for x in table.values()):
        return dict(table)
    problems.add(
        f"{where}.attributes",
        None,
        "It must be a table of texts, numbers and flags.",
        'For example attributes = { theme = "sale", discount = 10 }.',
    )
    return {}


def _plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)


def check(
    surfaces: Mapping[str, SurfaceSpec],
    tables_: Mapping[str, dict[str, Any]],
    traits: Mapping[str, TraitSpec],
    attributes: Mapping[str, AttributeSpec],
    problems: Problems,
) -> None:
    """What only the whole can tell."""
    for name, surface in surfaces.items():
        path, said = f"surfaces.{name}", tables_[name]
        if problems.at(f"{path}.kind") or misspelt(said, "kind"):
            continue  # what else it may have depends on it
        if "kind" not in said and "actions" in said:
            problems.add(
                f"{path}.kind",
                None,
                "It is missing, and there are actions, which only a choice has.",
                'Add kind = "choice", or take the actions out.',
            )
            continue
        if surface.kind != "choice":
            _foreign(path, said, ONLY_CHOICE, 'It needs kind = "choice".', problems)
            continue
        unused = (*NOT_CHOICE, *NOT_CHOICE_EITHER)
        _foreign(path, said, unused, "A choice has no list of items; leave it out.", problems)
        if not misspelt(said, "actions"):
            _count(path, surface, problems)
            _default(path, surface, problems)
        for text in surface.features:
            _feature(f"{path}.features", text, traits, attributes, problems)
        for place, rule in enumerate(surface.rules):
            if rule.kind in ("pin", "boost"):
                problems.add(
                    f"{path}.rules[{place}].kind",
                    rule.kind,
                    "A choice is learned: its actions have no places and no factors.",
                    "Use include or exclude.",
                )


def _foreign(
    path: str, said: Mapping[str, Any], names: tuple[str, ...], remedy: str, problems: Problems
) -> None:
    for name in names:
        if name in said and not problems.at(f"{path}.{name}"):
            shown = None if isinstance(said[name], list | dict) else said[name]
            problems.add(
                f"{path}.{name}", shown, "It says nothing on this kind of surface.", remedy
            )


def _count(path: str, surface: SurfaceSpec, problems: Problems) -> None:
    ways = len(surface.actions) + surface.nothing
    unsure = problems.at(f"{path}.actions") or problems.at(f"{path}.nothing")
    if ways < 2 and not unsure:
        problems.add(
            f"{path}.actions",
            ways,
            "There is nothing to choose between.",
            f"Add [[{path}.actions]] with an id each, or nothing = true beside one.",
        )
    if ways > ACTIONS_MAX:
        problems.add(
            f"{path}.actions", ways, f"At most {ACTIONS_MAX} can be told apart.", "Use a grid."
        )
    if len(surface.features) > FEATURES_MAX:
        problems.add(
            f"{path}.features",
            len(surface.features),
            f"At most {FEATURES_MAX} are learned well.",
            "Keep those that may change which action is the best.",
        )
    if ways * (1 + len(surface.features)) > TOGETHER_MAX:
        problems.add(
            f"{path}.features",
            len(surface.features),
            f"Actions times features (and one) are more than {TOGETHER_MAX}: too slow to learn.",
            "Take fewer features or actions.",
        )


def _default(path: str, surface: SurfaceSpec, problems: Problems) -> None:
    if problems.at(f"{path}.actions"):
        return  # the ids are not what they are meant to be
    known = [each.id for each in surface.actions]
    for name in surface.default:
        if name == NOTHING and surface.nothing:
            problems.add(
                f"{path}.default",
                name,
                "Doing nothing has no id.",
                "Leave default out: where nothing = true, doing nothing is the default.",
            )
        elif name not in known:
            problems.add(f"{path}.default", name, "No such action.", did_you_mean(name, known))


def _feature(
    key: str,
    text: str,
    traits: Mapping[str, TraitSpec],
    attributes: Mapping[str, AttributeSpec],
    problems: Problems,
) -> None:
    try:
        found = parse(text)
    except ValueError as error:
        problems.add(key, text, str(error), _FEATURE_HELP)
        return
    lost = "traits" in problems.unsure or problems.at(f"traits.{found.name}")
    if found.kind == "trait" and found.name not in traits and not lost:
        problems.add(key, text, "No such trait is declared.", did_you_mean(found.name, traits))
    kept = [each.name for each in attributes.values() if each.interest]
    lost = unsure(found.name, problems)
    if found.kind == "interest" and found.name not in kept and not lost:
        problems.add(
            key,
            text,
            "No interests are kept in that attribute.",
            f"Set interest = true under [catalogue.attributes.{toml_key(found.name)}].",
        )
