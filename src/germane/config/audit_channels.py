"""The audit of channels: will mail arrive, and does anything come back?"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from germane.config.channels import ChannelsSpec, EmailSpec, is_loopback
from germane.config.finding import Finding, Level


def audit_channels(channels: ChannelsSpec) -> list[Finding]:
    """Findings; none without channels."""
    found: list[Finding] = []
    if channels.email is not None:
        found += _email(channels.email, channels)
        found += _links(channels)
        found += _back(channels)
    for each in channels.webhooks.values():
        found.append(
            _finding("good", f"Webhook {each.name}: signed, to {urlsplit(each.url).hostname}.")
        )
    if channels.crm is not None:
        found.append(
            _finding("good", f"Every interaction goes to {urlsplit(channels.crm.url).hostname}.")
        )
    for host in sorted(channels.allowed_hosts):
        found.append(
            _finding(
                "warning",
                f"Webhooks may reach {host} although it may be private.",
                "Take it out of allowed_hosts in [channels] when nobody needs it.",
            )
        )
    return found


def _finding(level: Level, text: str, remedy: str = "") -> Finding:
    return Finding("", "channels", level, text, remedy)


def _email(email: EmailSpec, channels: ChannelsSpec) -> list[Finding]:
    where = f"{email.host}:{email.port}"
    encrypted = {
        "none": "not encrypted, on this machine",
        "starttls": "STARTTLS",
        "implicit": "TLS",
    }
    found = [_finding("good", f"E-mail goes out by {where} ({encrypted[email.tls]}).")]
    if email.dkim_selector:
        signs = email.dkim_domain or email.domain
        if not aligned(signs, email.domain):
            found.append(
                _finding(
                    "warning",
                    f"DKIM signs for {signs}, but mail comes from {email.domain}: receivers that ask for DMARC "
                    "refuse it.",
                    "Let dkim_domain be the sender's domain.",
                )
            )
        else:
            found.append(_finding("good", f"DKIM signs for {signs}."))
    elif email.provider == "none" and not is_loopback(email.host):
        found.append(
            _finding(
                "warning",
                "No DKIM signature: Gmail and Yahoo refuse or hide such mail, unless the mail server signs it.",
                "Set dkim_selector and dkim_key_file; `germane channel test email` shows the DNS record.",
            )
        )
    if not email.unsubscribe_mailto:
        found.append(
            _finding(
                "warning",
                "No unsubscribe_mailto: some mail programs offer to unsubscribe only by mail.",
                "Set it to an address that somebody, or a program, reads.",
            )
        )
    return found


def aligned(one: str, other: str) -> bool:
    """Whether one domain is the other, or lies under it (DMARC's relaxed alignment, without a public list)."""
    one, other = one.lower(), other.lower()
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _links(channels: ChannelsSpec) -> list[Finding]:
    base_url = channels.links.base_url
    if not base_url:
        return [
            _finding(
                "error",
                "No base_url of links: nobody could unsubscribe, so no mail but transactional can go out"
                + (", and no click is counted." if channels.links.track else "."),
                "Set base_url under [links] to the address under which people reach this server.",
            )
        ]
    host = urlsplit(base_url).hostname or ""
    if _inside(host):
        return [
            _finding(
                "warning",
                f"Links lead to {host}, which only this network can reach.",
                "Set base_url under [links] to a public address before real mail goes out.",
            )
        ]
    if not base_url.startswith("https://"):
        return [
            _finding(
                "error",
                "Links begin with http://: one-click unsubscription (RFC 8058) demands https.",
                "Put a proxy with TLS in front, and set base_url to its https:// address.",
            )
        ]
    return [_finding("good", f"Links lead to {host}; {_tracked(channels)}.")]


def _tracked(channels: ChannelsSpec) -> str:
    return "opens and clicks are counted" if channels.links.track else "nothing is counted"


def _inside(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def _back(channels: ChannelsSpec) -> list[Finding]:
    """Whether bounces and complaints come back from the provider."""
    assert channels.email is not None
    known = {
        "sendgrid": channels.sendgrid_key,
        "postmark": channels.postmark_secret,
        "ses": channels.ses_topics,
        "none": "yes",
    }
    provider = channels.email.provider
    if known[provider]:
        return []
    return [
        _finding(
            "warning",
            f"Nothing comes back from {provider}: bounces and complaints stay unknown.",
            f"Configure [providers.{provider}], and the webhook there: see the how-to.",
        )
    ]
