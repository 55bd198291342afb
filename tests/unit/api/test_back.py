"""The way back over HTTP: links and providers, with a real engine behind."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec import structs

from germane.api.auth import Keys
from germane.api.links import form
from germane.api.pages import worded
from germane.api.server import build
from germane.app.back import way_back
from germane.app.engine import Engine
from germane.app.rebuild import rebuild
from germane.config.channels import ChannelsSpec, LinksSpec
from germane.deliver.tracking import prepared
from germane.domain.answer import Answer
from germane.domain.campaign import Campaign, Enter, Step
from germane.domain.errors import BadRequest, StorageFailed
from germane.domain.event import Event
from germane.domain.links import Link
from germane.domain.moves import CampaignPut, Disliked, Stated
from germane.domain.sending import Outgoing
from germane.testing import an_event
from tests.unit.ingest.providers import bodies

KEYS = Keys("the-write-key", "the-server-key")
SPEC = ChannelsSpec(
    links=LinksSpec(
        base_url="http://here",
        purposes={"news": "Weekly <news>", "offers": "Offers"},
        key="a key for links, long enough",
    ),
    sendgrid_key=bodies.KEY,
    postmark_secret="s3cret",
)
CHROME = {"user-agent": bodies.PERSON}


def known(engine: Engine) -> None:
    """Ann has a profile, and has done nothing."""
    engine.put_moves([Disliked("u:ann", undone=True)])


def a_mail(engine: Engine, minutes_ago: int = 10) -> Outgoing:
    """As it went out: two counted links, a pixel, an unsubscription."""
    back = way_back(engine, SPEC)
    known(engine)
    made = Outgoing(
        message_id="m-1", person="u:ann", to="ann@x.example", purpose="news", campaign_id="c", decision_id="d-1",  # noqa: E501
        html='<a href="https://shop.example/shoe?a=1&amp;b=ü#size">x</a><a href="https://shop.example/">y</a>',
        at_ms=time.time_ns() // 1_000_000 - minutes_ago * 60_000,
    )  # fmt: skip
    return prepared(made, back.keys, "http://here", track=True)


def asked(
    engine: Engine,
    *calls: tuple[str, str, dict[str, Any]],
    spec: ChannelsSpec = SPEC,
    take: Any = None,
) -> list[httpx.Response]:
    app = build(engine, KEYS, access_log=False, back=way_back(engine, spec, take))

    async def live() -> list[httpx.Response]:
        await engine.start()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answers = [await client.request(method, path, **more) for method, path, more in calls]
        await engine.stop()
        return answers

    return asyncio.run(live())


def events(engine: Engine) -> list[Event]:
    """What the log has."""
    import msgspec

    return [
        msgspec.msgpack.decode(each.body, type=Event)
        for each in engine.store.read(0)
        if each.kind == "event"
    ]


def paths(mail: Outgoing) -> tuple[list[str], str, str]:
    """Of its links, its pixel, its unsubscription."""
    found = [part.partition('"')[0] for part in mail.html.split('"http://here')[1:]]
    return found[:2], found[2], urlsplit(mail.unsubscribe_url).path


def test_a_click_leads_on_and_is_an_event(engine: Engine) -> None:
    """By the specification's name, with message, campaign and decision; a scanner's has a name of its own."""
    (first, second), pixel, _ = paths(a_mail(engine))
    answers = asked(
        engine,
        ("GET", first, {"headers": CHROME}),
        ("HEAD", second, {"headers": CHROME}),
        ("GET", pixel, {"headers": CHROME}),
        ("GET", pixel, {"headers": {"user-agent": "Mozilla/5.0"}}),
    )
    assert [each.status_code for each in answers] == [302, 302, 200, 200]
    assert answers[0].headers["location"] == "https://shop.example/shoe?a=1&b=%C3%BC#size"
    assert answers[2].content.startswith(b"GIF89a")
    assert answers[2].headers["content-type"] == "image/gif"
    assert all("no-store" in each.headers["cache-control"] for each in answers)
    found = events(engine)
    assert [each.name for each in found] == [
        "Email Link Clicked", "Email Link Clicked by Machine", "Email Opened", "Email Opened by Machine",
    ]  # fmt: skip
    assert found[0].user_id == "ann"
    assert found[0].properties["decision_id"] == "d-1"
    assert found[0].properties["email_id"] == "m-1"
    assert found[0].properties["link_url"].startswith("https://shop.example/shoe")
    assert [each.properties["machine"] for each in found] == [False, True, False, True]


def test_nothing_is_ahead_of_the_engines_clock(engine: Engine) -> None:
    """The engine of this test lives at a time of its own."""
    (first, _), _, _ = paths(a_mail(engine))
    asked(engine, ("GET", first, {"headers": CHROME}))
    assert events(engine)[0].at_ms <= engine.world.now_ms()


def test_a_click_within_a_second_of_the_sending_is_a_machines(engine: Engine) -> None:
    (first, _), _, _ = paths(a_mail(engine, minutes_ago=0))
    asked(engine, ("GET", first, {"headers": CHROME}))
    assert events(engine)[0].properties["machine"]


def test_when_it_went_out_counts_where_that_is_known(engine: Engine) -> None:
    """A mail that waited for hours is clicked by a scanner half a second after it went out."""
    (first, _), _, _ = paths(a_mail(engine, minutes_ago=300))
    back = replace(way_back(engine, SPEC), sent_ms=lambda _: time.time_ns() // 1_000_000 - 500)
    app = build(engine, KEYS, access_log=False, back=back)

    async def go() -> None:
        await engine.start()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            await client.get(first, headers=CHROME)
        await engine.stop()

    asyncio.run(go())
    assert events(engine)[0].properties["machine"]


@pytest.mark.parametrize(
    "token", ["x", "A" * 60, "../../etc/passwd", "%00", "https://evil.example"]
)
def test_no_open_redirect(engine: Engine, token: str) -> None:
    """Only what we sealed; a pixel's or an unsubscription's token is no click, either."""
    mail = a_mail(engine)
    _, pixel, leave = paths(mail)
    other = pixel.removeprefix("/o/").removesuffix(".gif")
    answers = asked(
        engine,
        ("GET", f"/c/{token}", {"params": {"url": "https://evil.example"}}),
        ("GET", f"/c/{other}", {}),
        ("GET", "/c/" + leave.removeprefix("/u/"), {}),
        ("GET", f"/u/{token}", {}),
        ("POST", f"/u/{token}", {"data": {"List-Unsubscribe": "One-Click"}}),
        ("GET", f"/o/{token}.gif", {}),
    )
    assert all(each.status_code in (404, 405) for each in answers)
    assert all("location" not in each.headers for each in answers)
    assert events(engine) == []


def test_a_get_never_unsubscribes(engine: Engine) -> None:
    """However often, by whatever method but POST; the page has a button and no script."""
    _, _, leave = paths(a_mail(engine))
    answers = asked(engine, *[(method, leave, {}) for method in ("GET", "HEAD", "GET", "OPTIONS")])
    assert answers[0].status_code == 200
    page = answers[0].text
    assert '<form method="post">' in page
    assert "<script" not in page
    assert "Weekly &lt;news&gt;" in page
    assert 'lang="en"' in page
    assert page.count("<label>") == 2
    assert "No more e-mail at all" in page
    assert "default-src 'none'" in answers[0].headers["content-security-policy"]
    assert events(engine) == []


FORMS: list[dict[str, Any]] = [
    {"data": {"List-Unsubscribe": "One-Click"}},
    {"files": {"List-Unsubscribe": (None, "One-Click")}},
    {"content": b"List-Unsubscribe=One-Click", "headers": {"content-type": ""}},
]


@pytest.mark.parametrize("more", FORMS)
def test_one_click(engine: Engine, more: dict[str, Any]) -> None:
    """URL-encoded or multipart, without cookie or key; twice means the same."""
    _, _, leave = paths(a_mail(engine))
    first, second = asked(engine, ("POST", leave, more), ("POST", leave, more))
    assert (first.status_code, second.status_code) == (200, 200)
    assert "set-cookie" not in first.headers
    assert "You are unsubscribed" in first.text
    found, *again = events(engine)
    assert all(each.properties == found.properties for each in again)
    assert (found.name, found.user_id, found.properties["list_id"]) == (
        "Unsubscribed",
        "ann",
        "news",
    )
    assert found.properties["email_id"] == "m-1"


def test_the_pages_choice(engine: Engine) -> None:
    """One purpose, several, all, or none."""
    _, _, leave = paths(a_mail(engine))
    answers = asked(
        engine,
        (
            "POST",
            leave,
            {
                "content": "purpose=offers&purpose=news",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
        ),
        ("POST", leave, {"data": {"purpose": "*"}}),
        ("POST", leave, {"data": {"other": "x"}}),
        ("POST", leave, {"data": {"purpose": "transactional"}}),
        ("POST", leave, {"json": {}}),
        ("POST", leave, {"content": b"x" * 20_000}),
    )
    assert [each.status_code for each in answers] == [200, 200, 400, 400, 400, 400]
    found = [each.properties.get("list_id", "") for each in events(engine)]
    assert found[:3] == ["offers", "news", ""]
    assert set(found[3:]) <= {"news", "offers"}, "said twice within a second, it is one"


def mailing(engine: Engine, *purposes: str, channel: str = "email") -> None:
    """Campaigns of these purposes, which somebody has agreed to."""
    for each in purposes:
        campaign = Campaign(
            each,
            channel=channel,  # type: ignore[arg-type]
            purpose=each,
            enter=Enter(event="Product Viewed"),
            steps=(Step("one", "hello"),),
        )
        engine.put_moves([CampaignPut(campaign), Stated("u:ann", each, True, "test")])


def test_what_was_left_is_named(engine: Engine) -> None:
    """Without titles too; what else is sent goes on, and the page says so."""
    spec = structs.replace(SPEC, links=structs.replace(SPEC.links, purposes={}))
    mailing(engine, "news", "email_offers")
    _, _, leave = paths(a_mail(engine))
    before, after = asked(
        engine,
        ("GET", leave, {}),
        ("POST", leave, {"data": {"List-Unsubscribe": "One-Click"}}),
        spec=spec,
    )
    assert "You get this from us: <b>news</b>." in before.text
    assert "You will get no more of this: <b>news</b>." in after.text
    assert "Other e-mail from us may still come." in after.text
    assert "No more e-mail at all" in after.text
    assert engine.profile_of("u:ann").consent == {"news": False, "email_offers": True}
    assert worded("email_marketing") == "email marketing"


def test_no_more_email_at_all(engine: Engine) -> None:
    """Every purpose that e-mail is sent for, with or without a title; what is shown in the app goes on."""
    spec = structs.replace(SPEC, links=structs.replace(SPEC.links, purposes={}))
    mailing(engine, "news", "letter", "offers")
    mailing(engine, "tips", channel="inapp")
    _, _, leave = paths(a_mail(engine))
    looked, done = asked(
        engine,
        ("GET", leave, {"params": {"purpose": "*"}}),
        ("POST", leave, {"data": {"purpose": "*"}}),
        spec=spec,
    )
    assert looked.status_code == 200
    assert "You will get no more e-mail from us." in done.text
    consent = engine.profile_of("u:ann").consent
    assert {name for name, granted in consent.items() if granted} == {"tips"}
    assert {"news", "letter", "offers"} < set(consent)


def test_no_more_email_at_all_is_of_the_address(engine: Engine) -> None:
    """Of whoever has it, until they agree again; what people must have still comes."""
    mailing(engine, "news")
    for each in ("ann", "bob"):
        engine.accept_now(
            [an_event("", kind="identify", user=each, traits={"email": "Both@x.example"})]
        )
    _, _, leave = paths(a_mail(engine))

    def closed(purpose: str, agreed_ms: int = 0) -> bool:
        address, tenant = "both@x.example", engine.tenant
        why = engine.moving.suppressed(tenant, "email", address, purpose, agreed_ms)
        return why is not None

    one, _ = asked(
        engine,
        ("POST", leave, {"data": {"List-Unsubscribe": "One-Click"}}),
        ("POST", leave, {"data": {"purpose": "*"}}),
    )
    assert "somebody else who has this address" in one.text
    assert closed("news")
    assert closed("what_comes_later")
    assert not closed("transactional")
    assert not closed("news", engine.world.now_ms() + 1)
    assert rebuild(engine).equal


def test_an_unsubscription_that_was_not_stored_is_not_acknowledged(engine: Engine) -> None:
    """But a click leads on all the same."""

    async def broken(answers: Sequence[Answer]) -> None:
        raise StorageFailed("the disk is full")

    (first, _), pixel, leave = paths(a_mail(engine))
    answers = asked(
        engine,
        ("POST", leave, {"data": {"List-Unsubscribe": "One-Click"}}),
        ("GET", first, {}),
        ("GET", pixel, {}),
        take=broken,
    )
    assert [each.status_code for each in answers] == [503, 302, 200]


def test_providers(engine: Engine) -> None:
    """Checked, then stored; what is about a message of others is counted. Told twice is once."""
    known(engine)
    click = json.dumps(
        {"RecordType": "Click", "MessageID": "pm", "Metadata": bodies.IDS, "Recipient": "ann@x.example",
         "OriginalLink": "https://a.example/", "UserAgent": bodies.PERSON, "ReceivedAt": "2023-11-14T12:00:00Z"}
    )  # fmt: skip
    basic = {"authorization": "Basic " + b64encode(b"x:s3cret").decode()}
    signed = {bodies.sendgrid.SIGNATURE: bodies.SIGNATURE, bodies.sendgrid.TIMESTAMP: "1600112502"}
    answers = asked(
        engine,
        ("POST", "/v1/providers/postmark", {"content": click, "headers": basic}),
        ("POST", "/v1/providers/postmark", {"content": click, "headers": basic}),
        ("POST", "/v1/providers/postmark", {"content": click}),
        ("POST", "/v1/providers/sendgrid", {"content": bodies.BODY, "headers": signed}),
        ("POST", "/v1/providers/sendgrid", {"content": bodies.BODY}),
        ("POST", "/v1/providers/ses", {"content": "{}"}),
    )
    assert [each.status_code for each in answers] == [200, 200, 401, 200, 401, 404]
    assert answers[2].json()["code"] == "providers.bad_signature"
    assert answers[5].json()["code"] == "providers.not_configured"
    (found,) = events(engine)
    assert (found.name, found.user_id, found.properties["provider"]) == (
        "Email Link Clicked",
        "ann",
        "postmark",
    )
    assert found.context["traits"]["email"] == "ann@x.example"
    assert engine.letters() == []
    assert engine.refused["answer Email Dropped, of a message that is not ours"] == 1


def test_amazon(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its envelope is checked with a certificate that is fetched; a subscription of our topic is confirmed."""
    spec = ChannelsSpec(ses_topics=(bodies.TOPIC,))
    amazon = bodies.Amazon()
    back = way_back(engine, spec)
    monkeypatch.setattr(back.sns, "_fetch", amazon)
    monkeypatch.setattr("germane.app.back.SnsVerifier", lambda *_: back.sns)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    inner = {"eventType": "Complaint", "mail": bodies.MAIL, "complaint": {}}
    confirm = bodies.envelope(
        "Confirm",
        Type="SubscriptionConfirmation",
        Token="t",
        SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        Timestamp=now,
    )
    answers = asked(
        engine,
        (
            "POST",
            "/v1/providers/ses",
            {"content": json.dumps(confirm), "headers": {"content-type": "text/plain"}},
        ),
        (
            "POST",
            "/v1/providers/ses",
            {"content": json.dumps(bodies.envelope(inner, Timestamp=now))},
        ),
        (
            "POST",
            "/v1/providers/ses",
            {"content": json.dumps(bodies.envelope(inner, Timestamp=now) | {"Message": "x"})},
        ),
        spec=spec,
    )
    assert [each.status_code for each in answers] == [200, 200, 401], [x.text for x in answers]
    assert any("ConfirmSubscription" in each for each in amazon.asked)
    (found,) = events(engine)
    assert (found.name, found.user_id) == ("Email Marked as Spam", "ann")


