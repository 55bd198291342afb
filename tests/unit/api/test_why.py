"""*Why am I seeing this?* over HTTP: the page of a link, and the button of a browser."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from germane.api.auth import Keys
from germane.api.server import build
from germane.app.back import way_back
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.config.channels import ChannelsSpec, LinksSpec
from germane.domain.decision import Ask, SlateItem
from germane.domain.links import Link, LinkKeys
from germane.domain.moves import AnyMove, Disliked, Planned, Stated
from germane.domain.person_token import sign
from germane.domain.record import Record
from germane.testing import FakeWorld, a_campaign, a_shop, an_event, an_item, an_order
from tests.unit.app.test_posting import a_message, planned

KEYS = Keys("the-write-key", "the-server-key-which-is-long-enough")
SERVER = (KEYS.server, "")
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"

Step = Callable[[httpx.AsyncClient], Any]


def life(engine: Engine, work: Step, *, base_url: str = "", anonymous: bool = True) -> Any:
    """Something that asks one question after the other."""
    spec = ChannelsSpec(links=LinksSpec(base_url=base_url))
    app = build(engine, KEYS, access_log=False, anonymous=anonymous, back=way_back(engine, spec))

    async def live() -> Any:
        await engine.start()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            found = await work(client)
        await engine.stop()
        return found

    return asyncio.run(live())


async def decided(client: httpx.AsyncClient, user: str = "ann", **more: Any) -> dict[str, Any]:
    """One decision, as a server gets it."""
    body = {"person": {"userId": user}, "surfaces": [{"surface": "home"}], "explain": True, **more}
    answer = await client.post("/v1/decide", json=body, auth=SERVER)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["decisions"][0]
    return made


def browser(user: str = "ann", **more: Any) -> dict[str, Any]:
    """A body as a browser sends it, with a token."""
    token = sign(KEYS.server, now_s=time.time(), valid_s=60, user_id=user)
    return {"writeKey": KEYS.write, "token": token, **more}


def forms(page: str) -> list[dict[str, str]]:
    """The fields of every form."""
    found = re.findall(r'<form method="post">(.*?)</form>', page)
    pairs = (re.findall(r'name="(\w+)" value="([^"]*)"', each) for each in found)
    return [{name: html.unescape(value) for name, value in each} for each in pairs]


def of_kind(page: str, kind: str) -> dict[str, str]:
    """The first form of a kind."""
    return next(each for each in forms(page) if each["kind"] == kind)


def records(engine: Engine, kind: str = "move") -> list[Record]:
    """Of a kind; what the audit log tells is not meant."""
    found = [each for each in engine.store.read(0) if each.kind == kind]
    return [each for each in found if b"Audited" not in each.body]


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    """Ann likes c1 and had i2 three times."""
    opened = open_engine(a_campaign(), tmp_path / "data", world=FakeWorld())
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    events = [an_order(["i2"], user="ann", order_id=f"o{n}") for n in range(3)]
    opened.accept_now([*events, *(an_event(user="ann", item=x) for x in ("i1", "i8", "i1"))])
    yield opened
    opened.store.close()


def test_what_somebody_told_is_named_where_it_speaks_for_the_item(engine: Engine) -> None:
    """Not their address, and not what speaks for another one."""

    async def work(client: httpx.AsyncClient) -> str:
        told = {"likes": "c3", "email": "new@example.org"}
        said = {"type": "identify", "userId": "new", "traits": told}
        assert (await client.post("/v1/identify", json=said, auth=SERVER)).status_code == 200
        made = await decided(client, "new")
        page = await client.get(made["whyUrl"].removeprefix("http://here"))
        return str(page.text)

    text = html.unescape(life(engine, work))
    assert "You told us: likes = c3." in text
    assert "new@example.org" not in text


def test_the_page_tells_why_and_changes_nothing(engine: Engine) -> None:
    """Every item with its reasons and what they rest on; looked at as often as one likes."""

    async def work(
        client: httpx.AsyncClient,
    ) -> tuple[dict[str, Any], httpx.Response, httpx.Response]:
        made = await decided(client)
        url = made["whyUrl"].removeprefix("http://here")
        for _ in range(3):
            page = await client.get(url)
        return made, page, await client.get(f"{url}?at=1")

    made, page, one = life(engine, work)
    assert page.status_code == 200
    text = page.text
    for each in made["items"]:
        assert each["attributes"]["title"] in text
        for reason in each["reasons"]:
            assert reason["text"] in text
    assert "What you did with c1: 3 × view, last" in text
    assert one.text.count("<h2>") == 1
    assert made["items"][1]["attributes"]["title"] in one.text
    assert not records(engine)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_its_three_buttons(engine: Engine) -> None:
    """Each is in the log, the next decision obeys, and another person's does not change."""

    async def work(client: httpx.AsyncClient) -> None:
        made, other = await decided(client), await decided(client, "bob")
        url = made["whyUrl"]
        page = (await client.get(url)).text
        first = made["items"][0]["itemId"]
        less = of_kind(page, "less_like_this")
        assert less["item"] == first
        answer = await client.post(url, data=less)
        assert answer.status_code == 200
        assert "Noted: you will see less like this." in answer.text
        assert "What you took out" in answer.text
        assert first not in [x["itemId"] for x in (await decided(client))["items"]]

        reason = next(x for x in forms(page) if x.get("reason") == "source.interests")
        answer = await client.post(url, data=reason)
        assert "Nothing is chosen by: what you are interested in" in answer.text
        assert not any(x.get("reason") == "source.interests" for x in forms(answer.text))
        after = await decided(client)
        assert not any(
            r["code"] == "source.interests" for x in after["items"] for r in x["reasons"]
        )

        answer = await client.post(url, data=of_kind(page, "opt_out"))
        assert "nothing is personalised for you any more" in answer.text
        assert (await decided(client))["arm"] == "opted_out"
        assert [x["itemId"] for x in (await decided(client, "bob"))["items"]] == [
            x["itemId"] for x in other["items"]
        ]
        answer = await client.post(url, data=of_kind(answer.text, "opt_in"))
        assert (await decided(client))["arm"] == "personalised"
        answer = await client.post(url, data=of_kind(answer.text, "undo"))
        assert "What you took out" not in answer.text
        assert first in [x["itemId"] for x in (await decided(client))["items"]]

    life(engine, work)
    assert [each.person for each in records(engine)] == ["u:ann"] * 5
    assert rebuild(engine).equal


