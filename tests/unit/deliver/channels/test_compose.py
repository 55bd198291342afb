"""What a message looks like on the wire, read back with the standard library and checked by a DKIM verifier."""

from __future__ import annotations

import string
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.deliver.channels.dkim import BadKey, DkimSigner
from germane.deliver.channels.email import EmailSettings, compose
from germane.deliver.channels.headers import BadHeader
from tests.unit.deliver.channels.letters import SETTINGS, a_letter

LINES = st.text(
    st.characters(
        exclude_categories=("Cs",), exclude_characters="\r\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )
)
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=120
)


def read(data: bytes) -> EmailMessage:
    """As a mail program does."""
    found = message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


RSA = DkimSigner("shop.example", "s1", pem(rsa.generate_private_key(65537, 2048)))
ED25519 = DkimSigner("shop.example", "s2", pem(ed25519.Ed25519PrivateKey.generate()))


def dns(name: bytes, timeout: int = 5) -> bytes:
    """The DNS of shop.example."""
    records = {"s1": RSA.public_record(), "s2": ED25519.public_record()}
    text = name.decode()
    selector, _, rest = text.partition(".")
    assert rest == "_domainkey.shop.example."
    return records[selector].encode()


def verified(data: bytes, signatures: int) -> bool:
    """Whether every signature holds, as the library sees it."""
    checker = dkim.DKIM(data)
    return all(checker.verify(idx=n, dnsfunc=dns) for n in range(signatures))


def test_the_headers() -> None:
    """All that the big receivers ask for."""
    letter = a_letter(unsubscribe_mailto="leave@shop.example", reply_to="Help <help@shop.example>")
    found = read(compose(letter, SETTINGS).data)
    assert found["From"] == "Shop <news@shop.example>"
    assert found["To"] == "ann@people.example"
    assert found["Reply-To"] == "Help <help@shop.example>"
    assert found["Message-ID"] == "<m-1@shop.example>"
    assert found["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert (
        found["List-Unsubscribe"] == "<https://go.shop.example/u/abc>, <mailto:leave@shop.example>"
    )
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-ID"] == "<email-marketing.shop.example>"
    assert found["Feedback-ID"] == "back-in-stock:email-marketing:germane:shop-example"
    assert found["X-Germane-Decision"] == "d-1"
    assert found["Auto-Submitted"] is None
    assert len(found.get_all("Message-ID", [])) == 1


def test_transactional_mail_has_no_unsubscription() -> None:
    found = read(compose(a_letter(purpose="transactional", unsubscribe_url=""), SETTINGS).data)
    assert found["List-Unsubscribe"] is None
    assert found["Auto-Submitted"] == "auto-generated"


def test_other_mail_without_unsubscription_is_refused() -> None:
    with pytest.raises(BadHeader) as caught:
        compose(a_letter(unsubscribe_url=""), SETTINGS)
    assert caught.value.code == "email.no_unsubscribe"


def test_the_same_bytes_at_every_try() -> None:
    """Ed25519 and RSA with PKCS 1 sign the same way each time, too."""
    letter = a_letter()
    first = compose(letter, SETTINGS, (RSA, ED25519))
    assert compose(letter, SETTINGS, (RSA, ED25519)) == first


def shown_name(data: bytes) -> str:
    """The receiver's name as RFC 2047 has it read: space between two encoded words is none. (The new
    parser of the standard library keeps it in names.)"""
    name, _ = parseaddr(str(message_from_bytes(data)["To"]))
    return str(make_header(decode_header(name)))


@given(subject=WORDS, name=WORDS, text=LINES, html=LINES)
def test_what_is_read_is_what_was_written(subject: str, name: str, text: str, html: str) -> None:
    """Whatever the letters; lines stay within the limits; every signature holds."""
    letter = a_letter(subject=subject, to_name=name, text=text or "x", html=html or "x")
    data = compose(letter, SETTINGS, (RSA, ED25519)).data
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert data.isascii()
    assert verified(data, 2)
    found = read(data)
    assert " ".join(found["Subject"].split()) == " ".join(subject.split())
    assert " ".join(shown_name(data).split()) == " ".join(name.split())
    assert found["To"].addresses[0].addr_spec == "ann@people.example"
    plain, marked = found.iter_parts()
    for part, wanted in ((plain, letter.text), (marked, letter.html)):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().replace("\r\n", "\n").removesuffix("\n") == wanted.removesuffix(
            "\n"
        )


def test_one_part_alone() -> None:
    only = read(compose(a_letter(html=""), SETTINGS).data)
    assert only.get_content_type() == "text/plain"
    assert only.get_content().replace("\r\n", "\n") == a_letter().text
    only = read(compose(a_letter(text=""), SETTINGS).data)
    assert only.get_content_type() == "text/html"
    with pytest.raises(BadHeader):
        compose(a_letter(text="", html=""), SETTINGS)


