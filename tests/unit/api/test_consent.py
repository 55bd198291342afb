"""Consent by the API: said, shown, proven; the browser's signal; and a question of nobody."""

from __future__ import annotations

import asyncio
import json
import time
from hashlib import sha256
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from germane.api.auth import Keys
from germane.api.consents import Consents
from germane.api.server import build
from germane.app.back import way_back
from germane.app.consents import proven
from germane.app.engine import Engine
from germane.config.channels import ChannelsSpec, LinksSpec
from germane.domain.decision import Ask
from germane.domain.moves import Stated
from germane.domain.person_token import sign
from germane.domain.purposes import PERSONALISATION
from germane.domain.settings import NoticeSpec, PrivacySpec
from germane.profile.words import UNUSED, rfc3339
from germane.testing import an_event
from germane.testing.world import START_MS

KEYS = Keys("the-write-key", "the-server-key-which-is-long-enough")
SERVER = (KEYS.server, "")
WRITE = (KEYS.write, "")
HOME = {"surfaces": [{"surface": "home"}]}
GPC = {"Sec-GPC": "1"}


def ask(
    engine: Engine, *calls: tuple[str, str, dict[str, Any]], **built: Any
) -> list[httpx.Response]:
    """Requests, one after the other."""
    app = build(engine, KEYS, access_log=False, **built)

    async def live() -> list[httpx.Response]:
        await engine.start()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answers = [await client.request(m, path, **more) for m, path, more in calls]
        await engine.stop()
        return answers

    return asyncio.run(live())


def say(**body: Any) -> tuple[str, str, dict[str, Any]]:
    """A statement of Ann's."""
    said = {"userId": "ann", "purpose": PERSONALISATION, "state": "withdrawn", **body}
    return ("POST", "/v1/consent", {"json": said, "auth": SERVER})


def decide(headers: dict[str, str] | None = None, **body: Any) -> tuple[str, str, dict[str, Any]]:
    """A question of Ann's."""
    asked = {"person": {"userId": "ann"}, **HOME, **body}
    return ("POST", "/v1/decide", {"json": asked, "auth": SERVER, "headers": headers or {}})


def get(path: str) -> tuple[str, str, dict[str, Any]]:
    """By a server."""
    return ("GET", path, {"auth": SERVER})


def test_what_is_said_holds_for_the_next_request(engine: Engine) -> None:
    """And is shown with its proof."""
    engine.accept_now([an_event(user="ann")])
    yes = say(state="granted", method="form", notice="banner", noticeText="May we?", source="/x")
    said, no, decided, shown, privacy = ask(
        engine, yes, say(), decide(), get("/v1/people/ann/consent"), get("/v1/privacy")
    )
    assert said.json()["consent"] == {PERSONALISATION: True}
    assert no.json()["allowed"][PERSONALISATION] is False
    (decision,) = decided.json()["decisions"]
    assert decision["arm"] == "opted_out"
    assert decided.json()["profile"] == {"readiness": 0.0}
    first, second = reversed(shown.json()["history"])
    assert first["noticeSha256"] == sha256(b"May we?").hexdigest()
    assert (first["state"], first["notice"], first["source"]) == ("granted", "banner", "/x")
    assert (second["state"], second["method"], second["stands"]) == ("withdrawn", "api", True)
    ledger = privacy.json()["ledger"]
    assert (ledger["lines"], ledger["intact"]) == (2, True)


def test_a_yes_has_a_time_and_an_end(engine: Engine) -> None:
    """One that is older than the no undoes nothing; one that is over allows nothing."""
    late = say(state="granted", timestamp="2020-01-01T00:00:00Z")
    ended = say(
        state="granted", purpose="email_marketing", expiresAt="2025-11-24T10:00:10Z", userId="bob"
    )
    _, refused, held = ask(engine, say(), late, ended)
    assert refused.json()["consent"] == {PERSONALISATION: False}
    assert held.json()["allowed"]["email_marketing"] is True
    engine.world.advance(seconds=11)  # type: ignore[attr-defined]
    profile, now_ms = engine.profile_of("u:bob"), engine.world.now_ms()
    assert not engine.gate.allows(profile, "email_marketing", now_ms)