def test_what_a_form_cannot_do(engine: Engine) -> None:
    """Another decision than the link's, an item or a reason that was not there, nonsense: nothing changes."""

    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        made, other = await decided(client), await decided(client, "bob")
        mine = {"kind": "less_like_this", "decision": made["decisionId"]}
        first = other["items"][0]["itemId"]
        bodies: list[dict[str, str]] = [
            {},
            {"kind": "everything"},
            mine,
            {**mine, "item": "i99"},
            {**mine, "decision": other["decisionId"], "item": first},
            {**mine, "kind": "not_this_reason", "reason": "rule.pinned"},
            {"kind": "not_this_reason", "reason": "source.interests"},
        ]
        return [await client.post(made["whyUrl"], data=each) for each in bodies]

    answers = life(engine, work)
    assert [each.status_code for each in answers] == [400] * 7
    assert all("Nothing has changed" in each.text for each in answers)
    assert not records(engine)


def test_links_that_are_none(engine: Engine) -> None:
    """Cut short, of another key, or made for something else."""
    link = Link("u", "m", "u:ann", 1)
    keys = LinkKeys([engine.key])
    tokens = [
        keys.seal(link),
        LinkKeys([b"other"]).seal(replace(link, kind="w")),
        keys.seal(replace(link, kind="w"))[:-3],
        "x",
    ]

    async def work(client: httpx.AsyncClient) -> list[int]:
        found = []
        for each in tokens:
            found.append((await client.get(f"/w/{each}")).status_code)
            answer = await client.post(f"/w/{each}", data={"kind": "opt_out"})
            found.append(answer.status_code)
        return found

    assert life(engine, work) == [404] * 8
    assert not records(engine)


