"""``[channels]``, ``[links]`` and ``[providers]``: typed, and checked as far as one can without
asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from germane.config import channel_tables as tables
from germane.config.fields import Field
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import read, value_of
from germane.config.server import is_host
from germane.deliver.channels.addresses import BadTarget, hostname, target
from germane.deliver.channels.headers import BadHeader
from germane.deliver.channels.mailbox import mailbox
from germane.deliver.channels.signatures import secret_bytes
from germane.domain.purposes import is_purpose, remedy

TOP = ("channels", "links", "providers")
_ENVIRONMENT = "GERMANE_{}"


class EmailSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How e-mail goes out."""

    host: str
    sender: str
    port: int = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    hello: str = ""
    connections: int = 10
    timeout_s: int = 60
    reply_to: str = ""
    bounces_to: str = ""
    unsubscribe_mailto: str = ""
    provider: Literal["none", "sendgrid", "postmark", "ses"] = "none"
    stream: str = ""
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: str = ""
    dkim_key: str = ""

    @property
    def domain(self) -> str:
        """Of the sender, in ASCII."""
        return mailbox(self.sender, "From").domain


class WebhookSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver of webhooks."""

    name: str
    url: str
    secret: str = ""
    former_secret: str = ""
    timeout_s: int = 15
    messages: bool = True
    """Whether campaigns may send by it."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What signs, the newest first."""
        return tuple(secret_bytes(x) for x in (self.secret, self.former_secret) if x)


class LinksSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Links of our own in messages."""

    base_url: str = ""
    """Without a slash at the end."""
    track: bool = True
    key: str = ""
    former_keys: tuple[str, ...] = ()
    purposes: dict[str, str] = {}
    """Consent purpose -> what people are told that it is."""


class ChannelsSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that goes out, and what comes back."""

    email: EmailSpec | None = None
    webhooks: dict[str, WebhookSpec] = {}
    crm: WebhookSpec | None = None
    links: LinksSpec = LinksSpec()
    allowed_hosts: frozenset[str] = frozenset()
    sendgrid_key: str = ""
    postmark_secret: str = ""
    ses_topics: tuple[str, ...] = ()

    @property
    def reminding(self) -> tuple[str, ...]:
        """Names of the webhooks that no campaign may send by."""
        return tuple(name for name, each in self.webhooks.items() if not each.messages)

    @property
    def only_webhook(self) -> str:
        """The one webhook that campaigns send by; empty: there are none, or several."""
        names = [name for name, each in self.webhooks.items() if each.messages]
        return names[0] if len(names) == 1 else ""


def refuse_secrets(whole: Mapping[str, Any], problems: Problems) -> None:
    """Secrets of channels belong into the environment or ``.env``; ``whole`` is what the file alone says."""
    for name, fields in tables.TABLES.items():
        path = name.split(".")
        for table_path, table in _tables(whole, path):
            for field in fields:
                if field.secret and field.name in table:
                    variable = "__".join((*table_path, field.name)).upper().replace("-", "_")
                    problems.add(
                        ".".join((*table_path, field.name)),
                        None,
                        "A secret stands in the configuration file.",
                        f"Put it into .env beside the file, as GERMANE_{variable}=...",
                    )


def _tables(whole: Mapping[str, Any], path: list[str]) -> list[tuple[list[str], dict[str, Any]]]:
    """The tables at a path, ``NAME`` standing for any."""
    found: list[tuple[list[str], Any]] = [([], whole)]
    for step in path:
        found = [
            ([*before, key], value)
            for before, table in found
            if isinstance(table, dict)
            for key, value in table.items()
            if step in (key, "NAME")
        ]
    return [(at, table) for at, table in found if isinstance(table, dict)]


def channels(whole: dict[str, Any], folder: Path | None, problems: Problems) -> ChannelsSpec:
    """The specification; errors are noted in ``problems``. ``folder`` is where the configuration is."""
    said = _table(whole, "channels", problems)
    also = ("email", "webhook", "crm")
    values = read(said, tables.CHANNELS, "channels", problems, also=also)
    allowed = frozenset(each.lower() for each in values.get("allowed_hosts", ()))
    links = _links(_table(whole, "links", problems), problems)
    providers = _table(whole, "providers", problems)
    for name in providers:
        if name not in ("sendgrid", "postmark", "ses"):
            known = ("sendgrid", "postmark", "ses")
            problems.add(
                f"providers.{name}", None, "There is no such provider.", did_you_mean(name, known)
            )
    sendgrid, postmark, ses = (
        read(_table(providers, name, problems, "providers."), fields, f"providers.{name}", problems)
        for name, fields in (
            ("sendgrid", tables.SENDGRID),
            ("postmark", tables.POSTMARK),
            ("ses", tables.SES),
        )
    )
    webhooks = {
        name: spec
        for name, table in _table(said, "webhook", problems, "channels.").items()
        if (spec := _webhook(name, table, f"channels.webhook.{name}", allowed, problems))
        is not None
    }
    return ChannelsSpec(
        email=_email(said["email"], folder, problems) if "email" in said else None,
        webhooks=webhooks,
        crm=_webhook("crm", said["crm"], "channels.crm", allowed, problems)
        if "crm" in said
        else None,
        links=links,
        allowed_hosts=allowed,
        sendgrid_key=sendgrid.get("public_key", ""),
        postmark_secret=postmark.get("secret", ""),
        ses_topics=ses.get("topics", ()),
    )


def _table(
    whole: Mapping[str, Any], name: str, problems: Problems, before: str = ""
) -> dict[str, Any]:
    found = whole.get(name, {})
    if isinstance(found, dict):
        return found
    problems.add(f"{before}{name}", None, "It must be a table.", f"Write it as [{before}{name}].")
    return {}