def test_forms() -> None:
    assert form("application/x-www-form-urlencoded; charset=utf-8", b"a=1&b=%C3%BC") == [
        ("a", "1"),
        ("b", "ü"),
    ]
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    assert form("multipart/form-data; boundary=x", body) == [("List-Unsubscribe", "One-Click")]
    assert form("multipart/form-data", b"nonsense") == []
    for kind, wrong in (("text/plain", b"a=1"), ("application/x-www-form-urlencoded", b"\xff")):
        with pytest.raises(BadRequest):
            form(kind, wrong)


def test_a_link_hears_the_signal_of_the_browser(engine: Engine) -> None:
    """A click, and the page why."""
    (first, _), _, _ = paths(a_mail(engine))
    engine.accept_now([an_event(user="bob")])
    why = way_back(engine, SPEC).keys.seal(Link("w", "m-2", "u:bob", 1))
    signal = {"sec-gpc": "1"}
    asked(
        engine,
        ("GET", first, {"headers": CHROME | signal}),
        ("GET", f"/w/{why}", {"headers": signal}),
    )
    no = {"cross_channel_advertising": False, "cross_site_tracking": False}
    assert engine.profile_of("u:ann").consent == engine.profile_of("u:bob").consent == no


def test_without_the_signal_a_link_says_nothing(engine: Engine) -> None:
    """Nor does a program's own, which fetches all that is in a mail."""
    (first, _), pixel, _ = paths(a_mail(engine))
    machine = {"user-agent": "Mozilla/5.0", "sec-gpc": "1"}
    asked(engine, ("GET", first, {"headers": CHROME}), ("GET", pixel, {"headers": machine}))
    assert engine.profile_of("u:ann").consent == {}


