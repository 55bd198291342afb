"""``preview``: content rendered for a real person or a made-up one, and what each sentence rests on."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from germane.cli import common
from germane.cli.asking import there
from germane.cli.contents import chosen_variants, folder_of, made_up
from germane.domain.decision import Ask
from germane.domain.errors import StorageBusy, UnknownItem, UnknownPerson, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.domain.content import Content, Rendered, Slot
    from germane.domain.item import Item
    from germane.domain.profile import Profile
    from germane.domain.settings import Settings
    from germane.generate.facts import Facts

SAMPLES = 4
NOBODY = "a:made-up"


class Wanted(NamedTuple):
    """What was asked for on the command line."""

    content: str
    person: str = ""
    made_up: str = ""
    item: str = ""
    locale: str = ""
    variants: tuple[str, ...] = ()
    folder: Path | None = None
    html: Path | None = None
    open: bool = False


class Shown(NamedTuple):
    """What was rendered."""

    content: Content
    rendered: Rendered
    chosen: dict[str, str]
    note: str
    warnings: tuple[str, ...] = ()


def run(wanted: Wanted, config: Path, data: Path | None, *, as_json: bool) -> int:
    """Render and show. Nothing is stored, sent, decided or learned."""
    shown = shown_for(wanted, config, data)
    if wanted.html is not None:
        if not shown.rendered.html:
            raise WrongUse(
                f"{wanted.content} is no e-mail: it has no page.", hint="Leave --html out."
            )
        wanted.html.write_text(shown.rendered.html, encoding="utf-8")
        if wanted.open:
            webbrowser.open(wanted.html.resolve().as_uri())
    if as_json:
        common.print_json(as_dict(shown))
    else:
        _print(shown, wanted)
    return 0


def shown_for(wanted: Wanted, config: Path, data: Path | None) -> Shown:
    """The content, rendered.

    Raises:
        GermaneError: no such content, person, item or variant; or it cannot be said to this person.
    """
    from germane.config.contents import find_content, load_content
    from germane.domain.content import Chosen
    from germane.generate.eligible import pick
    from germane.generate.facts import Facts, Links
    from germane.generate.render import render

    content = load_content(find_content(folder_of(config, wanted.folder), wanted.content))
    asked = chosen_variants(wanted.variants)
    content = _with_drafts(content, asked)
    loaded = common.load(config)
    lists = [each for each in content.slots if each.surface]
    with _engine(config, data, ranks=bool(lists and wanted.person)) as (engine, ranks):
        profile, note = _profile(wanted, engine)
        items = dict(engine.catalogue) if engine is not None else {}
        now_ms = engine.world.now_ms() if engine is not None else _now_ms()
        item, told = _item(
            wanted, items, profile, lambda x: not content.needs_stock or x.available(now_ms)
        )
        facts = Facts(
            settings=loaded.settings,
            profile=profile,
            now_ms=now_ms,
            spec=loaded.runtime.content,
            item=item,
            locales=(wanted.locale,) if wanted.locale else (),
            links=Links(
                unsubscribe="https://example.invalid/unsubscribe",
                why="https://example.invalid/why",
            ),
        )
        chosen = pick(content, facts, asked)
        listed = {
            each.name: _listed(each, profile, engine, facts, None if ranks else (config, data))
            for each in lists
        }
    rendered = render(content, Chosen(chosen, listed), facts)
    said = " ".join(x for x in (note, told) if x)
    return Shown(content, rendered, chosen, said, _undeclared(wanted, loaded.settings))


def _undeclared(wanted: Wanted, settings: Settings) -> tuple[str, ...]:
    """Traits of a made-up person that nobody declared: most likely slips of the pen."""
    from germane.domain.near import near
    from germane.domain.toml import toml_key
    from germane.privacy.categories import SPELLINGS

    known = {*settings.traits, *(name for each in SPELLINGS.values() for name in each)}
    found = []
    for name in () if wanted.person else made_up(wanted.made_up):
        if name not in known:
            meant = near(name, known)
            hint = (
                f"Did you mean {meant!r}?" if meant else f"Declare it: [traits.{toml_key(name)}]."
            )
            found.append(f"No trait {name!r} is declared. {hint}")
    return tuple(found)


def _with_drafts(content: Content, asked: Mapping[str, str]) -> Content:
    """A preview shows drafts that are asked for by name, too.

    Raises:
        WrongUse: there is no such slot.
    """
    from msgspec.structs import replace

    from germane.domain.near import did_you_mean

    names = [each.name for each in content.slots]
    for name in asked:
        if name not in names:
            raise WrongUse(f"There is no slot {name!r}.", hint=did_you_mean(name, names))
    slots = tuple(
        replace(
            slot,
            variants=tuple(
                replace(each, approved=each.approved or asked.get(slot.name) == each.id)
                for each in slot.variants
            ),
        )
        for slot in content.slots
    )
    return replace(content, slots=slots)


@contextmanager
def _engine(
    config: Path, data: Path | None, *, ranks: bool
) -> Iterator[tuple[Engine | None, bool]]:
    """The data folder, if there is one; and whether it can rank here (a server may have it)."""
    folder = common.data_dir(common.load(config), config, data)
    if not (folder / "germane.db").exists():
        yield None, False
        return
    with ExitStack() as stack:
        if ranks:
            try:
                engine = stack.enter_context(common.opened(config, data, mode="write"))
            except StorageBusy:
                ranks = False
        if not ranks:
            engine = stack.enter_context(common.opened(config, data, mode="read"))
        yield engine, ranks


def _now_ms() -> int:
    import time

    return int(time.time() * 1000)


def _profile(wanted: Wanted, engine: Engine | None) -> tuple[Profile, str]:
    """A real person's profile, or one of the traits that were named."""
    from germane.domain.profile import Profile, Trait

    if wanted.person:
        profile = engine.profile(wanted.person) if engine is not None else None
        if profile is None:
            raise UnknownPerson(f"Nothing is known about {wanted.person!r}.")
        return profile, ""
    traits = made_up(wanted.made_up)
    made = Profile(NOBODY, traits={name: Trait(value, 0) for name, value in traits.items()})
    return made, "A made-up person." if traits else "A made-up person of whom nothing is known."


