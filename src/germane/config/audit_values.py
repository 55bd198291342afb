"""The audit of what the configuration says of items against the catalogue: attributes and their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from germane.config.finding import Finding
from germane.config.problems import near
from germane.domain.item import Item
from germane.domain.settings import AttributeKind, Settings, SurfaceSpec
from germane.domain.toml import toml_key
from germane.predict.bandit.features import parse

_TYPES: dict[AttributeKind, tuple[type, ...]] = {"number": (int, float), "flag": (bool,)}
"""Of the kinds that conditions tell from texts."""


def audit_attributes(settings: Settings, catalogue: Sequence[Item]) -> list[Finding]:
    """Declared attributes that no item has, and traits that point to values that no item has; nothing
    before the first import."""
    if not catalogue:
        return []
    missing = [
        name for name in settings.attributes if not any(each.values_of(name) for each in catalogue)
    ]
    found = [_missing(name, catalogue) for name in missing]
    for name, spec in settings.attributes.items():
        found += _unfit(name, spec.kind, catalogue)
    for trait in settings.traits.values():
        if not trait.attribute or trait.attribute in missing:
            continue
        pointed = {value for values in trait.values.values() for value in values}
        for value, remedy in _unknown(trait.attribute, sorted(pointed), catalogue):
            text = f"traits.{trait.name}.values: no item has {trait.attribute} = {value!r}."
            found.append(Finding("", "values", "warning", text, remedy))
    return found


def audit_features(surface: SurfaceSpec, catalogue: Sequence[Item]) -> list[Finding]:
    """Features of a choice about an interest in what no item has: they are 0 for everyone."""
    if not catalogue:
        return []
    found = []
    for text in surface.features:
        feature = parse(text)
        if feature.kind == "interest":
            for value, remedy in _unknown(feature.name, [feature.value], catalogue):
                says = f"{text!r} is 0 for everyone: no item has {feature.name} = {value!r}."
                found.append(Finding(surface.name, "features", "warning", says, remedy))
    return found


def audit_revenue(
    surface: SurfaceSpec, settings: Settings, catalogue: Sequence[Item]
) -> list[Finding]:
    """Outcomes that are revenue, of signals that tell no price: what has none in the catalogue counts as 1."""
    bare = sum(each.price is None for each in catalogue)
    if catalogue and not bare:
        return []
    lacking = f"{bare:,} of {len(catalogue):,} items have none" if catalogue else "it is empty"
    found = []
    for outcome in surface.outcomes:
        signal = settings.signals.get(outcome.signal)
        if outcome.value_from != "revenue" or signal is None or signal.price:
            continue
        text = (
            f"The outcome {outcome.name!r} is revenue, and the signal {signal.name} tells no price: the "
            f"catalogue's counts ({lacking}), and without one each counts as 1."
        )
        remedy = (
            f'Say where the price stands: price = "price" under [signals.{toml_key(signal.name)}].'
        )
        found.append(Finding(surface.name, "revenue", "warning", text, remedy))
    return found


def _missing(name: str, catalogue: Sequence[Item]) -> Finding:
    kept = {key for each in catalogue for key in each.attributes}
    meant = near(name, sorted(kept))
    remedy = (
        f"Items have {meant!r}: import them again with --map {name}={meant}."
        if meant is not None
        else f"Fill it in the catalogue (--map {name}=COLUMN), or take the table out."
    )
    return Finding(
        "", "attributes", "warning", f"catalogue.attributes.{name}: no item has it.", remedy
    )


def _unfit(name: str, kind: AttributeKind, catalogue: Sequence[Item]) -> Iterator[Finding]:
    """A number or a flag that items hold as something else: conditions on it never hold of them."""
    types = _TYPES.get(kind)
    if types is None:
        return
    held = ((each.item_id, each.attributes.get(name)) for each in catalogue)
    wrong = [(x, value) for x, value in held if value is not None and type(value) not in types]
    if wrong:
        item_id, value = wrong[0]
        text = (
            f"catalogue.attributes.{name}: it is a {kind}, and {len(wrong):,} of {len(catalogue):,} items have "
            f"something else, as {item_id} has {str(value)[:40]!r}: no condition on it holds of them."
        )
        remedy = "Import the catalogue again, or send these items with the right type by the API."
        yield Finding("", "attributes", "warning", text, remedy)


def _unknown(
    attribute: str, wanted: Iterable[str], catalogue: Sequence[Item]
) -> Iterator[tuple[str, str]]:
    """Values that no item has, each with what to do."""
    known = {value for each in catalogue for value in each.values_of(attribute)}
    for value in wanted:
        if value not in known:
            meant = near(value, sorted(known))
            hint = f"Did you mean {meant!r}? " if meant is not None else ""
            yield value, f"{hint}Values are compared letter by letter with those of the catalogue."
