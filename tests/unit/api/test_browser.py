"""The browser's way in: whose request it is, what it may say, and what it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from germane.api.auth import Keys
from germane.api.seen import decision_for_people
from germane.api.server import build
from germane.app.engine import Engine
from germane.domain.decision import Ask
from germane.domain.inbox import Button, Inbox, Nudge, nothing
from germane.domain.person_token import sign
from germane.domain.settings import AttributeSpec, OutcomeSpec, Settings, SurfaceSpec
from germane.testing import a_campaign, an_item

KEYS = Keys("the-write-key", "the-server-key-which-is-long-enough")
SERVER = (KEYS.server, "")
ASK: dict[str, Any] = {"surfaces": [{"surface": "home"}]}
OURS = {"event": "Recommendation Clicked", "property": "item_id"}
VIEWED = {"event": "Product Viewed", "property": "product_id"}
SECRETS = {"score", "propensity", "sources", "slot", "modelVersion", "personOffset", "quotaShort"}


def token(valid_s: float = 60, **who: Any) -> str:
    """A person token, of Ann unless it says otherwise."""
    return sign(KEYS.server, now_s=time.time(), valid_s=valid_s, **(who or {"user_id": "ann"}))


def body(said: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request as a browser sends it: everything in the body, as plain text."""
    content = json.dumps({"writeKey": KEYS.write, **(ASK if said is None else said), **more})
    return {"content": content, "headers": {"content-type": "text/plain"}}


def send(
    engine: Engine,
    *calls: tuple[str, dict[str, Any]],
    anonymous: bool = False,
    inbox: Inbox = nothing,
) -> list[httpx.Response]:
    """POSTs one after the other."""
    app = build(engine, KEYS, access_log=False, anonymous=anonymous, inbox=inbox)

    async def live() -> list[httpx.Response]:
        await engine.start()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answers = [await client.post(path, **more) for path, more in calls]
        await engine.stop()
        return answers

    return asyncio.run(live())


def decide(engine: Engine, anonymous: bool = False, **more: Any) -> httpx.Response:
    """One question from a browser."""
    return send(engine, ("/v1/decide", body(**more)), anonymous=anonymous)[0]