def test_a_yes_that_is_over_is_told_from_a_no(engine: Engine) -> None:
    """In the page of a person, and in that of their consent; ``consent`` says what they said last."""
    at_ms, until_ms = START_MS - 86_400_000, START_MS + 10_000
    yes = Stated("u:ann", "email_marketing", True, "form", at_ms=at_ms, until_ms=until_ms)
    engine.put_moves([yes])
    engine.world.advance(seconds=11)  # type: ignore[attr-defined]
    calls = (get("/v1/people/ann"), get("/v1/people/ann/consent"))
    person, consent = (each.json() for each in ask(engine, *calls))
    states = {
        "email_marketing": {
            "state": "expired",
            "at": rfc3339(at_ms),
            "expiresAt": rfc3339(until_ms),
        }
    }
    assert person["consentStates"] == consent["consentStates"] == states
    assert person["consent"] == consent["consent"] == {"email_marketing": True}
    assert consent["allowed"]["email_marketing"] is False


def test_a_no_that_came_late_is_shown_with_its_own_date(engine: Engine) -> None:
    """And not with that of the yes that it undid, which undoes nothing when it is said again."""
    yes_ms, no_ms = START_MS - 86_400_000, START_MS - 30 * 86_400_000
    for granted, at_ms in ((True, yes_ms), (False, no_ms), (True, yes_ms)):
        engine.put_moves([Stated("u:ann", "email_marketing", granted, "form", at_ms=at_ms)])
    calls = (get("/v1/people/ann"), get("/v1/people/ann/consent"))
    person, consent = (each.json() for each in ask(engine, *calls))
    shown = {"state": "withdrawn", "at": rfc3339(no_ms), "expiresAt": None}
    assert person["consentStates"] == consent["consentStates"] == {"email_marketing": shown}


def test_the_page_of_a_person_says_that_they_opted_out(engine: Engine) -> None:
    """And that what is known is not used; until they come back."""
    engine.accept_now([an_event(user="ann")])
    look = get("/v1/people/ann")
    before, _, out, _, back = (
        x.json() for x in ask(engine, look, say(), look, say(state="granted"), look)
    )
    assert [x["optedOut"] for x in (before, out, back)] == [False, True, False]
    assert out["consentStates"][PERSONALISATION]["state"] == "withdrawn"
    assert out["readiness"]["meaning"] == UNUSED
    assert back["readiness"] == before["readiness"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"purpose": "Mein Zweck"}, "no name of a purpose"),
        ({"fresh": True}, "fresh goes with a yes"),
        ({"purpose": "transactional"}, "cannot be refused"),
        ({"purpose": "personalization"}, "Did you mean 'personalisation'?"),
        ({"state": "granted", "expiresAt": "2020-01-01T00:00:00Z"}, "over already"),
        ({"expiresAt": "2027-01-01T00:00:00Z"}, "A no does not expire"),
        ({"state": "granted", "expiresAt": "soon"}, "not a time"),
        ({"state": "granted", "notice": "banner"}, "no notice 'banner'"),
        ({"userId": None}, "userId or an anonymousId"),
    ],
)
def test_what_cannot_be_meant_is_refused(engine: Engine, body: dict[str, Any], says: str) -> None:
    """With its remedy, and nothing is written."""
    notices = {"terms": NoticeSpec("terms", "1", "ab")}
    settings = replace(engine.settings, privacy=PrivacySpec(notices=notices))
    engine.settings = settings
    (answer,) = ask(engine, say(**body))
    assert answer.status_code == 400
    assert says in answer.text
    assert engine.person_key("ann") is None


