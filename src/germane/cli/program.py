"""All commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from germane.cli import (
    approvals,
    asking,
    auditing,
    backups,
    bulk,
    channel,
    exporting,
    keys,
    letters,
    lift,
    models,
    operators,
    privacy,
    project,
    rights,
    sending,
    serving,
    tokens,
    upkeep,
)
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, Yes

app = typer.Typer(
    name="germane",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Germane: signals in, decisions out, outcomes back. A self-hosted personalization engine.",
    pretty_exceptions_enable=False,
)
dead_letters = typer.Typer(no_args_is_help=True, help="What could not be used, with its reason.")
demo = typer.Typer(no_args_is_help=True, help="See the loop run on real data.")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(demo, name="demo")
app.add_typer(channel.app, name="channel")
app.add_typer(approvals.app, name="approvals")
app.add_typer(operators.app, name="operator")
app.add_typer(keys.app, name="keys")
app.command("audit")(auditing.audit)
content = typer.Typer(no_args_is_help=True, help="What is said to people: check, draft, push.")
app.add_typer(content, name="content")

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Content files; content/ beside the configuration.")
]


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Germane: signals in, decisions out, outcomes back. A self-hosted personalization engine."""


@app.command()
def version() -> None:
    """Print the version."""
    from germane import __version__

    typer.echo(__version__)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    recipe: Annotated[str, typer.Option(help="What for: shop.")] = "shop",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Make a project folder: configuration, a small catalogue, content, keys."""
    project.init(folder, recipe, force=force)


@app.command()
def check(
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all of the data folder and compare every checksum.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the configuration, and audit every surface."""
    raise typer.Exit(project.check(config, data, as_json=as_json, deep=deep))