def _item(
    wanted: Wanted, items: Mapping[str, Item], profile: Profile, able: Callable[[Item], bool]
) -> tuple[Item | None, str]:
    """The item that it is about: the named one, else the person's latest, else any; of these one that
    content may speak of, if there is one."""
    if wanted.item:
        if wanted.item not in items:
            raise UnknownItem(f"The catalogue has no item {wanted.item!r}.")
        return items[wanted.item], ""
    for each in reversed(profile.recent):
        if each.item_id in items and able(items[each.item_id]):
            return items[each.item_id], f"About {each.item_id}, the latest item of this person."
    first = next((each for each in items.values() if able(each)), None)
    if first is not None:
        return first, f"About {first.item_id}, any item; --item names another one."
    first = next(iter(items.values()), None)
    if first is None:
        return None, "No catalogue was imported: nothing can be said of items."
    return first, f"About {first.item_id}; no item is to be had. --item names another one."


def _listed(
    slot: Slot,
    profile: Profile,
    engine: Engine | None,
    facts: Facts,
    server: tuple[Path, Path | None] | None,
) -> tuple[Item, ...]:
    """What the surface would answer; a look that leaves no trace. For somebody made up: any items.

    ``server``: configuration and data folder of the one that has the data folder, where it must be asked.
    """
    if engine is None or slot.surface not in engine.settings.surfaces:
        return ()
    items = engine.catalogue
    if profile.person == NOBODY:
        return tuple(x for x in items.values() if x.available(facts.now_ms))[: slot.size or SAMPLES]
    kind, _, key = profile.person.partition(":")
    if server is not None:
        asked: dict[str, Any] = {"surface": slot.surface}
        asked |= {"size": slot.size} if slot.size else {}
        who = {"userId": key} if kind == "u" else {"anonymousId": key}
        body = {"person": who, "surfaces": [asked], "record": False}
        answer = there(*server, "/v1/decide", body)
        ids = [each["itemId"] for each in answer["decisions"][0]["items"]]
    else:
        ask = Ask(slot.surface, size=slot.size or None)
        who_here = (key, "") if kind == "u" else ("", key)
        decisions, _ = engine.decide(*who_here, "", [ask], record=False)
        ids = [each.item_id for each in decisions[0].items]
    return tuple(items[each] for each in ids if each in items)


def as_dict(shown: Shown) -> dict[str, Any]:
    """For programs: camelCase, as the API has it."""
    import msgspec

    rendered = shown.rendered
    return {
        "contentId": rendered.content_id,
        "version": rendered.version,
        "channel": rendered.channel,
        "locale": rendered.locale,
        "chosen": shown.chosen,
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "text": rendered.text,
        "html": rendered.html,
        "payload": rendered.payload,
        "used": [msgspec.to_builtins(each) for each in rendered.used],
        "claims": [
            {"itemId": x.item_id, "field": x.field, "value": x.value, "shown": x.shown}
            for x in rendered.claims
        ],
        "dropped": [msgspec.to_builtins(each) for each in rendered.dropped],
        "links": list(rendered.links),
        "note": shown.note,
        "warnings": list(shown.warnings),
    }


def _print(shown: Shown, wanted: Wanted) -> None:
    from rich.markup import escape

    rendered, out = shown.rendered, common.console()
    out.print(
        f"[bold]{escape(rendered.content_id)}[/]  {rendered.channel}  {rendered.locale}  "
        f"version {rendered.version}"
    )
    if shown.note:
        out.print(f"[dim]{escape(shown.note)}[/]")
    for warning in shown.warnings:
        out.print(f"[yellow]![/] {escape(warning)}")
    if rendered.subject:
        out.print(f"\nSubject    [bold]{escape(rendered.subject)}[/]")
    if rendered.preheader:
        out.print(f"Preheader  {escape(rendered.preheader)}")
    if rendered.text:
        out.print(f"\n{escape(rendered.text)}")
    if rendered.payload:
        out.print()
        common.print_json(rendered.payload)
    _print_used(shown)
    for each in rendered.dropped:
        out.print(f"[yellow]Left out[/] {escape(each.slot)}: {escape(each.reason)}.")
    if wanted.html is not None:
        out.print(f"Written: {wanted.html}")


def _print_used(shown: Shown) -> None:
    """Sentence by sentence: what it rests on."""
    from rich.markup import escape

    out = common.console()
    out.print("[bold]What each sentence rests on[/]")
    for each in shown.rendered.used:
        variant = shown.chosen.get(each.slot, "")
        rests = ", ".join(each.names) or "nothing personal"
        if each.signals:
            rests += f" (from {', '.join(each.signals)})"
        sentence = each.sentence if len(each.sentence) <= 70 else each.sentence[:69] + "…"
        out.print(f"  [dim]{escape(f'{each.slot}.{variant}'):<18}[/] {escape(sentence)}")
        out.print(f"  {'':<18} [dim]{escape(rests)}[/]")
    out.print()