def test_a_yes_takes_a_trusted_key(engine: Engine) -> None:
    """The public one cannot agree for anybody; and nobody can read who agreed to what."""
    path, (_, _, sent) = "/v1/consent", say(state="granted")
    answers = ask(
        engine,
        ("POST", path, sent | {"auth": WRITE}),
        ("GET", "/v1/people/ann/consent", {"auth": WRITE}),
        ("GET", "/v1/privacy", {"auth": WRITE}),
        ("GET", "/v1/privacy", {}),
    )
    assert [each.status_code for each in answers] == [403, 403, 403, 401]


def test_the_browsers_signal_is_heard_on_every_call(engine: Engine) -> None:
    """With an event, with a question, with a batch; and it says so at its well-known address."""
    event = {"userId": "ann", "event": "Product Viewed", "properties": {"product_id": "i1"}}
    batch = {"batch": [{"type": "track", **event, "userId": "bob"}]}
    tracked, _, _, known = ask(
        engine,
        ("POST", "/v1/track", {"json": event, "auth": WRITE, "headers": GPC}),
        ("POST", "/v1/batch", {"json": batch, "auth": WRITE, "headers": GPC}),
        ("POST", "/v1/track", {"json": event | {"userId": "eve"}, "auth": WRITE}),
        ("GET", "/.well-known/gpc.json", {}),
    )
    assert tracked.json() == {"success": True}
    assert known.json()["gpc"] is True
    no = {"cross_channel_advertising": False, "cross_site_tracking": False}
    assert engine.profile_of("u:ann").consent == engine.profile_of("u:bob").consent == no
    assert engine.profile_of("u:ann").evidence == 1.0  # the product itself may still know
    assert engine.profile_of("u:eve").consent == {}


def test_the_signal_of_somebody_unknown_counts_where_it_says_no_to_anything(engine: Engine) -> None:
    """Under a law by which they would be followed else."""
    law = PrivacySpec(jurisdiction="ccpa")
    engine.settings = engine.gate.settings = replace(engine.settings, privacy=law)
    ask(engine, decide(GPC, person={"userId": "hal"}))
    no = {"cross_channel_advertising": False, "cross_site_tracking": False}
    assert engine.profile_of("u:hal").consent == no


def test_where_the_signal_means_personalisation_it_is_off_at_once(engine: Engine) -> None:
    """Also for somebody who is not known, who becomes known by nothing of it."""
    spec = PrivacySpec(gpc=(PERSONALISATION,))
    engine.settings = replace(engine.settings, privacy=spec)
    engine.accept_now([an_event(user="ann")])
    stranger = decide(GPC, person={"anonymousId": "x"})
    heard, after, unknown = ask(engine, decide(GPC), decide(), stranger)
    for each in (heard, after, unknown):
        assert each.json()["decisions"][0]["arm"] == "opted_out"
    assert engine.profile_of("u:ann").consent == {PERSONALISATION: False}
    assert engine.person_key("x") is None


def test_a_question_of_nobody_needs_no_id(engine: Engine) -> None:
    """By a server, and by a browser; what is sent beside is neither read nor kept."""
    engine.accept_now([an_event(user="ann", item=f"i{n}") for n in range(5)])
    nobody = ("POST", "/v1/decide", {"json": {**HOME, "optOut": True}, "auth": SERVER})
    browser = ("POST", "/v1/decide", {"json": {**HOME, "optOut": True}, "auth": WRITE})
    missing = ("POST", "/v1/decide", {"json": HOME, "auth": SERVER})
    before = engine.seq
    plain, named, there, wrong = ask(
        engine, nobody, decide(optOut=True), browser, missing, anonymous=True
    )
    items = [
        [x["itemId"] for x in each.json()["decisions"][0]["items"]]
        for each in (plain, named, there)
    ]
    assert items[0] == items[1] == items[2] != []
    assert wrong.status_code == 400
    assert "userId or an anonymousId" in wrong.text
    kept = list(engine.store.read(before))
    assert [each.person for each in kept] == ["", "", ""]
    assert b"ann" not in b"".join(each.body for each in kept)


