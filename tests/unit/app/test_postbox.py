"""Delivery as it is configured: links of our own, and the log for a CRM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.answers import event_of, item_of
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.postbox import Postbox
from germane.app.rebuild import rebuild
from germane.config.channels import ChannelsSpec, LinksSpec, WebhookSpec
from germane.deliver.tracking import prepared
from germane.domain.answer import Answer, AnswerKind
from germane.domain.links import LinkKeys
from germane.domain.sending import Outgoing
from germane.domain.settings import SignalSpec
from germane.ingest.signals import Extractor
from germane.testing import an_event, an_item
from germane.testing.world import START_MS
from tests.unit.app.test_posting import FakeChannel, a_message, in_a_loop, introduced, planned

LINKS = LinksSpec(base_url="https://go.shop.example")
MAIL_CLICK = SignalSpec("mail", "Email Link Clicked", "properties.item_id")
CRM = WebhookSpec(name="crm", url="https://crm.example/hook")


def post_of(engine: Engine, **spec: Any) -> Postbox:
    """With links of our own."""
    return Postbox(engine, ChannelsSpec(links=LINKS, **spec))


async def delivered(engine: Engine, post: Postbox, **channels: FakeChannel) -> None:
    """Everything that is due is sent."""
    logged = post.logged if post.spec.crm is not None else None
    made = Delivery(engine, channels, post.written, addresses=post.addresses, sent=logged)
    await made.idle()


async def due(engine: Engine) -> None:
    """One message that may go out."""
    await introduced(engine)
    await engine.move([planned(a_message())])


def test_a_mail_has_its_way_out(engine: Engine) -> None:
    """The address in the header opens to this message, this person and this purpose."""
    post, mail = post_of(engine), FakeChannel()

    async def work() -> None:
        await due(engine)
        await delivered(engine, post, email=mail)

    in_a_loop(engine, work)
    (sent,) = mail.sent
    token = sent.unsubscribe_url.removeprefix("https://go.shop.example/u/")
    link = LinkKeys([engine.key]).open(token, "u")
    assert link is not None
    assert (link.message_id, link.person, link.purpose) == (
        sent.message_id,
        "u:u1",
        "email_marketing",
    )
    assert post.addresses(a_message()).unsubscribe == sent.unsubscribe_url


def test_a_mail_tells_why(engine: Engine) -> None:
    """An address in its foot that opens to this message and person, and is not counted as a click; mail that
    everybody gets has none."""
    post = post_of(engine)
    message = a_message()
    url = post.addresses(message).why
    link = LinkKeys([engine.key]).open(url.removeprefix("https://go.shop.example/w/"), "w")
    assert link is not None
    assert (link.message_id, link.person) == (message.message_id, "u:u1")
    assert LinkKeys([engine.key]).open(url.removeprefix("https://go.shop.example/w/"), "u") is None
    receipt = replace(message, purpose="transactional")
    assert not post.addresses(receipt).why
    assert post.addresses(replace(receipt, decisions=("d",))).why
    page = f'<a href="{url}">Why?</a><a href="https://shop.example/">Shop</a>'
    made = Outgoing(message_id="m", person="u:u1", html=page, purpose="news")
    sent = prepared(made, LinkKeys([engine.key]), "https://go.shop.example", track=True).html
    assert url in sent
    assert sent.count("/c/") == 1


def test_the_crm_hears_of_everything_once(engine: Engine) -> None:
    """That a message went out, and what came back: by a message of its own that is never lost."""
    post, mail, crm = post_of(engine, crm=CRM), FakeChannel(), FakeChannel()

    async def work() -> None:
        await due(engine)
        await delivered(engine, post, email=mail, crm=crm)
        answer = Answer(
            kind="clicked",
            source="links",
            key="1",
            at_ms=START_MS,
            message_id=mail.sent[0].message_id,
            person="u:u1",
            judged="person",
        )
        for _ in range(2):
            await post.answers([answer])
        await delivered(engine, post, email=mail, crm=crm)

    in_a_loop(engine, work)
    assert [each.payload["type"] for each in crm.sent] == [
        "germane.message.sent",
        "germane.message.clicked",
    ]
    assert crm.sent[0].payload["data"]["messageId"] == mail.sent[0].message_id
    message = engine.moving.message(engine.tenant, mail.sent[0].message_id)
    assert message is not None
    assert message.clicked_ms == START_MS
    assert rebuild(engine).equal


def test_a_click_names_its_item(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the link leads to, or that the message is about; a choice's actions are no items."""
    shop = "https://shop.example"
    with engine.importer() as importer:
        importer.add_items([an_item(n, url=f"{shop}/p?id={n}") for n in (1, 2, 11)])
    made = {
        "d-1": SimpleNamespace(items=slots("i1", "i2", "i11"), choice=None),
        "d-2": SimpleNamespace(items=slots("i2"), choice=True),
    }
    monkeypatch.setattr(engine, "decision", made.get)
    for name, about, decisions in (("m-1", "i7", ("d-1", "d-9")), ("m-2", "", ("d-2",))):
        message = replace(a_message(), message_id=name, key=name, item=about, decisions=decisions)
        engine.put_moves([planned(message)])

    def item(message: str, url: str, kind: AnswerKind = "clicked") -> str:
        answer = Answer(kind=kind, source="links", key="1", at_ms=1, message_id=message, url=url)
        return item_of(engine, answer)

    assert item("m-1", f"{shop}/p?id=11&utm_source=mail#size") == "i11"
    assert item("m-1", f"{shop}/imprint") == "i7"
    assert item("m-1", "", "opened") == "i7"
    assert item("m-1", "", "bounced") == ""
    assert item("m-2", f"{shop}/p?id=2") == ""
    assert item("m-3", f"{shop}/p?id=2") == ""


def slots(*items: str) -> list[SimpleNamespace]:
    """Of a slate."""
    return [SimpleNamespace(item_id=each) for each in items]


def test_a_click_of_no_item_is_no_dead_letter(engine: Engine) -> None:
    """Nobody could mend it; one that a client sent may be mended."""
    extractor = Extractor(replace(engine.settings, signals={"mail": MAIL_CLICK}))
    answer = Answer(kind="clicked", source="links", key="1", at_ms=1)
    assert extractor.extract(event_of(answer, "u:u1")) == ([], [])
    (found,), said = extractor.extract(event_of(answer, "u:u1", "i7"))
    assert (found.item_id, said) == ("i7", [])
    assert extractor.extract(an_event("Email Link Clicked", item=""))[1]
