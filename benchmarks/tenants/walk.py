"""The matrix: every route of one project with every wrong key, and what its good keys see of another one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.tenants import calls
from benchmarks.tenants.calls import Call, Operation
from benchmarks.tenants.shops import Shop, Street
from tests.unit.api.asking import Answer, ask, basic, bearer

REFUSED = (401, 403)
OPEN = frozenset({
    "GET /livez", "GET /readyz", "GET /metrics", "GET /.well-known/gpc.json",
    "GET /c/{token}", "GET /o/{token}", "GET /u/{token}", "POST /u/{token}", "GET /w/{token}",
    "POST /w/{token}", "POST /v1/providers/sendgrid", "POST /v1/providers/postmark",
    "POST /v1/providers/ses",
})  # fmt: skip
"""What answers without a key: health, which is of nobody; links and providers, which have seals of their own
(``sealed.py``). One more is a decision, so that it fails here first."""
OF_SELF = frozenset({"GET /v1/projects/{write_key}/settings"})
"""The key stands in the path."""
NOBODY = "nosuch"
"""A name that no project has."""
_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"gop_[\w-]+"), "TOKEN"),
    (re.compile(r"[0-9a-f]{16,}"), "HEX"),
    (re.compile(r"[\w-]{24,}"), "RANDOM"),
    (re.compile(r"\d{3,}"), "NUMBER"),
)


@dataclass
class Tally:
    """What was asked, and what got out."""

    requests: int = 0
    leaks: list[str] = field(default_factory=list)

    def hold(self, good: bool, *what: object) -> None:
        """It is so, or it is a leak."""
        if not good:
            self.leaks.append(" | ".join(map(str, what)))


@dataclass(frozen=True, slots=True)
class Wrong:
    """A credential that must not open a route, and how it is sent."""

    label: str
    alike: str
    """All of one group and one form get the same answer; empty: it is in none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    in_body: Mapping[str, str] = field(default_factory=dict)
    in_query: str = ""


