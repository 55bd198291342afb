"""Several projects in one application: found by their paths, started and stopped together, else strangers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from germane.api.auth import Keys
from germane.api.nobody import nobody
from germane.api.places import NAME, prefix_of, split
from germane.api.projects import Project, Projects
from germane.api.server import build
from germane.app.back import way_back
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.postbox import Postbox
from germane.config.channels import ChannelsSpec, LinksSpec
from germane.deliver.tracking import prepared
from germane.domain.errors import StorageFailed
from germane.domain.record import Txn
from germane.domain.sending import Outgoing
from germane.storage.memory import MemoryStore
from germane.testing import a_shop
from germane.testing.approvals import a_message
from tests.unit.api.asking import Answer, ask, bearer

EVENT = {"event": "Product Viewed", "userId": "u", "properties": {"product_id": "i1"}}
ASK = {"person": {"userId": "u"}, "surfaces": [{"surface": "home"}]}
SHUT = ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/germane.js", "/example", "/"]


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[dict[str, Engine]]:
    """Of two projects, on disk."""
    opened = {name: open_engine(a_shop(), tmp_path / name) for name in ("shop", "blog")}
    yield opened
    for each in opened.values():
        each.store.close()


def projects(engines: dict[str, Engine], **signal: bool) -> Projects:
    """Both in one application; each has a key that is called after it."""
    return Projects(
        {
            name: Project(
                build(each, Keys(f"w-{name}", f"s-{name}"), anonymous=True, project=name),
                lambda each=each: bool(each.health()["ready"]),  # type: ignore[misc]
                signal.get(name, True),
            )
            for name, each in engines.items()
        }
    )


def live(app: Projects, *calls: tuple[Any, ...]) -> list[Answer]:
    """Requests one after the other, while it serves."""

    async def asked() -> list[Answer]:
        async with app.living():
            return [await ask(app, *each) for each in calls]

    return asyncio.run(asked())


def seen(app: Projects, *calls: tuple[Any, ...]) -> list[Answer]:
    """The same before it serves, as often as one likes."""

    async def asked() -> list[Answer]:
        return [await ask(app, *each) for each in calls]

    return asyncio.run(asked())


def test_names_and_places() -> None:
    assert all(map(NAME.fullmatch, ("a", "0", "shop-2", "x" * 63)))
    assert not any(map(NAME.fullmatch, ("", "-a", "A", "a_b", "a/b", "x" * 64, "ä", "a\n")))
    assert prefix_of("") == ""
    assert split("/p/shop/v1/people/a/b") == ("shop", "/v1/people/a/b")
    assert split("/p/shop") == split("/p/shop/") == ("shop", "/")
    assert split("/p/") == split("/p//") == ("", "/")
    assert split("/v1/p/x") == ("", "/v1/p/x")
    assert split("/p/a/b\nc") == ("a", "/b\nc")


def test_each_answers_under_its_own_path(engines: dict[str, Engine]) -> None:
    """What one is told the other does not know; a key of one opens nothing of the other."""
    told, shop, blog, stranger, twice = live(
        projects(engines),
        ("POST", "/p/shop/v1/track", bearer("w-shop"), EVENT),
        ("GET", "/p/shop/v1/people/u", bearer("s-shop")),
        ("GET", "/p/blog/v1/people/u", bearer("s-blog")),
        ("GET", "/p/blog/v1/people/u", bearer("s-shop")),
        ("GET", "/p/shop/p/shop/v1/people/u", bearer("s-shop")),
    )
    assert [x.status for x in (told, shop, blog, stranger, twice)] == [200, 200, 404, 401, 404]
    assert engines["blog"].store.last_seq() == 2, "the look and the refusal, for the audit log"


def test_what_is_of_no_project(engines: dict[str, Engine]) -> None:
    """Shut, like a wrong key on the same route of a project that there is."""
    app, wrong = projects(engines), bearer("guessed")
    for path in ("/v1/people/u", "/v1/audit", "/v1/keys"):
        here, there, root = seen(
            app,
            ("GET", f"/p/shop{path}", wrong),
            ("GET", f"/p/nosuch{path}", wrong),
            ("GET", path, wrong),
        )
        assert here.status == 401
        assert here == there == root
    (plain,) = seen(app, ("GET", "/p/shop/v1/people/u"))
    for path in SHUT:
        found = seen(app, ("GET", f"/p/nosuch{path}"), ("GET", f"/p/Shop{path}"))
        assert found == [plain, plain], path
    for path in ("/", "/metrics", "/docs", "/p", "/p/", "/nonsense"):
        assert seen(app, ("GET", path)) == [plain], path
    (method,) = seen(app, ("DELETE", "/v1/track"))
    assert method.status == 405


def test_health_of_all(engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready when all are; else those that are not are named."""
    app = projects(engines)
    alive, ready = seen(app, ("GET", "/livez/"), ("GET", "/readyz"))
    assert (alive.status, ready.status) == (200, 200)
    assert json.loads(ready.body) == {"ready": True, "notReady": []}
    monkeypatch.setattr(engines["blog"], "health", lambda: {"ready": False, "reasons": ["x"]})
    ready, shop, blog = seen(
        app, ("GET", "/readyz"), ("GET", "/p/shop/readyz"), ("GET", "/p/blog/readyz")
    )
    assert (ready.status, shop.status, blog.status) == (503, 200, 503)
    assert json.loads(ready.body) == {"ready": False, "notReady": ["blog"]}