def test_the_address_is_the_configured_one(engine: Engine) -> None:
    """Not what a request says; and a mere look has none."""

    async def work(client: httpx.AsyncClient) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
        body = {"people": [{"userId": "ann"}], "surfaces": [{"surface": "home"}]}
        lines = await client.post("/v1/decide/batch", json=body, auth=SERVER)
        return (
            await decided(client),
            await decided(client, record=False),
            [line for line in lines.text.splitlines() if line],
        )

    made, look, lines = life(engine, work, base_url="https://go.shop.example")
    assert made["whyUrl"].startswith("https://go.shop.example/w/")
    assert "whyUrl" not in look
    assert "https://go.shop.example/w/" in lines[0]


def test_the_button_of_a_browser(engine: Engine) -> None:
    """It is told the codes of reasons that can be turned off, and sends one."""

    async def work(client: httpx.AsyncClient) -> None:
        asked = browser(surfaces=[{"surface": "home"}], explain=True)
        made = (await client.post("/v1/decide", json=asked)).json()["decisions"][0]
        assert made["whyUrl"]
        for each in made["items"]:
            assert len(each["reasonCodes"]) == len(each["reasons"])
        item, code = next(
            (x["itemId"], code) for x in made["items"] for code in x["reasonCodes"] if code
        )
        about = {"decisionId": made["decisionId"], "itemId": item}
        said = browser(**about, kind="not_this_reason", reason=code)
        assert (await client.post("/v1/feedback", json=said)).json() == {"success": True}
        said = browser(**about, kind="less_like_this")
        assert (await client.post("/v1/feedback", json=said)).status_code == 200
        after = (await client.post("/v1/decide", json=asked)).json()["decisions"][0]
        assert item not in [x["itemId"] for x in after["items"]]
        assert not any(code in x["reasonCodes"] for x in after["items"])
        for kind, arm in (("opt_out", "opted_out"), ("opt_in", "personalised")):
            said = browser(decisionId=made["decisionId"], kind=kind)
            assert (await client.post("/v1/feedback", json=said)).status_code == 200
            after = (await client.post("/v1/decide", json=asked)).json()["decisions"][0]
            assert after["arm"] == arm

    life(engine, work)
    assert rebuild(engine).equal


def test_whose_decision_it_is(engine: Engine) -> None:
    """Nobody mutes for somebody else; a visitor's own id opens no named person's opt-in."""

    async def work(client: httpx.AsyncClient) -> list[tuple[int, str]]:
        made = await decided(client)
        said = {"decisionId": made["decisionId"], "kind": "opt_out"}
        event = {"type": "identify", "userId": "ann", "anonymousId": "v1"}
        await client.post("/v1/identify", json=event, auth=(KEYS.write, ""))
        visitor = {"writeKey": KEYS.write, "person": {"anonymousId": "v1"}}
        bodies = [
            browser("bob", **said),
            visitor | said | {"kind": "opt_in"},
            visitor | said | {"kind": "undo"},
            browser("ann", **said, decision="x"),
            browser("ann", **{**said, "kind": "buy"}),
            browser("ann", **{**said, "decisionId": "none"}),
            browser("ann", **{**said, "kind": "less_like_this"}),
            browser("ann", **{**said, "kind": "less_like_this", "itemId": "none"}),
            browser("ann", **{**said, "kind": "not_this_reason", "reason": "rule.pinned"}),
        ]
        answers = [await client.post("/v1/feedback", json=each) for each in bodies]
        return [(each.status_code, each.json()["code"]) for each in answers]

    assert life(engine, work) == [
        (403, "auth.wrong_person"),
        (403, "auth.token_needed"),
        (403, "auth.token_needed"),
        (400, "request.invalid"),
        (400, "request.invalid"),
        (404, "decide.unknown_decision"),
        (400, "request.invalid"),
        (400, "decide.not_shown"),
        (400, "feedback.not_a_reason"),
    ]
    assert not records(engine)


