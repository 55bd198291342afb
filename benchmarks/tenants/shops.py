"""Two projects in one server, as they are served, with something of every kind in both."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from germane.api.projects import Project, Projects
from germane.app.channels import link_keys
from germane.cli.projects import each_their_own, strangers
from germane.cli.served import Served, Source, opened
from germane.domain.links import Link, LinkKind
from germane.domain.operator import ROLES
from germane.domain.person_token import sign
from germane.storage.sqlite.checksums import connected
from tests.unit.api.asking import App, ask, bearer

NAMES = ("shop", "blog")
LETTERS = {"shop": 1, "blog": 4}
"""Dead letters of each: they have numbers, so that one has some that the other has not."""
_MORE = """
[surfaces.hero-NAME]
kind = "choice"
nothing = true
default = ["news"]
exploration_share = 0.5
[[surfaces.hero-NAME.actions]]
id = "news"
title = "What is new"
[[surfaces.hero-NAME.outcomes]]
name = "click"
signal = "click"
window = "1d"

[links]
base_url = "https://go.example/p/NAME"

[providers.sendgrid]
public_key = "SENDGRID"
[providers.ses]
topics = ["arn:aws:sns:eu-west-1:123456789012:NAME"]
"""
_OFFER = {
    "channel": "inapp",
    "form": "banner",
    "slots": [
        {
            "name": "opening",
            "kind": "text",
            "required": True,
            "variants": [{"id": "one", "texts": {"en": {"text": "Audit logging for your team."}}}],
        }
    ],
}


@dataclass
class Shop:
    """One project, and all that is known of it from outside."""

    name: str
    served: Served
    sendgrid: ec.EllipticCurvePrivateKey
    ids: dict[str, str] = field(default_factory=dict)
    """Kind of id, as routes name it -> one that there is."""
    keys: dict[str, str] = field(default_factory=dict)
    """What opens it, or did -> the key or token."""

    @property
    def prefix(self) -> str:
        """Before all of its paths."""
        return f"/p/{self.name}"

    def ready(self) -> bool:
        """Whether it can take events and decide."""
        return bool(self.served.engine.health()["ready"])

    def seal(self, kind: LinkKind) -> str:
        """The token of a link to its person."""
        keys = link_keys(self.served.source.loaded.channels, self.served.engine.key)
        about = Link(
            kind, self.ids["message_id"], f"u:{self.ids['person_id']}", int(time.time()),
            purpose="news", url="https://shop.example/" if kind == "c" else "",
        )  # fmt: skip
        return keys.seal(about)

    def state(self) -> str:
        """SHA-256 of everything that is stored, but for the audit log: refusals are in it."""
        digest, path = sha256(), self.served.source.folder / "germane.db"
        with closing(connected(path)) as database:
            for table in ("profile", "identity", "item", "decision", "dead_letter", "dedupe"):
                for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608
                    digest.update(repr(row).encode())
            kept = "kind NOT IN ('audit', 'audit head')"
            rows = database.execute(f"SELECT * FROM entry WHERE {kept} ORDER BY 1, 2, 3")  # noqa: S608
            for row in rows:
                digest.update(repr(row).encode())
            records = database.execute("SELECT count(*) FROM log").get
            audited = database.execute("SELECT count(*) FROM entry WHERE kind = 'audit'").get
        digest.update(str(records - audited).encode())
        return digest.hexdigest()


@dataclass
class Street:
    """Both, and the server that they are in."""

    app: App
    shops: dict[str, Shop]


def write(folder: Path, name: str) -> ec.EllipticCurvePrivateKey:
    """A project folder; the key that SendGrid would sign with."""
    made = ec.generate_private_key(ec.SECP256R1())
    public = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    recipe = files("germane.recipes").joinpath("shop/germane.toml").read_text("utf-8")
    more = _MORE.replace("SENDGRID", b64encode(public).decode()).replace("NAME", name)
    text = recipe.replace('browser_decisions = "anonymous"', 'browser_decisions = "token"')
    folder.mkdir(parents=True)
    (folder / "germane.toml").write_text(text + more, "utf-8")
    (folder / ".env").write_text(
        f"GERMANE_WRITE_KEY=gw_configured_of_{name}\n"
        f"GERMANE_SERVER_KEY=gs_configured_of_{name}_long_enough_to_sign\n"
        f"GERMANE_PROVIDERS__POSTMARK__SECRET=postmark-secret-of-{name}\n"
    )
    return made


@contextmanager
def folders(base: Path) -> Iterator[list[Shop]]:
    """Both projects with their data folders open, as ``germane serve --project`` opens them."""
    made = {name: write(base / name, name) for name in NAMES}
    sources = [Source.read(base / name / "germane.toml", name=name) for name in NAMES]
    each_their_own(sources)
    with ExitStack() as stack:
        served = [stack.enter_context(opened(each)) for each in sources]
        strangers(served)
        yield [Shop(each.name, each, made[each.name]) for each in served]


@asynccontextmanager
async def serving(shops: list[Shop]) -> AsyncIterator[Street]:
    """In one application, populated."""
    app = Projects({each.name: Project(each.served.app(), each.ready) for each in shops})
    async with _quiet(), app.living():
        street = Street(app, {each.name: each for each in shops})
        for each in shops:
            await populate(app, each)
        yield street


@asynccontextmanager
async def _quiet() -> AsyncIterator[None]:
    """Without a line for each of many thousand requests."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)