def test_the_privacy_signal(engines: dict[str, Engine]) -> None:
    """It is said of the whole host only where every project honours it."""
    path = "/.well-known/gpc.json"
    root, shop = seen(projects(engines), ("GET", path), ("GET", f"/p/shop{path}"))
    assert root == shop
    assert json.loads(root.body)["gpc"] is True
    assert seen(projects(engines, blog=False), ("GET", path))[0].status == 401


def test_pages_and_addresses(engines: dict[str, Engine]) -> None:
    """Whatever leads somewhere leads into the same project."""
    start, docs, description, example, made = seen(
        projects(engines),
        ("GET", "/p/shop"),
        ("GET", "/p/shop/docs/"),
        ("GET", "/p/shop/openapi.json"),
        ("GET", "/p/shop/example"),
        ("POST", "/p/shop/v1/decide", bearer("s-shop"), ASK),
    )
    assert dict(start.headers)["location"] == "/p/shop/docs"
    assert b"href=/p/shop/docs.css" in docs.body
    assert b"href=/p/shop/openapi.json" in docs.body
    assert json.loads(description.body)["servers"] == [{"url": "/p/shop"}]
    assert b'src="/p/shop/germane.js"' in example.body
    why = json.loads(made.body)["decisions"][0]["whyUrl"]
    assert why.startswith("http://here/p/shop/w/")
    here, there = seen(
        projects(engines),
        ("GET", why.removeprefix("http://here")),
        ("GET", why.removeprefix("http://here").replace("shop", "blog")),
    )
    assert (here.status, there.status) == (200, 404)


def test_links_in_messages(engines: dict[str, Engine]) -> None:
    """With a base_url that has the prefix: a click, one-click unsubscription, and why."""
    spec = ChannelsSpec(links=LinksSpec(base_url="http://here/p/shop", key="a key of links, long"))
    shop = engines["shop"]
    back = way_back(shop, spec)
    mail = Outgoing(
        message_id="m-1",
        person="u:ann",
        to="ann@x.example",
        purpose="news",
        html='<a href="https://x.example/">x</a>',
    )
    made = prepared(mail, back.keys, spec.links.base_url, track=True)
    app = Projects(
        {"shop": Project(build(shop, Keys("w", "s"), back=back, project="shop"), lambda: True)}
    )
    click = made.html.partition('href="http://here')[2].partition('"')[0]
    leave = made.unsubscribe_url.removeprefix("http://here")
    form = {"content-type": "application/x-www-form-urlencoded"}
    led, page, left = live(
        app, ("GET", click), ("GET", leave), ("POST", leave, form, b"List-Unsubscribe=One-Click")
    )
    assert (led.status, dict(led.headers)["location"]) == (302, "https://x.example/")
    assert (page.status, left.status) == (200, 200)
    assert b'<form method="post">' in page.body, "it is sent to where it stands"


def test_why_of_a_message_without_a_known_address(engines: dict[str, Engine]) -> None:
    """A path, from the server that was asked: with the prefix."""
    message, _ = a_message()
    post = Postbox(engines["shop"], ChannelsSpec(), prefix="/p/shop")
    assert post.why(message).startswith("/p/shop/w/")
    told = Postbox(engines["shop"], ChannelsSpec(links=LinksSpec(base_url="https://go.example")))
    assert told.why(message).startswith("https://go.example/w/")