def test_a_server_says_it_for_anybody(engine: Engine) -> None:
    """With its key alone, by position."""

    async def work(client: httpx.AsyncClient) -> None:
        made = await decided(client)
        said = {"decisionId": made["decisionId"], "kind": "less_like_this", "position": 0}
        assert (await client.post("/v1/feedback", json=said, auth=SERVER)).status_code == 200
        after = await decided(client)
        assert made["items"][0]["itemId"] not in [x["itemId"] for x in after["items"]]

    life(engine, work)


def test_markup_is_text(engine: Engine) -> None:
    """In titles, categories and reasons."""
    with engine.importer() as importer:
        importer.add_items([an_item(n, title=f"{EVIL} {n}", category=EVIL) for n in range(60)])
    engine.accept_now([an_event(user="ann", item="i5")])

    async def work(client: httpx.AsyncClient) -> list[str]:
        made = await decided(client)
        page = (await client.get(made["whyUrl"])).text
        found = [page]
        for kind in ("less_like_this", "not_this_reason"):
            answer = await client.post(made["whyUrl"], data=of_kind(page, kind))
            found += [answer.text]
        return found

    for page in life(engine, work):
        assert "<script" not in page
        assert "<img" not in page
        assert html.escape(EVIL) in page


def test_what_is_not_speakable_is_not_told(tmp_path: Path) -> None:
    """Neither as a reason nor as what a reason rests on."""
    shop = a_shop()
    quiet = {name: replace(each, speakable=False) for name, each in shop.signals.items()}
    engine = open_engine(replace(shop, signals=quiet), tmp_path / "data", world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    engine.accept_now([an_order(["i2"], user="ann", order_id=f"o{n}") for n in range(3)])

    async def work(client: httpx.AsyncClient) -> str:
        return (await client.get((await decided(client))["whyUrl"])).text

    page = life(engine, work)
    assert "Picked for you" in page
    for word in ("You had", "What you did", "What you turned to", "purchase", "interested"):
        assert word not in page
    engine.store.close()


def test_the_page_of_a_message(engine: Engine) -> None:
    """What it shows, and the ways out; a choice between texts is no item of it."""
    made, _ = engine.decide("ann", "", "", [Ask("home"), Ask("mail")])
    message = a_message(person="u:ann", decisions=tuple(x.decision_id for x in made))
    engine.put_moves([planned(message)])
    link = Link("w", message.message_id, "u:ann", 1)
    token = LinkKeys([engine.key]).seal(link)

    async def work(client: httpx.AsyncClient) -> tuple[str, str]:
        page = (await client.get(f"/w/{token}")).text
        answer = await client.post(f"/w/{token}", data=of_kind(page, "less_like_this"))
        return page, answer.text

    page, after = life(engine, work)
    assert "We sent you this message because" in page
    assert made[0].items[0].item_id in [each.get("item") for each in forms(page)]
    assert "You do not see this any more." in after
    found = engine.person("ann")
    assert found is not None
    assert found["muted"]["items"][0]["itemId"] == made[0].items[0].item_id
    moves = records(engine)
    assert [type(each) for each in map(_move, moves)] == [Planned, Disliked]


def _move(record: Record) -> Any:
    return msgspec.msgpack.decode(record.body, type=AnyMove)


@pytest.mark.parametrize(
    ("action", "how", "says"),
    [
        ("mens", "constant", ("one of a few things", "does best over all people")),
        ("mens", "exploring", ("one of a few things", "Tried out, to learn")),
        ("mens", "default", ("one of a few things", "where nothing is chosen")),
        ("mens", "personal", ("This was chosen for you.", "Chosen for you, by what you did")),
        ("", "constant", ("Nothing is shown to you here: that was the choice",)),
    ],
)
def test_the_page_of_a_choice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, action: str, how: Any, says: tuple[str, ...]
) -> None:
    """Others are shown something else, and nothing is a choice as well."""
    (made,), _ = engine.decide("ann", "", "", [Ask("mail")])
    assert made.choice is not None
    item = SlateItem(action, 0, 1.0, 1.0, "ranked", {})
    shown = replace(
        made,
        choice=replace(made.choice, action=action, how=how),
        items=(item,) if action else (),
    )
    monkeypatch.setattr("germane.app.why.decisions_of", lambda *_: [shown])
    token = LinkKeys([engine.key]).seal(Link("w", "", "u:ann", 1, decision_id=made.decision_id))

    async def work(client: httpx.AsyncClient) -> str:
        return (await client.get(f"/w/{token}")).text

    page = life(engine, work)
    for each in says:
        assert each in page
    assert ("chosen for you" in page.lower()) == (how == "personal")
    assert "shown to everyone" not in page
    assert "do not keep" not in page


