"""The published Segment clients when something is wrong: the key, the line, the origin."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server
from tests.acceptance.driving import drive_node, drive_python, opened_page

KEEP = ("authorization", "content-type", "content-encoding", "x-retry-count")


@contextmanager
def breaking_line(url: str, breaks: int) -> Iterator[tuple[str, list[bytes]]]:
    """
    A line to the server that breaks after a request was delivered and before its answer came.

    Args:
        url: Where it leads.
        breaks: How many POSTs lose their answer; later ones pass.

    Yields:
        The line's address, and the bodies that went through it.
    """
    bodies: list[bytes] = []
    lock = threading.Lock()

    class Line(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name: self.headers[name] for name in KEEP if name in self.headers}
            answer = httpx.post(url + self.path, content=body, headers=headers)
            with lock:
                bodies.append(body)
                broken = len(bodies) <= breaks
            self.close_connection = True
            if broken:
                return
            self.send_response(answer.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Line) as line:
        thread = threading.Thread(target=line.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{line.server_address[1]}", bodies
        line.shutdown()
        thread.join()


def message_ids(bodies: list[bytes]) -> list[str]:
    """Ids of all messages that went through, in order, repeated ones repeatedly."""
    return [each["messageId"] for body in bodies for each in json.loads(body)["batch"]]


def check_counted_once(server: Server, bodies: list[bytes], person: str, count: int) -> None:
    """The client did send a batch twice, and the server counted every message of it once."""
    sent = message_ids(bodies)
    again = len(sent) - len(set(sent))
    assert again > 0
    assert server.counter("germane_duplicates_total") == again
    assert server.person(person)["readiness"]["evidence"] == count
    assert server.letters() == []


@pytest.mark.parametrize("version", ["2.3.4", "2.4.0"])
def test_python_sends_again(server: Server, version: str) -> None:
    """The Python client whose answer was lost sends the batch again, and nothing counts twice."""
    with breaking_line(server.url, breaks=1) as (url, bodies):
        printed = drive_python(server, version, "queue", url=url)
    assert "done 0" in printed.splitlines(), printed  # the older client logs the lost answer too
    check_counted_once(server, bodies, "py-many", 250)


def test_node_sends_again(server: Server) -> None:
    """The Node client whose answer was lost sends the batch again, and nothing counts twice."""
    with breaking_line(server.url, breaks=1) as (url, bodies):
        printed = drive_node(server, url=url)
    assert printed.strip().endswith("done 0"), printed
    check_counted_once(server, bodies, "node-many", 120)


def test_node_with_a_wrong_key(server: Server) -> None:
    """A wrong key reaches the Node program's error handler as a 401, unrepeated; nothing is stored."""
    with breaking_line(server.url, breaks=0) as (url, bodies):
        printed = drive_node(server, key="wrong", url=url)
    assert "ERROR Error: [401]" in printed, printed
    assert len(message_ids(bodies)) == len(set(message_ids(bodies)))
    assert server.api.get("/v1/people/node-user").status_code == 404


def test_a_refused_key_is_told(server: Server) -> None:
    """The answer that clients show has a code and a message at its top level."""
    message = {"type": "track", "event": "x", "userId": "u"}
    for form in ({"auth": ("wrong", "")}, {"params": {"writeKey": "wrong"}}, {}):
        answer = httpx.post(f"{server.url}/v1/batch", json={"batch": [message]}, **form)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["code"] == "auth.invalid_key"
        assert "key" in answer.json()["message"]


LOAD_FAILS = """
async ([url, key]) => {
  try { await window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url }); return "loaded"; }
  catch (error) { return String(error); }
}
"""

SETTINGS_IN_THE_PAGE = """
async ([url, key, user]) => {
  const settings = { integrations: { "Segment.io": { apiKey: key } } };
  const [analytics] = await window.AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnSettings: settings },
    { integrations: { "Segment.io": { apiHost: url.replace("http://", "") + "/v1", protocol: "http" } } });
  await analytics.identify(user, {});
  await new Promise((done) => setTimeout(done, 1000));
}
"""


def test_browser_with_a_wrong_key(server: Server, shop_page: str) -> None:
    """The browser client does not load with a wrong key, and the page can read why."""
    with opened_page(shop_page) as page:
        with page.expect_response("**/settings") as settings:
            result = page.evaluate(LOAD_FAILS, [server.url, "wrong"])
        answer = settings.value
        status, body = answer.status, answer.json()
    assert result != "loaded"
    assert (status, body["code"]) == (401, "auth.invalid_key")


def test_browser_with_a_wrong_key_in_the_page(server: Server, shop_page: str) -> None:
    """Calls with a wrong key are answered 401 to the page's origin, and nothing is stored."""
    answers: list[Any] = []
    with opened_page(shop_page) as page:
        page.on("response", lambda answer: "/v1/i" in answer.url and answers.append(answer))
        page.evaluate(SETTINGS_IN_THE_PAGE, [server.url, "wrong", "browser-user"])
        statuses = [each.status for each in answers]
        kept = {each.headers.get("cache-control") for each in answers}
    assert statuses == [401], "asked once: a 401 is final"
    assert kept == {"no-store"}, "what it said is kept nowhere, not for this test either"
    assert server.api.get("/v1/people/browser-user").status_code == 404


def test_browser_preflights(server: Server, shop_page: str) -> None:
    """Chromium asks before it sends, from an origin that is not ours, and is let through."""
    with opened_page(shop_page) as page:
        page.evaluate(SETTINGS_IN_THE_PAGE, [server.url, server.write_key, "preflighted"])
    asked = [json.loads(line) for line in server.log.read_text().splitlines() if "OPTIONS" in line]
    assert asked, "no preflight: the page was not of another origin, or sent no Authorization"
    assert {each["status"] for each in asked} == {204}
    assert server.person("preflighted")["userId"] == "preflighted"