@dataclass
class Walk:
    """Asks one project; the other one is the stranger."""

    street: Street
    own: Shop
    other: Shop
    tally: Tally
    document: Mapping[str, Any] = field(default_factory=dict)

    async def describe(self) -> list[Operation]:
        """Every route, as the project's description has them."""
        answer = await ask(self.street.app, "GET", f"{self.own.prefix}/openapi.json")
        self.document = json.loads(answer.body)
        assert self.document["servers"] == [{"url": self.own.prefix}]
        found = calls.operations(self.document)
        closed = {each.act for each in found if each.permission != "open"}
        assert {each.act for each in found} - closed == OPEN, "a route without a key is a decision"
        return found

    @property
    def schemas(self) -> Mapping[str, Any]:
        """Of bodies."""
        found: Mapping[str, Any] = self.document["components"]["schemas"]
        return found

    def ids(self) -> list[dict[str, str]]:
        """Of what is here; of what is only there; of what is nowhere. Dead letters have numbers in each: where
        the other project has no more of them, a number that neither has stands for its own."""
        most = max(int(each.ids["letter_id"]) for each in (self.own, self.other))
        theirs = _whole(self.other.ids)
        if int(theirs["letter_id"]) <= int(self.own.ids["letter_id"]):
            theirs["letter_id"] = str(most + 2)
        return [_whole(self.own.ids), theirs, absent(self.other) | {"letter_id": str(most + 1)}]

    async def ask(self, made: Call, wrong: Wrong, prefix: str = "") -> Answer:
        """One request."""
        mark = "&" if "?" in made.path else "?"
        path = (prefix or self.own.prefix) + made.path + (wrong.in_query and mark + wrong.in_query)
        body = made.body
        if wrong.in_body and isinstance(body, dict):
            body = {**body, **wrong.in_body}
        self.tally.requests += 1
        return await ask(self.street.app, made.method, path, dict(wrong.headers), body)

    async def refusals(self) -> None:
        """Whatever is wrong is refused, and the answer tells nothing of what there is."""
        for each in await self.describe():
            if each.permission == "open":
                continue
            if each.act in OF_SELF:
                await self._in_the_path(each)
                continue
            groups: dict[str, Answer] = {}
            for wrong in wrongs(self.own, self.other, each):
                await self._refused(each, wrong, groups)

    async def _refused(self, each: Operation, wrong: Wrong, groups: dict[str, Answer]) -> None:
        hold, where = self.tally.hold, (each.act, wrong.label, wrong.alike)
        made = [calls.call(each, ids, self.schemas) for ids in self.ids()]
        first, *others = [await self.ask(x, wrong) for x in made]
        hold(first.status in REFUSED, *where, "was let in", first)
        hold(all(x == first for x in others), *where, "tells what there is", first, others)
        if not wrong.alike:
            return
        like = groups.setdefault(wrong.alike, first)
        hold(first == like, *where, "is known from others of its kind", first, like)
        for prefix in (f"/p/{NOBODY}", "/."):
            nowhere = await self.ask(made[1], wrong, prefix.rstrip("/."))
            hold(nowhere == first, *where, "tells that the project is there", first, nowhere)

    async def _in_the_path(self, each: Operation) -> None:
        """Every wrong key gets the answer of one that somebody made up."""
        given = [*_keys(self.own, self.other).values(), self.own.keys["configured server"]]
        plain = Wrong("none", "")
        asked = [calls.call(each, {"write_key": key}, self.schemas) for key in given]
        first, *others = [await self.ask(x, plain) for x in asked]
        self.tally.hold(first.status in REFUSED, each.act, "was let in", first)
        self.tally.hold(all(x == first for x in others), each.act, "differs", first, others)
        for prefix in (f"/p/{NOBODY}", "/."):
            nowhere = await self.ask(asked[0], plain, prefix.rstrip("/."))
            self.tally.hold(nowhere == first, each.act, "tells that the project is there")

    async def controls(self) -> int:
        """With a good key everything that is asked about is there, or the matrix would ask of nothing."""
        count, good = 0, Wrong("good", "", bearer(self.own.keys["made admin"]))
        for each in await self.describe():
            if (
                each.method == "GET"
                and each.parameters
                and each.permission not in ("open", "track")
            ):
                answer = await self.ask(calls.call(each, self.ids()[0], self.schemas), good)
                assert answer.status == 200, (each.act, answer)
                count += 1
        for scope in (
            "write",
            "server",
        ):  # that a key is used is noted once a day: here, before the count
            await self.ask(
                Call("GET", "/v1/surfaces", None),
                Wrong("good", "", bearer(self.own.keys[f"made {scope}"])),
            )
        return count

    async def foreign(self) -> None:
        """To those who are let in, what is another project's is what is nobody's. Looks come first: writing
        makes people and items of these ids, in this project."""
        goods = {name: bearer(self.own.keys[name]) for name in ("made admin", "operator admin")}
        asked = [
            each
            for each in await self.describe()
            if each.permission != "open" and each.act not in OF_SELF
            and calls.holds_ids(each, self.schemas)
        ]  # fmt: skip
        for each in sorted(asked, key=lambda x: (x.method != "GET", x.method == "DELETE")):
            for name, headers in goods.items():
                good, (_, *strange) = Wrong(name, "", headers), self.ids()
                made = [calls.call(each, ids, self.schemas) for ids in strange]
                answers = [await self.ask(x, good) for x in made]
                theirs, nobodys = map(_plain, answers, strange)
                self.tally.hold(theirs == nobodys, each.act, name, theirs, nobodys)
                if each.method == "GET" and each.parameters:
                    self.tally.hold(theirs.status == 404, each.act, name, "is there", theirs)


