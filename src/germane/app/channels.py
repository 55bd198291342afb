"""From what is configured to channels that send."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec

from germane.config.channels import ChannelsSpec, EmailSpec, WebhookSpec
from germane.deliver.channels import crm
from germane.deliver.channels.dkim import BadKey, DkimSigner
from germane.deliver.channels.egress import Egress, Resolver
from germane.deliver.channels.email import EmailChannel, EmailSettings
from germane.deliver.channels.smtp import SmtpServer
from germane.deliver.channels.webhook import WebhookChannel
from germane.domain.campaign import WEBHOOK
from germane.domain.errors import ConfigInvalid, NoLibrary
from germane.domain.links import LinkKeys
from germane.domain.sending import Channel


def open_channels(spec: ChannelsSpec) -> dict[str, Channel]:
    """Every configured channel by name: ``email``, ``crm``, ``webhook:NAME``. Nothing is connected yet.

    Raises:
        ConfigInvalid: the DKIM key cannot sign.
        NoLibrary: e-mail is configured, and ``germane[email]`` is not installed.
    """
    found: dict[str, Channel] = {}
    if spec.email is not None:
        found["email"] = email_channel(spec.email)
    for name, each in spec.webhooks.items():
        found[WEBHOOK + name] = webhook_channel(each, spec.allowed_hosts)
    if spec.crm is not None:
        found["crm"] = webhook_channel(spec.crm, spec.allowed_hosts)
    return found


def email_channel(spec: EmailSpec, say: Callable[[str, str], None] | None = None) -> EmailChannel:
    """E-mail by SMTP; ``say`` is told each stage and what the server answered. Raises like
    ``open_channels``."""
    try:
        import aiosmtplib  # noqa: F401 - whether it is there
    except ImportError:
        raise NoLibrary("E-mail needs the library `aiosmtplib`.") from None
    signer = dkim_signer(spec)
    return EmailChannel(
        EmailSettings(
            sender=spec.sender,
            reply_to=spec.reply_to,
            bounces_to=spec.bounces_to,
            provider=spec.provider,
            stream=spec.stream,
        ),
        SmtpServer(
            host=spec.host,
            port=spec.port,
            tls=spec.tls,
            username=spec.username,
            password=spec.password,
            ca_file=spec.ca_file,
            hello=spec.hello or spec.domain,
            connections=spec.connections,
            timeout_s=float(spec.timeout_s),
        ),
        (signer,) if signer is not None else (),
        say,
    )


def dkim_signer(spec: EmailSpec) -> DkimSigner | None:
    """What signs mail, if anything does. Raises like ``open_channels``."""
    if not spec.dkim_selector:
        return None
    try:
        key = spec.dkim_key or Path(spec.dkim_key_file).read_text("utf-8")
        return DkimSigner(spec.dkim_domain or spec.domain, spec.dkim_selector, key)
    except ImportError:
        raise NoLibrary("DKIM needs the library `cryptography`.") from None
    except (BadKey, OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(
            f"The DKIM key cannot sign: {error}.",
            hint="Make one: openssl genrsa -out dkim.pem 2048; name it in dkim_key_file of [channels.email].",
        ) from None


def webhook_channel(
    spec: WebhookSpec,
    allowed_hosts: frozenset[str],
    *,
    resolve: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> WebhookChannel:
    """One receiver; that of the CRM gets CloudEvents."""
    egress = Egress(
        allowed=allowed_hosts, timeout_s=float(spec.timeout_s), resolve=resolve, tls=tls
    )
    if spec.name == "crm":
        return WebhookChannel(
            spec.url, spec.keys, egress, body=crm.cloud_event, content_type=crm.CONTENT_TYPE
        )
    return WebhookChannel(spec.url, spec.keys, egress)


def link_keys(spec: ChannelsSpec, engine_key: bytes) -> LinkKeys:
    """What seals links: the configured key first, then earlier ones; the data folder's own opens
    in any case."""
    said = [each.encode() for each in (spec.links.key, *spec.links.former_keys) if each]
    return LinkKeys([*said, engine_key])


class Ways(msgspec.Struct, frozen=True):
    """The ways out that are configured, as far as one can tell without opening any."""

    channels: tuple[str, ...]
    """As ``open_channels`` names them, and ``webhook`` where there is one alone."""
    links: bool
    """Whether messages know the address of this server, and so where to unsubscribe."""
    reminding: tuple[str, ...] = ()
    """Names of the webhooks that no campaign may send by: they are for reminders of approvals."""


def ways_of(spec: ChannelsSpec) -> Ways:
    """What is configured; nothing is opened."""
    found = ["email"] if spec.email is not None else []
    found += [WEBHOOK + name for name in spec.webhooks]
    found += ["webhook"] if spec.only_webhook else []
    found += ["crm"] if spec.crm is not None else []
    return Ways(tuple(found), bool(spec.links.base_url), spec.reminding)
