"""OpenAPI 3.1 from the route table and the types on the wire; and a page that shows it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from germane import __version__
from germane.api.endpoint import Endpoint
from germane.api.errors import ErrorBody
from germane.api.wire import OutcomeReceiptBody, ReceiptBody
from germane.domain.inbox import Nudge

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PARAMETER = re.compile(r"{(\w+)}")
_SCHEMES: dict[str, list[dict[str, list[str]]]] = {
    "none": [],
    "write": [{"writeKey": []}, {"bearer": []}],
    "browser": [{"personToken": []}, {"serverKey": []}, {"bearer": []}],
    "server": [{"serverKey": []}, {"bearer": []}],
    "operator": [{"bearer": []}, {"serverKey": []}],
}
_CALL = {
    "type": "object",
    "description": "A message of the Segment HTTP API; unknown fields are kept.",
    "properties": {
        "type": {"type": "string"},
        "event": {"type": "string"},
        "userId": {"type": "string"},
        "anonymousId": {"type": "string"},
        "previousId": {"type": "string"},
        "groupId": {"type": "string"},
        "messageId": {"type": "string", "maxLength": 100},
        "timestamp": {"type": "string"},
        "sentAt": {"type": "string"},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "context": {"type": "object"},
        "writeKey": {"type": "string"},
        "batch": {"type": "array", "items": {"type": "object"}, "maxItems": 2500},
    },
}


def document(endpoints: Sequence[Endpoint], prefix: str = "") -> dict[str, Any]:
    """The whole description; ``prefix``: what stands before every path."""
    bodies = [each.body for each in endpoints if each.body not in (None, dict)]
    _, components = msgspec.json.schema_components(
        [*dict.fromkeys(bodies), ErrorBody, ReceiptBody, OutcomeReceiptBody, Nudge],
        ref_template="#/components/schemas/{name}",
    )
    paths: dict[str, Any] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Germane",
            "version": __version__,
            "description": "Signals in, decisions out, outcomes back.",
        },
        **({"servers": [{"url": prefix}]} if prefix else {}),
        "paths": paths,
        "components": {
            "schemas": {**components, "TrackingCall": _CALL},
            "securitySchemes": {
                "writeKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The write key as user name, no password.",
                },
                "serverKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A server or admin key as user name, no password.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key, or the token of an operator, who may do what their roles allow.",
                },
                "personToken": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "From a browser: the write key as user name, a signed person token as "
                    "password. Both may stand in the body, as `writeKey` and `token`. The person is the "
                    "token's; answers hold what people may see.",
                },
            },
        },
    }


def _operation(each: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": each.summary,
        "tags": [each.tag],
        "operationId": re.sub(r"\W+", "_", f"{each.method.lower()}{each.path}").strip("_"),
        "security": _SCHEMES[each.security],
        "x-permission": each.permission,
        "responses": _responses(each),
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(each.path)
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "schema": {"type": "integer", "minimum": least, "maximum": most},
        }
        for name, least, most in each.query
    ]
    parameters += [
        {"name": name, "in": "query", "schema": {"type": "string"}} for name in each.texts
    ]
    if parameters:
        operation["parameters"] = parameters
    if each.body is not None:
        name = "TrackingCall" if each.body is dict else each.body.__name__
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
    return operation


def _responses(each: Endpoint) -> dict[str, Any]:
    error = {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    }
    schema = each.answer if each.media == "application/json" else {"type": "string"}
    found: dict[str, Any] = {
        "200": {"description": "Done", "content": {each.media: {"schema": schema}}}
    }
    if each.media in ("text/html", "image/gif"):
        return found | _for_people(each)
    errors = {400: "Not understood"}  # whatever is asked: it may be no HTTP
    if 404 in each.also:
        errors[404] = "Not there"
    if 409 in each.also:
        errors[409] = "It is not as it was, or is decided"
    if each.path == "/readyz":
        found["503"] = {
            "description": "It cannot serve",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    if each.security != "none" or 401 in each.also:
        errors |= {
            401: "The key is missing or unknown",
            429: "Too much to do",
            503: "The disk refuses",
        }
    if each.security in ("browser", "server", "operator"):
        errors[403] = "This key may not do that"
    errors[405] = "Not this method"
    for status, text in sorted(errors.items()):
        found.setdefault(str(status), {"description": text, **error})
    return found


def _for_people(each: Endpoint) -> dict[str, Any]:
    """Answers of links in messages: pages, not the one shape of errors."""
    error = {
        "content": {
            each.media: {"schema": {"type": "string"}},
            "application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}},
        }
    }
    return {
        "302": {"description": "On to where the link leads"},
        "400": {"description": "Not understood", **error},
        "404": {"description": "The link is none of ours", **error},
        "405": {"description": "Not this method", **error},
        "429": {"description": "Too much to do", **error},
        "503": {"description": "The disk refuses", **error},
    }


def page(whole: dict[str, Any], prefix: str = "") -> str:
    """The description as a page: plain HTML, no script, no outside host."""
    sections: dict[str, list[str]] = {}
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            sections.setdefault(operation["tags"][0], []).append(_card(path, method, operation))
    body = "".join(
        f"<h2>{html.escape(tag)}</h2>{''.join(cards)}" for tag, cards in sections.items()
    )
    schemas = "".join(
        f"<details id='{html.escape(name)}'><summary><code>{html.escape(name)}</code></summary>"
        f"<pre>{html.escape(_pretty(schema))}</pre></details>"
        for name, schema in whole["components"]["schemas"].items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        "<link rel=icon href=data:,><title>Germane API</title>"
        f"<link rel=stylesheet href={prefix}/docs.css>"
        f"<main><h1>Germane API <small>{html.escape(whole['info']['version'])}</small></h1>"
        f"<p>The same as a document: <a href={prefix}/openapi.json>openapi.json</a>. "
        "Keys go into basic auth as the user name.</p>"
        f"{body}<h2>Schemas</h2>{schemas}</main></html>"
    )


def _card(path: str, method: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {})
    name = ""
    if body:
        name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    name, kind = html.escape(name), html.escape(method)
    taken = f"<p>Body: <a href='#{name}'><code>{name}</code></a></p>" if name else ""
    answers = ", ".join(
        f"<b>{html.escape(status)}</b> {html.escape(each['description'])}"
        for status, each in operation["responses"].items()
    )
    return (
        f"<details><summary><b class='{kind}'>{html.escape(method.upper())}</b> "
        f"<code>{html.escape(path)}</code> <span>{html.escape(operation['summary'])}</span>"
        f"</summary>{taken}<p>Answers: {answers}</p></details>"
    )


def _pretty(schema: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()


CSS = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#fbfaf8, #14161a); color: light-dark(#1c1f24, #e8e6e1); }
main { max-width: 56rem; margin: 3rem auto; padding: 0 1.5rem; }
h1 small { font-weight: 400; opacity: .6; } h2 { margin-top: 2.5rem; }
details { border: 1px solid light-dark(#e4e0d8, #2b2f36); border-radius: .5rem; margin: .4rem 0;
  padding: .4rem .8rem; background: light-dark(#fff, #1a1d22); }
summary { cursor: pointer; } summary span { opacity: .7; margin-left: .5rem; }
summary b { display: inline-block; min-width: 4.2rem; font-size: .8rem; }
pre { overflow: auto; font-size: .8rem; } a { color: light-dark(#0b5d51, #6fd3c1); }
.post, .put, .patch { color: light-dark(#8a4b08, #e7a95b); } .get { color: light-dark(#0b5d51, #6fd3c1); }
.delete { color: light-dark(#9c1c2e, #f08a98); }
"""
