"""``channel test``: does a real message go out, and if not, where does it stop?"""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Json
from germane.domain.errors import GermaneError, WrongUse
from germane.domain.links import LinkKeys
from germane.domain.sending import Ambiguous, Outgoing, Refused, Result, Retry, Sent

if TYPE_CHECKING:
    from germane.config import ChannelsSpec

app = typer.Typer(no_args_is_help=True, help="The ways out: e-mail, webhooks, the CRM.")
STAGES = {
    "compose": "The message",
    "connect": "Connection",
    "tls": "Encryption",
    "hello": "Greeting",
    "login": "Login",
    "sender": "Sender",
    "recipient": "Receiver",
    "data": "Permission to send",
    "end": "The whole message",
}


class NotSent(GermaneError):
    """The test message did not go out."""

    code = "channels.not_sent"


@app.command("test")
def test(
    name: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="email, crm, or webhook:NAME as configured.")
    ],
    to: Annotated[str, typer.Option("--to", help="Who gets the test e-mail.")] = "",
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Send one real test message, and tell what was answered at each stage."""
    try_out(name, to, config, as_json=as_json)


def try_out(name: str, to: str, config: Path, *, as_json: bool) -> None:
    """Send one message by a channel (``email``, ``crm`` or ``webhook:NAME``), and tell each stage.

    Raises:
        WrongUse: there is no such channel, or no receiver is named.
        NotSent: it did not go out.
    """
    loaded = common.load(config)
    told: list[dict[str, str]] = []

    def say(stage: str, text: str) -> None:
        told.append({"stage": stage, "said": text})
        if not as_json:
            common.console().print(f"  {STAGES.get(stage, stage):<20} {text}", markup=False)

    result = asyncio.run(_tried(loaded.channels, name, to, say))
    said = _said(result)
    if as_json:
        common.print_json({"channel": name, "result": said[0], "reason": said[1], "stages": told})
    if not isinstance(result, Sent):
        raise NotSent(f"The message did not go out ({said[0]}): {said[1]}", hint=_hint(result))
    if not as_json:
        common.console().print(f"[bold green]Sent.[/] {said[1]}")


async def _tried(channels: ChannelsSpec, name: str, to: str, say: Any) -> Result:
    from germane.app.channels import email_channel, open_channels

    if name == "email":
        if channels.email is None:
            raise WrongUse("There is no [channels.email] in the configuration.")
        if not to:
            raise WrongUse(
                "Who is to get the message?", hint="germane channel test email --to me@x.example"
            )
        channel = email_channel(channels.email, say)
        _tell_dkim(channels, say)
    else:
        known = open_channels(channels)
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise WrongUse(f"There is no channel {name!r}.", hint=f"Configured are: {there}.")
        return await _sent(known[name], _message(channels, to))
    return await _sent(channel, _message(channels, to))


async def _sent(channel: Any, outgoing: Outgoing) -> Result:
    try:
        result: Result = await channel.send(outgoing)
        return result
    finally:
        await channel.close()


def _message(channels: ChannelsSpec, to: str) -> Outgoing:
    """A real one: with an unsubscription, so that its headers are those of a campaign."""
    from germane.deliver.tracking import prepared

    outgoing = Outgoing(
        message_id=f"test-{secrets.token_hex(8)}",
        person="u:test",
        to=to,
        subject="A test message from Germane",
        text="If you read this, e-mail goes out.\n\nIts source shows whether SPF, DKIM and DMARC pass.\n",
        html="<p>If you read this, e-mail goes out.</p>"
        "<p>Its source shows whether SPF, DKIM and DMARC pass.</p>",
        payload={"type": "germane.test", "data": {"text": "If you read this, webhooks go out."}},
        purpose="test",
        campaign_id="test",
        unsubscribe_mailto=channels.email.unsubscribe_mailto if channels.email else "",
        at_ms=time.time_ns() // 1_000_000,
    )
    # The link of a test opens nothing: its key is thrown away.
    keys = LinkKeys([secrets.token_bytes(32)])
    return prepared(outgoing, keys, channels.links.base_url or "https://links.invalid", track=False)


def _tell_dkim(channels: ChannelsSpec, say: Any) -> None:
    from germane.app.channels import dkim_signer

    assert channels.email is not None
    signer = dkim_signer(channels.email)
    if signer is None:
        say("compose", "not signed: no dkim_selector is set")
        return
    domain = channels.email.dkim_domain or channels.email.domain
    name = f"{channels.email.dkim_selector}._domainkey.{domain}"
    say(
        "compose",
        f"signed ({signer.algorithm}); the DNS must have TXT {name}: {signer.public_record()}",
    )


def _said(result: Result) -> tuple[str, str]:
    if isinstance(result, Sent):
        return "sent", result.detail
    kinds = {Retry: "put off", Refused: "refused", Ambiguous: "unknown"}
    return kinds[type(result)], result.reason


def _hint(result: Result) -> str:
    hints = {
        "smtp.login": "Compare username and GERMANE_CHANNELS__EMAIL__PASSWORD with the provider's.",
        "smtp.tls": 'Try port 465 with tls = "implicit", or name the authority\'s certificates in ca_file.',
        "smtp.connection": "Compare host and port; many networks close port 25.",
        "webhook.forbidden": "Use a public https:// URL, or name the host in allowed_hosts of [channels].",
    }
    code = getattr(result, "code", "").partition(":")[0]
    return hints.get(code, "What the other side said is above; its operator can tell more.")
