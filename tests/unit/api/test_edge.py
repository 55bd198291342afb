"""The edge in the process itself: keys, limits, the error shape, what bodies become."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from germane.api import body as bodies
from germane.api.auth import Keys, same
from germane.api.deciding import instant
from germane.api.errors import STATUS, status_of
from germane.api.server import build
from germane.api.wire import DecideRequest
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.decision import Ask
from germane.domain.errors import BadRequest, GermaneError, StorageFailed
from germane.domain.settings import TraitSpec
from germane.ingest import limits
from germane.testing import a_campaign

KEYS = Keys("the-write-key", "the-server-key")
SERVER, WRITE = (KEYS.server, ""), (KEYS.write, "")
SHAPE = {"success", "code", "message", "hint", "details", "requestId"}
ASK = {"person": {"userId": "u"}, "surfaces": [{"surface": "home"}]}
EVENT = {"event": "Product Viewed", "userId": "u", "properties": {"product_id": "i1"}}


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Engine]:
    """An engine with a choice surface."""
    opened = open_engine(a_campaign(), tmp_path / "campaign")
    yield opened
    opened.store.close()


def send(engine: Engine, *calls: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
    """Requests one after the other, as a server would get them."""
    app = build(engine, KEYS, access_log=False, allowed_origins=("https://shop.example",))

    async def live() -> list[httpx.Response]:
        await engine.start()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answers = [await client.request(method, path, **more) for method, path, more in calls]
        await engine.stop()
        return answers

    return asyncio.run(live())


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """This error, in the one shape."""
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    assert set(found) == SHAPE
    assert found["requestId"] == answer.headers["x-request-id"]
    return found


def basic(text: str) -> dict[str, str]:
    """An Authorization header."""
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (basic("the-server-key:"), 200),
        (basic("the-server-key:ignored"), 200),
        (basic("the-server-key"), 200),
        ({"authorization": "bearer the-server-key"}, 200),
        ({"authorization": "Basic " + b64encode(b"the-server-key:").decode().rstrip("=")}, 200),
        (basic("the-write-key:"), 403),
        (basic(":the-server-key"), 401),
        (basic("the-server-ke:"), 401),
        ({"authorization": "Basic not base64!"}, 401),
        ({"authorization": "Basic /w=="}, 401),
        ({"authorization": "Digest the-server-key"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({}, 401),
    ],
)
def test_the_server_key(engine: Engine, headers: dict[str, str], status: int) -> None:
    """In whatever form it comes."""
    (answer,) = send(engine, ("GET", "/v1/surfaces", {"headers": headers}))
    assert answer.status_code == status
    if status == 401:
        refused(answer, 401, "auth.invalid_key")
        assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": EVENT, "auth": WRITE}, 200),
        ({"json": EVENT, "auth": SERVER}, 200),
        ({"json": EVENT | {"writeKey": KEYS.write}}, 200),
        ({"json": EVENT, "params": {"writeKey": KEYS.write}}, 200),
        ({"json": EVENT | {"writeKey": KEYS.write}, "headers": {"authorization": "Bearer x"}}, 200),
        ({"json": EVENT}, 401),
        ({"json": EVENT | {"writeKey": "other"}}, 401),
        ({"json": EVENT | {"writeKey": "other"}, "auth": WRITE}, 401),
        ({"json": EVENT | {"writeKey": 5}}, 401),
    ],
)
def test_the_write_key(engine: Engine, more: dict[str, Any], status: int) -> None:
    """From the header, the body or the address; nothing is stored without one."""
    (answer,) = send(engine, ("POST", "/v1/track", more))
    assert answer.status_code == status
    assert (engine.store.profile("main", "u:u") is not None) == (status == 200)


def test_an_empty_key_fits_nothing() -> None:
    """A server without keys lets nobody in."""
    assert not same("", "")
    assert not same(None, "")
    assert not same("x", "")
    assert same("ü", "ü")


def test_limits_of_bodies(engine: Engine) -> None:
    """Declared, undeclared, and after inflating; at the limit it is still taken."""

    async def undeclared() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 10_000

    packed = {"content-encoding": "gzip"}
    room = limits.MESSAGE_BYTES - len(json.dumps(EVENT | {"x": ""}))
    fits = json.dumps(EVENT | {"x": "y" * room}).encode()
    assert len(fits) == limits.MESSAGE_BYTES
    bomb = gzip.compress(b" " * 5_000_000)
    answers = send(
        engine,
        ("POST", "/v1/track", {"content": fits, "auth": WRITE}),
        ("POST", "/v1/track", {"content": fits + b" ", "auth": WRITE}),
        ("POST", "/v1/track", {"content": undeclared(), "auth": WRITE}),
        ("POST", "/v1/track", {"content": bomb, "auth": WRITE, "headers": packed}),
        ("POST", "/v1/track", {"content": gzip.compress(fits), "auth": WRITE, "headers": packed}),
        ("POST", "/v1/decide", {"content": b" " * 1_000_001, "auth": SERVER}),
    )
    assert [each.status_code for each in answers] == [200, 400, 400, 400, 200, 400]
    for each in (*answers[1:4], answers[5]):
        refused(each, 400, "request.too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "request.not_found"),
        ("GET", "/v1/decide", 405, "request.method_not_allowed"),
        ("GET", "/v1/people/nobody", 404, "profile.unknown_person"),
        ("GET", "/v1/items/none", 404, "catalogue.unknown_item"),
        ("GET", "/v1/surfaces/none/audit", 404, "decide.unknown_surface"),
        ("GET", "/v1/dead-letters/7", 404, "request.not_found"),
        ("GET", "/v1/dead-letters/x", 404, "request.not_found"),
        ("GET", "/v1/dead-letters?limit=1001", 400, "request.invalid"),
        ("GET", "/v1/dead-letters?after=-1", 400, "request.invalid"),
        ("POST", "/v1/decide", 400, "request.malformed_json"),
    ],
)
def test_one_shape(engine: Engine, method: str, path: str, status: int, code: str) -> None:
    """Whoever refuses: the router, the keys, the engine."""
    (answer,) = send(engine, (method, path, {"auth": SERVER}))
    found = refused(answer, status, code)
    assert found["success"] is False
    assert found["message"]


def test_a_bug_tells_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the trace, the client a request id."""

    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(engine, "decide", bug)
    (answer,) = send(engine, ("POST", "/v1/decide", {"json": ASK, "auth": SERVER}))
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()) == SHAPE


