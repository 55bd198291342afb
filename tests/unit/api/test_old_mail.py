"""An old mail of somebody who was erased, or who never was here: it leads on, and brings nobody back."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from typing import Any

import httpx
import pytest

from germane.app import erasing
from germane.app.answers import AnswersAsEvents
from germane.app.back import way_back
from germane.app.engine import Engine
from germane.app.postbox import Postbox
from germane.config.channels import ChannelsSpec, LinksSpec, WebhookSpec
from germane.domain.answer import Answer
from germane.domain.links import Link
from germane.testing import an_event
from tests.unit.api.test_back import CHROME, SPEC, asked, events
from tests.unit.api.test_why import decided, life
from tests.unit.ingest.providers import bodies

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def token(engine: Engine, kind: Any, person: str = "u:ann", **more: Any) -> str:
    """Of a link in a mail that went out long ago."""
    made_s = engine.world.now_ms() // 1000
    return way_back(engine, SPEC).keys.seal(Link(kind, "m-1", person, made_s, **more))


def looked_at(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    """Opened, and clicked."""
    click = token(engine, "c", url="https://shop.example/")
    return [
        ("GET", f"/o/{token(engine, 'o')}.gif", {"headers": CHROME}),
        ("GET", f"/c/{click}", {"headers": CHROME}),
    ]


@pytest.fixture
def erased(engine: Engine) -> Engine:
    """Ann was here, and was erased."""
    engine.accept_now([an_event(user="ann", item="i1")])
    asyncio.run(erasing.erase(engine, "ann"))
    return engine


def nothing_of_ann(engine: Engine) -> bool:
    """No profile and no record."""
    said = (each.body + each.person.encode() for each in engine.store.read(0))
    named = [each for each in said if re.search(rb"\bann\b", each, re.IGNORECASE)]
    return engine.person("ann") is None and named == [] and engine.letters() == []


def test_an_old_mail_brings_an_erased_person_not_back(erased: Engine) -> None:
    """The pixel and the redirect answer; so do the page of the reasons and that of the unsubscription."""
    why, leave = token(erased, "w"), token(erased, "u", purpose="news")
    answers = asked(
        erased,
        *looked_at(erased),
        ("POST", f"/w/{why}", {"data": {"kind": "undo"}}),
        ("POST", f"/w/{why}", {"data": {"kind": "opt_in"}}),
        ("POST", f"/u/{leave}", {"data": ONE_CLICK}),
        ("POST", f"/u/{leave}", {"data": {"purpose": "*"}}),
    )
    assert [each.status_code for each in answers[:2]] == [200, 302]
    assert [each.status_code for each in answers[4:]] == [200, 200]
    assert nothing_of_ann(erased)


def test_who_was_never_here_is_not_made_by_a_look(engine: Engine) -> None:
    """But a no is heard: to e-mail, and to being personalised for."""
    leave, why = token(engine, "u", "u:eve", purpose="news"), token(engine, "w", "u:bob")
    asked(
        engine,
        *looked_at(engine),
        ("POST", f"/u/{leave}", {"data": ONE_CLICK}),
        ("POST", f"/w/{why}", {"data": {"kind": "opt_out"}}),
    )
    assert nothing_of_ann(engine)
    assert engine.profile_of("u:eve").consent == {"news": False}
    assert engine.profile_of("u:bob").consent == {"personalisation": False}


def test_what_a_provider_tells_of_an_erased_person(erased: Engine) -> None:
    """Nothing of it is kept but that their address is not written to, where it says so."""
    basic = {"authorization": "Basic " + b64encode(b"x:s3cret").decode()}
    told: dict[str, Any] = {"Metadata": bodies.IDS, "MessageID": "pm", "Recipient": "Ann@x.example"}
    opened = {**told, "RecordType": "Open", "ReceivedAt": "2023-11-14T12:00:00Z"}
    spam = {
        **told, "RecordType": "SpamComplaint", "Email": "Ann@x.example", "BouncedAt": "2023-11-14T12:00:00Z",
    }  # fmt: skip
    answers = asked(
        erased,
        *(
            ("POST", "/v1/providers/postmark", {"content": json.dumps(each), "headers": basic})
            for each in (opened, spam)
        ),
    )
    assert [each.status_code for each in answers] == [200, 200]
    assert nothing_of_ann(erased)
    moving, tenant = erased.moving, erased.tenant
    assert moving.suppressed(tenant, "email", "ann@x.example", "email_marketing") is not None
    assert moving.suppressed(tenant, "email", "ann@x.example", "transactional") is None


def test_a_crm_is_not_told_of_an_erased_person(erased: Engine) -> None:
    crm = WebhookSpec(name="crm", url="https://crm.example/hook")
    post = Postbox(erased, ChannelsSpec(links=LinksSpec(base_url="http://here"), crm=crm))
    answer = Answer(kind="opened", source="links", key="1", at_ms=1, message_id="m", person="u:ann")

    async def served() -> None:
        await erased.start()
        await post.answers([answer])
        await AnswersAsEvents(erased)([answer])
        await erased.stop()

    asyncio.run(served())
    assert nothing_of_ann(erased)


def test_who_is_only_asked_for_can_say_less_of_this(engine: Engine) -> None:
    """A decision that is still known is enough: its person looks at the page now."""

    async def work(client: httpx.AsyncClient) -> None:
        made = await decided(client, "passer-by")
        url = made["whyUrl"].removeprefix("http://here")
        item = {"decision": made["decisionId"], "item": made["items"][0]["itemId"]}
        await client.post(url, data={"kind": "less_like_this", **item})

    life(engine, work)
    assert engine.profile_of("u:passer-by").muted.items
    assert events(engine) == []
