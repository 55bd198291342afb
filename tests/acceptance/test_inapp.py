"""In-app messages on a real server: asked for, streamed, answered."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from tests.acceptance.conftest import Server

BANNER: dict[str, Any] = {
    "channel": "inapp",
    "form": "banner",
    "slots": [
        {
            "name": "title",
            "kind": "heading",
            "variants": [
                {"id": "one", "texts": {"en": {"text": "You looked at {{ item.title }}"}}}
            ],
        },
        {
            "name": "more",
            "kind": "text",
            "variants": [{"id": "one", "texts": {"en": {"text": "It is still here."}}}],
        },
    ],
}
CAMPAIGN: dict[str, Any] = {
    "channel": "inapp",
    "content": "look-again",
    "enter": {"event": "Product Viewed"},
    "reentry": "always",
}


def live(server: Server) -> None:
    """A banner after each view."""
    for path, body in (
        ("/v1/content/look-again", BANNER),
        ("/v1/campaigns/look", CAMPAIGN),
    ):
        put = server.api.put(path, json=body)
        assert put.status_code == 200, put.text
    turned = server.api.post("/v1/campaigns/look/status", json={"status": "live"})
    assert turned.status_code == 200, turned.text


def viewed(server: Server, item: str) -> None:
    """Somebody looks at something."""
    body = {"userId": "ann", "event": "Product Viewed", "properties": {"product_id": item}}
    assert server.api.post("/v1/track", json=body).status_code == 200


def waiting(server: Server) -> list[dict[str, Any]]:
    """What the inbox has."""
    answer = server.api.post("/v1/inbox", json={"person": {"userId": "ann"}})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def waited(server: Server, count: int) -> list[dict[str, Any]]:
    """Wait until so many are there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = waiting(server)
        if len(found) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_message_waits_and_is_answered(server: Server) -> None:
    """Closed by its person it is gone, and the campaign knows."""
    live(server)
    viewed(server, "lamp-1")
    (found,) = waited(server, 1)
    assert found["title"].startswith("You looked at ")
    assert found["text"] == "It is still here."
    closed = {
        "userId": "ann",
        "event": "In-App Message Dismissed",
        "properties": {"message_id": found["messageId"]},
    }
    assert server.api.post("/v1/track", json=closed).status_code == 200
    assert waiting(server) == []
    shown = server.api.get(f"/v1/messages/{found['messageId']}").json()
    assert shown["status"] == "sent"
    why = server.api.get("/v1/why-not", params={"person": "ann", "campaign": "look"}).json()
    assert "sent" in why["answer"]


def test_messages_are_streamed(server: Server) -> None:
    """One that comes later arrives on the open stream; who comes back goes on behind the last."""
    live(server)
    viewed(server, "lamp-1")
    (first,) = waited(server, 1)
    auth = (server.server_key, "")
    got: list[str] = []
    with httpx.stream(
        "GET", f"{server.url}/v1/inbox/stream", params={"userId": "ann"}, auth=auth, timeout=30
    ) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                got.append(json.loads(line.removeprefix("data: "))["messageId"])
                if len(got) == 1:
                    viewed(server, "lamp-2")
                else:
                    break
    assert got[0] == first["messageId"]
    assert got[1] > got[0]
    with httpx.stream(
        "GET",
        f"{server.url}/v1/inbox/stream",
        params={"userId": "ann"},
        auth=auth,
        timeout=30,
        headers={"Last-Event-ID": got[0]},
    ) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                assert json.loads(line.removeprefix("data: "))["messageId"] == got[1]
                break
    nobody = httpx.get(f"{server.url}/v1/inbox/stream", params={"userId": "ann"})
    assert nobody.status_code == 401