def absent(other: Shop) -> dict[str, str]:
    """Ids of what is in neither project: as long as those of the other one, and as like to those that there
    are, for answers ask whether those were meant."""
    turned = str.maketrans("0123456789abcdef", "1032547698badcfe")
    name = f"c{other.name[1:]}"
    found = {kind: each.replace(other.name, name) for kind, each in _whole(other.ids).items()}
    for kind in ("key_id", "message_id", "approval_id", "decision_id", "digest"):
        found[kind] = found[kind][:-6] + found[kind][-6:].translate(turned)
    return found


def _whole(ids: Mapping[str, str]) -> dict[str, str]:
    return {
        **ids,
        "device": f"web-{ids['name']}",
        "account": f"acme-{ids['name']}",
        "write_key": "none",
    }


def wrongs(own: Shop, other: Shop, operation: Operation) -> Iterator[Wrong]:
    """Everything that must not open this route."""
    yield Wrong("nobody", "nothing")
    for label, key in _keys(own, other).items():
        yield from _in_every_form(label, "key", key, bodies=operation.schema is not None)
    for label, token in _tokens(own, other).items():
        yield from _in_every_form(label, "token", token, bodies=operation.schema is not None)
    stranger, ours = other.keys["person"], own.keys["configured write"]
    theirs = other.keys["configured write"]
    yield Wrong("their visitor", "basic key", basic(theirs, stranger))
    yield Wrong("their visitor", "", in_body={"writeKey": theirs, "token": stranger})
    if operation.permission == "track":
        return
    yield Wrong("our write key with their visitor", "", basic(ours, stranger))
    yield Wrong("the same in the body", "", in_body={"writeKey": ours, "token": stranger})
    yield Wrong("the same in the query", "", in_query=f"writeKey={ours}&token={stranger}")
    for label in ("configured write", "made write"):
        yield Wrong(f"our {label}", "", basic(own.keys[label]))
        yield Wrong(f"our {label}", "", bearer(own.keys[label]))
    named = {"germane-operator": f"admin-{other.name}"}
    yield Wrong("our admin in their name", "", bearer(own.keys["made admin"]) | named)
    yield Wrong("our server key in their name", "", basic(own.keys["configured server"]) | named)
    if operation.permission in ("keys", "operators.write", "people.erase", "audit.read"):
        yield Wrong("our server key", "", bearer(own.keys["made server"]))


def _keys(own: Shop, other: Shop) -> dict[str, str]:
    """Unknown here, or known no more."""
    found = {"guessed": "guessed", "guessed in its form": "ga_0000000000_guessed"}
    known = ("configured write", "configured server", "made write", "made server", "made admin")
    found |= {f"their {each}": other.keys[each] for each in (*known, "person")}
    return found | {f"our {each}": own.keys[each] for each in ("expired", "revoked", "rotated out")}


def _tokens(own: Shop, other: Shop) -> dict[str, str]:
    """Of operators: likewise."""
    found = {
        f"their {name}": key for name, key in other.keys.items() if name.startswith("operator")
    }
    return {"guessed token": "gop_guessed", "our disabled": own.keys["operator disabled"]} | found


def _in_every_form(label: str, alike: str, key: str, *, bodies: bool) -> Iterator[Wrong]:
    yield Wrong(label, f"basic {alike}", basic(key))
    yield Wrong(label, f"bearer {alike}", bearer(key))
    yield Wrong(label, f"query {alike}", in_query=f"writeKey={key}")
    if bodies:
        yield Wrong(label, f"body {alike}", in_body={"writeKey": key})


def _plain(answer: Answer, ids: Mapping[str, str]) -> Answer:
    """Without what was asked about, and without what differs from one moment to the next."""
    text = answer.body.decode()
    for each in sorted(ids.values(), key=len, reverse=True):
        if len(each) > 1:
            text = text.replace(each, "<id>")
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    headers = tuple(x for x in answer.headers if x[0] != "content-length")
    return replace(answer, headers=headers, body=text.encode())
