"""``approvals``: list, show, approve, reject, edit, stats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import typer

from germane.cli import common
from germane.cli.acting import HOW, Act, done, named
from germane.cli.approval_shown import show_all, show_one, show_stats
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json
from germane.domain.errors import GermaneError, UnknownApproval, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine

app = typer.Typer(no_args_is_help=True, help="What waits for a person before it goes out.")
Id = Annotated[str, typer.Argument(help="Id of the approval.")]
Ids = Annotated[list[str], typer.Argument(help="Ids of approvals.")]
As = Annotated[str, typer.Option("--as", help="Operator in whose name it is done.")]
Campaign = Annotated[str, typer.Option(help="Only of this campaign.")]


@app.command("list")
def list_all(
    status: Annotated[
        str, typer.Option(help="pending, approved, rejected, expired, stale or all.")
    ] = "pending",
    campaign: Campaign = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List what waits for a person, and what became of it."""
    from germane.api.approval_view import in_brief
    from germane.app.approving import Approving
    from germane.domain.approval import STATUSES

    if status not in (*STATUSES, "all"):
        raise WrongUse(
            f"There is no status {status!r}.", hint=f"Known: {', '.join(STATUSES)}, all."
        )
    wanted = "" if status == "all" else status
    with common.opened(config, data, mode="read") as engine:
        approvals = Approving(engine).listed(status=wanted, campaign=campaign, limit=limit)
        found = [in_brief(each, engine) for each in approvals]
    if as_json:
        common.print_json(found)
    else:
        show_all(found, status)


