"""How an e-mail looks: MJML built from its blocks, compiled once per shape, filled per person.

The MJML has numbered marks where values go; the same blocks in the same order give the same MJML, so that
it is compiled once and kept. Values are escaped when they are put in, and never read as MJML or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape

import mrml

from germane.generate.blocks import Block, Card
from germane.generate.facts import Facts
from germane.generate.locales import direction
from germane.generate.words import words

_MARK = re.compile(r"x(\d+)x-germane")
FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
INK, QUIET, PAPER, GROUND, BORDER = "#1c2126", "#626b74", "#ffffff", "#f3f4f6", "#c4cad1"
DARK_INK, DARK_QUIET, DARK_PAPER, DARK_GROUND = "#eceff2", "#9aa4ae", "#1d2126", "#121417"
DARK_BORDER, DARK_LINK = "#4a525b", "#8ab4ff"
COLUMNS = 2


def html(blocks: Sequence[Block], subject: str, preheader: str, locale: str, facts: Facts) -> str:
    """The HTML part: responsive, light and dark, left to right or right to left."""
    page = _Page(locale, facts)
    source = page.mjml(blocks, subject, preheader)
    statics, numbers = _skeleton(source)
    out = [statics[0]]
    for number, static in zip(numbers, statics[1:], strict=True):
        out += (page.values[number], static)
    return "".join(out)


@lru_cache(maxsize=256)
def _skeleton(source: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Compiled MJML, taken apart at its marks."""
    options = mrml.RenderOptions(fonts={})  # else it loads known fonts from another host
    made = mrml.to_html(source, render_options=options)
    parts = _MARK.split(str(made.content))
    return tuple(parts[::2]), tuple(int(each) for each in parts[1::2])