def _email(table: Any, folder: Path | None, problems: Problems) -> EmailSpec | None:
    path = "channels.email"
    if not isinstance(table, dict):
        problems.add(path, None, "It must be a table.", f"Write it as [{path}].")
        return None
    values = read(table, tables.EMAIL, path, problems)
    for name in ("from", "reply_to", "bounces_to", "unsubscribe_mailto"):
        if values.get(name):
            try:
                mailbox(values[name], name)
            except BadHeader as error:
                remedy = 'Write it like "Shop <news@shop.example>".'
                problems.add(f"{path}.{name}", values[name], error.reason, remedy)
    if "host" in values:
        _check_host(values, path, problems)
    for name in ("ca_file", "dkim_key_file"):
        if values.get(name) and folder is not None:
            values[name] = str(folder / values[name])
            if not Path(values[name]).is_file():
                problems.add(
                    f"{path}.{name}", table[name], "There is no such file.", "Correct the path."
                )
    _check_pairs(values, path, problems)
    if problems.at(path) or "from" not in values or "host" not in values:
        return None
    values["sender"] = values.pop("from")
    if "timeout" in values:
        values["timeout_s"] = values.pop("timeout")
    return EmailSpec(**values)


def _check_pairs(values: dict[str, Any], path: str, problems: Problems) -> None:
    """What is of no use without the other."""
    if values.get("username") and not values.get("password"):
        problems.add(
            f"{path}.password",
            None,
            "There is a username, and no password.",
            "Set GERMANE_CHANNELS__EMAIL__PASSWORD in .env beside the configuration.",
        )
    key = values.get("dkim_key") or values.get("dkim_key_file")
    if bool(values.get("dkim_selector")) != bool(key):
        problems.add(
            f"{path}.dkim_selector",
            values.get("dkim_selector"),
            "A DKIM signature needs both a selector and a key.",
            "Set dkim_selector, and dkim_key_file or GERMANE_CHANNELS__EMAIL__DKIM_KEY.",
        )


def _check_host(values: dict[str, Any], path: str, problems: Problems) -> None:
    host = values["host"]
    if not is_host(host):
        problems.add(
            f"{path}.host",
            host,
            "That is no host.",
            'Write a name without port: "smtp.shop.example".',
        )
    elif values.get("tls") == "none" and not is_loopback(host):
        problems.add(
            f"{path}.tls",
            "none",
            "Mail and password would go to another machine in the open.",
            'Use "starttls" (port 587) or "implicit" (port 465).',
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _webhook(
    name: str, table: Any, path: str, allowed: frozenset[str], problems: Problems
) -> WebhookSpec | None:
    if not isinstance(table, dict):
        problems.add(path, None, "It must be a table.", f"Write it as [{path}].")
        return None
    fields = tables.CRM if path == "channels.crm" else tables.WEBHOOK
    values = read(table, fields, path, problems)
    if values.get("url"):
        try:
            target(values["url"], allowed)
        except BadTarget as error:
            problems.add(
                f"{path}.url",
                values["url"],
                f"It is not asked: {error}.",
                "Name a public https:// URL, or its host in allowed_hosts of [channels].",
            )
    variable = "GERMANE_" + "__".join(path.split(".")).upper().replace("-", "_")
    for each in ("secret", "former_secret"):
        if values.get(each):
            try:
                secret_bytes(values[each])
            except ValueError as error:
                remedy = (
                    f"Set {variable}__{each.upper()} to whsec_ and the base64 of 32 random bytes."
                )
                problems.add(f"{path}.{each}", None, f"It is no secret: {error}.", remedy)
    if not values.get("secret"):
        problems.add(
            f"{path}.secret",
            None,
            "It is missing: nobody could tell our requests from others.",
            f"Set {variable}__SECRET in .env to whsec_ and the base64 of 32 random bytes.",
        )
    if problems.at(path) or "url" not in values:
        return None
    if "timeout" in values:
        values["timeout_s"] = values.pop("timeout")
    return WebhookSpec(name=name, **values)


def _links(table: dict[str, Any], problems: Problems) -> LinksSpec:
    values = read(table, tables.LINKS, "links", problems, also=("purposes",))
    purposes = {}
    for name, title in _table(table, "purposes", problems, "links.").items():
        if not is_purpose(name):
            problems.add("links.purposes", name, "It is no name of a purpose.", remedy())
        field = Field(name, "text", "Say in plain words what people get.", required=True)
        purposes[name] = value_of(field, title, f"links.purposes.{name}", problems) or name
    base_url = values.get("base_url", "").rstrip("/")
    if base_url and not _is_base(base_url):
        problems.add(
            "links.base_url",
            base_url,
            "That is no address of a server.",
            'Write scheme and host, and a path if there is one: "https://go.shop.example".',
        )
    former = tuple(x.strip() for x in values.get("former_keys", "").split(",") if x.strip())
    for name, each in (("key", values.get("key", "")), *(("former_keys", x) for x in former)):
        if each and len(each) < 16:
            problems.add(
                f"links.{name}",
                None,
                "A key of links has fewer than 16 characters.",
                f"Set GERMANE_LINKS__{name.upper()} to a long random text.",
            )
    return LinksSpec(
        base_url=base_url,
        track=values.get("track", True),
        key=values.get("key", ""),
        former_keys=former,
        purposes=purposes,
    )


def _is_base(text: str) -> bool:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.query or "#" in text:
        return False
    try:
        return bool(parts.hostname and hostname(parts.hostname)) and (parts.port or 1) > 0
    except ValueError:
        return False