@app.command()
def show(
    approval: Id,
    name: As = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one: what would go out, why to this person, what it is expected to bring, who said what. With
    --as it is recorded that they looked."""
    found = done(_looked(approval, name), config, data) if name else _seen(approval, config, data)
    if as_json:
        common.print_json(found)
    else:
        show_one(found)


def _looked(approval: str, name: str) -> Act:
    async def here(engine: Engine) -> dict[str, Any]:
        from germane.api.approval_view import whole
        from germane.app.approving import Approving

        approving = Approving(engine)
        found = await approving.open(approval, named(engine, name))
        return await whole(found, engine, approving)

    return Act(here, _path(approval), operator=name)


def _seen(approval: str, config: Path, data: Path | None) -> dict[str, Any]:
    """As it stands, without a trace; beside a server as well."""
    import asyncio

    from germane.api.approval_view import whole
    from germane.app.approving import Approving

    with common.opened(config, data, mode="read") as engine:
        approving = Approving(engine)
        return asyncio.run(whole(approving.find(approval), engine, approving))


@app.command()
def approve(
    approvals: Ids,
    name: As,
    digest: Annotated[
        str, typer.Option(help="Of what you saw; needed unless you opened it by show --as NAME.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Approve exactly what was shown: one, or several together."""
    raise typer.Exit(_judge("approve", approvals, name, digest, "", config, data, as_json=as_json))


@app.command()
def reject(
    approvals: Ids,
    name: As,
    reason: Annotated[
        str, typer.Option(help="Why, in a few words; it is counted, and learned from.")
    ],
    digest: Annotated[str, typer.Option(help="Of what you saw; by default as it is now.")] = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Reject, with the reason."""
    raise typer.Exit(
        _judge("reject", approvals, name, digest, reason, config, data, as_json=as_json)
    )


def _judge(
    answer: Literal["approve", "reject"],
    ids: list[str],
    name: str,
    digest: str,
    reason: str,
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
) -> int:
    """1 when some could not be judged."""
    if digest and len(ids) > 1:
        raise WrongUse("--digest is of one approval.", hint="Name one approval, or no digest.")
    digests = dict.fromkeys(ids, digest) if digest else _digests(ids, config, data)
    if not digest and answer == "approve" and len(ids) == 1:
        _check_opened(ids[0], name, config, data)
    those = [{"approvalId": each, "digest": digests[each]} for each in ids]

    async def here(engine: Engine) -> dict[str, Any]:
        from germane.api.approvals import bulk_view
        from germane.app.approving import Approving

        pairs = list(digests.items())
        operator = named(engine, name)
        return bulk_view(
            await Approving(engine).judge_many(pairs, operator, answer, reason=reason, how=HOW)
        )

    body = {"answer": answer, "approvals": those, "reason": reason}
    found = done(Act(here, "/v1/approvals/bulk", body, operator=name), config, data)
    if as_json:
        common.print_json(found)
        return int(bool(found["failed"]))
    if len(ids) == 1 and found["failed"]:
        why = found["failed"][ids[0]]
        raise GermaneError(why["message"], hint=why["hint"])
    word = "Approved" if answer == "approve" else "Rejected"
    common.console().print(f"{word} {found['done']} of {len(ids)}.")
    for each, error in found["failed"].items():
        common.console().print(f"  {each}: {error['message']}", markup=False)
    return int(bool(found["failed"]))


def _digests(ids: list[str], config: Path, data: Path | None) -> dict[str, str]:
    """As they are now."""
    from germane.app.approving import Approving

    with common.opened(config, data, mode="read") as engine:
        approving = Approving(engine)
        return {each: approving.find(each).digest for each in ids}


def _check_opened(approval: str, name: str, config: Path, data: Path | None) -> None:
    """Nobody approves what they did not see.

    Raises:
        NoOperator: there is nobody of that name.
        WrongUse: they did not look at it in the form that it has now.
    """
    from germane.app.approving import Approving

    with common.opened(config, data, mode="read") as engine:
        found = Approving(engine).find(approval)
        named(engine, name)
    if found.status == "pending" and name not in found.opened:
        raise WrongUse(
            f"{name} has not looked at it as it is now.",
            hint=f"germane approvals show {approval} --as {name}, then approve it; or name the digest "
            "of what was seen: --digest.",
        )


@app.command()
def edit(
    approval: Id,
    name: As,
    subject: Annotated[str | None, typer.Option(help="Other subject.")] = None,
    html: Annotated[Path | None, typer.Option(help="File with the other HTML.")] = None,
    text: Annotated[Path | None, typer.Option(help="File with the other plain text.")] = None,
    payload: Annotated[
        Path | None, typer.Option(help="File with other JSON, of a message that is no e-mail.")
    ] = None,
    slot: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=TEXT or NAME.FIELD=TEXT: other words in one slot; may be repeated."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change the words of a message that waits; somebody else must approve it then."""
    words: dict[str, Any] = {
        "subject": subject,
        "html": html.read_text("utf-8") if html else None,
        "text": text.read_text("utf-8") if text else None,
        "payload": _payload(payload) if payload else None,
        "slots": _slots(slot) if slot else None,
    }
    words = {field: value for field, value in words.items() if value is not None}
    if not words:
        raise WrongUse(
            "Nothing is to be changed.",
            hint="Add --slot NAME=TEXT; or --subject, --html and --text.",
        )
    digest = _digests([approval], config, data)[approval]

    async def here(engine: Engine) -> dict[str, Any]:
        from germane.api.approval_view import whole
        from germane.app.approving import Approving
        from germane.app.postbox import Postbox
        from germane.app.rewording import Edit

        loaded = common.load(config)
        composer = Postbox(engine, loaded.channels, loaded.runtime.content).composer()
        approving, operator = Approving(engine, composer=composer), named(engine, name)
        after = await approving.edit(approval, operator, digest, Edit(**words), how=HOW)
        return await whole(after, engine, approving)

    body = {"digest": digest, **words}
    found = done(Act(here, f"{_path(approval)}/edit", body, operator=name), config, data)
    if as_json:
        common.print_json(found)
    else:
        show_one(found)


def _slots(said: list[str]) -> dict[str, dict[str, str]]:
    """Slot -> field -> text."""
    found: dict[str, dict[str, str]] = {}
    for each in said:
        place, mark, text = each.partition("=")
        name, _, field = place.strip().partition(".")
        if not mark or not name:
            raise WrongUse(
                f"{each[:40]!r} says no slot.",
                hint='For example --slot opening="Hello"; '
                "--slot offer.url=https://... for another field than its text.",
            )
        found.setdefault(name, {})[field or "text"] = text
    return found


def _payload(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise WrongUse(f"{file} is no JSON: {error}.") from None


@app.command()
def stats(
    campaign: Campaign = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """How many, how fast, and why people said no, by campaign."""
    from germane.api.approval_view import stats_view
    from germane.app.approving import Approving

    with common.opened(config, data, mode="read") as engine:
        found = stats_view(Approving(engine).stats(campaign))
    if campaign and not found:
        raise UnknownApproval(f"Nothing of campaign {campaign!r} was ever to be approved.")
    if as_json:
        common.print_json(found)
    else:
        show_stats(found)


def _path(approval: str) -> str:
    return f"/v1/approvals/{quote(approval, safe='')}"
