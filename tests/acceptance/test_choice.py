"""Through the real server: which offer, or none, is learned from what people buy, and said in words."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Server, a_project, germane

OFFER = """
[surfaces.offer]
kind = "choice"
nothing = true
default = ["news"]
features = ["known", "context:device=phone"]

[[surfaces.offer.actions]]
id = "sale"
title = "The sale"
attributes = { discount = 20 }

[[surfaces.offer.actions]]
id = "news"
title = "What is new"

[[surfaces.offer.rules]]
kind = "exclude"
when = 'item.id == "sale" && context.device == "tv"'

[[surfaces.offer.outcomes]]
name = "purchase"
signal = "purchase"
window = "2s"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    """The recipe's shop with one choice surface more, whose windows close after two seconds."""
    folder = a_project(tmp_path / "shop")
    config = folder / "germane.toml"
    config.write_text(config.read_text("utf-8") + OFFER, "utf-8")
    server = Server(folder).start()
    yield server
    server.close()


def decide(server: Server, user: str, *, device: str = "phone", **more: Any) -> dict[str, Any]:
    """One decision about the offer."""
    body = {
        "person": {"userId": user},
        "surfaces": [{"surface": "offer", **more}],
        "context": {"device": device},
        "explain": True,
    }
    answer = server.api.post("/v1/decide", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["decisions"][0]
    return found


def test_the_loop_of_a_choice(shop: Server) -> None:
    """Only who gets the sale buys. Once the windows are closed, everybody gets the sale, and is told why;
    the shell says the same, beside the server and without it, and a rebuild changes nothing."""
    chance, taken = random.Random(5), set()
    for n in range(150):
        found = decide(shop, f"p{n}")
        choice = found["choice"]
        taken.add(choice["action"])
        assert 0 < choice["propensity"] <= 1
        assert sum(x["propensity"] for x in choice["actions"]) == pytest.approx(1.0)
        assert [x["itemId"] for x in found["items"]] == [choice["action"]] * bool(choice["action"])
        if choice["action"] == "sale" and chance.random() < 0.6:
            if n % 2:
                report = {"decisionId": found["decisionId"], "outcome": "purchase"}
                assert shop.api.post("/v1/outcomes", json=report).status_code == 200
            else:
                order = {"order_id": f"o{n}", "products": [{"product_id": "whatever"}]}
                event = {"userId": f"p{n}", "event": "Order Completed", "properties": order}
                assert shop.api.post("/v1/track", json=event).status_code == 200
    assert taken == {"sale", "news", None}
    time.sleep(2.5)
    found = decide(shop, "next")
    assert found["choice"]["bestForEveryone"] == "sale"
    said = [x["text"] for x in found["choice"]["reasons"]]
    assert said[0].startswith("Best single choice so far: The sale")
    standing = {x["action"]: x for x in found["choice"]["actions"]}
    assert standing["sale"]["expected"] > standing["news"]["high"]
    assert sum(x["decisions"] for x in standing.values()) == pytest.approx(150, rel=1e-3)
    assert standing["sale"]["responses"] > 10
    assert standing["sale"]["propensity"] > 0.9
    whole = shop.api.get("/v1/surfaces/offer/actions").json()
    assert whole["bestForEveryone"] == "sale"
    assert sum(whole["made"].values()) == 151
    assert "took the best single choice" in whole["meaning"]
    there = {"GERMANE_SERVER__PORT": str(shop.port), "GERMANE_SERVER_KEY": shop.server_key}
    beside = germane("actions", "offer", "--json", cwd=shop.folder, **there)
    assert beside.returncode == 0, beside.stderr
    assert json.loads(beside.stdout)["bestForEveryone"] == "sale"
    looked = germane("decide", "p1", "offer", "--json", cwd=shop.folder, **there)
    assert json.loads(looked.stdout)["decisions"][0]["decisionId"] is None
    shop.stop()
    alone = germane("actions", "offer", cwd=shop.folder)
    assert alone.returncode == 0, alone.stderr
    assert "The sale" in alone.stdout
    shown = germane("decide", "p1", "offer", cwd=shop.folder)
    assert shown.returncode == 0, shown.stderr
    assert "Best single choice so far: The sale" in shown.stdout
    assert "Only a look: nothing was stored or learned." in shown.stdout
    real = germane("decide", "p1", "offer", "--record", cwd=shop.folder)
    assert real.returncode == 0, real.stderr
    assert "Only a look" not in real.stdout
    counted = germane("actions", "offer", "--json", cwd=shop.folder)
    made = sum(json.loads(counted.stdout)["made"].values())
    assert made == 152, "the server's 151, and the one that was asked for with --record"
    rebuilt = germane("rebuild", cwd=shop.folder)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr


def test_rules_exclusions_and_wrong_questions(shop: Server) -> None:
    """Actions can be ruled out, by the operator and by the request; errors are of the usual shape."""
    seen = {decide(shop, f"q{n}", device="tv")["choice"]["action"] for n in range(30)}
    assert seen == {"news", None}
    seen = {decide(shop, f"q{n}", exclude=["news", "sale"])["choice"]["action"] for n in range(5)}
    assert seen == {None}
    seen = {
        decide(shop, f"q{n}", filter="item.attributes.discount > 5")["choice"]["action"]
        for n in range(20)
    }
    assert seen <= {"sale", None}
    api = shop.api
    found = decide(shop, "q")
    wrong = {"decisionId": found["decisionId"], "outcome": "visit", "itemId": "x"}
    assert api.post("/v1/outcomes", json=wrong).json()["code"] == "decide.unknown_outcome"
    answer = api.get("/v1/surfaces/home-grid/actions")
    assert (answer.status_code, answer.json()["code"]) == (404, "decide.unknown_surface")
    assert 'kind = "choice"' in answer.json()["hint"]
    assert api.get("/v1/surfaces/nowhere/actions").status_code == 404
    grid = {"person": {"userId": "q"}, "surfaces": [{"surface": "home-grid"}]}
    slate = api.post("/v1/decide", json=grid).json()["decisions"][0]
    assert "choice" not in slate
    report = {"decisionId": slate["decisionId"], "outcome": "purchase"}
    assert api.post("/v1/outcomes", json=report).json()["code"] == "decide.not_shown"
    audited = api.get("/v1/surfaces/offer/audit").json()
    assert all(x["level"] == "good" for x in audited["findings"])