async def populate(app: App, shop: Shop) -> None:
    """People, decisions, messages, approvals, content, a campaign, keys, operators, letters, consent."""
    name, runtime = shop.name, shop.served.source.loaded.runtime
    shop.keys |= {"configured write": runtime.write_key, "configured server": runtime.server_key}
    key = runtime.server_key

    async def good(method: str, path: str, body: Any = None) -> Any:
        answer = await ask(app, method, shop.prefix + path, bearer(key), body)
        assert answer.status == 200, (path, answer)
        return msgspec.json.decode(answer.body)

    ids = shop.ids
    ids |= {
        "person_id": f"ann-{name}", "item_id": f"tent-{name}", "content_id": f"offer-{name}",
        "campaign": f"upgrade-{name}", "surface": f"hero-{name}", "name": f"approver-{name}",
        "letter_id": str(LETTERS[name]),
    }  # fmt: skip
    await good("POST", "/v1/items/batch", {"items": [{"itemId": ids["item_id"], "title": "Tent"}]})
    for role in ROLES:
        who = f"{role.replace(' ', '-')}-{name}"
        put = await good("PUT", f"/v1/operators/{who}", {"roles": [role]})
        shop.keys[f"operator {role}"] = put["token"]
    view = {
        "event": "Product Viewed", "userId": ids["person_id"], "anonymousId": f"web-{name}",
        "properties": {"product_id": ids["item_id"]}, "messageId": f"m-{name}",
    }  # fmt: skip
    await good("POST", "/v1/track", view)
    bad = {"batch": [{"type": "track", "userId": f"lost-{n}-{name}"} for n in range(LETTERS[name])]}
    await good("POST", "/v1/batch", bad)
    consent = {"userId": ids["person_id"], "purpose": "email_marketing", "state": "granted"}
    await good("POST", "/v1/consent", consent)
    asked = {"person": {"userId": ids["person_id"]}, "surfaces": [{"surface": ids["surface"]}]}
    decided = await good("POST", "/v1/decide", asked)
    ids["decision_id"] = decided["decisions"][0]["decisionId"]
    await _offer(app, shop, good)
    await _keys(shop, good)
    shop.keys["person"] = sign(
        runtime.server_key, now_s=time.time(), valid_s=3_600, user_id=ids["person_id"]
    )
    await shop.served.engine.durable()


async def _offer(app: App, shop: Shop, good: Any) -> None:
    """A message that waits for approval."""
    ids = shop.ids
    campaign = {
        "channel": "inapp", "content": ids["content_id"], "purpose": "transactional",
        "enter": {"event": "Limit Reached"}, "approval": {"approvers": ["role:approver"], "quorum": 2},
    }  # fmt: skip
    await good("PUT", f"/v1/operators/second-{shop.name}", {"roles": ["approver"]})
    await good("PUT", f"/v1/content/{ids['content_id']}", _OFFER)
    await good("PUT", f"/v1/campaigns/{ids['campaign']}", campaign)
    await good("POST", f"/v1/campaigns/{ids['campaign']}/status", {"status": "live"})
    event = {"event": "Limit Reached", "userId": ids["person_id"], "messageId": f"l-{shop.name}"}
    await good("POST", "/v1/track", event)
    for _ in range(400):
        waiting = (await good("GET", "/v1/approvals?status=pending"))["approvals"]
        if waiting:
            ids |= {"approval_id": waiting[0]["approvalId"], "digest": waiting[0]["digest"]}
            ids["message_id"] = (await good("GET", "/v1/messages"))["messages"][0]["messageId"]
            return
        await asyncio.sleep(0.05)
    raise AssertionError("No message was made.")


async def _keys(shop: Shop, good: Any) -> None:
    """A key of every scope; one that has expired, one that was revoked, one that was rotated out; the token
    of an operator who was disabled."""
    short = await good("POST", "/v1/keys", {"scope": "server", "validSeconds": 1})
    ended = await good("POST", "/v1/keys", {"scope": "server"})
    turned = await good("POST", "/v1/keys", {"scope": "server"})
    await good("POST", f"/v1/keys/{ended['keyId']}/revoke")
    await good("POST", f"/v1/keys/{turned['keyId']}/rotate", {"overlapSeconds": 0})
    gone = await good("PUT", f"/v1/operators/gone-{shop.name}", {"roles": ["admin"]})
    await good("POST", f"/v1/operators/gone-{shop.name}/disable")
    shop.keys |= {"expired": short["key"], "revoked": ended["key"], "rotated out": turned["key"]}
    shop.keys["operator disabled"] = gone["token"]
    for scope in ("write", "server", "admin"):  # the last one takes rights from the server key
        made = await good("POST", "/v1/keys", {"scope": scope})
        shop.keys[f"made {scope}"] = made["key"]
        shop.ids["key_id"] = made["keyId"]
    await asyncio.sleep(1.1)  # until the first of them has expired
