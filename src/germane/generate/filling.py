"""Filling one slot: its texts, the addresses in them, what they rest on and what they claim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

from germane.domain.content import FALLBACK, LINKS, Claim, Content, Slot, Used, Variant
from germane.domain.hours import zone_of
from germane.domain.item import Item
from germane.generate import locales, markup
from germane.generate.blocks import Block, Card
from germane.generate.facts import Facts
from germane.generate.links import resolved, wrong_with
from germane.generate.liquid import Budget, Language, rendered
from germane.generate.missing import Missing, NotMeant
from germane.generate.recording import Recorder, blank, plain
from germane.generate.views import Price, field_of, globals_of

LINE_MAX = 250
"""Characters of a subject, preheader, heading, label or value, once it is filled."""


@lru_cache(maxsize=4096)
def still(slot: str, text: str) -> tuple[Used, ...]:
    """The sentences of a text that rests on nothing: it is the same for everybody."""
    return tuple(Used(slot, sentence, ()) for sentence, _ in markup.sentences(text))


@dataclass
class Pieces:
    """What comes with blocks: kept only of those that are kept."""

    used: list[Used] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)

    def add(self, other: Pieces) -> None:
        """Take another slot's along."""
        self.used += other.used
        self.claims += other.claims
        self.links += other.links
        self.items |= other.items


class Filling:
    """One message being filled: its language, its budget, its facts."""

    def __init__(self, content: Content, facts: Facts, locale: str) -> None:
        self._content, self._facts, self._locale = content, facts, locale
        settings = facts.settings
        zone: ZoneInfo = zone_of(
            facts.context.get("timezone"), facts.profile.timezone, settings.timezone
        )
        self._language = Language(locale, settings.currency, zone)
        self._budget = Budget()

    def block(
        self, slot: Slot, variant: Variant | None, items: tuple[Item, ...] | None
    ) -> tuple[Block, Pieces]:
        """A slot, filled; without a variant it is left out.

        Raises:
            Missing: it cannot be, and is to be left out.
            TemplateRefused: a text asks for too much.
        """
        if variant is None:
            raise NotMeant(slot)
        fields = variant.texts.get(self._locale) or variant.texts[self._content.default_locale]
        one = _One(self._facts, self._language, self._budget, slot.name)
        match slot.kind:
            case "text":
                marked = one.text(fields)
                found = Block(
                    slot.name,
                    slot.kind,
                    text=markup.to_text(marked, one.link),
                    html=markup.to_html(marked, one.link),
                )
            case "button":
                found = Block(
                    slot.name,
                    slot.kind,
                    text=one.short(fields),
                    url=one.link(one.address(fields["url"])),
                )
            case "image":
                found = Block(
                    slot.name,
                    slot.kind,
                    image_url=one.picture(one.address(fields["image"])),
                    alt=one.line(one.filled("alt", fields["alt"])),
                    url=one.link(one.address(fields["url"])) if fields.get("url") else "",
                )
            case "items":
                found = self._items(slot, fields, items, one)
            case _:
                found = Block(slot.name, slot.kind, text=one.short(fields))
        return found, self._pieces(one)

    def _items(
        self, slot: Slot, fields: dict[str, str], items: tuple[Item, ...] | None, one: _One
    ) -> Block:
        """Cards of the items that were decided, or of the item that the message is about."""
        own = self._facts.item
        shown = items if slot.surface else ((own,) if own is not None else ())
        if slot.surface and self._content.needs_stock:
            shown = tuple(each for each in shown or () if each.available(self._facts.now_ms))
        shown = (shown or ())[: slot.size or None]
        if not shown:
            raise Missing(slot.name, "has no items to show")
        heading = one.short(fields) if fields.get("text") else ""
        cards = tuple(self._card(item, slot, fields, one) for item in shown)
        return Block(slot.name, slot.kind, text=heading, cards=cards)

    def _card(self, item: Item, slot: Slot, fields: dict[str, str], one: _One) -> Card:
        about = _One(self._facts, self._language, self._budget, slot.name, item, one)
        title, price = about.said("title"), about.said("price")
        if not title:
            raise Missing(f"the title of {item.item_id}", "is empty")
        names = ("item.title", "item.price") if price else ("item.title",)
        about.used.append(Used(slot.name, f"{title} {price}".strip(), names))
        return Card(
            item.item_id,
            title=title,
            price=price,
            list_price=about.said("list_price") if price else "",
            image_url=about.usable(item.image_url, image=True),
            url=about.usable(item.url),
            button=about.optional(fields, "button"),
            note=about.optional(fields, "note"),
        )

    def _pieces(self, one: _One) -> Pieces:
        """With the claim that what it speaks of is to be had, where that matters."""
        if self._content.needs_stock:
            one.claims += [Claim(name, "in_stock", True, "") for name in one.items]
        return Pieces(one.used, one.claims, one.links, one.items)


