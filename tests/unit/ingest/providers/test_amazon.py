"""Amazon SES through SNS: who signed it, whose topic it is, and what it says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from germane.domain.answer import Answer
from germane.domain.errors import BadRequest, BadSignature
from germane.ingest.providers import ses
from germane.ingest.providers.sns import SnsVerifier
from tests.unit.ingest.providers.bodies import CERT_URL, MAIL, NOW, PERSON, TOPIC, Amazon, envelope


def checked(found: dict[str, Any], amazon: Amazon | None = None, **headers: str) -> dict[str, Any]:
    verifier = SnsVerifier([TOPIC], amazon or Amazon())
    return asyncio.run(verifier.envelope(headers, json.dumps(found).encode(), NOW))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES"}])
def test_amazons_signature(version: str, more: dict[str, str]) -> None:
    """Both versions, with and without a subject."""
    assert checked(envelope({"a": 1}, version, **more))["MessageId"] == "sns-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "{}"}, {"MessageId": "other"}, {"Timestamp": "2023-11-14T22:13:19.000Z"}, {"Subject": "new"},  # noqa: E501
        {"Signature": "AAAA"}, {"Signature": "!"}, {"SignatureVersion": "3"}, {"SignatureVersion": "1"},
        {"TopicArn": TOPIC + "x"}, {"Type": "SubscriptionConfirmation"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com:444/x.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.txt"},
        {"SigningCertURL": "https://s3.eu-west-1.amazonaws.com/x.pem"},
        {"SigningCertURL": ""},
    ],
)  # fmt: skip
def test_what_amazon_did_not_sign(changed: dict[str, str]) -> None:
    """No address but Amazon's is even asked."""
    amazon = Amazon()
    with pytest.raises(BadSignature):
        checked(envelope({"a": 1}) | changed, amazon)
    assert all(each == CERT_URL for each in amazon.asked)


def test_a_good_signature_of_somebody_elses_topic() -> None:
    with pytest.raises(BadSignature, match="not one of ours"):
        checked(envelope({"a": 1}, TopicArn="arn:aws:sns:eu-west-1:999999999999:theirs"))


def test_an_old_message_and_headers_that_differ() -> None:
    with pytest.raises(BadSignature, match="too old"):
        checked(envelope({"a": 1}, Timestamp="2023-11-14T10:00:00.000Z"))
    found = envelope({"a": 1})
    with pytest.raises(BadSignature, match="differ"):
        checked(found, **{"x-amz-sns-message-type": "SubscriptionConfirmation"})
    assert checked(found, **{"x-amz-sns-message-type": "Notification"})
    for body in (b"{}", b"[]", b"", b'{"Type": 3}'):
        with pytest.raises(BadRequest):
            asyncio.run(SnsVerifier([TOPIC], Amazon()).envelope({}, body, NOW))


def test_the_certificate_is_asked_for_once() -> None:
    amazon = Amazon()
    verifier = SnsVerifier([TOPIC], amazon)

    async def twice() -> None:
        for _ in range(2):
            await verifier.envelope({}, json.dumps(envelope({"a": 1})).encode(), NOW)

    asyncio.run(twice())
    assert amazon.asked == [CERT_URL]


def test_a_subscription_is_confirmed_only_at_amazon() -> None:
    amazon = Amazon()
    verifier = SnsVerifier([TOPIC], amazon)
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    asyncio.run(verifier.confirm({"SubscribeURL": url}))
    assert amazon.asked == [url]
    for bad in (
        "https://evil.example/?Action=ConfirmSubscription",
        "http://sns.eu-west-1.amazonaws.com/",
        "",
    ):
        with pytest.raises(BadSignature):
            asyncio.run(verifier.confirm({"SubscribeURL": bad}))
    assert amazon.asked == [url]


def of_ses(name: str, key: str = "eventType", **under: Any) -> list[Answer]:
    inner = {key: name, "mail": MAIL, **under}
    return ses.parse({"MessageId": "sns-1", "Message": json.dumps(inner)}, NOW)


def test_amazons_events() -> None:
    (found,) = of_ses(
        "Click",
        click={
            "link": "https://a.example/",
            "userAgent": PERSON,
            "timestamp": "2023-11-14T22:10:00.000Z",
        },
    )
    assert (found.kind, found.message_id, found.decision_id, found.person) == (
        "clicked",
        "m-1",
        "d-long",
        "u:ann",
    )
    assert (found.url, found.address, found.judged) == (
        "https://a.example/",
        "ann@x.example",
        "person",
    )
    (found,) = of_ses(
        "Click",
        click={
            "link": "https://a.example/",
            "userAgent": PERSON,
            "timestamp": "2023-11-14T22:00:01.000Z",
        },
    )
    assert found.machine
    (found,) = of_ses(
        "Open", open={"userAgent": "Mozilla/5.0", "timestamp": "2023-11-14T22:10:00.000Z"}
    )
    assert found.machine
    two = of_ses(
        "Bounce",
        "notificationType",
        bounce={
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": "a@x.example",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 unknown",
                },
                {"emailAddress": "b@x.example", "status": "5.7.1"},
            ],
        },
    )
    assert [(x.address, x.permanent) for x in two] == [
        ("a@x.example", True),
        ("b@x.example", False),
    ]
    assert two[0].event_id != two[1].event_id
    (soft,) = of_ses(
        "Bounce",
        bounce={"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "a@x.example"}]},
    )
    assert soft.kind == "deferred"
    (hard,) = of_ses("Bounce", bounce={"bounceType": "Permanent", "bounceSubType": "NoEmail"})
    assert hard.permanent
    for name, kind in (
        ("Delivery", "delivered"), ("Complaint", "complained"), ("Reject", "dropped"), ("DeliveryDelay", "deferred"),  # noqa: E501
        ("Rendering Failure", "dropped"), ("Subscription", "unsubscribed"),
    ):  # fmt: skip
        assert of_ses(name)[0].kind == kind
    assert of_ses("Send") == []
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    assert ses.parse({"MessageId": "1", "Message": greeting}, NOW) == []