def test_a_full_disk_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have room again: the client is told when to come back."""

    def full(*_: object, **__: object) -> None:
        raise StorageFailed("the disk is full")

    monkeypatch.setattr(engine, "accept", full)
    (answer,) = send(engine, ("POST", "/v1/track", {"json": EVENT, "auth": WRITE}))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


def test_no_status_makes_clients_resend_for_ever() -> None:
    """408, 410 and 460 are never used; what is unknown is a 500."""
    assert not {status for _, status in STATUS} & {408, 410, 460}
    assert status_of(GermaneError("x")) == 500


def test_a_decision_and_what_was_sent(engine: Engine) -> None:
    """Events in, a decision out that has seen them, a trailing slash, a browser's preflight."""
    shop = {"origin": "https://shop.example"}
    tracked, decided, preflight, foreign, lines = send(
        engine,
        ("POST", "/v1/batch/", {"json": {"batch": [EVENT | {"type": "track"}]}, "auth": WRITE}),
        ("POST", "/v1/decide", {"json": ASK | {"explain": True}, "auth": SERVER}),
        ("OPTIONS", "/v1/track", {"headers": shop}),
        ("GET", "/livez", {"headers": {"origin": "https://other.example"}}),
        (
            "POST",
            "/v1/decide/batch",
            {
                "json": {
                    "people": [{"userId": "u"}, {"anonymousId": "x"}],
                    "surfaces": [{"surface": "home"}],
                },
                "auth": SERVER,
            },
        ),
    )
    assert tracked.json() == {"success": True}
    made = decided.json()["decisions"][0]
    assert len(made["items"]) == 5
    assert made["personOffset"] == 61
    assert all(each["reasons"] for each in made["items"])
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in foreign.headers
    people = [json.loads(line)["person"] for line in lines.text.splitlines()]
    assert people == [
        {"userId": "u", "anonymousId": None},
        {"userId": None, "anonymousId": "x"},
    ]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({**ASK, "persn": 1}, "persn"),
        ({**ASK, "surfaces": []}, "surfaces"),
        ({**ASK, "surfaces": [{"surface": "home", "size": 201}]}, "size"),
        ({**ASK, "account": "x" * 513}, "account"),
        ({**ASK, "context": {"extra": {"a": [1]}}}, "extra"),
    ],
)
def test_wrong_bodies_name_the_place(sent: dict[str, Any], says: str) -> None:
    """The field is in the message."""
    with pytest.raises(BadRequest) as caught:
        bodies.decode(json.dumps(sent).encode(), DecideRequest)
    assert says in caught.value.message


