"""Requests for every operation of an OpenAPI description, with ids of one's choice in path, query and body.

A kind of parameter or of schema that is not known here is an error: a new route cannot be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

METHODS = frozenset({"get", "put", "post", "patch", "delete"})
KINDS = {
    "person_id": "person_id", "item_id": "item_id", "content_id": "content_id", "campaign": "campaign",
    "surface": "surface", "name": "name", "key_id": "key_id", "message_id": "message_id",
    "approval_id": "approval_id", "letter_id": "letter_id", "token": "token", "write_key": "write_key",
}  # fmt: skip
"""Parameters of paths."""
ASKED = {
    "person": "person_id", "campaign": "campaign", "userId": "person_id", "anonymousId": "device",
    "writeKey": "", "token": "", "after": "", "since": "", "status": "", "digest": "", "head": "",
}  # fmt: skip
"""Parameters of queries that are texts -> the kind of id that they hold; empty: they are left out."""
NAMED = {
    "userId": "person_id", "anonymousId": "device", "previousId": "device", "groupId": "account",
    "itemId": "item_id", "decisionId": "decision_id", "approvalId": "approval_id",
    "surface": "surface", "account": "account", "digest": "digest",
}  # fmt: skip
"""Fields of bodies that hold ids."""
TYPED = {"string": "x", "integer": 1, "number": 1, "boolean": True, "null": None}
PLAIN = {
    "purpose": "email_marketing", "event": "Song Played", "timestamp": "2026-01-05T12:00:00Z",
    "type": "track", "outcome": "click", "channel": "inapp", "roles": ["analyst"],
}  # fmt: skip
"""Texts that have to be something."""


class NotKnown(AssertionError):
    """The description has something that no request can be made for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address."""

    method: str
    path: str
    permission: str
    query: tuple[tuple[str, str], ...]
    """Names of text parameters, and the kind of id in each."""
    least: tuple[tuple[str, int], ...]
    """Parameters that are numbers, with a value that is allowed."""
    schema: Mapping[str, Any] | None
    """Of the body."""

    @property
    def act(self) -> str:
        """As the audit log has it."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """Of the path."""
        return re.findall(r"{(\w+)}", self.path)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, but for who asks."""

    method: str
    path: str
    body: Any


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All of them.

    Raises:
        NotKnown: a method, a parameter or a body of a kind that is not known here.
    """
    found = []
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            if method not in METHODS:
                raise NotKnown(f"{path} has {method}")
            found.append(_operation(method.upper(), path, each))
    return found


def _operation(method: str, path: str, said: Mapping[str, Any]) -> Operation:
    texts, numbers = [], []
    for each in said.get("parameters", ()):
        name, schema = each["name"], each["schema"]
        if each["in"] == "path":
            if name not in KINDS:
                raise NotKnown(f"{path}: no id is known for {{{name}}}")
        elif each["in"] != "query":
            raise NotKnown(f"{path}: a parameter in the {each['in']}")
        elif schema["type"] == "integer":
            numbers.append((name, int(schema["minimum"])))
        elif name in ASKED:
            texts.append((name, ASKED[name]))
        else:
            raise NotKnown(f"{path}: nothing is known for ?{name}=")
    schema = None
    if "requestBody" in said:
        content = said["requestBody"]["content"]
        if set(content) != {"application/json"}:
            raise NotKnown(f"{path}: a body of {', '.join(content)}")
        schema = content["application/json"]["schema"]
    return Operation(method, path, said["x-permission"], tuple(texts), tuple(numbers), schema)


def call(operation: Operation, ids: Mapping[str, str], schemas: Mapping[str, Any]) -> Call:
    """A request with these ids."""
    path = operation.path
    for name in operation.parameters:
        path = path.replace(f"{{{name}}}", quote(ids[KINDS[name]], safe=""))
    asked = {name: ids[kind] for name, kind in operation.query if kind}
    asked |= {name: str(least) for name, least in operation.least}
    body = value(operation.schema, ids, schemas) if operation.schema is not None else None
    if body is not None and operation.path == "/v1/switch":
        body |= {"scope": "campaign", "name": ids["campaign"]}
    return Call(operation.method, path + (f"?{urlencode(asked)}" if asked else ""), body)


def holds_ids(operation: Operation, schemas: Mapping[str, Any]) -> bool:
    """Whether a request says which one of something is meant."""
    marked = {kind: f"mark-{kind}" for kind in {*KINDS.values(), *NAMED.values(), "device"}}
    return "mark-" in str(call(operation, marked, schemas))


def value(schema: Mapping[str, Any], ids: Mapping[str, str], schemas: Mapping[str, Any]) -> Any:
    """The least that fits a schema, with an id wherever one may stand.

    Raises:
        NotKnown: a schema of a kind that is not known here.
    """
    if "$ref" in schema:
        return value(schemas[schema["$ref"].rsplit("/", 1)[-1]], ids, schemas)
    if "anyOf" in schema:
        return value(schema["anyOf"][0], ids, schemas)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "array":
        return [value(schema["items"], ids, schemas)]
    if kind == "object":
        needed = schema.get("required", ())
        return {
            name: _field(name, each, ids, schemas)
            for name, each in schema.get("properties", {}).items()
            if name in needed
            or name in NAMED
            or _leads(each, schemas)
            or name in ("event", "type", "batch")
        }
    if kind in TYPED:
        return max(TYPED[kind], schema["minimum"]) if "minimum" in schema else TYPED[kind]
    raise NotKnown(f"a schema of {sorted(schema)}")


def _field(
    name: str, schema: Mapping[str, Any], ids: Mapping[str, str], schemas: Mapping[str, Any]
) -> Any:
    if name in NAMED:
        return ids[NAMED[name]]
    if name in PLAIN:
        return PLAIN[name]
    if name == "batch":
        return [{"type": "track", "event": PLAIN["event"], "userId": ids["person_id"]}]
    return value(schema, ids, schemas)


def _leads(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    """Whether ids stand further in."""
    if "$ref" in schema:
        inside = schemas[schema["$ref"].rsplit("/", 1)[-1]].get("properties", {})
        return any(x in NAMED or _leads(y, schemas) for x, y in inside.items())
    return any(_leads(each, schemas) for each in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from schema.get("anyOf", ())
    if isinstance(schema.get("items"), dict):
        yield schema["items"]
