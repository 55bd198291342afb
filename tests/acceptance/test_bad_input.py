"""Bad input: each kind is a clear 4xx in the one error shape, and the server goes on."""

from __future__ import annotations

import gzip
import json
import socket

import httpx
import pytest

from tests.acceptance.conftest import Server

SHAPE = {"success", "code", "message", "hint", "details", "requestId"}
GOOD = {"person": {"userId": "u"}, "surfaces": [{"surface": "home-grid"}]}
DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000


def refused(answer: httpx.Response, status: int, code: str) -> dict:
    """The answer is this error, in the one shape."""
    assert answer.status_code == status, answer.text[:500]
    body = answer.json()
    assert set(body) == SHAPE
    assert body["success"] is False
    assert body["code"] == code, body
    assert body["message"]
    assert answer.headers["x-request-id"] == body["requestId"]
    return body


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/decide", b"{", "request.malformed_json"),
        ("/v1/decide", b"", "request.malformed_json"),
        ("/v1/decide", b"\xff\xfe", "request.malformed_json"),
        ("/v1/decide", b"[]", "request.invalid"),
        ("/v1/decide", b"{}", "request.invalid"),
        ("/v1/decide", b'{"person": 5, "surfaces": []}', "request.invalid"),
        (
            "/v1/decide",
            b'{"person": {}, "surfaces": [{"surface": "home-grid"}]}',
            "request.invalid",
        ),
        ("/v1/decide", DEEP, "request.invalid"),
        ("/v1/impressions", b'{"decisionId": "x", "positions": ["a"]}', "request.invalid"),
        ("/v1/outcomes", b'{"decisionId": "x"}', "request.invalid"),
        ("/v1/items/batch", b'{"items": [{"title": "no id"}]}', "request.invalid"),
        ("/v1/track", b"nonsense", "request.malformed_json"),
        ("/v1/track", b'"text"', "request.malformed_json"),
        ("/v1/track", DEEP, "request.invalid"),
        ("/v1/batch", DEEP, "request.invalid"),
        ("/v1/batch", b'{"batch": 5}', "request.invalid"),
        ("/v1/batch", b'{"events": []}', "request.invalid"),
        ("/v1/batch", b"{}", "request.invalid"),
        ("/v1/batch", b'{"batch": [{]}', "request.malformed_json"),
    ],
)
def test_malformed(shared_server: Server, path: str, body: bytes, code: str) -> None:
    """Bodies that cannot be understood."""
    refused(shared_server.api.post(path, content=body), 400, code)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surfaces": [{"surface": "home-grid", "size": 0}]}, "size"),
        ({"surfaces": [{"surface": "home-grid", "size": 10**9}]}, "size"),
        ({"surfaces": [{"surface": "home-grid", "fitler": "x"}]}, "fitler"),
        ({"surfaces": []}, "surfaces"),
        ({"surfaces": [{"surface": 7}]}, "surface"),
        ({"person": {"userId": "x" * 600}}, "userId"),
        ({"explain": "yes"}, "explain"),
    ],
)
def test_wrong_types_are_named(shared_server: Server, changes: dict, says: str) -> None:
    """The message names the field."""
    body = refused(
        shared_server.api.post("/v1/decide", json=GOOD | changes), 400, "request.invalid"
    )
    assert says in body["message"]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/decide", "/v1/items/batch", "/v1/track"])
def test_ten_megabytes(shared_server: Server, path: str) -> None:
    """A body far over the limit is refused without being read to its end."""
    body = b'{"batch": "' + b"x" * 10_000_000 + b'"}'
    refused(shared_server.api.post(path, content=body), 400, "request.too_large")


def test_ten_megabytes_without_a_length(shared_server: Server) -> None:
    """The same when the length is not told ahead."""

    def endless():
        for _ in range(100):
            yield b"x" * 100_000

    refused(shared_server.api.post("/v1/batch", content=endless()), 400, "request.too_large")


def test_gzip_bomb(shared_server: Server) -> None:
    """A small body that inflates to 200 MB is refused."""
    bomb = gzip.compress(b"\x00" * 200_000_000)
    for path in ("/v1/batch", "/v1/decide"):
        answer = shared_server.api.post(path, content=bomb, headers={"content-encoding": "gzip"})
        refused(answer, 400, "request.too_large")