@pytest.mark.parametrize("sent", [7, 7.0, " 7 ", 12345678901234567890123])
def test_an_id_is_the_same_person_in_events_and_in_questions(
    engine: Engine, sent: str | float
) -> None:
    """Numbers are written out, spaces around do not count; for one person and in a batch."""
    told = EVENT | {"userId": sent, "messageId": "m1"}
    ask = {"person": {"userId": sent}, "surfaces": [{"surface": "home"}]}
    batch = {"people": [{"userId": sent}, {"anonymousId": sent}], "surfaces": ask["surfaces"]}
    track, one, many = send(
        engine,
        ("POST", "/v1/track", {"json": told, "auth": WRITE}),
        ("POST", "/v1/decide", {"json": ask, "auth": SERVER}),
        ("POST", "/v1/decide/batch", {"json": batch, "auth": SERVER}),
    )
    assert track.status_code == 200
    assert one.json()["profile"]["readiness"] > 0
    known, visitor = map(json.loads, many.text.splitlines())
    assert known["profile"]["readiness"] > 0
    assert visitor["profile"]["readiness"] == 0
    assert known["person"] == {"userId": str(sent).strip().removesuffix(".0"), "anonymousId": None}


@pytest.mark.parametrize("sent", [True, [], {"id": 1}])
def test_what_is_no_id(engine: Engine, sent: object) -> None:
    """Neither text nor a number."""
    ask = {"person": {"userId": sent}, "surfaces": [{"surface": "home"}]}
    (answer,) = send(engine, ("POST", "/v1/decide", {"json": ask, "auth": SERVER}))
    refused(answer, 400, "request.invalid")


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        ({"surface": "mail", "size": 3}, "decide.bad_ask", "mail is a choice: it has no size."),
        (
            {"surface": "mail", "filter": "item.price > 3"},
            "decide.bad_filter",
            "The actions of mail have no price.",
        ),
        (
            {"surface": "together"},
            "decide.bad_ask",
            "together shows what goes with an item: say with which.",
        ),
    ],
)
def test_questions_that_a_surface_cannot_answer(
    campaign: Engine, ask: dict[str, Any], code: str, message: str
) -> None:
    """Said, alone and in a batch; an answer to another question would hide the mistake."""
    good = {
        "surface": "mail",
        "filter": 'item.attributes.theme == "clothes" && item.id != "item.price"',
    }
    one = {"person": {"userId": "u"}, "surfaces": [{"surface": "home"}, ask]}
    many = {"people": [{"userId": "u"}], "surfaces": [ask]}
    answers = send(
        campaign,
        ("POST", "/v1/decide", {"json": one, "auth": SERVER}),
        ("POST", "/v1/decide/batch", {"json": many, "auth": SERVER}),
        ("POST", "/v1/decide", {"json": one | {"surfaces": [good]}, "auth": SERVER}),
    )
    for each in answers[:2]:
        assert refused(each, 400, code)["message"] == message
    assert answers[2].status_code == 200, answers[2].text
    assert campaign.stats()["decisions_total"] == 1, "nothing is decided where one ask is in error"


