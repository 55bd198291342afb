"""What SendGrid and Postmark send: signatures, bodies, what becomes of them; and whatever may be sent."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.answer import Answer, Suppression, suppression
from germane.domain.errors import BadRequest, BadSignature
from germane.ingest.providers import postmark, sendgrid, ses
from tests.unit.ingest.providers.bodies import BODY, IDS, KEY, NOW, PERSON, SIGNED

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
        ("delivered", "delivered"), ("deferred", "deferred"), ("dropped", "dropped"), ("spamreport", "complained"),  # noqa: E501
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


# -- all of them --------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["event", "timestamp", "email", "RecordType", "Type", "Metadata", "Recipient", "Email", "ReceivedAt", "mail",  # noqa: E501
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
    """An address that does not exist is closed to all; who complains or leaves still gets what
    they must have."""

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
