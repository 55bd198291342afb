"""Webhooks: signed as Standard Webhooks have it, and what each answer means."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from germane.deliver.channels import crm
from germane.deliver.channels.egress import Egress
from germane.deliver.channels.signatures import secret_bytes, signed
from germane.deliver.channels.webhook import LONGEST_WAIT_S, WebhookChannel
from germane.domain.answer import Answer
from germane.domain.sending import Outgoing, Refused, Result, Retry, Sent

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes !!!").decode()
OTHER = "whsec_" + b64encode(b"the secret that was used before!").decode()
MESSAGE = Outgoing(
    message_id="m-1",
    person="u:ann",
    payload={"title": "grün"},
    campaign_id="c",
    at_ms=1_700_000_000_000,
)


def test_the_vector_of_the_specification() -> None:
    key = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}', [key])
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("bad", ["whsec_", "whsec_!!", "whsec_YWJj", "whsec_" + "A" * 200])
def test_bad_secrets(bad: str) -> None:
    with pytest.raises(ValueError, match="it "):
        secret_bytes(bad)


class Receiver:
    """Answers as it is told, and keeps what it got."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(
            line.lower().split(": ", 1)
            if "webhook-signature" not in line
            else ["webhook-signature", line.split(": ", 1)[1]]
            for line in head.split("\r\n")[1:]
            if line
        )
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers, body))
        writer.write(self.answers.pop(0))
        writer.close()


def posted(
    receiver: Receiver, *messages: Outgoing, secrets: tuple[str, ...] = (SECRET,), **more: Any
) -> list[Result]:
    async def go() -> list[Result]:
        server = await asyncio.start_server(receiver, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        egress = Egress(allowed=frozenset(["127.0.0.1"]), timeout_s=2)
        keys = [secret_bytes(each) for each in secrets]
        channel = WebhookChannel(f"http://127.0.0.1:{port}/in", keys, egress, **more)
        found = [await channel.send(each) for each in messages]
        await channel.close()
        server.close()
        await server.wait_closed()
        return found

    return asyncio.run(go())


def answering(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


def test_the_published_library_accepts_it() -> None:
    """While the secret is replaced the new and the old one both do; a third does not."""
    receiver = Receiver(answering(200))
    assert posted(receiver, MESSAGE, secrets=(SECRET, OTHER)) == [Sent("status 200")]
    ((headers, body),) = receiver.got
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(body, headers)["payload"] == {"title": "grün"}
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + b64encode(b"x" * 32).decode()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)


def test_the_id_and_the_body_are_the_same_at_every_try() -> None:
    """The receiver counts it once; only the time, and so the signature, is new."""
    receiver = Receiver(answering(500), answering(200))
    first, second = posted(receiver, MESSAGE, MESSAGE)
    assert isinstance(first, Retry)
    assert isinstance(second, Sent)
    (one, body), (two, again) = receiver.got
    assert (one["webhook-id"], body) == (two["webhook-id"], again)
    assert one["webhook-id"] == "m-1"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (200, Sent, ""), (202, Sent, ""), (204, Sent, ""), (301, Refused, "webhook.redirect"),
        (308, Refused, "webhook.redirect"), (400, Refused, "webhook.refused"), (401, Refused, "webhook.refused"),
        (404, Refused, "webhook.refused"), (410, Refused, "webhook.gone"), (422, Refused, "webhook.refused"),
        (408, Retry, "webhook.failing"), (429, Retry, "webhook.busy"), (503, Retry, "webhook.busy"),
        (500, Retry, "webhook.failing"), (502, Retry, "webhook.failing"), (504, Retry, "webhook.failing"),
    ],
)  # fmt: skip
def test_what_answers_mean(status: int, kind: type, code: str) -> None:
    (result,) = posted(Receiver(answering(status)), MESSAGE)
    assert isinstance(result, kind), result
    assert getattr(result, "code", "") == code


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("120", 120.0), ("0", 0.0), ("999999999", LONGEST_WAIT_S), ("soon", 0.0), ("-5", 0.0),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_how_long_the_receiver_wants_us_to_wait(said: str, wait_s: float) -> None:
    (result,) = posted(Receiver(answering(429, f"Retry-After: {said}")), MESSAGE)
    assert isinstance(result, Retry)
    assert result.after_s == wait_s


def test_a_date_to_wait_for() -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    (result,) = posted(Receiver(answering(503, f"Retry-After: {when}")), MESSAGE)
    assert isinstance(result, Retry)
    assert 90 < result.after_s <= 100


def test_no_answer_is_tried_again() -> None:
    """The receiver may have it: it dedupes."""
    (result,) = posted(Receiver(b""), MESSAGE)
    assert isinstance(result, Retry)
    assert result.code == "webhook.no_answer"


def test_a_private_address_is_refused() -> None:
    channel = WebhookChannel("https://169.254.169.254/", [secret_bytes(SECRET)], Egress())
    result = asyncio.run(channel.send(MESSAGE))
    assert isinstance(result, Refused)
    assert result.code == "webhook.forbidden"


@pytest.mark.parametrize("bad", ["", "a b", "a\r\nX: y", "ü", "x" * 201])
def test_ids_that_are_no_header(bad: str) -> None:
    channel = WebhookChannel("https://hooks.example/", [secret_bytes(SECRET)], Egress())
    result = asyncio.run(channel.send(Outgoing(message_id=bad, person="u:a")))
    assert isinstance(result, Refused)


def test_a_payload_that_is_no_json() -> None:
    channel = WebhookChannel("https://hooks.example/", [secret_bytes(SECRET)], Egress())
    bad = Outgoing(message_id="m", person="u:a", payload={"a": object()})
    result = asyncio.run(channel.send(bad))
    assert isinstance(result, Refused)
    assert result.code == "webhook.bad_payload"


def test_the_log_of_a_crm() -> None:
    """A CloudEvent of what was sent, and of what came back."""
    receiver = Receiver(answering(200), answering(200))
    sent = crm.sent_interaction(MESSAGE, "email", 1_700_000_001_000)
    back = crm.answer_interaction(
        Answer(
            kind="clicked",
            source="links",
            key="k",
            at_ms=1_700_000_002_500,
            message_id="m-1",
            person="u:ann",
            url="https://shop.example/",
            machine=True,
        )  # fmt: skip
    )
    posted(receiver, sent, back, body=crm.cloud_event, content_type=crm.CONTENT_TYPE)
    (headers, body), (_, other) = receiver.got
    assert headers["content-type"] == "application/cloudevents+json"
    event = json.loads(body)
    assert event == {
        "specversion": "1.0",
        "id": "crm-sent-m-1",
        "source": "/germane",
        "type": "germane.message.sent",
        "subject": "u:ann",
        "time": "2023-11-14T22:13:21.000Z",
        "datacontenttype": "application/json",
        "data": {"channel": "email", "messageId": "m-1", "campaign": "c"},
    }
    event = json.loads(other)
    assert event["type"] == "germane.message.clicked"
    assert event["data"]["machine"] is True
    assert event["time"] == "2023-11-14T22:13:22.500Z"