def test_a_question_as_the_engine_takes_it() -> None:
    """The common context goes to each surface; what is absent is empty."""
    sent = {
        "person": {"anonymousId": "x"},
        "surfaces": [
            {"surface": "a", "context": {"item": "i1"}, "exclude": ["i2"]},
            {"surface": "b", "size": 3, "filter": "item.price < 5.0"},
        ],
        "context": {"locale": "de", "extra": {"shelf": "top"}},
    }
    first, second = bodies.decode(json.dumps(sent).encode(), DecideRequest).asks()
    assert (first.surface, first.size, first.exclude, first.filter) == ("a", None, ("i2",), "")
    assert (first.context.item, second.context.item) == ("i1", "")
    assert (second.size, second.filter) == (3, "item.price < 5.0")
    assert first.context.locale == second.context.locale == "de"
    assert second.context.extra == {"shelf": "top"}


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:02", 2_000),
        ("1960-01-01", 0),
        ("0001-01-01T00:00:00+23:59", 0),
    ],
)
def test_times(text: str, ms: int) -> None:
    """RFC 3339; without a zone UTC."""
    assert instant(text) == ms


@pytest.mark.parametrize("text", ["", "soon", "9999-99-99"])
def test_no_times(text: str) -> None:
    """Said, never an exception of another kind."""
    with pytest.raises(BadRequest):
        instant(text)


def test_outcomes_that_could_never_count(engine: Engine) -> None:
    """A wrong name, or an item that was not shown, is said at once: silence leaves the loop open."""
    (made,) = engine.decide("u", "", "", [Ask("home")])[0]
    shown = made.items[0].item_id
    other = next(each for each in engine.catalogue if each not in {x.item_id for x in made.items})
    told = {"decisionId": made.decision_id, "itemId": shown, "outcome": "purchase"}
    calls = [told, told | {"outcome": "purchased"}, told | {"itemId": other}]
    good, misnamed, not_shown = send(
        engine, *(("POST", "/v1/outcomes", {"json": each, "auth": SERVER}) for each in calls)
    )
    assert good.json()["accepted"] == 1
    assert refused(misnamed, 400, "decide.unknown_outcome")["hint"] == "Declared: purchase."
    refused(not_shown, 400, "decide.not_shown")


def test_ids_with_a_slash(engine: Engine) -> None:
    """People and items whose ids hold one can be asked for."""
    event = EVENT | {"userId": "de/7"}
    item = {"json": {"title": "Both"}, "auth": SERVER}
    answers = send(
        engine,
        ("POST", "/v1/track", {"json": event, "auth": WRITE}),
        ("GET", "/v1/people/de%2F7", {"auth": SERVER}),
        ("PUT", "/v1/items/a%2Fb", item),
        ("GET", "/v1/items/a%2Fb", {"auth": SERVER}),
        ("GET", "/v1/people/de%2F7/moment?hours=5", {"auth": SERVER}),
    )
    assert [each.status_code for each in answers] == [200] * 5
    assert answers[4].json()["personId"] == "u:de/7"
    assert answers[1].json()["userId"] == "de/7"
    assert answers[3].json()["itemId"] == "a/b"


def test_an_id_with_a_slash_at_its_end_is_an_id_of_its_own(engine: Engine) -> None:
    """Addresses of pages are ids of items: one that ends so is not the one without. A slash that was sent as
    such means nothing."""
    page = {"json": {"title": "Page"}, "auth": SERVER}
    both = "/v1/items/https%3A%2F%2Fx.de%2Fa", "/v1/items/https%3A%2F%2Fx.de%2Fa%2F"
    *_, gone, left, twice = send(
        engine,
        *(("PUT", each, page) for each in both),
        ("DELETE", both[1], {"auth": SERVER}),
        ("GET", both[0] + "//", {"auth": SERVER}),
        ("DELETE", both[1] + "/", {"auth": SERVER}),
    )
    assert [each.status_code for each in (gone, left, twice)] == [200, 200, 404]
    assert left.json()["itemId"] == "https://x.de/a"


