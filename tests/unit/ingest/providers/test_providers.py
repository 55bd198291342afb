"""What SendGrid, Postmark and Amazon send: signatures, bodies, and what becomes of them."""

from __future__ import annotations

import asyncio
import datetime
import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.answer import Answer, Suppression, suppression
from germane.domain.errors import BadRequest, BadSignature
from germane.ingest.providers import postmark, sendgrid, ses
from germane.ingest.providers.sns import SnsVerifier, canonical

NOW = 1_700_000_000_000
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpi"
    "glSI8eNEc6wEA3F+g=="
)
SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
DROPPED = {
    "email": "hello@world.com",
    "event": "dropped",
    "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
    "timestamp": 1600112492,
}
BODY = json.dumps([DROPPED], separators=(",", ":"), sort_keys=True).encode() + b"\r\n"
SIGNED = {sendgrid.SIGNATURE: SIGNATURE, sendgrid.TIMESTAMP: "1600112502"}
IDS = {"message_id": "m-1", "campaign_id": "c", "decision_id": "d", "person": "u:ann"}
PERSON = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


# -- SendGrid -----------------------------------------------------------------------------------------


def test_sendgrids_signature() -> None:
    """The published vector; nothing that was changed."""
    sendgrid.verify(SIGNED, BODY, KEY)
    for headers, body, key in (
        (SIGNED, BODY.rstrip(), KEY),
        (SIGNED, BODY + b" ", KEY),
        (SIGNED | {sendgrid.TIMESTAMP: "1600112503"}, BODY, KEY),
        (SIGNED | {sendgrid.SIGNATURE: ""}, BODY, KEY),
        (SIGNED | {sendgrid.SIGNATURE: "!!"}, BODY, KEY),
        ({}, BODY, KEY),
        (SIGNED, BODY, "no key"),
        (SIGNED, BODY, KEY.replace("83T4", "83T5")),
    ):
        with pytest.raises(BadSignature):
            sendgrid.verify(headers, body, key)


def of_sendgrid(**event: Any) -> Answer:
    base = {"email": "ann@x.example", "timestamp": 1_699_999_000, "sg_event_id": "e", **IDS}
    (found,) = sendgrid.parse(json.dumps([base | event]).encode(), NOW)
    return found


def test_sendgrids_events() -> None:
    found = of_sendgrid(event="click", url="https://a.example/", useragent=PERSON, category=["a"])
    assert (found.kind, found.message_id, found.campaign_id, found.decision_id) == (
        "clicked",
        "m-1",
        "c",
        "d",
    )
    assert (found.person, found.url, found.machine, found.judged) == (
        "u:ann",
        "https://a.example/",
        False,
        "person",
    )
    assert found.at_ms == 1_699_999_000_000
    assert of_sendgrid(event="open", sg_machine_open=True, useragent=PERSON).machine
    assert not of_sendgrid(event="open", sg_machine_open=False, useragent=PERSON).machine
    assert of_sendgrid(event="open", useragent="Mozilla/5.0").machine
    assert of_sendgrid(event="bounce", type="bounce", status="5.1.1", reason="no").permanent
    assert of_sendgrid(event="bounce", type="bounce", status="5.0.0").permanent
    assert not of_sendgrid(event="bounce", type="bounce", status="5.7.1").permanent
    assert not of_sendgrid(event="bounce", type="bounce", status="5.2.2").permanent
    assert not of_sendgrid(event="bounce", type="blocked", status="5.1.1").permanent
    for event, kind in (
        ("delivered", "delivered"), ("deferred", "deferred"), ("dropped", "dropped"), ("spamreport", "complained"),
        ("unsubscribe", "unsubscribed"), ("group_unsubscribe", "unsubscribed"),
        ("group_resubscribe", "resubscribed"),
    ):  # fmt: skip
        assert of_sendgrid(event=event).kind == kind
    assert (
        sendgrid.parse(json.dumps([{"event": "processed"}, {"event": 3}, 4, {}]).encode(), NOW)
        == []
    )


