"""The published Segment clients work unchanged but for the host."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Server, a_project
from tests.acceptance.driving import drive_node, drive_python, opened_page


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The shop, with the one trait declared that these clients send beside Segment's own."""
    folder = a_project(tmp_path / "shop")
    with (folder / "germane.toml").open("a", encoding="utf-8") as file:
        file.write("\n[traits.plan]\n")
    opened = Server(folder).start()
    yield opened
    opened.close()


def interest(server: Server, person: str, attribute: str = "category") -> dict[str, str]:
    """Value of an attribute -> what it was learned from."""
    rows = server.person(person)["interests"].get(attribute, [])
    return {row["value"]: row["from"]["text"] for row in rows}


@pytest.mark.parametrize("version", ["2.3.4", "2.4.0"])
@pytest.mark.parametrize("mode", ["queue", "gzip", "sync"])
def test_python(server: Server, version: str, mode: str) -> None:
    """All call types arrive, batches of more than 100 too, the alias merges, and nothing is rejected."""
    printed = drive_python(server, version, mode)
    assert printed.strip().endswith("done 0"), printed
    known = interest(server, "py-user")
    assert "1 × view, last 2026-01" in known["Tents"]
    assert known["Sleeping"].startswith("1 × purchase")
    assert "Cookware" in known  # the visitor's, merged by the alias
    person = server.person("py-user")
    assert person["account"] == "acme"
    assert person["traits"]["plan"]["value"] == "pro"
    assert server.person("py-many")["readiness"]["evidence"] == 250
    assert server.letters() == []


def test_python_with_a_wrong_key(server: Server) -> None:
    """A wrong key is told in the client's own words, with our code, and nothing is stored."""
    for version in ("2.3.4", "2.4.0"):
        printed = drive_python(server, version, "sync", key="wrong")
        assert "401" in printed, printed
        assert "auth.invalid_key" in printed, printed
    assert server.api.get("/v1/people/py-user").status_code == 404


def test_node(server: Server) -> None:
    """The Node client's calls arrive, and its alias merges."""
    printed = drive_node(server)
    assert printed.strip().endswith("done 0"), printed
    known = interest(server, "node-user")
    assert {"Tents", "Shoes", "Cookware"} <= set(known)
    assert server.person("node-many")["readiness"]["evidence"] == 120
    assert server.person("node-user")["account"] == "acme"


LOAD = """
async ([url, key, batching]) => {
  const { AnalyticsBrowser } = window.AnalyticsNext;
  const batch = { strategy: "batching", config: { size: 5, timeout: 300 } };
  const strategy = batching ? batch : { strategy: "standard" };
  const host = url.replace("http://", "") + "/v1";
  const [analytics] = await AnalyticsBrowser.load(
    { writeKey: key, cdnURL: url },
    { integrations: { "Segment.io": {
      apiHost: host, protocol: "http", deliveryStrategy: strategy } } });
  await analytics.page("Home");
  await analytics.track("Product Viewed", { product_id: "kettle-1", price: 45 });
  await analytics.track("Product Added", { product_id: "kettle-2", quantity: 1, price: 65 });
  await analytics.identify("browser-user", { plan: "free" });
  await analytics.track("Order Completed", {
    order_id: "b1", products: [{ product_id: "pan-2", price: 119, quantity: 1 }] });
  await new Promise((done) => setTimeout(done, 1500));
  return analytics.user().anonymousId();
}
"""


@pytest.mark.parametrize("batching", [False, True])
def test_browser(server: Server, shop_page: str, batching: bool) -> None:
    """The browser client in real Chromium, from another origin: settings, preflight, events, merge."""
    failures: list[str] = []
    with opened_page(shop_page) as page:
        page.on(
            "requestfailed", lambda request: failures.append(f"{request.url} {request.failure}")
        )
        anonymous = page.evaluate(LOAD, [server.url, server.write_key, batching])
    assert failures == []
    person = wait_for(
        server, "browser-user", lambda found: len(found["interests"]["category"]) >= 2
    )
    assert person["anonymousIds"] == [anonymous]
    known = {row["value"] for row in person["interests"]["category"]}
    assert {"Kitchen appliances", "Cookware"} <= known  # what was done before the identify, too
    assert person["traits"]["plan"]["value"] == "free"


def wait_for(server: Server, person: str, good: object) -> dict:
    """Until the person is as expected, 10 s at most."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = server.api.get(f"/v1/people/{person}")
        if answer.status_code == 200 and good(answer.json()):  # type: ignore[operator]
            return answer.json()
        time.sleep(0.05)
    raise AssertionError(server.api.get(f"/v1/people/{person}").text)


def batch(count: int, **changes: object) -> list[dict]:
    """Messages of one user."""
    return [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": "raw",
            "messageId": str(uuid.uuid4()),
            "properties": {"product_id": "toy-1"},
            **changes,
        }
        for _ in range(count)
    ]


def test_a_batch_that_is_sent_again_counts_once(server: Server) -> None:
    """The same message ids are acknowledged again and change nothing."""
    whole = {"batch": batch(50), "writeKey": server.write_key}
    for _ in range(3):
        answer = httpx.post(f"{server.url}/v1/batch", json=whole)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert server.person("raw")["readiness"]["evidence"] == 50
    assert server.counter("germane_duplicates_total") == 100


def test_a_bad_item_costs_itself(server: Server) -> None:
    """A good batch with bad items is accepted; each bad one is a dead letter with its reason."""
    bad = [
        {"type": "track", "userId": "raw"},
        {"type": "nonsense", "userId": "raw"},
        7,
        {"type": "track", "event": "Product Viewed"},
        *batch(1, timestamp="yesterday"),
    ]
    answer = httpx.post(
        f"{server.url}/v1/batch", auth=(server.write_key, ""), json={"batch": [*batch(3), *bad]}
    )
    assert answer.status_code == 200
    assert server.person("raw")["readiness"]["evidence"] == 3
    assert [each["code"] for each in server.letters()] == [
        "event.missing_name",
        "event.unknown_type",
        "event.not_an_object",
        "event.missing_id",
        "event.bad_timestamp",
    ]


def test_keys_that_differ(server: Server) -> None:
    """A key in the header and another in the body is nobody's."""
    answer = httpx.post(
        f"{server.url}/v1/track",
        auth=(server.write_key, ""),
        json={**batch(1)[0], "writeKey": "another"},
    )
    assert answer.status_code == 401


def test_the_clock_of_the_sender_is_corrected(server: Server) -> None:
    """A device whose clock is a day fast: what it did ten minutes ago is ten minutes old."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    fast = now + timedelta(days=1)
    message = batch(1, originalTimestamp=(fast - timedelta(minutes=10)).isoformat())[0]
    httpx.post(
        f"{server.url}/v1/batch",
        auth=(server.write_key, ""),
        json={"batch": [message], "sentAt": fast.isoformat()},
    )
    at = datetime.fromisoformat(server.person("raw")["recent"][0]["at"])
    assert abs((at - (now - timedelta(minutes=10))).total_seconds()) < 5