def test_broken_gzip(shared_server: Server) -> None:
    """Gzip that is none, or is cut short; an encoding nobody knows."""
    whole = gzip.compress(json.dumps({"batch": []}).encode())
    for body in (b"not gzip", whole[:-5]):
        answer = shared_server.api.post(
            "/v1/batch", content=body, headers={"content-encoding": "gzip"}
        )
        refused(answer, 400, "request.invalid")
    answer = shared_server.api.post("/v1/batch", content=whole, headers={"content-encoding": "br"})
    assert "gzip" in refused(answer, 400, "request.invalid")["hint"]


def test_limits_of_a_batch(shared_server: Server) -> None:
    """2,500 messages a batch, and 32 kB a message; a large message costs itself."""
    many = {"batch": [{"type": "page", "userId": "u"}] * 2_501}
    refused(shared_server.api.post("/v1/batch", json=many), 400, "request.too_large")
    large = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "large",
        "properties": {"x": "y" * 40_000},
    }
    good = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "large",
        "properties": {"product_id": "toy-1"},
    }
    assert shared_server.api.post("/v1/batch", json={"batch": [large, good]}).status_code == 200
    assert shared_server.person("large")["readiness"]["evidence"] == 1
    kept = shared_server.letters()[-1]
    assert (kept["code"], kept["bodyBytes"] > 40_000) == ("event.too_large", True)
    refused(shared_server.api.post("/v1/track", json=large), 400, "request.too_large")


def test_unknown_things(shared_server: Server) -> None:
    """Surfaces, people, items, decisions, routes and methods that do not exist."""
    api = shared_server.api
    wrong = GOOD | {"surfaces": [{"surface": "home-grd"}]}
    assert (
        "home-grid"
        in refused(api.post("/v1/decide", json=wrong), 404, "decide.unknown_surface")["hint"]
    )
    refused(
        api.post(
            "/v1/decide/batch",
            json={"people": [{"userId": "u"}], "surfaces": wrong["surfaces"]},
        ),
        404,
        "decide.unknown_surface",
    )
    refused(api.get("/v1/people/nobody"), 404, "profile.unknown_person")
    refused(api.get("/v1/items/nothing"), 404, "catalogue.unknown_item")
    refused(api.delete("/v1/items/nothing"), 404, "catalogue.unknown_item")
    refused(api.get("/v1/surfaces/none/audit"), 404, "decide.unknown_surface")
    refused(
        api.post("/v1/impressions", json={"decisionId": "made-up", "positions": [0]}),
        404,
        "decide.unknown_decision",
    )
    refused(api.get("/v1/nothing"), 404, "request.not_found")
    answer = api.put("/v1/decide", json=GOOD)
    refused(answer, 405, "request.method_not_allowed")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "filter_",
    [
        "item.price <",
        "item.prize < 3",
        "1 + 1",
        "other == 2",
        "item.price + 1.0",
        "x" * 999,
        "[1,2].map(x, [1,2].map(y, x))",
    ],
)
def test_bad_filters(shared_server: Server, filter_: str) -> None:
    """Filters that are no condition over items."""
    asked = GOOD | {"surfaces": [{"surface": "home-grid", "filter": filter_}]}
    refused(shared_server.api.post("/v1/decide", json=asked), 400, "decide.bad_filter")


def test_keys(shared_server: Server) -> None:
    """No key, a wrong one, and the write key where the server key is needed."""
    url, write = shared_server.url, shared_server.write_key
    alone = {"/v1/items/batch": "auth.forbidden"}
    for path in ("/v1/decide", "/v1/impressions", "/v1/items/batch"):
        refused(httpx.post(url + path, json=GOOD), 401, "auth.invalid_key")
        refused(httpx.post(url + path, json=GOOD, auth=("wrong", "")), 401, "auth.invalid_key")
        refused(
            httpx.post(url + path, json=GOOD, auth=(write, "")),
            403,
            alone.get(path, "auth.token_needed"),
        )
    for path in ("/v1/people/u", "/v1/surfaces", "/v1/dead-letters", "/v1/items/toy-1"):
        refused(httpx.get(url + path), 401, "auth.invalid_key")
        refused(httpx.get(url + path, auth=(write, "")), 403, "auth.forbidden")
    refused(
        httpx.post(url + "/v1/track", json={"userId": "u", "event": "x"}), 401, "auth.invalid_key"
    )
    refused(httpx.get(url + "/v1/projects/wrong/settings"), 401, "auth.invalid_key")