def test_what_is_told_twice_has_one_id() -> None:
    assert of_sendgrid(event="open").event_id == of_sendgrid(event="open").event_id
    assert of_sendgrid(event="open").event_id != of_sendgrid(event="open", sg_event_id="f").event_id
    bare = [{"event": "open", "timestamp": n, "email": "a@b.example"} for n in (5, 5, 6)]
    ids = [each.event_id for each in sendgrid.parse(json.dumps(bare).encode(), NOW)]
    assert ids[0] == ids[1] != ids[2]


def test_a_body_that_is_no_list() -> None:
    for body in (
        b"",
        b"{}",
        b"nonsense",
        b"[" * 100 + b"]" * 100,
        json.dumps([{}] * 10_001).encode(),
    ):
        with pytest.raises(BadRequest):
            sendgrid.parse(body, NOW)


# -- Postmark -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({"x-postmark-secret": "s3cret"}, True),
        ({"authorization": "Basic " + b64encode(b"postmark:s3cret").decode()}, True),
        (
            {
                "x-postmark-secret": "other",
                "authorization": "Basic " + b64encode(b"x:s3cret").decode(),
            },
            True,
        ),
        ({"x-postmark-secret": "s3cre"}, False),
        ({"authorization": "Basic " + b64encode(b"s3cret:").decode()}, False),
        ({"authorization": "Basic !"}, False),
        ({"authorization": "Bearer s3cret"}, False),
        ({}, False),
    ],
)
def test_postmarks_secret(headers: dict[str, str], good: bool) -> None:
    if good:
        postmark.verify(headers, "s3cret")
        return
    with pytest.raises(BadSignature):
        postmark.verify(headers, "s3cret")
    with pytest.raises(BadSignature):
        postmark.verify(headers, "")


def of_postmark(**record: Any) -> Answer:
    base = {"MessageID": "pm", "Metadata": IDS, "Recipient": "ann@x.example"}
    (found,) = postmark.parse(json.dumps(base | record).encode(), NOW)
    return found


def test_postmarks_records() -> None:
    found = of_postmark(
        RecordType="Click",
        OriginalLink="https://a.example/",
        UserAgent=PERSON,
        ReceivedAt="2023-11-14T12:00:00.1234567Z",
    )
    assert (found.kind, found.message_id, found.person, found.machine) == (
        "clicked",
        "m-1",
        "u:ann",
        False,
    )
    assert found.at_ms == 1_699_963_200_123
    assert of_postmark(RecordType="Open", UserAgent="Mozilla/5.0").machine
    assert of_postmark(RecordType="Open", UserAgent=PERSON, Geo={"IP": "17.1.2.3"}).machine
    assert (
        of_postmark(RecordType="Delivery", DeliveredAt="2023-11-14T12:00:00Z").kind == "delivered"
    )
    for kind, wanted, permanent in (
        ("HardBounce", "bounced", True), ("BadEmailAddress", "bounced", True), ("SoftBounce", "bounced", False),
        ("DnsError", "bounced", False), ("Blocked", "bounced", False), ("DMARCPolicy", "bounced", False),
        ("ManuallyDeactivated", "bounced", False), ("Transient", "deferred", False),
        ("AutoResponder", "autoresponded", False), ("SpamNotification", "complained", False),
        ("Unsubscribe", "unsubscribed", False), ("Subscribe", "resubscribed", False),
    ):  # fmt: skip
        found = of_postmark(RecordType="Bounce", Type=kind, ID=4, Email="ann@x.example")
        assert (found.kind, found.permanent) == (wanted, permanent), kind
    assert (
        of_postmark(RecordType="SpamComplaint", Type="SpamComplaint", Email="a@b.example").kind
        == "complained"
    )
    for said, wanted in (
        ({"SuppressSending": True, "SuppressionReason": "ManualSuppression"}, "unsubscribed"),
        ({"SuppressSending": True, "SuppressionReason": "HardBounce"}, "bounced"),
        ({"SuppressSending": True, "SuppressionReason": "SpamComplaint"}, "complained"),
        ({"SuppressSending": False, "SuppressionReason": None}, "resubscribed"),
    ):
        assert of_postmark(RecordType="SubscriptionChange", **said).kind == wanted
    assert postmark.parse(b'{"RecordType": "Inbound"}', NOW) == []
    for body in (b"[]", b"", b"3"):
        with pytest.raises(BadRequest):
            postmark.parse(body, NOW)