def test_what_is_forgotten(engine: Engine) -> None:
    """Of a decision that is not kept any more: that, and the way to opt out."""
    token = LinkKeys([engine.key]).seal(Link("w", "", "u:ann", 1, decision_id="gone"))

    async def work(client: httpx.AsyncClient) -> tuple[str, httpx.Response]:
        page = (await client.get(f"/w/{token}")).text
        return page, await client.post(f"/w/{token}", data=of_kind(page, "opt_out"))

    page, answer = life(engine, work)
    assert "We do not keep any more why" in page
    assert answer.status_code == 200
    said = _move(records(engine)[0])
    assert said.salt
    assert replace(said, salt="") == Stated("u:ann", "personalisation", False, "why page")


def test_a_link_of_a_visitor_tells_nothing_of_whoever_they_are_linked_with(engine: Engine) -> None:
    """The public key links any two ids: the link shows what it showed, and takes a no alone."""
    engine.put_moves([Stated("u:ann", "personalisation", False, "test", salt="s")])

    async def work(client: httpx.AsyncClient) -> list[Any]:
        asked = {
            "writeKey": KEYS.write,
            "person": {"anonymousId": "evil"},
            "surfaces": [{"surface": "home"}],
        }
        made = (await client.post("/v1/decide", json=asked)).json()["decisions"][0]
        url = made["whyUrl"].removeprefix("http://here")
        linked = {"userId": "ann", "anonymousId": "evil", "writeKey": KEYS.write}
        await client.post("/v1/identify", json=linked)
        page = (await client.get(url)).text
        back = await client.post(url, data={"kind": "opt_in"})
        taken = await client.post(url, data={"kind": "undo"})
        return [page, back, taken]

    page, back, taken = life(engine, work)
    assert "You had it" not in page
    assert "What you did" not in page
    assert "opt_in" not in page
    assert (back.status_code, taken.status_code) == (400, 400)
    assert engine.profile_of("u:ann").consent["personalisation"] is False


def test_what_was_refused_elsewhere_is_not_agreed_to_by_a_link(engine: Engine) -> None:
    """A mail may be in anybody's hands: only what was refused by the page is taken back by it."""

    async def work(client: httpx.AsyncClient) -> list[Any]:
        url = (await decided(client))["whyUrl"].removeprefix("http://here")
        await client.post(url, data={"kind": "opt_out"})
        mine = await client.post(url, data={"kind": "opt_in"})
        said = {"userId": "ann", "purpose": "personalisation", "state": "withdrawn"}
        await client.post("/v1/consent", json=said, auth=(KEYS.server, ""))
        theirs = await client.post(url, data={"kind": "opt_in"})
        return [mine.status_code, theirs.status_code]

    assert life(engine, work) == [200, 400]
    assert engine.profile_of("u:ann").consent["personalisation"] is False