def test_answers_about_mail_of_others(engine: Engine) -> None:
    """Of a provider that sends for somebody else, too: nothing is kept but the no, without the address."""
    basic = {"authorization": "Basic " + b64encode(b"x:s3cret").decode()}
    bounce = {
        "RecordType": "Bounce",
        "MessageID": "pm",
        "TypeCode": 1,
        "Email": "eve@x.example",
        "Type": "HardBounce",
        "Description": "unknown: eve@x.example",
        "BouncedAt": "2023-11-14T12:00:00Z",
    }
    opened = {
        "RecordType": "Open",
        "MessageID": "pm",
        "Recipient": "eve@x.example",
        "ReceivedAt": "2023-11-14T12:00:00Z",
    }
    calls = [
        ("POST", "/v1/providers/postmark", {"content": json.dumps(x), "headers": basic})
        for x in (bounce, opened)
    ]
    answers = asked(engine, *calls, calls[0])
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert engine.letters() == []
    assert events(engine) == []
    assert engine.refused["answer Email Bounced, of a message that is not ours"] == 2
    assert engine.refused["answer Email Opened, of a message that is not ours"] == 1
    assert engine.moving.suppressed(engine.tenant, "email", "eve@x.example", "") is not None
    moves = [each for each in engine.store.read(0) if each.kind == "move"]
    assert len(moves) == 1, "told again, it says nothing new"
    assert b"eve" not in b"".join(each.body for each in engine.store.read(0))
