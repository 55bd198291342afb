"""What needs no key but a seal or a signature: that of another project is worth as much as a forged one."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.tenants.shops import Shop, Street
from benchmarks.tenants.walk import Tally
from germane.domain.links import LinkKind
from germane.ingest.providers import sendgrid
from tests.unit.api.asking import Answer, ask, basic

FORM = {"content-type": "application/x-www-form-urlencoded"}
Sent = tuple[str, str, dict[str, str], bytes | None]


async def seals(street: Street, own: Shop, other: Shop, tally: Tally) -> None:
    """Theirs and a forged one get one answer, which lets nobody in."""
    for (name, theirs), (_, forged) in zip(_sent(other), _sent(other, forged=True), strict=True):
        answers = [await _ask(street, own, each, tally) for each in (theirs, forged)]
        tally.hold(answers[0] == answers[1], name, "is known from a forged one", *answers)
        tally.hold(answers[0].status in (401, 404), name, "was let in", answers[0])


async def own_seals(street: Street, own: Shop, tally: Tally) -> int:
    """The control: its own are taken. It changes what is stored."""
    count = 0
    for name, sent in _sent(own):
        if name.startswith("ses"):  # Amazon's certificate is not to be had here
            continue
        answer = await _ask(street, own, sent, tally)
        assert answer.status in (200, 302), (name, answer)
        count += 1
    return count


async def _ask(street: Street, own: Shop, sent: Sent, tally: Tally) -> Answer:
    method, path, headers, body = sent
    tally.requests += 1
    return await ask(street.app, method, own.prefix + path, headers, body)


def _sent(shop: Shop, *, forged: bool = False) -> list[tuple[str, Sent]]:
    found: list[tuple[str, Sent]] = []
    kinds: tuple[LinkKind, ...] = get_args(LinkKind)
    for kind in kinds:
        token = shop.seal(kind)
        if forged:
            token = token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB")
        path = f"/{kind}/{token}" + (".gif" if kind == "o" else "")
        found.append((f"GET {kind}", ("GET", path, {}, None)))
        if kind in ("u", "w"):
            body = b"List-Unsubscribe=One-Click" if kind == "u" else b"kind=opt_out"
            found.append((f"POST {kind}", ("POST", path, FORM, body)))
    return [*found, *_providers(shop, forged=forged)]


def _providers(shop: Shop, *, forged: bool) -> list[tuple[str, Sent]]:
    events, at = b"[]", str(int(time.time()))
    key = ec.generate_private_key(ec.SECP256R1()) if forged else shop.sendgrid
    mark = b64encode(key.sign(at.encode() + events, ec.ECDSA(hashes.SHA256()))).decode()
    signed = {sendgrid.SIGNATURE: mark, sendgrid.TIMESTAMP: at}
    secret = "guessed" if forged else f"postmark-secret-of-{shop.name}"
    delivery = {
        "RecordType": "Delivery", "MessageID": "m", "Recipient": "x@example.org",
        "DeliveredAt": "2026-01-05T12:00:00Z", "Metadata": {},
    }  # fmt: skip
    topic = f"arn:aws:sns:eu-west-1:123456789012:{'guessed' if forged else shop.name}"
    notice = {"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": "{}"}
    where = "/v1/providers"
    return [
        ("sendgrid", ("POST", f"{where}/sendgrid", signed, events)),
        (
            "postmark",
            ("POST", f"{where}/postmark", basic("x", secret), json.dumps(delivery).encode()),
        ),
        ("ses", ("POST", f"{where}/ses", {}, json.dumps(notice).encode())),
    ]
