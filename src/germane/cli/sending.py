"""The commands of content, campaigns and messages: their arguments, and what each is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from germane.cli import campaigns, outbox, outcomes, shelf, switching, watching
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, Yes

campaign = typer.Typer(
    no_args_is_help=True, help="Who gets what, when and why: write, preview, let go."
)
messages = typer.Typer(no_args_is_help=True, help="What went out, what waits, and why.")

Prune = Annotated[bool, typer.Option("--prune", help="Also take away what is not in the folder.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and compare only.")]
ContentFolder = Annotated[
    Path | None, typer.Argument(help="Folder; content/ beside the configuration by default.")
]
CampaignFolder = Annotated[
    Path | None, typer.Argument(help="Folder; campaigns/ beside the configuration by default.")
]
ContentId = Annotated[str, typer.Argument(help="Its name.")]
Name = Annotated[str, typer.Argument(help="Name of the campaign.")]
As = Annotated[
    str, typer.Option("--as", help="Operator whose work it is; they may not approve it.")
]
MessageId = Annotated[str, typer.Argument(help="Id of the message.")]
MessageIds = Annotated[list[str], typer.Argument(help="Ids of messages.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Who = Annotated[str, typer.Argument(help="User id (anonymous ids as a:ID).")]
Channel = Annotated[
    str, typer.Option(help="Only this channel: email, inapp, webhook, webhook:NAME or crm.")
]
Campaign = Annotated[str, typer.Option("--campaign", help="Only this campaign.")]


def add_to(app: typer.Typer, content: typer.Typer) -> None:
    """Put the commands where they belong."""
    content.command("push")(push_content)
    content.command("list")(list_content)
    content.command("show")(show_content)
    content.command("outcomes")(content_outcomes)
    content.command("remove")(remove_content)
    app.add_typer(campaign, name="campaign")
    app.add_typer(messages, name="messages")
    app.command("why-not")(why_not)
    app.command("stop-sending")(stop_sending)
    app.command("go-on-sending")(go_on_sending)


def push_content(
    folder: ContentFolder = None,
    prune: Prune = False,
    dry_run: DryRun = False,
    name: As = "",
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check all content of a folder, and bring what is new or changed to where messages are made."""
    raise typer.Exit(
        shelf.push(
            config, data, folder, prune=prune, dry_run=dry_run, yes=yes, as_json=as_json, name=name
        )
    )


def list_content(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """List what was pushed, and which campaigns say it."""
    shelf.list_all(config, data, as_json=as_json)


def show_content(
    name: ContentId, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Show one as it was pushed, with every text."""
    shelf.show(name, config, data, as_json=as_json)


def content_outcomes(
    name: ContentId, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Show what each variant of one brought, and whether the writer's texts bring more than a person's."""
    outcomes.run(name, config, data, as_json=as_json)


def remove_content(
    name: ContentId,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take one away. What a campaign says that has not ended stays."""
    raise typer.Exit(shelf.remove(name, config, data, yes=yes, as_json=as_json))


@campaign.command("push")
def push_campaigns(
    folder: CampaignFolder = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also end those that are not in the folder.")
    ] = False,
    dry_run: DryRun = False,
    name: As = "",
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check all campaigns of a folder, and bring over what is new or changed. A new one is dry."""
    raise typer.Exit(
        campaigns.push(
            config, data, folder, prune=prune, dry_run=dry_run, yes=yes, as_json=as_json, name=name
        )
    )


@campaign.command("list")
def list_campaigns(
    config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """List campaigns: how they stand, and how many messages they have."""
    campaigns.list_all(config, data, as_json=as_json)


@campaign.command("show")
def show_campaign(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Show one: how it stands, its definition, and what keeps it from going live."""
    campaigns.show(name, config, data, as_json=as_json)


@campaign.command("preview")
def preview_campaign(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Count whom it would reach now, and why not the others. Sends nothing."""
    campaigns.preview(name, config, data, as_json=as_json)


@campaign.command("watch")
def watch_campaign(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Watch the server make its messages: a bar until everybody who is meant has one. Ctrl-C stops watching
    only."""
    watching.watch(name, config, data, as_json=as_json)


@campaign.command("live")
def campaign_live(
    name: Name,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let one send, after its audience was shown. Refused where nothing of it could go out."""
    raise typer.Exit(campaigns.turn(name, "live", config, data, yes=yes, as_json=as_json))


@campaign.command("pause")
def campaign_pause(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Let nobody in and hold what waits; `live` lets it go on."""
    raise typer.Exit(campaigns.turn(name, "paused", config, data, yes=True, as_json=as_json))


@campaign.command("dry")
def campaign_dry(
    name: Name,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let one do everything but send. What waits will not go out."""
    raise typer.Exit(campaigns.turn(name, "dry", config, data, yes=yes, as_json=as_json))


@campaign.command("end")
def campaign_end(
    name: Name,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """End one. What waits will not go out."""
    raise typer.Exit(campaigns.turn(name, "ended", config, data, yes=yes, as_json=as_json))


@messages.command("list")
def list_messages(
    campaign: Campaign = "",
    status: Annotated[
        str,
        typer.Option(help="queued, sent, ambiguous, failed, skipped, dry, expired, cancelled ..."),
    ] = "",
    person: Annotated[str, typer.Option(help="User id or anonymous id.")] = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 50,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List messages, the newest first, each with its last reason."""
    outbox.list_all(campaign, status, person, limit, config, data, as_json=as_json)


@messages.command("show")
def show_message(
    message_id: MessageId,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one: its text, all that happened to it, and why."""
    outbox.show(message_id, config, data, as_json=as_json)


@messages.command("cancel")
def cancel_message(
    message_ids: MessageIds,
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take some back that wait."""
    raise typer.Exit(outbox.cancel(message_ids, reason, config, data, as_json=as_json))


@messages.command("resolve")
def resolve_message(
    message_ids: MessageIds,
    arrived: Annotated[
        bool, typer.Option("--arrived", help="They did: they count as sent.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="They did not: send them again.")] = False,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what became of some of which nobody knows whether they went out."""
    raise typer.Exit(
        outbox.resolve(
            message_ids,
            reason,
            config,
            data,
            arrived=arrived,
            again=again,
            yes=yes,
            as_json=as_json,
        )
    )


def why_not(
    person: Annotated[str, typer.Argument(help="User id or anonymous id.")],
    campaign: Annotated[str, typer.Argument(help="Name of the campaign.")],
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell why somebody has had, or has not had, a campaign's message."""
    outbox.why_not(person, campaign, config, data, as_json=as_json)


def stop_sending(
    channel: Channel = "",
    campaign: Campaign = "",
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """The kill switch: when this returns, no message begins any more."""
    switching.switch(channel, campaign, reason, config, data, on=True, as_json=as_json)


def go_on_sending(
    channel: Channel = "",
    campaign: Campaign = "",
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """End what stop-sending began. What was held goes out, unless its time is over."""
    switching.switch(channel, campaign, reason, config, data, on=False, as_json=as_json)
