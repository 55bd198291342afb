"""The names in the ``when`` of a variant, against what there is: one that nobody has is never true, and
the variant is for nobody. Only the text is looked at, so it does not matter what evaluates it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from germane.domain.content import Content, Slot, Variant
from germane.domain.expressions import bare
from germane.domain.near import did_you_mean
from germane.domain.settings import Settings
from germane.domain.toml import toml_key
from germane.generate.seeing import Wrong

PROFILE = (
    "evidence", "readiness", "locale", "timezone", "account", "traits", "interests",
    "firstSeenDays", "lastSeenDays",
)  # fmt: skip
"""What ``eligible.seen`` gives."""
CAMPAIGNS = ("known", "typicalPrice", "consent", "counts")
"""What only the conditions of campaigns have, beside these."""
ACCOUNT = ("id", "traits")
"""What ``eligible.seen_account`` gives."""
_ROOT = re.compile(r"(?<![\w.])(profile|account|chosen)(?!\w)")
_STEP = re.compile(r"\s*\.\s*([A-Za-z_]\w*)(?!\w|\s*\()|\s*\[\s*\"( *)\"\s*\]")
_IS = re.compile(r"\s*[!=]=\s*\"( *)\"")
_IS_BEFORE = re.compile(r"\"( *)\"\s*[!=]=\s*$")
_AMONG = re.compile(r"\s*in\s*\[([\s,\"]*)\]")
_TEXT = re.compile(r"\"( *)\"")


def wrong_names(content: Content, slot: Slot, variant: Variant, settings: Settings) -> list[Wrong]:
    """What is wrong with the names in the ``when`` of a variant: each once, in their order."""
    plain = bare(variant.when)
    found: list[Wrong] = []
    for path, start, end in _paths(variant.when, plain):
        if path[0] == "chosen":
            texts = list(_compared(variant.when, plain, start, end))
            found += _of_chosen(path, texts, content, slot)
        elif path[0] == "profile":
            found += _of_profile(path, settings)
        else:
            found += _of_account(path, settings)
    return list(dict.fromkeys(found))


def _paths(source: str, plain: str) -> Iterator[tuple[list[str], int, int]]:
    """Dotted names, where each begins and where it ends; ``a["b"]`` is ``a.b``."""
    for root in _ROOT.finditer(plain):
        path, end = [root[1]], root.end()
        while step := _STEP.match(plain, end):
            place = 1 if step[1] else 2
            path.append(_text(source, step, place))
            end = step.end()
        yield path, root.start(), end


def _compared(source: str, plain: str, start: int, end: int) -> Iterator[str]:
    """The texts that a name is compared with."""
    for found in (_IS.match(plain, end), _IS_BEFORE.search(plain[:start])):
        if found:
            yield _text(source, found)
    among = _AMONG.match(plain, end)
    if among:
        for each in _TEXT.finditer(plain, among.start(1), among.end(1)):
            yield _text(source, each)


def _text(source: str, found: re.Match[str], place: int = 1) -> str:
    """What stands there; of a text with a prefix (``r"a"``) the blanks begin with its quote."""
    return source[found.start(place) : found.end(place)].lstrip("\"'")


def _of_profile(path: list[str], settings: Settings) -> Iterator[Wrong]:
    match path[1:]:
        case [name, *_] if name not in PROFILE:
            remedy = f"Only campaigns have it: ask there, or take {', '.join(PROFILE)}."
            remedy = remedy if name in CAMPAIGNS else did_you_mean(name, PROFILE)
            yield _error(f"profile has no {name!r} here.", remedy)
        case ["traits", name, *_]:
            yield from _of_traits("profile.traits", name, settings)
        case ["interests", name, *_]:
            kept = [each.name for each in settings.attributes.values() if each.interest]
            if name not in kept:
                remedy = _meant(
                    name,
                    kept,
                    f"Set interest = true under [catalogue.attributes.{toml_key(name)}].",
                )
                yield _error(f"profile.interests has no {name!r}.", remedy)


def _of_account(path: list[str], settings: Settings) -> Iterator[Wrong]:
    match path[1:]:
        case [name, *_] if name not in ACCOUNT:
            yield _error(f"account has no {name!r}.", did_you_mean(name, ACCOUNT))
        case ["traits", name, *_]:
            yield from _of_traits("account.traits", name, settings)


def _of_traits(where: str, name: str, settings: Settings) -> Iterator[Wrong]:
    if name not in settings.traits:
        remedy = _meant(name, settings.traits, f"Declare it: [traits.{toml_key(name)}].")
        yield _error(f"{where} has no {name!r}.", remedy)


def _of_chosen(path: list[str], texts: list[str], content: Content, slot: Slot) -> Iterator[Wrong]:
    if len(path) == 1:
        return
    names = [each.name for each in content.slots]
    earlier = names[: names.index(slot.name)]
    name = path[1]
    if name not in earlier:
        if name in names:
            remedy = f"Put it before {slot.name}: what comes later is not chosen yet."
            yield _error(f"chosen.{name}: that slot does not come earlier.", remedy)
        else:
            yield _error(f"chosen has no {name!r}.", _earlier(name, earlier))
        return
    known = [each.id for each in content.slots[names.index(name)].variants]
    for text in texts:
        if text and text not in known:  # it is empty where the slot is left out
            yield _error(f"Slot {name} has no variant {text!r}.", did_you_mean(text, known))


def _earlier(name: str, earlier: Collection[str]) -> str:
    return did_you_mean(name, earlier) if earlier else "No slot comes earlier."


def _meant(name: str, known: Collection[str], otherwise: str) -> str:
    hint = did_you_mean(name, known)
    return hint if hint.startswith("Did") else otherwise


def _error(text: str, remedy: str) -> Wrong:
    return Wrong("error", text, remedy)