def names(value: Any) -> set[str]:
    """All names in an answer, however deep."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names(each)}
    return {name for each in value for name in names(each)} if isinstance(value, list) else set()


def test_a_token_in_the_body_or_in_basic_auth(engine: Engine) -> None:
    """The same answer: the person's, with nothing in it but what people may see."""
    view = {"event": "Product Viewed", "userId": "ann", "properties": {"product_id": "i1"}}
    _, in_body, in_header = send(
        engine,
        ("/v1/track", {"json": view, "auth": (KEYS.write, "")}),
        ("/v1/decide", body(token=token(), explain=True)),
        ("/v1/decide", {"json": ASK | {"explain": True}, "auth": (KEYS.write, token())}),
    )
    for each in (in_body, in_header):
        assert each.status_code == 200, each.text
        said = each.json()
        assert set(said) == {"decisions", "serverTime"}
        assert not names(said) & SECRETS
        (made,) = said["decisions"]
        assert made["arm"] == "personalised"
        assert [item["position"] for item in made["items"]] == [0, 1, 2, 3, 4]
        assert all(isinstance(why, str) for item in made["items"] for why in item["reasons"])
        assert any(item["reasons"] for item in made["items"])
        assert engine.decided_for(made["decisionId"]) == "u:ann"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({}, 403, "auth.token_needed"),
        ({"token": ""}, 403, "auth.token_needed"),
        ({"person": {"anonymousId": "x"}}, 403, "auth.token_needed"),
        ({"writeKey": "other"}, 401, "auth.invalid_key"),
        ({"writeKey": None, "token": "x"}, 401, "auth.invalid_key"),
        ({"token": "x.y.z"}, 401, "auth.invalid_token"),
        ({"token": 5}, 400, "request.invalid"),
        ({"person": {"userId": "bob"}, "token": "good"}, 403, "auth.wrong_person"),
        ({"person": {"anonymousId": "x"}, "token": "good"}, 403, "auth.wrong_person"),
        ({"token": "narrow"}, 403, "auth.surface_not_allowed"),
        ({"token": "good", "account": "acme"}, 400, "request.invalid"),
        ({"token": "good", "record": False}, 400, "request.invalid"),
        (
            {"token": "good", "surfaces": [{"surface": "home", "filter": "true"}]},
            400,
            "request.invalid",
        ),
        ({"token": "good", "surfaces": [{"surface": "hom"}]}, 404, "decide.unknown_surface"),
        ({"token": "good", "context": {"extra": {"x": "y" * 70_000}}}, 400, "request.too_large"),
    ],
)
def test_what_is_refused(engine: Engine, more: dict[str, Any], status: int, code: str) -> None:
    """Each with its own code; nothing is decided."""
    tokens = {"good": token(), "narrow": token(user_id="ann", surfaces=("other",))}
    if more.get("token") in tokens:
        more = more | {"token": tokens[more["token"]]}
    answer = decide(engine, **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert engine.stats()["decisions_total"] == 0


def test_the_person_may_be_said_again(engine: Engine) -> None:
    """What agrees with the token is no contradiction; a number is the text of it."""
    assert decide(engine, token=token(user_id="7"), person={"userId": 7}).status_code == 200


def test_an_expired_token(engine: Engine) -> None:
    """A code of its own: the snippet fetches a new one."""
    old = sign(KEYS.server, now_s=time.time() - 3_600, valid_s=60, user_id="ann")
    answer = decide(engine, token=old)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.token_expired")


def test_a_token_for_one_surface(engine: Engine) -> None:
    """It opens that one."""
    assert decide(engine, token=token(user_id="ann", surfaces=("home",))).status_code == 200


def test_visitors_without_a_token(engine: Engine) -> None:
    """Where they are let in: for their own anonymousId, and never for somebody with a name."""
    people: list[tuple[dict[str, str], int, str | None]] = [
        ({"anonymousId": "v1"}, 200, None),
        ({}, 400, "request.invalid"),
        ({"userId": "ann"}, 403, "auth.token_needed"),
        ({"userId": "ann", "anonymousId": "v1"}, 403, "auth.token_needed"),
    ]
    calls = [("/v1/decide", body(person=person)) for person, _, _ in people]
    answers = send(engine, *calls, anonymous=True)
    assert [(x.status_code, x.json().get("code")) for x in answers] == [each[1:] for each in people]
    for each in answers[2:]:
        assert each.json()["message"] == "Without a person token nobody is taken for a userId."
        assert each.json()["hint"].startswith("Leave userId out")
    assert engine.decided_for(answers[0].json()["decisions"][0]["decisionId"]) == "a:v1"


def test_a_browser_of_somebody_known_needs_a_token(engine: Engine) -> None:
    """After a log-in the anonymousId leads to a profile with a name: it opens nothing, but may report."""
    login = {"userId": "ann", "anonymousId": "v1"}
    visitor = {"anonymousId": "v1"}
    (before,) = engine.decide("", "v1", "", [Ask("home")])[0]
    seen = {"decisionId": before.decision_id, "positions": [0]}
    _, after, inbox, vouched, told = send(
        engine,
        ("/v1/identify", {"json": login, "auth": (KEYS.write, "")}),
        ("/v1/decide", body(person=visitor)),
        ("/v1/inbox", body({}, person=visitor)),
        ("/v1/decide", body(token=token(anonymous_id="v1"))),
        ("/v1/impressions", body(seen, person=visitor)),
        anonymous=True,
    )
    for each in (after, inbox):
        assert (each.status_code, each.json()["code"]) == (403, "auth.token_needed")
        assert "reset()" in each.json()["hint"]
    assert vouched.status_code == 200
    assert told.json()["accepted"] == 1


def test_reports_only_about_own_decisions(engine: Engine) -> None:
    """By the token's person; the server may report about any."""
    (made,) = engine.decide("ann", "", "", [Ask("home")])[0]
    seen = {"decisionId": made.decision_id, "positions": [0]}
    bought = {
        "decisionId": made.decision_id,
        "itemId": made.items[0].item_id,
        "outcome": "purchase",
    }
    bob = token(user_id="bob")
    answers = send(
        engine,
        ("/v1/impressions", body(seen, token=bob)),
        ("/v1/outcomes", body(bought, token=bob)),
        ("/v1/impressions", body(seen, token=token())),
        ("/v1/outcomes", body(bought, token=token())),
        ("/v1/outcomes", {"json": bought | {"messageId": "m2"}, "auth": SERVER}),
        ("/v1/impressions", body(seen | {"decisionId": "made-up"}, token=bob)),
    )
    assert [each.status_code for each in answers] == [403, 403, 200, 200, 200, 404]
    assert answers[0].json()["code"] == "auth.wrong_person"
    assert [each.json().get("verdict") for each in answers[3:5]] == ["counted", "duplicate"]


def test_a_forged_decision_of_a_lost_record(engine: Engine) -> None:
    """An id that we did not sign is unknown, whoever asks."""
    answer = send(
        engine, ("/v1/impressions", body({"decisionId": "x" * 60, "positions": [0]}, token=token()))
    )
    assert answer[0].json()["code"] == "decide.unknown_decision"


def test_the_server_is_told_all(engine: Engine) -> None:
    """The same route with the server key answers as ever."""
    (answer,) = send(
        engine, ("/v1/decide", {"json": ASK | {"person": {"userId": "ann"}}, "auth": SERVER})
    )
    assert {"score", "propensity", "modelVersion"} <= names(answer.json())


def test_an_empty_inbox(engine: Engine) -> None:
    """Where nothing sends in-app messages."""
    (empty,) = send(engine, ("/v1/inbox", body({}, token=token())))
    assert empty.json()["messages"] == []


def test_the_inbox(engine: Engine) -> None:
    """What waits for the token's person."""
    asked: list[tuple[str, str]] = []

    async def inbox(user_id: str, anonymous_id: str) -> Sequence[Nudge]:
        asked.append((user_id, anonymous_id))
        return [Nudge("m1", "banner", "Hello", buttons=(Button("Look", "/new"),))]

    mine, wrong, server, nobody, narrow, wide = send(
        engine,
        ("/v1/inbox", body({}, token=token())),
        ("/v1/inbox", body({"surfaces": []}, token=token())),
        ("/v1/inbox", {"json": {"person": {"anonymousId": "v"}}, "auth": SERVER}),
        ("/v1/inbox", {"json": {"person": {}}, "auth": SERVER}),
        ("/v1/inbox", body({}, token=token(user_id="ann", surfaces=("home",)))),
        ("/v1/inbox", body({}, token=token(user_id="ann", surfaces=("home", "inbox")))),
        inbox=inbox,
    )
    assert asked == [("ann", ""), ("", "v"), ("ann", "")]
    (message,) = mine.json()["messages"]
    assert (message["messageId"], message["form"], message["buttons"][0]["label"]) == (
        "m1",
        "banner",
        "Look",
    )
    assert (wrong.status_code, server.status_code, nobody.status_code) == (400, 200, 400)
    assert [narrow.status_code, wide.status_code] == [403, 200]


def test_attributes_that_people_may_see(engine: Engine, shop: Settings) -> None:
    """What every item has, and what is declared and speakable; the margin is nobody's business."""
    settings = replace(
        shop,
        currency="EUR",
        attributes=shop.attributes | {"age": AttributeSpec("age", speakable=False)},
    )
    (made,) = engine.decide("ann", "", "", [Ask("home")])[0]
    secret = replace(an_item(1), attributes={"margin": 0.4, "age": 12, "brand": "b"})
    catalogue = {each.item_id: replace(secret, item_id=each.item_id) for each in made.items}
    shown = decision_for_people(made, catalogue, settings, explain=False)["items"][0]
    assert set(shown) == {"itemId", "position", "attributes"}
    assert set(shown["attributes"]) == {
        *("title", "price", "currency", "url", "imageUrl", "category", "brand")
    }
    assert shown["attributes"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("surface", "without", "click", "dismiss"),
    [
        # No outcome and no signal of that name: our own event. A signal: its event, which teaches.
        ({}, set(), OURS, "Product Dismissed"),
        # An outcome of that name whose signal is a plain event: that event.
        ({"outcomes": (OutcomeSpec("click", "view", 60),)}, set(), VIEWED, "Product Dismissed"),
        # One whose signal reads lists: reported as an outcome.
        (
            {"outcomes": (OutcomeSpec("click", "purchase", 60),)},
            set(),
            {"outcome": "click"},
            "Product Dismissed",
        ),
        ({}, {"dismiss"}, OURS, "Recommendation Dismissed"),
    ],
)
def test_how_a_click_is_told(
    engine: Engine,
    shop: Settings,
    surface: dict[str, Any],
    without: set[str],
    click: dict[str, str],
    dismiss: str,
) -> None:
    """As the configuration means it."""
    signals = {name: each for name, each in shop.signals.items() if name not in without}
    settings = replace(shop, signals=signals, surfaces={"home": SurfaceSpec("home", **surface)})
    (made,) = engine.decide("ann", "", "", [Ask("home")])[0]
    answers = decision_for_people(made, {}, settings, explain=False)["answers"]
    assert (answers["click"], answers["dismiss"]["event"]) == (click, dismiss)


def test_a_choice(tmp_path: Any) -> None:
    """Its action, its title, the sentences of its reasons; no standing of the others."""
    from germane.app.opening import open_engine  # a data folder of its own

    outcome = OutcomeSpec("click", "view", 3_600)
    opened = open_engine(a_campaign(outcomes=(outcome,), nothing=False), tmp_path / "data")
    said = decide(opened, token=token(), surfaces=[{"surface": "mail"}], explain=True).json()
    opened.store.close()
    (made,) = said["decisions"]
    assert "choice" not in made
    assert not names(said) & (SECRETS | {"expected", "low", "high", "how"})
    assert not any(map(str.isdigit, "".join(made["items"][0]["reasons"]))), "figures are no reasons"
    assert made["items"][0]["attributes"]["title"] in ("Men's e-mail", "Women's e-mail")
    assert made["answers"]["click"] == {"outcome": "click"}


def test_the_script(engine: Engine) -> None:
    """Kept by version, told by its tag, packed for who takes it; the example only where browsers may ask."""
    app = build(engine, KEYS, access_log=False, anonymous=True)
    shut = build(engine, KEYS, access_log=False)

    async def get() -> list[httpx.Response]:
        def client(of: Any) -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=httpx.ASGITransport(app=of), base_url="http://here")

        async with client(app) as there, client(shut) as closed:
            first = await there.get("/germane.js")
            tag = {"if-none-match": f'"other", W/{first.headers["etag"]}'}
            from germane import __version__

            return [
                first,
                await there.get("/germane.js", params={"v": __version__}),
                await there.get("/germane.js", headers=tag),
                await there.get("/germane.js", headers={"accept-encoding": "identity"}),
                await there.get("/example"),
                await closed.get("/example"),
                await there.get("/example.css"),
            ]

    first, by_version, same, plain, example, closed, style = asyncio.run(get())
    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.text == first.text
    assert first.headers["cache-control"] == "public, max-age=300"
    assert by_version.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (same.status_code, same.content) == (304, b"")
    assert 'data-write-key="the-write-key"' in example.text
    assert 'data-germane="home"' in example.text
    assert "'unsafe" not in example.headers["content-security-policy"]
    assert (closed.status_code, style.status_code) == (404, 200)
