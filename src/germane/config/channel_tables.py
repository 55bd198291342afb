"""Every setting of channels, links and providers."""

from __future__ import annotations

from germane.config.fields import Field

CHANNELS = (
    Field(
        "allowed_hosts",
        "texts",
        "Hosts (or host:port) that webhooks may reach although they are private, and without TLS.",
        (),
    ),
)
EMAIL = (
    Field("host", "text", "Mail server that takes our mail.", required=True),
    Field(
        "port", "whole", "Its port: 587 for STARTTLS, 465 for TLS at once.", 587, low=1, high=65535
    ),
    Field(
        "tls",
        "starttls|implicit|none",
        "Encryption, with a certificate that is checked. none: only to this machine.",
        "starttls",
    ),
    Field("username", "text", "Name to log in with; empty: no login.", ""),
    Field("password", "text", "Its password.", "", secret=True),
    Field("ca_file", "text", "Certificates of an authority of your own, PEM.", ""),
    Field("hello", "text", "Name that we greet with; empty: the sender's domain.", ""),
    Field("connections", "whole", "Connections at a time.", 10, low=1, high=200),
    Field("timeout", "duration", "How long an answer may take.", "60s", low=1, high=600),
    Field("from", "text", "Sender: Name <address>.", required=True),
    Field("reply_to", "text", "Where answers go; empty: to the sender.", ""),
    Field("bounces_to", "text", "Where undeliverable mail is reported; empty: to the sender.", ""),
    Field(
        "unsubscribe_mailto",
        "text",
        "Address that takes unsubscriptions by mail, beside the link.",
        "",
    ),
    Field(
        "provider",
        "none|sendgrid|postmark|ses",
        "Whose mail server it is: our ids ride along in its form, and come back with what happens.",
        "none",
    ),
    Field("stream", "text", "Postmark's message stream, or the configuration set of SES.", ""),
    Field("dkim_domain", "text", "Domain that signs; empty: the sender's.", ""),
    Field("dkim_selector", "text", "Selector of the DKIM key in the DNS; empty: no signature.", ""),
    Field("dkim_key_file", "text", "File with the private key, PEM, beside the configuration.", ""),
    Field("dkim_key", "text", "The private key itself, with \\n for line breaks.", "", secret=True),
)
CRM = (
    Field("url", "text", "Where messages are posted to.", required=True),
    Field(
        "secret", "text", "Signing secret, whsec_...: the receiver has the same.", "", secret=True
    ),
    Field(
        "former_secret",
        "text",
        "The secret before it: both sign while receivers change over.",
        "",
        secret=True,
    ),
    Field("timeout", "duration", "How long an answer may take.", "15s", low=1, high=60),
)
WEBHOOK = (
    *CRM,
    Field(
        "messages",
        "flag",
        "Whether campaigns may send by it. false: it is for reminders of approvals alone.",
        True,
    ),
)
LINKS = (
    Field(
        "base_url",
        "text",
        "Address under which people reach this server: https://go.shop.example.",
        "",
    ),
    Field("track", "flag", "Count opens and clicks, of all campaigns.", True),
    Field(
        "key",
        "text",
        "Secret that links are sealed with; empty: one made with the data folder.",
        "",
        secret=True,
    ),
    Field(
        "former_keys",
        "text",
        "Earlier keys, with commas between: links in old mails keep working.",
        "",
        secret=True,
    ),
)
SENDGRID = (
    Field(
        "public_key",
        "text",
        "Verification key of the signed event webhook, as SendGrid shows it.",
        "",
    ),
)
POSTMARK = (
    Field(
        "secret",
        "text",
        "Password in the webhook's URL, or the value of its header X-Postmark-Secret.",
        "",
        secret=True,
    ),
)
SES = (Field("topics", "texts", "ARNs of the SNS topics that may tell us something.", ()),)
TABLES: dict[str, tuple[Field, ...]] = {
    "channels": CHANNELS,
    "channels.email": EMAIL,
    "channels.webhook.NAME": WEBHOOK,
    "channels.crm": CRM,
    "links": LINKS,
    "providers.sendgrid": SENDGRID,
    "providers.postmark": POSTMARK,
    "providers.ses": SES,
}