def test_a_browser_with_tokens_alone_asks_for_nobody_with_none(engine: Engine) -> None:
    """Where visitors are not served, nobody is either."""
    browser = ("POST", "/v1/decide", {"json": {**HOME, "optOut": True}, "auth": WRITE})
    (answer,) = ask(engine, browser)
    assert answer.status_code == 403
    assert "auth.token_needed" in answer.text


def test_a_long_ledger_is_proven_while_others_are_served(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page at a time: between two of them something else runs, and what it adds is proven as well."""
    monkeypatch.setattr("germane.app.consents.PAGE", 2)
    said = [Stated(f"u:{n}", PERSONALISATION, False, "test", salt=f"{n}") for n in range(9)]
    engine.put_moves(said)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            if turns == 3:
                engine.put_moves([Stated("u:late", PERSONALISATION, False, "test", salt="x")])
            await asyncio.sleep(0)

    async def live() -> Response:
        beside = asyncio.create_task(other())
        found = await Consents(engine).standing(Request({"type": "http", "query_string": b""}))
        beside.cancel()
        return found

    ledger = json.loads(bytes(asyncio.run(live()).body))["ledger"]
    assert turns >= 5
    assert (ledger["lines"], ledger["intact"]) == (10, True)
    assert ledger["digest"] == proven(engine.entries, engine.tenant).digest


NO = {"cross_channel_advertising": False, "cross_site_tracking": False}
ANN = {"person": {"userId": "ann"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/decide", {**ANN, **HOME}),
        ("/v1/inbox", ANN),
        ("/v1/impressions", {"positions": [0]}),
        ("/v1/outcomes", {"outcome": "purchase", "value": 1.0}),
        ("/v1/feedback", {"kind": "opt_out"}),
    ],
)
@pytest.mark.parametrize("by", ["server", "browser"])
@pytest.mark.parametrize("signal", [GPC, {}], ids=["signal", "none"])
def test_every_call_that_names_a_person_hears_the_signal(
    engine: Engine, path: str, body: dict[str, Any], by: str, signal: dict[str, str]
) -> None:
    """Asked for by a server that hands it on, or by a browser with a person token."""
    engine.accept_now([an_event(user="ann", item=f"i{n}") for n in range(5)])
    made = engine.decide("ann", "", "", [Ask("home")])[0][0]
    if path.rpartition("/")[2] in ("impressions", "outcomes", "feedback"):
        body = body | {"decisionId": made.decision_id}
    if path == "/v1/outcomes":
        body = body | {"itemId": made.items[0].item_id}
    auth = SERVER
    if by == "browser":
        token = sign(KEYS.server, user_id="ann", now_s=time.time(), valid_s=60)
        auth, body = (KEYS.write, token), {x: y for x, y in body.items() if x != "person"}
    (answer,) = ask(engine, ("POST", path, {"json": body, "auth": auth, "headers": signal}))
    assert answer.status_code == 200, answer.text
    heard = {x: y for x, y in engine.profile_of("u:ann").consent.items() if x in NO}
    assert heard == (NO if signal else {})


def test_a_purpose_that_nothing_has_is_told(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """It is taken, for a campaign may come later; the answer and the log name it, once."""
    own = say(state="granted", purpose="weekly")
    known = say(state="granted", purpose="email_marketing")
    taken, again, fine = ask(engine, own, own, known)
    ((told,), (_,), none) = (each.json()["warnings"] for each in (taken, again, fine))
    assert told["text"] == "Nothing has the purpose 'weekly' so far."
    assert 'Give it a title under [links.purposes]: weekly = "What people get"' in told["remedy"]
    assert "Declared: cross_channel_advertising, cross_site_tracking" in told["remedy"]
    assert none == []
    assert caplog.text.count("'weekly'") == 1


@pytest.mark.parametrize(
    ("declared", "sent", "text"),
    [
        ("", {"noticeVersion": "9"}, "No notice 'banner' is declared: its text is not proven."),
        (
            "3",
            {"noticeVersion": "9"},
            "Notice 'banner' has no version '9': its text is not proven.",
        ),
        ("3", {"noticeVersion": "9", "noticeText": "May we?"}, ""),
        ("3", {"noticeVersion": "3"}, ""),
    ],
)
def test_a_notice_that_is_not_declared_is_told(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    declared: str,
    sent: dict[str, str],
    text: str,
) -> None:
    """What was said is recorded all the same."""
    if declared:
        notice = NoticeSpec("banner", declared, "f" * 64)
        monkeypatch.setitem(engine.settings.privacy.notices, "banner", notice)
    (answer,) = ask(engine, say(state="granted", notice="banner", **sent))
    assert [each["text"] for each in answer.json()["warnings"]] == [text][: bool(text)]
    assert engine.profile_of("u:ann").consent[PERSONALISATION]


def test_a_time_that_is_to_come_is_told(engine: Engine) -> None:
    """It is recorded as of now; a clock that is a little ahead is nothing to speak of."""
    now_ms = engine.world.now_ms()
    ahead = say(timestamp=rfc3339(now_ms + 60_000))
    late, ahead_, shown = ask(
        engine, say(timestamp="2099-01-01T00:00:00Z"), ahead, get("/v1/people/ann/consent")
    )
    (told,) = late.json()["warnings"]
    assert "is in the future: recorded as said now." in told["text"]
    assert ahead_.json()["warnings"] == []
    assert {each["at"] for each in shown.json()["history"]} == {rfc3339(now_ms)}


def test_what_was_refused_says_since_when(engine: Engine) -> None:
    """It is counted by a server as long as it runs; what nothing declares is stored."""
    started = rfc3339(engine.world.now_ms())
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    track = {"userId": "ann", "event": "Menu Opened"}
    _, privacy = ask(
        engine, ("POST", "/v1/track", {"json": track, "auth": WRITE}), get("/v1/privacy")
    )
    found = privacy.json()
    assert found["refusedSince"] == started
    assert found["refused"] == {"track Menu Opened": 1}
    assert [(x["name"], x["count"]) for x in found["undeclared"]] == [("track Menu Opened", 1)]


def test_a_purpose_with_a_title_is_one(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    back = way_back(engine, ChannelsSpec(links=LinksSpec(purposes={"email_weekly": "Our letter"})))
    (titled,) = ask(engine, say(state="granted", purpose="email_weekly"), back=back)
    assert titled.json()["warnings"] == []
    assert caplog.text == ""


def test_an_event_that_speaks_of_what_nothing_has(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """A list nobody has, a category of a banner nobody mapped: the answer to the very call says so."""
    spec = PrivacySpec(categories={"Ads": ("cross_site_tracking",)})
    engine.settings = replace(engine.settings, privacy=spec)

    def call(**body: Any) -> tuple[str, str, dict[str, Any]]:
        return ("POST", "/v1/track", {"json": {"userId": "ann", **body}, "auth": WRITE})

    def left(name: str) -> tuple[str, str, dict[str, Any]]:
        return call(event="Unsubscribed", properties={"list_id": name})

    banner = {"Ads": False, "Adds": True, "personalisation": True}
    answers = ask(
        engine,
        left("newsleter"),
        left("email_marketing"),
        left("Our Weekly News"),  # no purpose: all e-mail
        left("list_4711000"),
        call(
            event="Product Viewed",
            properties={"product_id": "i1"},
            context={"consent": {"categoryPreferences": banner}},
        ),
    )
    told = [each.json().get("undeclared") for each in answers]
    hidden = "purpose with a name that may hold data of people"
    assert told == [["purpose newsleter"], None, None, [hidden], ["category Adds"]]
    assert "Nothing has the purpose 'newsleter' so far." in caplog.text
    assert "A banner speaks of 'Adds'" in caplog.text
    assert "Did you mean 'Ads'?" in caplog.text
    assert "4711000" not in caplog.text