def test_browsers_ask_first(engines: dict[str, Engine]) -> None:
    """The preflight of another origin, in a project and where there is none."""
    origin = {"origin": "https://page.example", "access-control-request-method": "POST"}
    here, there = live(
        projects(engines),
        ("OPTIONS", "/p/shop/v1/track", origin),
        ("OPTIONS", "/p/nosuch/v1/track", origin),
    )
    assert here == there
    assert here.status == 204
    assert dict(here.headers)["access-control-allow-origin"] == "https://page.example"


def test_every_line_names_the_project(engines: dict[str, Engine]) -> None:
    from structlog.contextvars import merge_contextvars

    with capture_logs([merge_contextvars]) as lines:
        live(
            projects(engines),
            ("GET", "/p/shop/v1/people/u", bearer("s-shop")),
            ("GET", "/p/blog/v1/surfaces", bearer("s-blog")),
            ("GET", "/p/nosuch/v1/surfaces"),
        )
    said = [(x.get("project"), x["route"], x["status"]) for x in lines if x["event"] == "request"]
    assert said == [
        ("shop", "/v1/people/{person_id}", 404),
        ("blog", "/v1/surfaces", 200),
        (None, "/v1/surfaces", 401),
    ]


def test_a_disk_that_fails_is_one_projects_own(
    engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The store of one refuses: it answers 503, and is not ready. The other goes on as if nothing was."""

    def full(txn: Txn) -> None:
        raise StorageFailed("database or disk is full")

    monkeypatch.setattr(engines["shop"].store, "stage", full)
    monkeypatch.setattr(engines["shop"].store, "commit", full)
    failed, fine, ready, whole, known = live(
        projects(engines),
        ("POST", "/p/shop/v1/track", bearer("w-shop"), EVENT),
        ("POST", "/p/blog/v1/track", bearer("w-blog"), EVENT),
        ("GET", "/p/blog/readyz"),
        ("GET", "/readyz"),
        ("GET", "/p/blog/v1/people/u", bearer("s-blog")),
    )
    assert (failed.status, fine.status, ready.status, known.status) == (503, 200, 200, 200)
    assert json.loads(whole.body)["notReady"] == ["shop"]
    assert engines["blog"].store.profile("main", "u:u") is not None


def test_a_bug_in_one_is_not_the_others(
    engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engines["shop"], "decide", bug)
    crashed, fine = live(
        projects(engines),
        ("POST", "/p/shop/v1/decide", bearer("s-shop"), ASK),
        ("POST", "/p/blog/v1/decide", bearer("s-blog"), ASK),
    )
    assert (crashed.status, fine.status) == (500, 200)


def test_one_that_cannot_start_stops_the_others(
    engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was started is stopped again, and everything it was told is on the disk."""

    async def no() -> None:
        raise StorageFailed("it cannot start")

    monkeypatch.setattr(engines["blog"], "start", no)
    app = projects(engines)

    async def begun() -> None:
        async with app.living():
            raise AssertionError("it serves")

    with pytest.raises(StorageFailed, match="it cannot start"):
        asyncio.run(begun())
    assert not engines["shop"].serving


def test_one_that_cannot_stop_lets_the_others(
    engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = engines["blog"].stop

    async def no() -> None:
        await stop()
        raise StorageFailed("it cannot stop")

    monkeypatch.setattr(engines["blog"], "stop", no)
    with pytest.raises(StorageFailed, match="it cannot stop"):
        live(projects(engines), ("GET", "/livez"))
    assert not engines["shop"].serving


def test_nobody_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked where there is no project leaves nothing in memory: it could be asked for ever."""
    store = MemoryStore()
    monkeypatch.setattr("germane.api.nobody.MemoryStore", lambda: store)
    app = nobody()

    async def asked() -> list[int]:
        paths = ("track", "decide", "keys", "consent", "operators", "people/u")
        calls = [ask(app, "POST", f"/v1/{each}", bearer("guessed"), EVENT) for each in paths]
        return [(await each).status for each in calls]

    assert asyncio.run(asked()) == [401, 401, 401, 401, 405, 405]
    assert store.last_seq() == 0
    assert not any(store.counts().values())