app.command("serve")(serving.serve)


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(help="events, people, catalogue or consents.")],
    files: Annotated[list[Path], typer.Argument(help="CSV, JSONL(.gz) or Parquet files.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", "-m", help="FIELD=COLUMN, for example timestamp=when."),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option("--as", help="Name of a mapping in the configuration, under imports."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="File for rows that could not be used.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="Event name for files that have no such column.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check only.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Import a catalogue that empties what its items have, too."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import history, people, a catalogue or what people agreed to. Running it again changes nothing."""
    raise typer.Exit(
        bulk.run(
            kind,
            files,
            mapping or [],
            named,
            rejects,
            event,
            dry_run=dry_run,
            force=force,
            config=config,
            data=data,
            as_json=as_json,
        )
    )


@app.command()
def backtest(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Events: CSV, JSONL(.gz) or Parquet; none: the data folder's own log."),
    ] = None,
    items: Annotated[Path | None, typer.Option(help="Catalogue, for files of events.")] = None,
    people: Annotated[
        Path | None, typer.Option(help="What people declared, for files of events.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", "-m", help="FIELD=COLUMN of events; items.FIELD=COLUMN, people.FIELD=COLUMN."
        ),
    ] = None,
    event: Annotated[str, typer.Option(help="Event name for files that have no such column.")] = "",
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="Signal (or event) that counts as a choice; by default what people have."
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(help="Predict so many people; 0: all. By default some 10,000 choices.", min=0),
    ] = None,
    learn_first: Annotated[
        float,
        typer.Option(
            help="Share of the events, the oldest, that are only learned.", min=0, max=0.95
        ),
    ] = 0.5,
    already_chosen: Annotated[
        str,
        typer.Option(help="What people had before: show, leave-out, or auto (as the data tell)."),
    ] = "auto",
    surface: Annotated[
        str | None, typer.Option(help="Surface whose rules hold; the first grid by default.")
    ] = None,
    derive: Annotated[
        bool, typer.Option("--derive", help="Derive settings from the files; no configuration.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The report.")] = Path("backtest.html"),
    json_file: Annotated[
        Path | None, typer.Option("--json", help="The findings as JSON, too.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
) -> None:
    """Would personalisation pay here? Replay the past, and write one HTML report. Changes nothing."""
    from germane.cli.backtest import Wanted, run

    wanted = Wanted(
        files=files or [],
        items=items,
        people=people,
        mapping=mapping or [],
        event=event,
        config=config,
        data=data,
        derive=derive,
        surface=surface,
        targets=target or [],
        sample=sample,
        learn_first=learn_first,
        already=already_chosen,
        out=out,
        json_file=json_file,
        quiet=quiet,
    )
    raise typer.Exit(run(wanted))


@app.command()
def person(
    who: Annotated[str, typer.Argument(help="User id or anonymous id.")],
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what is known of a person, and from where."""
    asking.person(who, config, data, as_json=as_json)


@app.command()
def moment(
    who: Annotated[str, typer.Argument(help="User id or anonymous id.")],
    hours: Annotated[int, typer.Option(help="How many of the next hours.", min=1, max=336)] = 72,
    top: Annotated[int, typer.Option(help="How many of the best.", min=1, max=336)] = 3,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show the best of the next hours to reach a person, and why."""
    asking.moment(who, hours, top, config, data, as_json=as_json)


@app.command()
def decide(
    who: Annotated[str, typer.Argument(help="User id (anonymous ids as a:ID).")],
    surface: Annotated[str, typer.Argument(help="Name of the surface.")],
    size: Annotated[int | None, typer.Option(help="Slots.", min=1, max=200)] = None,
    item: Annotated[str, typer.Option(help="The item that the page is about.")] = "",
    filter_: Annotated[str, typer.Option("--filter", help="CEL over item.")] = "",
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Make it a real decision: stored, learned from, and waiting for its outcome.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Look at what would be decided, and why. Nothing is stored or learned, but with --record."""
    asked = asking.asked_of(surface, size, item, filter_)
    asking.decide(who, asked, config, data, record=record, as_json=as_json)


@app.command()
def actions(
    surface: Annotated[str, typer.Argument(help="Name of a surface with kind = choice.")],
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how the actions of a choice stand, and whether acting per person is proven."""
    asking.actions(surface, config, data, as_json=as_json)


@app.command()
def preview(
    name: Annotated[str, typer.Argument(help="Content: its name, or a file.")],
    person: Annotated[str, typer.Option(help="A real person's user id or anonymous id.")] = "",
    made_up: Annotated[
        str, typer.Option("--made-up", help="A made-up person: first_name=Ann,role=buyer.")
    ] = "",
    item: Annotated[str, typer.Option(help="The item that it is about.")] = "",
    locale: Annotated[str, typer.Option(help="Language that is wanted, such as de-AT.")] = "",
    variant: Annotated[
        list[str] | None,
        typer.Option("--variant", help="SLOT=ID: take this variant; a draft, too."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="File for the page of an e-mail.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open that page in the browser.")] = False,
    folder: Folder = None,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show content as a person would get it, and what each sentence rests on. Sends and stores nothing."""
    from germane.cli.preview import Wanted, run

    wanted = Wanted(
        content=name,
        person=person,
        made_up=made_up,
        item=item,
        locale=locale,
        variants=tuple(variant or ()),
        folder=folder,
        html=html,
        open=open_,
    )
    raise typer.Exit(run(wanted, config, data, as_json=as_json))


@content.command("check")
def check_content(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder; content/ beside the configuration by default.")
    ] = None,
    links: Annotated[
        bool, typer.Option("--links", help="Ask every address whether it answers.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check all content: can it be read, may it be said, where do its links lead, who would get nothing."""
    from germane.cli.contents import check

    raise typer.Exit(check(config, data, folder, links=links, as_json=as_json))


@content.command("draft")
def draft_content(
    name: Annotated[str, typer.Argument(help="Content: its name, or a file.")],
    brief: Annotated[str, typer.Option(help="What to say, in a few sentences.")],
    slot: Annotated[str, typer.Option(help="The slot to write for.")] = "subject",
    count: Annotated[int, typer.Option("--n", help="How many drafts.", min=1, max=10)] = 3,
    locale: Annotated[str, typer.Option(help="Language; the content's default one.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show them; write nothing.")] = False,
    folder: Folder = None,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Have variants drafted by the language model under [writer]. They wait until a person approves them."""
    from germane.cli.drafting import Wanted, run

    wanted = Wanted(name, brief, slot, count, locale, folder, dry_run)
    raise typer.Exit(run(wanted, config, data, as_json=as_json))


@app.command()
def token(
    who: Annotated[str, typer.Argument(help="User id (anonymous ids as a:ID).")],
    valid_for: Annotated[str, typer.Option("--for", help="How long: 15m, 1h, up to 7d.")] = "1h",
    surface: Annotated[
        list[str] | None, typer.Option(help="Only for this surface; may be given again.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make a signed token with which a browser may ask for this person."""
    tokens.token(who, valid_for, surface or [], config, as_json=as_json)


@app.command()
def export(
    kind: Annotated[
        str | None,
        typer.Argument(help="events, decisions, impressions, outcomes, people or items."),
    ] = None,
    out: Annotated[
        Path | None, typer.Argument(help="File: .jsonl or .parquet; - for standard output.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Only of this person; without a kind, everything of theirs."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Everything of a person, as a page in this file.")
    ] = None,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write what is stored to a file; or everything about one person (--person, --html or --json)."""
    if kind is None and person is not None:
        rights.export_person(person, html, config, data, yes=yes, as_json=as_json)
    else:
        exporting.export(kind, out, person, config, data, yes=yes)


@dead_letters.command("list")
def list_letters(
    everything: Annotated[
        bool, typer.Option("--all", help="Replayed and dismissed ones, too.")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List dead letters with their reasons."""
    letters.list_all(config, data, limit, everything=everything, as_json=as_json)


@dead_letters.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number of the letter.")],
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one, with what was sent."""
    letters.show(number, config, data, as_json=as_json)


@dead_letters.command("replay")
def replay_letters(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers; none: all that are pending.")
    ] = None,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Try again what could not be used, after the cause was mended."""
    raise typer.Exit(letters.replay(numbers or [], config, data, yes=yes, as_json=as_json))


@dead_letters.command("dismiss")
def dismiss_letters(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are pending.")] = False,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say that nothing is to be done about some: they are kept, and wait no longer."""
    raise typer.Exit(
        letters.dismiss(
            numbers or [], config, data, everything=everything, yes=yes, as_json=as_json
        )
    )


@demo.command("shop")
def demo_shop(
    data: Annotated[Path, typer.Option("--data", "-d", help="Folder for the demo.")] = Path(
        "germane-demo"
    ),
    port: Annotated[
        int, typer.Option(help="Port of the page; 0: any free one.", min=0, max=65535)
    ] = 8400,
    speed: Annotated[
        float, typer.Option(help="Simulated days per real minute.", min=0.01, max=100)
    ] = 2.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again from nothing.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    until: Annotated[
        str, typer.Option(help="Stop after: import, replay (the end of the year), or never.")
    ] = "never",
) -> None:
    """The loop on a real shop: nine months of history, then three months replayed live."""
    from germane.cli.demo.shop import run

    raise typer.Exit(run(data, port, speed, fresh=fresh, browser=browser, until=until))


sending.add_to(app, content)
models.add_to(app)
lift.add_to(app)
upkeep.add_to(app)
backups.add_to(app)
privacy.add_to(app)
rights.add_to(app)
