"""What providers send, and Amazon as it would answer."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from germane.ingest.providers import sendgrid
from germane.ingest.providers.sns import canonical

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


RSA = rsa.generate_private_key(65537, 2048)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERT_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(RSA.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
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


MAIL = {
    "timestamp": "2023-11-14T22:00:00.000Z",
    "messageId": "ses-1",
    "destination": ["ann@x.example"],
    "tags": {"message_id": ["m-1"], "campaign_id": ["c"], "person": ["b64.dTphbm4"]},
    "headers": [{"name": "X-Germane-Decision", "value": "d-long"}],
    "commonHeaders": {"subject": "Hi"},
}
