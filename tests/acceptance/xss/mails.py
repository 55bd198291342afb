"""E-mails through the real rendering, with payloads in all that goes into them. A mail program has no policy
of ours, and ``germane preview --html`` writes the same HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from germane.deliver import tracking
from germane.domain.content import Chosen, Content, Slot
from germane.domain.errors import GermaneError
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.links import LinkKeys
from germane.domain.profile import Profile, Trait
from germane.domain.sending import Outgoing
from germane.generate import layout
from germane.generate.active import active
from germane.generate.facts import Facts, Links
from germane.generate.render import render
from germane.testing import a_shop
from germane.testing.contents import HOSTS, a_content, a_slot
from germane.testing.world import START_MS
from germane.testing.xss import Document
from tests.acceptance.xss.checking import Sink

CHUNK = 40
_CARDS = a_slot(
    "cards",
    "items",
    "For you",
    surface="home",
    note="{{ item.category }}",
    button="{{ item.colour }}",
    size=CHUNK,
)
_KEYS = LinkKeys([b"secret"])
_VALUES = ("person", "account", "event", "context")
_PROJECT = replace(a_shop(), project="Shop")


def _slots(count: int) -> Iterator[Slot]:
    for n in range(count):
        said = [f"{{{{ {root}.p{n} }}}}" for root in _VALUES]
        yield a_slot(f"h{n}", "heading", said[0])
        lines = [f"{each} **{each}** [{each}](https://shop.example/{each})" for each in said]
        yield a_slot(f"t{n}", "text", "\n\n".join([*lines, *(f"- {each}" for each in said)]))
        yield a_slot(f"l{n}", "text", f"[x]({said[0]})", fallback="no address")
        value = said[2]
        web = f"https://shop.example/{value}"
        yield a_slot(f"b{n}", "button", value, url=f"{web}?x={value}#{value}")
        yield a_slot(f"c{n}", "button", "Go", url=value)
        yield a_slot(f"i{n}", "image", image=web, alt=value, url=web)
        yield a_slot(f"j{n}", "image", image=value, alt=value, url=value)


def _items(texts: Sequence[str]) -> tuple[Item, ...]:
    return tuple(
        Item(
            f"i{each}",
            title=each,
            category=each,
            brand=each,
            price=1.0,
            currency="EUR",
            url=each,
            image_url=each,
            attributes={"colour": each, "list_price": 9},
        )
        for each in texts
    )


def _facts(texts: Sequence[str]) -> Facts:
    named: dict[str, Any] = {f"p{n}": each for n, each in enumerate(texts)}
    traits = {name: Trait(each, START_MS) for name, each in named.items()}
    return Facts(
        _PROJECT,
        Profile("u:ann", traits=traits),
        START_MS,
        HOSTS,
        account=Profile("g:acme", traits=traits),
        event=Event("e", "track", START_MS, name="Thing Done", properties=named),
        context=named,
    )


def _sent(html: str) -> str:
    """As it goes out: links counted, a pixel."""
    outgoing = Outgoing(
        message_id="m", person="u:ann", html=html, unsubscribe_url="https://g.example/u/x"
    )
    return tracking.tracked(outgoing, _KEYS, "https://g.example")


def values(texts: Sequence[str]) -> Iterator[Document]:
    """Data, through templates."""
    for start in range(0, len(texts), CHUNK):
        some = texts[start : start + CHUNK]
        content = a_content(*_slots(len(some)), _CARDS)
        made = render(content, Chosen(items={"cards": _items(some)}), _facts(some))
        yield Document(f"mail-{start}", _sent(made.html))


def around(texts: Sequence[str]) -> list[Document]:
    """What stands around the blocks, and blocks as they are laid out, whatever they hold."""
    joined = " ".join(texts)
    spec = replace(HOSTS, sender_name=joined, sender_address=joined, logo=joined)
    links = Links(unsubscribe=joined, why=joined, view=joined, pixel=joined)
    facts = replace(_facts(texts[:1]), spec=spec, links=links)
    named = replace(
        facts, spec=replace(spec, sender_name=""), settings=replace(_PROJECT, project=joined)
    )
    return [
        Document("around", layout.html([], joined, joined, "en", facts)),
        Document(
            "around-without-a-logo",
            layout.html(
                [], joined, joined, "ar", replace(named, spec=replace(named.spec, logo=""))
            ),
        ),
    ]


def written(texts: Sequence[str]) -> list[Document]:
    """What an author wrote, where it can be rendered at all."""
    found = []
    for start in range(0, len(texts), CHUNK):
        slots = [
            replace(slot, name=f"{slot.name}{n}")
            for n, each in enumerate(texts[start : start + CHUNK])
            for slot in (
                a_slot("heading", "heading", each),
                a_slot("text", "text", each),
                a_slot("button", "button", each, url="https://shop.example/"),
                a_slot("led", "button", "Go", url=each),
                a_slot("image", "image", image="https://shop.example/x.png", alt=each),
                a_slot("loaded", "image", image=each, alt="x"),
            )
            if _renders(a_content(slot))
        ]
        if slots:
            made = render(a_content(*slots), Chosen(), _facts([]))
            found.append(Document(f"author-{start}", _sent(made.html)))
    return found


def _renders(content: Content) -> bool:
    try:
        return bool(render(content, Chosen(), _facts([])).html)
    except GermaneError:
        return False


def edited(texts: Sequence[str]) -> list[Document]:
    """A mail that an approver rewrote, with whatever of it is not refused."""
    taken = [each for each in texts if not active(f"<p>{each}</p>")]
    cells = "".join(f"<div>{each}</div>" for each in taken)
    # What only leaves something open would hide what stands behind it: both ways round.
    back = "".join(f"<div>{each}</div>" for each in reversed(taken))
    return [Document("edited", f"<p>Dear Ann,</p>{cells}"), Document("edited-back", back)]


SINKS = (
    Sink(
        "mail, data",
        (
            *(
                f"{root} {where}"
                for root in _VALUES
                for where in ("in a text", "in strong words", "in a link", "in a list")
            ),
            "heading",
            "address of a link",
            "text of a button",
            "part of an address",
            "address of a button",
            "part of a picture's address",
            "alt text",
            "picture",
            "item title",
            "item category",
            "item attribute",
            "item url",
            "item image",
            "text of a card's button",
        ),
        values,
        shaped=2,
    ),
    Sink(
        "mail, around",
        (
            "subject",
            "preheader",
            "sender",
            "postal address",
            "logo",
            "project",
            "unsubscription",
            "why",
            "view",
            "pixel",
        ),
        around,
    ),
    Sink(
        "mail, author's words",
        ("heading", "text", "button", "its address", "picture", "alt text"),
        written,
        shaped=0,
    ),
    Sink("mail, rewritten by an approver", ("html",), edited, shaped=0, pictures=True),
)