BAD = [
    "a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "\ud800", "a\udc00b", "a\x0bb", "a\x0cb", "a\x85b",
    "a\u2028b", "a\u2029b", "a\x1bb", "a\x7fb", "\r\n\r\n<html>", "a\r\n b", "\n", "a\x01",
]  # fmt: skip
FIELDS = [
    "message_id", "to", "to_name", "sender", "reply_to", "subject", "purpose", "unsubscribe_url",
    "unsubscribe_mailto", "campaign_id", "decision_id", "person",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("provider", ["none", "sendgrid", "postmark", "ses"])
def test_no_header_is_smuggled_in(field: str, bad: str, provider: str) -> None:
    """Refused by name, wherever it comes from; nothing is sent."""
    settings = replace(SETTINGS, provider="ses" if field == "person" else provider)
    with pytest.raises(BadHeader) as caught:
        compose(replace(a_letter(), **{field: bad}), settings)
    assert caught.value.code in (
        "email.header_injection",
        "email.bad_address",
        "email.no_unsubscribe",
    )


@pytest.mark.parametrize("bad", BAD)
def test_no_header_is_smuggled_in_by_headers_and_ids(bad: str) -> None:
    for more in (
        {"headers": {"X-Own": bad}},
        {"headers": {bad: "x"}},
        {"metadata": {"own": bad}},
        {"metadata": {bad: "x"}},
    ):
        with pytest.raises(BadHeader):
            compose(a_letter(**more), replace(SETTINGS, provider="sendgrid"))


@given(
    field=st.sampled_from(FIELDS),
    value=st.text(st.characters(codec=None), min_size=1, max_size=60),
)
def test_whatever_is_put_in_adds_no_header(field: str, value: str) -> None:
    """Either it is refused, or the message has the headers that it always has."""
    wanted = set(read(compose(a_letter(reply_to="a@b.example"), SETTINGS).data).keys())
    try:
        data = compose(replace(a_letter(reply_to="a@b.example"), **{field: value}), SETTINGS).data
    except BadHeader:
        return
    assert set(read(data).keys()) <= wanted | {"Auto-Submitted"}
    assert "Bcc" not in read(data)


@pytest.mark.parametrize(
    "name", ["Bcc", "to", "List-Unsubscribe", "X-Germane-Message", "Content-Type", "x-smtpapi"]
)
def test_own_headers_cannot_be_replaced(name: str) -> None:
    with pytest.raises(BadHeader):
        compose(a_letter(headers={name: "x"}), SETTINGS)
    assert read(compose(a_letter(headers={"X-Own": "grün"}), SETTINGS).data)["X-Own"] == "grün"


@pytest.mark.parametrize(
    "bad",
    ["", "ann", "@x.example", "ann@", "a b@x.example", "ann@x..example", "ann@-x.example", "ann@x_y.example",
     "ann@x.example>", "ann@x.example, bob@y.example", "ann@[127.0.0.1]", ".ann@x.example", "a..b@x.example",
     "<ann@x.example>", "ann@x.example\t", "a" * 65 + "@x.example", "ann@" + "x." * 130 + "example", "ann@@x.example"],  # noqa: E501
)  # fmt: skip
def test_what_is_no_address(bad: str) -> None:
    with pytest.raises(BadHeader):
        compose(a_letter(to=bad), SETTINGS)


@pytest.mark.parametrize(
    ("to", "envelope"),
    [
        ("ann+news@x.example", "ann+news@x.example"),
        ('"a b"@x.example', '"a b"@x.example'),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("änn@x.example", "änn@x.example"),
    ],
)
def test_unusual_addresses(to: str, envelope: str) -> None:
    made = compose(a_letter(to=to), SETTINGS)
    assert made.recipient == envelope
    assert made.international == (not envelope.isascii())


def test_ids_ride_along_with_each_provider() -> None:
    """In its own form; what it cannot hold is left out whole."""
    import json

    long = a_letter(decision_id="d" * 100, metadata={"experiment": "e 1"})
    found = read(compose(long, EmailSettings(sender="a@b.example", provider="sendgrid")).data)
    assert json.loads(found["X-SMTPAPI"])["unique_args"] == {
        "message_id": "m-1",
        "campaign_id": "back-in-stock",
        "decision_id": "d" * 100,
        "experiment": "e 1",
        "person": "u:ann",
        "purpose": "email_marketing",
    }
    settings = EmailSettings(sender="a@b.example", provider="postmark", stream="broadcast")
    found = read(compose(long, settings).data)
    assert found["X-PM-Metadata-message_id"] == "m-1"
    assert found["X-PM-Metadata-decision_id"] is None
    assert found["X-PM-Message-Stream"] == "broadcast"
    settings = EmailSettings(sender="a@b.example", provider="ses", stream="all")
    found = read(compose(long, settings).data)
    assert "message_id=m-1" in found["X-SES-MESSAGE-TAGS"]
    assert "person=b64.dTphbm4" in found["X-SES-MESSAGE-TAGS"]
    assert found["X-SES-CONFIGURATION-SET"] == "all"


def test_dkim_covers_the_unsubscription() -> None:
    """Another address in it, or one more, breaks the signature."""
    data = compose(a_letter(), SETTINGS, (RSA, ED25519)).data
    assert verified(data, 2)
    for name in (b"list-unsubscribe", b"list-unsubscribe-post", b"from", b"subject"):
        assert data.replace(b"\r\n ", b"").split(b"h=")[1].split(b";")[0].count(name + b":") >= 1
    changed = data.replace(b"go.shop.example/u/abc", b"go.evil.example/u/abc")
    for index in (0, 1):
        assert not dkim.DKIM(changed).verify(idx=index, dnsfunc=dns)
        more = data.replace(b"From: ", b"From: evil@x.example\r\nFrom: ", 1)
        assert not dkim.DKIM(more).verify(idx=index, dnsfunc=dns)
        twice = data.replace(
            b"List-Unsubscribe: ", b"List-Unsubscribe: <https://x>\r\nList-Unsubscribe: ", 1
        )
        assert not dkim.DKIM(twice).verify(idx=index, dnsfunc=dns)


@pytest.mark.parametrize(
    "key",
    ["", "no key", pem(rsa.generate_private_key(65537, 2048))[:-80], string.ascii_letters,
     "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"],
)  # fmt: skip
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(BadKey):
        DkimSigner("x.example", "s", key)
