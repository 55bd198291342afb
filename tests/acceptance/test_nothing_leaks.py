"""No secret and nothing of a person is in a log line, a metric, or anybody else's answer.

Every route is called with a word of its own in every field, query, header and part of the address, with a key
and without, well formed and broken. Then the words are looked for.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.acceptance.conftest import SERVER_KEY, WRITE_KEY, Server, germane

WORD = re.compile(r"zq\d{5}leakz")
STREAM = "/v1/inbox/stream"
"""It does not end."""
HEADERS = (
    "User-Agent",
    "Referer",
    "Cookie",
    "X-Forwarded-For",
    "X-Request-Id",
    "Germane-Operator",
    "Traceparent",
)


class Words:
    """A word for each place."""

    def __init__(self) -> None:
        self._numbers = count(10_000)

    def new(self) -> str:
        """One that was nowhere."""
        return f"zq{next(self._numbers)}leakz"


def filled(schema: dict[str, Any], whole: dict[str, Any], words: Words, depth: int = 0) -> Any:
    """A value of a schema, with a word wherever a text may stand."""
    if "$ref" in schema:
        found = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return filled(found, whole, words, depth + 1) if depth < 6 else {}
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            options = [x for x in schema[several] if x.get("type") != "null"]
            return filled(options[0], whole, words, depth)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [filled(schema.get("items", {}), whole, words, depth + 1)]
        case "object":
            names = schema.get("properties", {})
            return {n: filled(x, whole, words, depth + 1) for n, x in names.items()} | (
                {} if names else {"text": words.new()}
            )
    return words.new()


def requests(whole: dict[str, Any], words: Words) -> Iterator[dict[str, Any]]:
    """Every route: as it should be, broken, and with a list where an object should be."""
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            if path == STREAM:
                continue
            for form in ("right", "broken", "wrong"):
                yield _request(path, method, operation, whole, words, form)


def _request(
    path: str,
    method: str,
    operation: dict[str, Any],
    whole: dict[str, Any],
    words: Words,
    form: str,
) -> dict[str, Any]:
    address = re.sub(r"\{\w+\}", lambda _: words.new(), path)
    query = {x["name"]: words.new() for x in operation.get("parameters", ()) if x["in"] == "query"}
    query["writeKey" if form == "broken" else "q"] = words.new()
    asked: dict[str, Any] = {
        "method": method.upper(),
        "url": address,
        "params": query,
        "headers": {name: words.new() for name in HEADERS},
    }
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        schema = next(iter(content.values()))["schema"]
        body = json.dumps(filled(schema, whole, words)).encode()
        forms = {"right": body, "broken": body[:-1], "wrong": json.dumps([words.new()]).encode()}
        asked["content"] = forms[form]
        asked["headers"]["Content-Type"] = "application/json"
    return asked


def callers(words: Words) -> Iterator[tuple[str, str] | None]:
    """With keys, with a word as a key, and with none."""
    yield (SERVER_KEY, "")
    yield (WRITE_KEY, "")
    yield (words.new(), words.new())
    yield None


def test_no_word_of_anybody_is_where_it_should_not_be(server: Server) -> None:
    """Not in the server's log or its metrics; a refusal tells no more than what was said in that very request;
    no answer has a key."""
    words, whole = Words(), server.api.get("/openapi.json").json()
    asked_for = list(requests(whole, words))
    statuses: dict[int, int] = {}
    for asked in asked_for:
        for key in callers(words):
            answer = server.api.request(**asked, auth=key)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            sent = WORD.findall(json.dumps([asked["url"], asked["params"], asked["headers"]]))
            sent += WORD.findall(asked.get("content", b"").decode())
            text = answer.text
            assert SERVER_KEY not in text, asked
            assert WRITE_KEY not in text.replace(f'"apiKey":"{WRITE_KEY}"', ""), asked
            if answer.status_code >= 400:
                told = set(WORD.findall(text)) | set(WORD.findall(str(answer.headers)))
                assert told <= set(sent), (asked, text)
            if key is not None and WORD.fullmatch(key[0]):
                assert key[0] not in text, asked
    assert statuses.get(500, 0) == 0, statuses
    assert {200, 400, 401, 403, 404} <= statuses.keys(), statuses
    assert sum(statuses.values()) > 1_000, statuses
    server.api.get("/livez")
    time.sleep(0.5)  # the last lines are written when the answer is on its way already
    log = server.log.read_text()
    assert log.count('"route"') > 1_000
    for name, text in (("log", log), ("metrics", server.api.get("/metrics").text)):
        assert WORD.findall(text) == [], (name, _lines(text))
        assert SERVER_KEY not in text, name
        assert WRITE_KEY not in text, name


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if WORD.search(line)][:3]


def test_a_command_that_fails_tells_no_key(server: Server) -> None:
    """Nor does one that is run with the wrong one."""
    where = ("--config", str(server.config), "--data", str(server.data_dir))
    there = {"GERMANE_SERVER__PORT": str(server.port)}
    wrong = {"GERMANE_SERVER_KEY": "zq00001leakz-of-thirty-two-or-more-characters"}
    done = germane("consent", "ann", "email_marketing", "grant", *where, **there, **wrong)
    assert done.returncode != 0
    assert "zq00001leakz" not in done.stdout + done.stderr
    bad = germane(
        "check",
        *where,
        GERMANE_SERVER_KEY="same-zq00002leakz",
        GERMANE_WRITE_KEY="same-zq00002leakz",
    )
    assert "zq00002leakz" not in bad.stdout + bad.stderr