def test_hostile_sockets(shared_server: Server) -> None:
    """Half requests and noise do not disturb others."""
    for noise in (
        b"\x16\x03\x01\x00",
        b"POST /v1/batch HTTP/1.1\r\ncontent-length: 50\r\n\r\n{",
        b"\r\n" * 50,
    ):
        with socket.create_connection(("127.0.0.1", shared_server.port)) as raw:
            raw.sendall(noise)
    assert shared_server.api.get("/readyz").json()["ready"] is True


EDGES = [
    ("half", '"\\ud800"'),
    ("halves", '"\\ude00 and \\ud83d"'),
    ("wide", "123456789012345678901234567890"),
    ("below", "-9223372036854775809"),
    ("endless", "9" * 400),
    ("large", "1e308"),
    ("zero", '"\\u0000"'),
]


def kept(server: Server, user: str) -> int:
    """In how many places a person's event is: stored, or as a dead letter."""
    known = server.api.get(f"/v1/people/{user}")
    stored = len(known.json()["recent"]) if known.status_code == 200 else 0
    return stored + sum(f'"{user}"' in each["body"] for each in server.letters())


@pytest.mark.parametrize(("name", "value"), EDGES)
def test_numbers_and_texts_at_the_edge(shared_server: Server, name: str, value: str) -> None:
    """Huge numbers and half characters are stored or kept as dead letters: nothing is lost."""
    for place in ("properties", "context", "traits", "extra"):
        user = f"edge-{name}-{place}"
        fields = {"properties": '"product_id": "toy-1"', "context": "", "traits": "", "extra": ""}
        fields[place] += (", " if fields[place] else "") + f'"n": {value}'
        objects = ", ".join(f'"{key}": {{{inner}}}' for key, inner in fields.items())
        message = f'{{"type": "track", "userId": "{user}", "event": "Product Viewed", {objects}}}'
        answer = shared_server.api.post("/v1/track", content=message.encode())
        assert answer.status_code == 200, answer.text
        assert kept(shared_server, user) == 1
        batch = f'{{"batch": [{message}, {message.replace(value, "1")}]}}'.replace(user, user + "b")
        answer = shared_server.api.post("/v1/batch", content=batch.encode())
        assert answer.status_code == 200, answer.text
        assert kept(shared_server, user + "b") == 2
    assert shared_server.api.get("/readyz").json()["ready"] is True


@pytest.mark.parametrize("field", ["timestamp", "sentAt", "messageId"])
def test_fields_at_the_edge(shared_server: Server, field: str) -> None:
    """The same where a message says what it is and when it was."""
    for name, value in EDGES:
        user = f"field-{name}-{field}"
        message = (
            f'{{"userId": "{user}", "event": "Product Viewed", "timestamp": "2025-01-01", '
            f'"properties": {{"product_id": "toy-1"}}, "{field}": {value}}}'
        )
        answer = shared_server.api.post("/v1/track", content=message.encode())
        assert answer.status_code == 200, answer.text
        assert kept(shared_server, user) == 1


def test_odd_ids(shared_server: Server) -> None:
    """Numbers as ids are texts; a bad property costs itself."""
    answer = shared_server.api.post(
        "/v1/track",
        json={
            "userId": 12.5,
            "event": "Product Viewed",
            "properties": {"product_id": 7, "price": "x"},
        },
    )
    assert answer.status_code == 200
    assert shared_server.person("12.5")["recent"][0]["itemId"] == "7"
    assert shared_server.letters()[-1]["code"] == "event.bad_property"
    for odd in ("%ED%A0%80", "%FF", "%00"):
        refused(shared_server.api.get(f"/v1/people/{odd}"), 404, "profile.unknown_person")
