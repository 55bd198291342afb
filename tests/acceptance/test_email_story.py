"""Two people receive the same campaign, and read different letters; what they answer changes the next."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server
from tests.acceptance.mailing import Sink, links_of, smtp_sink, text_of

PROJECT = Path(__file__).parent / "projects" / "email"
ARTICLES = {
    "forecast-1": ("forecasting", "Forecasts that hold"),
    "forecast-2": ("forecasting", "The pipeline review"),
    "forecast-3": ("forecasting", "Commit or best case"),
    "forecast-4": ("forecasting", "What the quarter tells"),
    "campaign-1": ("campaigns", "Your first letter"),
    "campaign-2": ("campaigns", "Subject lines"),
    "campaign-3": ("campaigns", "A list that stays clean"),
}
VP, MANAGER = "vp@sales.example", "manager@start.example"


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Takes the mail."""
    with smtp_sink() as made:
        yield made


@pytest.fixture
def server(tmp_path: Path, sink: Sink) -> Iterator[Server]:
    """The project, with articles, content and campaign."""
    folder = tmp_path / "email"
    shutil.copytree(PROJECT, folder)
    opened = Server(folder, GERMANE_CHANNELS__EMAIL__PORT=str(sink.port))
    opened.environment["GERMANE_LINKS__BASE_URL"] = opened.url
    opened.start()
    items = [
        {
            "itemId": name,
            "type": "article",
            "title": title,
            "category": category,
            "url": f"https://acme.example/{name}",
        }
        for name, (category, title) in ARTICLES.items()
    ]
    assert opened.api.post("/v1/items/batch", json={"items": items}).status_code == 200
    yield opened
    opened.close()


def told(server: Server, kind: str, user: str, **fields: Any) -> None:
    """A tracking call."""
    answer = server.api.post(f"/v1/{kind}", json={"userId": user, **fields})
    assert answer.status_code == 200, answer.text


def introduced(server: Server, user: str, **traits: Any) -> None:
    """Who they are, and that they want letters."""
    told(server, "identify", user, traits=traits)
    said = {"userId": user, "purpose": "email_marketing", "state": "granted"}
    assert server.api.post("/v1/consent", json=said).status_code == 200


def written(server: Server) -> None:
    """The letter and its campaign, live."""
    import tomllib

    for kind, name in (("content", "letter"), ("campaigns", "letter")):
        table = tomllib.loads((PROJECT / kind / f"{name}.toml").read_text("utf-8"))
        put = server.api.put(f"/v1/{kind}/{name}", json=table)
        assert put.status_code == 200, put.text
        if kind == "campaigns":
            assert put.json()["status"] == "dry"
    turned = server.api.post("/v1/campaigns/letter/status", json={"status": "live"})
    assert turned.status_code == 200, turned.text


def test_same_campaign_two_letters(server: Server, sink: Sink) -> None:
    """The whole story: subject, opening, articles and call to action; answers; the next letter."""
    introduced(server, "vp", email=VP, firstName="Vera", role="VP of Sales", company_size=500)
    introduced(
        server, "manager", email=MANAGER, firstName="Max", role="Marketing Manager", company_size=50
    )
    for article in ("forecast-1", "forecast-2"):
        told(server, "track", "vp", event="Article Read", properties={"article_id": article})
    written(server)
    for user in ("vp", "manager"):
        told(server, "track", user, event="Letter Due", properties={})
    (hers,), (his,) = sink.to(VP, 1), sink.to(MANAGER, 1)

    assert hers["Subject"] == "Vera, a pipeline that closes itself"
    assert his["Subject"] == "Max, five minutes for your next campaign"
    assert "teams that live in forecasting" in text_of(hers)
    assert "it has been a while" in text_of(his)
    assert "Book a demo" in text_of(hers)
    assert "Take this template" in text_of(his)
    shown = [title for category, title in ARTICLES.values() if title in text_of(hers)]
    assert shown
    assert all(title in ("Commit or best case", "What the quarter tells") for title in shown)
    for mail in (hers, his):
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert server.url in mail["List-Unsubscribe"]
        assert "1 Main Street" in text_of(mail)

    links = links_of(hers)
    clicked = httpx.get(links["Book a demo"], headers={"User-Agent": "Mozilla/5.0 (X11) Firefox"})
    assert clicked.headers["location"] == "https://acme.example/demo"
    why = httpx.get(links["Why am I seeing this?"]).text
    assert all(title in why for title in shown)
    assert "We sent you this message because" in why
    assert "Less like this" in why
    assert f"{server.url}/w/" in text_of(hers), "in the plain part as well"
    told(server, "track", "manager", event="Article Read", properties={"article_id": "campaign-1"})

    # He unsubscribes: a look at the page changes nothing, the button does.
    page = next(url for url in links_of(his).values() if "/u/" in url)
    assert httpx.get(page).status_code == 200
    assert server.person("manager")["consent"] == {"email_marketing": True}
    left = httpx.post(page, data={"List-Unsubscribe": "One-Click"})
    assert left.status_code == 200
    assert server.person("manager")["consent"] == {"email_marketing": False}

    told(server, "track", "vp", event="Article Read", properties={"article_id": "forecast-3"})
    second = sink.to(VP, 2)[1]
    assert "Commit or best case" not in text_of(second)
    assert second["Message-ID"] != hers["Message-ID"]
    time.sleep(1.5)
    assert len(sink.to(MANAGER, 1)) == 1
    held = server.api.get("/v1/why-not", params={"person": "manager", "campaign": "letter"}).json()
    assert "Consent to email_marketing was withdrawn" in held["answer"]
    found = server.api.get("/v1/messages", params={"person": "vp"}).json()["messages"]
    assert [each["status"] for each in found] == ["sent", "sent"]
    assert server.letters() == []