class _Page:
    """One e-mail being laid out: MJML with marks, and the values that go there."""

    def __init__(self, locale: str, facts: Facts) -> None:
        self._locale, self._facts = locale, facts
        self._direction = direction(locale)
        self._start = "right" if self._direction == "rtl" else "left"
        self.values: list[str] = []

    def mjml(self, blocks: Sequence[Block], subject: str, preheader: str) -> str:
        """The whole document."""
        body = "".join(self._block(each) for each in blocks)
        color = self._facts.spec.color
        return (
            f'<mjml lang="{escape(self._locale)}" dir="{self._direction}"><mj-head>'
            f"<mj-title>{self._put(subject)}</mj-title>"
            + (f"<mj-preview>{self._put(preheader)}</mj-preview>" if preheader else "")
            + f'<mj-attributes><mj-all font-family="{FONT}" />'
            f'<mj-text font-size="16px" line-height="1.55" color="{INK}" align="{self._start}" '
            'padding="6px 32px" />'
            f'<mj-button background-color="{color}" color="#ffffff" border-radius="8px" '
            f'font-size="16px" font-weight="600" inner-padding="13px 26px" padding="14px 32px" '
            f'align="{self._start}" />'
            '<mj-section padding="0" /><mj-wrapper padding="0" /><mj-image padding="0" /></mj-attributes>'
            '<mj-raw><meta name="color-scheme" content="light dark">'
            '<meta name="supported-color-schemes" content="light dark"></mj-raw>'
            f"<mj-style>{_style(color)}</mj-style></mj-head>"
            f'<mj-body width="600px" background-color="{GROUND}" css-class="ground">'
            f"{self._head()}"
            f'<mj-wrapper css-class="paper" background-color="{PAPER}" border-radius="14px" '
            f'padding="26px 0 30px 0">{body}</mj-wrapper>{self._foot()}</mj-body></mjml>'
        )

    def _put(self, value: str) -> str:
        """The mark of a value that is text."""
        return self._raw(escape(value, quote=True))

    def _raw(self, value: str) -> str:
        """The mark of a value that is HTML already."""
        self.values.append(value)
        return f"x{len(self.values) - 1}x-germane"

    def _head(self) -> str:
        """The sender's logo, or their name."""
        name = self._facts.spec.sender_name or self._facts.settings.project
        logo = self._facts.spec.logo
        shown = (
            f'<mj-image src="{self._put(logo)}" alt="{self._put(name)}" width="132px" '
            f'align="{self._start}" padding="0 32px" />'
            if logo
            else f'<mj-text css-class="ink" font-size="18px" font-weight="700">{self._put(name)}</mj-text>'
        )
        return _section(shown, padding="28px 0 14px 0")

    def _block(self, block: Block) -> str:
        match block.kind:
            case "heading":
                return _section(
                    '<mj-text css-class="ink" font-size="26px" line-height="1.25" font-weight="700" '
                    f'padding="8px 32px 6px 32px"><h1 class="plain">{self._put(block.text)}</h1></mj-text>'
                )
            case "text":
                return _section(f'<mj-text css-class="ink prose">{self._raw(block.html)}</mj-text>')
            case "button":
                return _section(
                    f'<mj-button href="{self._put(block.url)}">{self._put(block.text)}</mj-button>'
                )
            case "image":
                link = f'href="{self._put(block.url)}"' if block.url else ""
                return _section(
                    f'<mj-image src="{self._put(block.image_url)}" alt="{self._put(block.alt)}" {link} '
                    'border-radius="10px" fluid-on-mobile="true" padding="10px 32px" />'
                )
            case "items":
                return self._items(block)
        return ""

    def _items(self, block: Block) -> str:
        heading = (
            _section(
                '<mj-text css-class="ink" font-size="19px" font-weight="700" '
                f'padding="18px 32px 4px 32px"><h2 class="plain">{self._put(block.text)}</h2></mj-text>'
            )
            if block.text
            else ""
        )
        cards = block.cards
        if len(cards) == 1:
            return heading + self._row((cards[0],), wide=True)
        rows = [cards[n : n + COLUMNS] for n in range(0, len(cards), COLUMNS)]
        return heading + "".join(self._row(row) for row in rows)

    def _row(self, cards: Sequence[Card], *, wide: bool = False) -> str:
        """Cards beside one another; below one another on a phone."""
        width = "100%" if wide else f"{100 // COLUMNS}%"
        columns = "".join(
            f'<mj-column width="{width}" vertical-align="top" padding="8px 0">{self._card(each, wide)}'
            "</mj-column>"
            for each in cards
        )
        if not wide:
            columns += f'<mj-column width="{width}"></mj-column>' * (COLUMNS - len(cards))
        side = "0" if wide else "0 16px"
        return f'<mj-section padding="{side}" text-align="{self._start}">{columns}</mj-section>'

    def _card(self, card: Card, wide: bool) -> str:
        side = "32px" if wide else "16px"
        link = f'href="{self._put(card.url)}"' if card.url else ""
        parts = []
        if card.image_url:
            parts.append(
                f'<mj-image src="{self._put(card.image_url)}" alt="{self._put(card.title)}" {link} '
                f'border-radius="10px" fluid-on-mobile="true" padding="6px {side} 8px {side}" />'
            )
        title = self._put(card.title)
        if card.url:
            style = f"color:{INK};text-decoration:none"
            title = f'<a class="title" href="{self._put(card.url)}" style="{style}">{title}</a>'
        parts.append(
            f'<mj-text css-class="ink" font-weight="600" line-height="1.35" padding="2px {side}">'
            f"{title}</mj-text>"
        )
        if card.price:
            before = (
                f' <s class="quiet" style="color:{QUIET};font-weight:400">{self._put(card.list_price)}</s>'
                if card.list_price
                else ""
            )
            parts.append(
                f'<mj-text css-class="ink" font-size="15px" padding="2px {side}">'
                f"{self._put(card.price)}{before}</mj-text>"
            )
        if card.note:
            parts.append(
                f'<mj-text css-class="quiet" color="{QUIET}" font-size="14px" line-height="1.45" '
                f'padding="2px {side}">{self._put(card.note)}</mj-text>'
            )
        if card.button and card.url:
            parts.append(
                f'<mj-button css-class="ghost" href="{self._put(card.url)}" font-size="14px" '
                f'background-color="{PAPER}" color="{INK}" border="1px solid {BORDER}" '
                f'inner-padding="8px 16px" padding="8px {side}">{self._put(card.button)}</mj-button>'
            )
        return "".join(parts)

    def _foot(self) -> str:
        """Who sends it and from where; why, and how to end it."""
        unsubscribe, why, view = words(self._locale)
        links, spec = self._facts.links, self._facts.spec
        address = " · ".join(
            each.strip() for each in spec.sender_address.splitlines() if each.strip()
        )
        name = spec.sender_name or self._facts.settings.project
        lines = [self._put(name) + (f" · {self._put(address)}" if address else "")]
        anchors = [
            f'<a href="{self._put(url)}" class="quiet" style="color:{QUIET};text-decoration:underline">'
            f"{label}</a>"
            for label, url in (
                (view, links.view),
                (why, links.why),
                (unsubscribe, links.unsubscribe),
            )
            if url
        ]
        lines += [" &nbsp;·&nbsp; ".join(anchors)] if anchors else []
        pixel = (
            f'<mj-raw><img src="{self._put(links.pixel)}" width="1" height="1" alt="" '
            'style="display:block;width:1px;height:1px;border:0"></mj-raw>'
            if links.pixel
            else ""
        )
        shown = (
            f'<mj-text css-class="quiet" color="{QUIET}" font-size="13px" line-height="1.7">'
            f"{'<br />'.join(lines)}</mj-text>"
        )
        return _section(shown, padding="18px 0 32px 0") + pixel


def _section(inner: str, padding: str = "0") -> str:
    return f'<mj-section padding="{padding}"><mj-column>{inner}</mj-column></mj-section>'


def _style(color: str) -> str:
    """What cannot be inlined: small screens, dark screens, and the inside of texts."""
    return (
        ".plain{margin:0;font-size:inherit;line-height:inherit;font-weight:inherit}"
        ".prose p{margin:0 0 14px 0}.prose p:last-child{margin-bottom:0}"
        ".prose ul{margin:0 0 14px 0;padding-inline-start:22px}.prose li{margin:0 0 6px 0}"
        f".prose a{{color:{color}}}"
        "@media (prefers-color-scheme: dark){"
        f"body,.ground{{background-color:{DARK_GROUND} !important}}"
        f".paper,.paper>table{{background:{DARK_PAPER} !important;background-color:{DARK_PAPER} !important}}"
        f".ink div,.ink h1,.ink h2,.ink a.title{{color:{DARK_INK} !important}}"
        f".quiet div,.quiet,a.quiet,s.quiet{{color:{DARK_QUIET} !important}}"
        f".prose a{{color:{DARK_LINK} !important}}"
        f".ghost td,.ghost a{{background:{DARK_PAPER} !important;color:{DARK_INK} !important;"
        f"border-color:{DARK_BORDER} !important}}}}"
        "@media only screen and (max-width:479px){.paper{border-radius:0 !important}}"
    )
