"""Channels in the configuration: what is wrong is said, secrets stay out of files and of errors,
the audit speaks."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from germane.config import audit_channels, load, load_text
from germane.config.audit_channels import aligned
from germane.config.channels import ChannelsSpec
from germane.domain.errors import ConfigInvalid

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes !!!").decode()
EMAIL = """
[channels.email]
host = "smtp.shop.example"
from = "Shop <news@shop.example>"
unsubscribe_mailto = "leave@shop.example"
"""
LINKS = """
[links]
base_url = "https://go.shop.example/"
"""


def read(text: str, **environment: str) -> ChannelsSpec:
    return load_text(text, environment).channels


def errors(text: str, **environment: str) -> dict[str, Any]:
    """Key -> error."""
    with pytest.raises(ConfigInvalid) as caught:
        load_text(text, environment)
    return {each["key"]: each for each in caught.value.details["errors"]}


def test_nothing_is_configured() -> None:
    assert read("[project]\n") == ChannelsSpec()
    assert audit_channels(ChannelsSpec()) == []


def test_a_whole_configuration() -> None:
    text = (
        EMAIL
        + 'username = "shop"\nprovider = "postmark"\ntimeout = "30s"\n'
        + LINKS
        + '[links.purposes]\nnews = "Weekly news"\n'
        + '[channels]\nallowed_hosts = ["CRM.internal:8080"]\n'
        + '[channels.webhook.order-desk]\nurl = "https://hooks.example/in"\n'
        + '[channels.crm]\nurl = "http://crm.internal:8080/log"\n'
        + '[providers.ses]\ntopics = ["arn:aws:sns:eu-west-1:1:mail"]\n'
    )
    found = read(
        text,
        GERMANE_CHANNELS__EMAIL__PASSWORD="hidden",
        GERMANE_CHANNELS__WEBHOOK__ORDER_DESK__SECRET=SECRET,
        GERMANE_CHANNELS__CRM__SECRET=SECRET,
        GERMANE_PROVIDERS__POSTMARK__SECRET="told",
        GERMANE_LINKS__KEY="a long random text for links",
        GERMANE_LINKS__FORMER_KEYS="an earlier random text, one more earlier text",
    )
    assert found.email is not None
    assert (found.email.sender, found.email.password, found.email.timeout_s) == (
        "Shop <news@shop.example>",
        "hidden",
        30,
    )
    assert (found.email.port, found.email.tls, found.email.domain) == (
        587,
        "starttls",
        "shop.example",
    )
    assert found.webhooks["order-desk"].keys == (b"a secret of thirty-two bytes !!!",)
    assert found.crm is not None
    assert found.allowed_hosts == frozenset(["crm.internal:8080"])
    assert found.links.base_url == "https://go.shop.example"
    assert found.links.former_keys == ("an earlier random text", "one more earlier text")
    assert found.links.purposes == {"news": "Weekly news"}
    assert (found.postmark_secret, found.ses_topics) == ("told", ("arn:aws:sns:eu-west-1:1:mail",))


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (
            EMAIL + 'password = "hidden-in-file"\n',
            "channels.email.password",
            "GERMANE_CHANNELS__EMAIL__PASSWORD",
        ),
        (
            '[channels.webhook.a-b]\nurl = "https://x.example"\nsecret = "hidden-in-file"\n',
            "channels.webhook.a-b.secret",
            "GERMANE_CHANNELS__WEBHOOK__A_B__SECRET",
        ),
        ('[links]\nkey = "hidden-in-file, long enough"\n', "links.key", "GERMANE_LINKS__KEY"),
        (
            '[providers.postmark]\nsecret = "hidden-in-file"\n',
            "providers.postmark.secret",
            "GERMANE_PROVIDERS__POSTMARK",
        ),
    ],
)
def test_secrets_do_not_stand_in_the_file(text: str, key: str, says: str) -> None:
    """Where they belong is said; they themselves are not."""
    found = errors(text)
    assert says in found[key]["remedy"]
    assert "hidden-in-file" not in str(found)


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('[channels.email]\nfrom = "a@b.example"\n', "channels.email.host", "missing"),
        ('[channels.email]\nhost = "x.example"\n', "channels.email.from", "missing"),
        (
            EMAIL.replace("smtp.shop.example", "smtp.shop.example:25"),
            "channels.email.host",
            "no host",
        ),
        (
            EMAIL.replace("Shop <news@shop.example>", "Shop"),
            "channels.email.from",
            "no e-mail address",
        ),
        (EMAIL + 'tls = "none"\n', "channels.email.tls", "in the open"),
        (EMAIL + 'tls = "ssl"\n', "channels.email.tls", "one of"),
        (EMAIL + 'username = "shop"\n', "channels.email.password", "no password"),
        (EMAIL + 'dkim_selector = "s1"\n', "channels.email.dkim_selector", "both"),
        (EMAIL + 'reply_to = "nobody"\n', "channels.email.reply_to", "no e-mail address"),
        (EMAIL + "prot = 25\n", "channels.email.prot", "port"),
        ("channels = 3\n", "channels", "table"),
        ("[channels]\nemail = 3\n", "channels.email", "table"),
        ("[channels]\nwebhook = 3\n", "channels.webhook", "table"),
        ('[channels.webhook.x]\nurl = "http://x.example/"\n', "channels.webhook.x.url", "https"),
        (
            '[channels.webhook.x]\nurl = "https://a@x.example/"\n',
            "channels.webhook.x.url",
            "user name",
        ),
        (
            '[channels.webhook.x]\nurl = "https://x.example/"\n',
            "channels.webhook.x.secret",
            "missing",
        ),
        ('[channels.crm]\nsecret = ""\n', "channels.crm.url", "missing"),
        ('[links]\nbase_url = "go.shop.example"\n', "links.base_url", "no address"),
        ('[links]\nbase_url = "https://go.shop.example/?a"\n', "links.base_url", "no address"),
        ("[links.purposes]\nnews = 3\n", "links.purposes.news", "text"),
        ('[links.purposes]\n"Mein Zweck!" = "x"\n', "links.purposes", "small letters"),
        ("[providers.sendgird]\n", "providers.sendgird", "sendgrid"),
    ],
)
def test_errors(text: str, key: str, says: str) -> None:
    found = errors(text)
    assert key in found, found
    assert says in f"{found[key]['problem']} {found[key]['remedy']}"


def test_a_bad_secret_is_not_shown() -> None:
    text = '[channels.webhook.x]\nurl = "https://x.example/"\n'
    found = errors(text, GERMANE_CHANNELS__WEBHOOK__X__SECRET="too-short-secret!")
    assert "too-short-secret" not in str(found)
    found = errors("[links]\n", GERMANE_LINKS__KEY="short-key")
    assert "short-key" not in str(found)
    assert "GERMANE_LINKS__KEY" in found["links.key"]["remedy"]


def test_plain_smtp_to_this_machine_is_fine() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert read(EMAIL.replace("smtp.shop.example", host) + 'tls = "none"\n').email is not None


def test_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "germane.toml").write_text(
        EMAIL + 'dkim_selector = "s1"\ndkim_key_file = "dkim.pem"\n'
    )
    with pytest.raises(ConfigInvalid, match="no such file"):
        load(tmp_path / "germane.toml", {})
    (tmp_path / "dkim.pem").write_text("x")
    found = load(tmp_path / "germane.toml", {}).channels.email
    assert found is not None
    assert found.dkim_key_file == str(tmp_path / "dkim.pem")


def said(text: str, **environment: str) -> str:
    return "\n".join(f"{x.level}: {x.text}" for x in audit_channels(read(text, **environment)))


def test_the_audit() -> None:
    """What keeps mail from arriving, or its answers from coming back."""
    assert "error: No base_url" in said(EMAIL)
    assert "warning: No DKIM" in said(EMAIL + LINKS)
    assert "No DKIM" not in said(EMAIL + 'provider = "sendgrid"\n' + LINKS)
    assert "warning: Nothing comes back from sendgrid" in said(
        EMAIL + 'provider = "sendgrid"\n' + LINKS
    )
    key = '[providers.sendgrid]\npublic_key = "x"\n'
    assert "Nothing comes back" not in said(EMAIL + 'provider = "sendgrid"\n' + LINKS + key)
    assert "error: Links begin with http" in said(EMAIL + LINKS.replace("https", "http"))
    assert "warning: Links lead to localhost" in said(
        EMAIL + '[links]\nbase_url = "http://localhost:8400"\n'
    )
    assert "warning: No unsubscribe_mailto" in said(
        EMAIL.replace("unsubscribe_mailto", "reply_to") + LINKS
    )
    assert "warning: Webhooks may reach" in said('[channels]\nallowed_hosts = ["crm.internal"]\n')
    signed = EMAIL + 'dkim_selector = "s"\ndkim_domain = "other.example"\n' + LINKS
    assert "warning: DKIM signs for other.example, but mail comes from shop.example" in said(
        signed, GERMANE_CHANNELS__EMAIL__DKIM_KEY="x"
    )
    good = said(
        signed.replace("other.example", "shop.example"), GERMANE_CHANNELS__EMAIL__DKIM_KEY="x"
    )
    assert "warning" not in good
    assert "error" not in good


def test_alignment() -> None:
    assert aligned("shop.example", "news.shop.example")
    assert aligned("NEWS.shop.example", "shop.example")
    assert not aligned("shop.example", "eshop.example")