def test_only_the_person_that_was_named_is_erased(engine: Engine) -> None:
    """``bob/`` is not ``bob``, and ``bob/export`` is a person when it is sent as one."""
    known = [EVENT | {"userId": each} for each in ("bob", "bob/", "bob/export")]
    answers = send(
        engine,
        *(("POST", "/v1/track", {"json": each, "auth": WRITE}) for each in known),
        ("DELETE", "/v1/people/bob%2F", {"auth": SERVER}),
        ("GET", "/v1/people/bob", {"auth": SERVER}),
        ("GET", "/v1/people/bob%2F", {"auth": SERVER}),
        ("GET", "/v1/people/bob%2Fexport", {"auth": SERVER}),
        ("GET", "/v1/people/bob/export", {"auth": SERVER}),
    )
    _, bob, _, named, export = answers[3:]
    assert [each.status_code for each in answers[3:]] == [200, 200, 404, 200, 200]
    assert (bob.json()["userId"], named.json()["userId"]) == ("bob", "bob/export")
    assert export.json().keys() != named.json().keys()


def test_the_root_leads_to_the_documentation(engine: Engine) -> None:
    """What someone opens first is a page, not an error."""
    (answer,) = send(engine, ("GET", "/", {}))
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


def test_long_letters_are_brief_in_a_list(engine: Engine) -> None:
    """A page of messages as large as batches would be as large as a thousand of them."""
    large = EVENT | {"type": "track", "properties": {"essay": "x" * 100_000}}
    _, listed, alone = send(
        engine,
        ("POST", "/v1/batch", {"auth": WRITE, "json": {"batch": [large]}}),
        ("GET", "/v1/dead-letters", {"auth": SERVER}),
        ("GET", "/v1/dead-letters/1", {"auth": SERVER}),
    )
    (brief,), whole = listed.json()["deadLetters"], alone.json()
    assert (len(brief["body"]), brief["bodyBytes"]) == (1_000, whole["bodyBytes"])
    assert json.loads(whole["body"]) == large


def test_ids_with_a_line_break(engine: Engine) -> None:
    """They are odd, and they are ids: what was put is found."""
    item = {"json": {"title": "Odd"}, "auth": SERVER}
    answers = send(
        engine,
        ("PUT", "/v1/items/a%0Ab", item),
        ("GET", "/v1/items/a%0Ab", {"auth": SERVER}),
    )
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[1].json()["itemId"] == "a\nb"


def test_the_answer_names_what_nothing_declares(engine: Engine) -> None:
    """Names alone: whoever forgot a signal sees it in the first answer; the remedy is for the server key."""
    event = EVENT | {"type": "track", "event": "Menu Opened", "properties": {"size": "x"}}
    named, plain, told = send(
        engine,
        ("POST", "/v1/track", {"json": event, "auth": WRITE}),
        ("POST", "/v1/track", {"json": EVENT | {"type": "track"}, "auth": WRITE}),
        ("GET", "/v1/privacy", {"auth": SERVER}),
    )
    assert named.json() == {"success": True, "undeclared": ["track Menu Opened"]}
    assert plain.json() == {"success": True}
    (found,) = told.json()["undeclared"]
    assert (found["name"], found["count"]) == ("track Menu Opened", 1)
    assert "[signals.NAME]" in found["remedy"]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"traits": {"timezone": "Europe/Vienna"}}, None),
        ({"context": {"timezone": "Mars/Olympus"}}, ["timezone Mars/Olympus"]),
        ({"traits": {"timezone": "+02:00"}}, ["timezone +02:00"]),
        ({"context": {"traits": {"timezone": 2}, "timezone": "UTC"}}, ["timezone 2"]),
    ],
)
def test_a_time_zone_that_is_not_known_is_named(
    tmp_path: Path, said: dict[str, Any], named: list[str] | None
) -> None:
    """It is passed over: nobody else would say so."""
    shop = a_campaign()
    shop = replace(shop, traits=shop.traits | {"timezone": TraitSpec("timezone")})
    engine = open_engine(shop, tmp_path / "data")
    body = {"userId": "ann", **said}
    (answer,) = send(engine, ("POST", "/v1/identify", {"json": body, "auth": WRITE}))
    assert (answer.status_code, answer.json().get("undeclared")) == (200, named)
    engine.store.close()