def test_an_unsubscription_without_an_address_names_its_message() -> None:
    found = of_postmark(RecordType="Bounce", Type="Unsubscribe", ID=7, Recipient=None)
    assert (found.kind, found.address, found.message_id) == ("unsubscribed", "", "m-1")


# -- Amazon -------------------------------------------------------------------------------------------

RSA = rsa.generate_private_key(65537, 2048)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERT_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(RSA.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(RSA, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def envelope(message: Any, version: str = "2", **more: Any) -> dict[str, Any]:
    """As Amazon signs it."""
    found = {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2023-11-14T22:13:20.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERT_URL,
        **more,
    }
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
    mark = RSA.sign(canonical(found), padding.PKCS1v15(), algorithm)
    return found | {"Signature": b64encode(mark).decode()}


class Amazon:
    """What lies at the addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if url.endswith(".pem"):
            return certificate()
        if "ConfirmSubscription" in url:
            return b"<ok/>"
        msg = "status 404"
        raise OSError(msg)


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
        {"Message": "{}"}, {"MessageId": "other"}, {"Timestamp": "2023-11-14T22:13:19.000Z"}, {"Subject": "new"},
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


MAIL = {
    "timestamp": "2023-11-14T22:00:00.000Z",
    "messageId": "ses-1",
    "destination": ["ann@x.example"],
    "tags": {"message_id": ["m-1"], "campaign_id": ["c"], "person": ["b64.dTphbm4"]},
    "headers": [{"name": "X-Germane-Decision", "value": "d-long"}],
    "commonHeaders": {"subject": "Hi"},
}


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
        ("Delivery", "delivered"), ("Complaint", "complained"), ("Reject", "dropped"), ("DeliveryDelay", "deferred"),
        ("Rendering Failure", "dropped"), ("Subscription", "unsubscribed"),
    ):  # fmt: skip
        assert of_ses(name)[0].kind == kind
    assert of_ses("Send") == []
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    assert ses.parse({"MessageId": "1", "Message": greeting}, NOW) == []


# -- all of them --------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["event", "timestamp", "email", "RecordType", "Type", "Metadata", "Recipient", "Email", "ReceivedAt", "mail",
     "eventType", "bounce", "click", "tags", "headers", "destination", "message_id", "status", "type", "Geo",
     "SuppressSending", "bouncedRecipients", "userAgent", "useragent"]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "bounce",
        "click",
        "open",
        "Bounce",
        "Click",
        "Open",
        "Delivery",
        "SubscriptionChange",
        "Subscription",
    ]
)


@given(st.dictionaries(NAMES, JSON | WORDS, max_size=10))
def test_whatever_they_send_is_read_or_refused(body: dict[str, Any]) -> None:
    """Nothing but our own errors comes out of it."""
    for parse, data in (
        (sendgrid.parse, json.dumps([body, body])),
        (postmark.parse, json.dumps(body)),
    ):
        try:
            found = parse(data.encode(), NOW)
        except BadRequest:
            continue
        assert all(0 < each.at_ms <= NOW for each in found)
    for each in ses.parse({"Message": json.dumps(body), "MessageId": "1"}, NOW):
        assert 0 < each.at_ms <= NOW


def test_what_answers_forbid() -> None:
    """An address that does not exist is closed to all; who complains or leaves still gets what they must have."""

    def of(kind: Any, **more: Any) -> Suppression | None:
        said = {"source": "s", "key": "k", "at_ms": 1, "address": "a@x.example", "person": "u:ann"}
        return suppression(Answer(kind=kind, **(said | more)))

    assert of("bounced", permanent=True) == Suppression("a@x.example", "u:ann", "", "bounce")
    assert of("bounced") is None
    assert of("complained") == Suppression("a@x.example", "u:ann", "*", "complaint")
    assert of("unsubscribed", purpose="news") == Suppression(
        "a@x.example", "u:ann", "news", "unsubscribe"
    )
    assert of("unsubscribed") == Suppression("a@x.example", "u:ann", "*", "unsubscribe")
    assert of("clicked") is of("opened") is of("deferred") is of("delivered") is None