class _One:
    """One slot, or one card of it."""

    def __init__(
        self,
        facts: Facts,
        language: Language,
        budget: Budget,
        slot: str,
        item: Item | None = None,
        parent: _One | None = None,
    ) -> None:
        self._facts, self._language, self._budget, self._slot = facts, language, budget, slot
        self._item = item if item is not None else facts.item
        self.used: list[Used] = parent.used if parent else []
        self.claims: list[Claim] = parent.claims if parent else []
        self.links: list[str] = parent.links if parent else []
        self.items: dict[str, Item] = parent.items if parent else {}

    def text(self, fields: dict[str, str]) -> str:
        """``text``, or its fallback where that one needs what is not there; marked."""
        return self._or_fallback(fields, lambda source: self.filled("text", source))

    def short(self, fields: dict[str, str]) -> str:
        """The same as one line, plain; a text that has become too long for one gives way, too."""
        return self._or_fallback(fields, lambda source: self.line(self.filled("text", source)))

    def _or_fallback(self, fields: dict[str, str], fill: Callable[[str], str]) -> str:
        kept = len(self.used), len(self.claims)
        try:
            return fill(fields["text"])
        except Missing:
            if not fields.get(FALLBACK):
                raise
            del self.used[kept[0] :], self.claims[kept[1] :]
            return fill(fields[FALLBACK])

    def optional(self, fields: dict[str, str], name: str) -> str:
        """A small text that may be left out by itself."""
        if not fields.get(name):
            return ""
        try:
            return self.line(self.filled(name, fields[name]))
        except Missing:
            return ""

    def filled(self, name: str, source: str) -> str:
        """A text with its values, marked; what it rests on and claims is noted."""
        if "{{" not in source and "{%" not in source:
            if name not in LINKS:
                self.used += still(self._slot, source)
            return source
        recorder = Recorder()
        names = globals_of(self._facts, self._item, recorder)
        marked = rendered(source, names, recorder, self._language, self._budget)
        if blank(plain(marked)):
            raise Missing(f"{self._slot}.{name}", "has nothing to say")
        if name not in LINKS:
            self._note(marked, recorder)
        self.claims += recorder.claims
        if self._item is not None and self._item.item_id in recorder.items:
            self.items[self._item.item_id] = self._item
        return marked

    def _note(self, marked: str, recorder: Recorder) -> None:
        for sentence, numbers in markup.sentences(marked):
            names = recorder.always.union(*(recorder.values[each] for each in numbers))
            signals = {x for name in names for x in recorder.signals.get(name, ())}
            self.used.append(
                Used(self._slot, sentence, tuple(sorted(names)), tuple(sorted(signals)))
            )

    def line(self, marked: str) -> str:
        """A text of one line.

        Raises:
            Missing: it has become too long for one.
        """
        found = " ".join(plain(marked).split())
        if len(found) > LINE_MAX:
            raise Missing(f"{self._slot}: a text of {len(found)} characters", "is too long here")
        return found

    def address(self, source: str) -> str:
        """An address with its values."""
        return resolved(self.filled("url", source))

    def link(self, url: str) -> str:
        """An address that people follow.

        Raises:
            Missing: it may not be linked to.
        """
        wrong = wrong_with(url, self._facts.spec)
        if wrong is not None:
            raise Missing(f"the link {url[:80]!r}", f"cannot be used. {wrong[0]}")
        self.links.append(url)
        return url

    def picture(self, url: str) -> str:
        """
        Raises:
            Missing: it may not be loaded from there.
        """
        wrong = wrong_with(url, self._facts.spec, image=True)
        if wrong is not None:
            raise Missing(f"the image {url[:80]!r}", f"cannot be used. {wrong[0]}")
        return url

    def usable(self, url: str, *, image: bool = False) -> str:
        """An address of the catalogue; empty where it may not be used."""
        if not url:
            return ""
        try:
            return self.picture(url) if image else self.link(url)
        except Missing:
            return ""

    def said(self, name: str) -> str:
        """A field of the item in words, and claimed; empty where there is none."""
        assert self._item is not None
        value = field_of(self._item, name, self._facts.settings)
        if value is None or value == "":
            return ""
        shown = (
            locales.money(value, value.currency, self._language.tag)
            if isinstance(value, Price)
            else " ".join(plain(str(value)).split())
        )
        plain_value = float(value) if isinstance(value, Price) else value
        self.claims.append(Claim(self._item.item_id, name, plain_value, shown))
        self.items[self._item.item_id] = self._item
        return shown
