"""``person`` and ``decide``: ask from the terminal."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from germane.cli import address, common, consented
from germane.cli.choosing import show_choice, show_standing
from germane.cli.common import many
from germane.domain.errors import GermaneError, NotFound, StorageBusy, UnknownPerson

OWN = 5
"""Own items that are shown."""
SHOWN = 5
"""Slates that are shown, and choices."""
LOOK = "Only a look: nothing was stored or learned. --record makes it a real decision."
"""What ``decide`` says of itself."""


def person(who: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """The readable profile."""
    with common.opened(config, data, mode="read") as engine:
        found = engine.person(who)
    if found is None:
        raise UnknownPerson(f"Nothing is known about {who!r}.")
    if as_json:
        common.print_json(found)
        return
    _show_person(found)


def _show_person(found: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = common.console()
    ready = found["readiness"]
    seen = f"seen {found['firstSeen']} to {found['lastSeen']}"
    out.print(
        f"[bold]{escape(found['personId'])}[/]  {seen if found['lastSeen'] else 'not seen yet'}"
    )
    _show_consent(found)
    out.print(
        f"Readiness {ready['value']:.0%} ({many(ready['evidence'], 'interaction')}). {ready['meaning']}\n"
    )
    for name, rows in found["interests"].items():
        table = Table(title=escape(name), title_justify="left", box=None, pad_edge=False)
        table.add_column("value")
        table.add_column("share", no_wrap=True)
        table.add_column("from")
        for row in rows[:8]:
            bar = "█" * max(1, round(row["share"] * 20)) if row["weight"] > 0 else "[red]−[/]"
            share, text = f"{bar} {row['share']:.0%}", escape(row["from"]["text"])
            table.add_row(escape(row["value"]), share, text)
        out.print(table)
    if found["priceBand"]:
        band = found["priceBand"]
        out.print(f"\nPrices: {band['low']} to {band['high']}, usually {band['typical']}.")
    for name, trait in found["traits"].items():
        ago = f"{many(trait['ageDays'], 'day')} ago" if trait["ageDays"] else "today"
        out.print(
            f"Told us: {name} = {trait['value']} ({ago}){_of_zone(name, trait)}", markup=False
        )
    for item in found["ownItems"][:OWN]:
        out.print(f"Has had: {item['title'] or item['itemId']} – {item['text']}", markup=False)
    if len(found["ownItems"]) > OWN:
        out.print("[dim]… and more: --json has them.[/]")
    for line in _further(found):
        out.print(line, markup=False)
    for each in found["exposures"][:SHOWN]:
        out.print(f"Saw: {_shown(each, many(len(each['items']), 'item'))}")
    for each in found["choices"][:SHOWN]:
        out.print(f"Was chosen for: {_shown(each, 'a choice')}")
    if max(len(found["exposures"]), len(found["choices"])) > SHOWN:
        out.print("[dim]… and earlier ones: --json has them.[/]")


def _of_zone(name: str, trait: dict[str, Any]) -> str:
    """That what they told is no time zone, so that it counts for nothing."""
    from germane.domain.hours import known_zone

    if name != "timezone" or known_zone(str(trait["value"])) is not None:
        return ""
    return " – no time zone that is known: write Europe/Vienna"


def _further(found: dict[str, Any]) -> list[str]:
    """What is not listed one by one, and what the person muted."""
    lines = []
    if found["notInCatalogue"]:
        count = many(len(found["notInCatalogue"]), "item")
        lines.append(f"What they did with {count} tells of interests when the catalogue has them.")
    if found["hadLongerAgo"]:
        lines.append(f"Has had {many(found['hadLongerAgo'], 'other item')} longer ago.")
    return [*lines, *muted_lines(found["muted"])]


def _show_consent(found: dict[str, Any]) -> None:
    """What nothing else may be read without."""
    out, states = common.console(), found["consentStates"]
    if found["optedOut"]:
        out.print(consented.opted_out(states), style="bold red")
    if states:
        said = "; ".join(f"{name}: {consented.state(each)}" for name, each in states.items())
        out.print(f"Consent: {said}.", markup=False)


def muted_lines(muted: dict[str, Any]) -> list[str]:
    """What the person asked to be spared, a sentence each."""
    found = [f"Wants to see less of: {x['value']} (until {_day(x)})" for x in muted["values"]]
    found += [
        f"Does not want to see: {x['title'] or x['itemId']} (until {_day(x)})"
        for x in muted["items"]
    ]
    return found + [
        f"Wants nothing chosen by {x['text']} (until {_day(x)})" for x in muted["reasons"]
    ]


def _day(each: dict[str, Any]) -> str:
    return str(each["until"])[:10]


def _shown(each: dict[str, Any], what: str) -> str:
    """A slate or choice: where, when, and what it was credited with."""
    from rich.markup import escape

    said = [
        f"{x['outcome']}{' of ' + x['itemId'] if x['itemId'] else ''}: {_amount(x)}"
        for x in each["credits"]
    ]
    credited = f"credited with {', '.join(said)}" if said else "not credited with anything"
    return escape(f"{each['surface']}, {what}, {each['at']}; {credited}")


def _amount(credit: dict[str, Any]) -> str:
    value, left = credit["value"], credit["left"]
    return f"{value:g}" if left == value else f"{value:g}, of which {left:g} left after refunds"


def moment(
    who: str, hours: int, top: int, config: Path, data: Path | None, *, as_json: bool
) -> None:
    """The best of the next hours; asks the running server when there is one."""
    try:
        with common.opened(config, data, mode="write") as engine:
            found = engine.moment(who, hours=hours, top=top)
    except StorageBusy:
        path = f"/v1/people/{quote(who, safe='')}/moment?hours={hours}&top={top}"
        found = there(config, data, path)
    if found is None:
        raise UnknownPerson(f"Nothing is known about {who!r}.")
    if as_json:
        common.print_json(found)
    else:
        _show_moment(found)


def _show_moment(found: dict[str, Any]) -> None:
    from rich.markup import escape

    out = common.console()
    known = found["evidence"]
    out.print(
        f"[bold]{escape(found['personId'])}[/]  {escape(found['timezone'])}  {found['meaning']}"
    )
    out.print(f"{many(known['activeHours'], 'active hour')}, trusted {known['trust']:.0%}.\n")
    for number, each in enumerate(found["best"], 1):
        out.print(
            f"{number:>3}. [bold]{each['hour']}[/] [dim]{each['at']}[/]  {each['share']:.1%}, "
            f"{each['timesAverage']:.1f} times the average hour"
        )
        for reason in each["reasons"]:
            out.print(f"       {escape(reason['text'])}")
    window = found["bestWindow"]
    out.print(f"\nBest in a row: {window['text']} ({window['share']:.1%}).")


def actions(surface: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """How the actions of a choice surface stand; asks the running server when there is one."""
    from germane.api.choice import standing_view

    try:
        with common.opened(config, data, mode="write") as engine:
            found = standing_view(engine.standing(surface), engine.surface(surface))
    except StorageBusy:
        found = there(config, data, f"/v1/surfaces/{quote(surface, safe='')}/actions")
    if as_json:
        common.print_json(found)
    else:
        show_standing(found)


def asked_of(surface: str, size: int | None, item: str, filter_: str) -> dict[str, Any]:
    """One question, as it is on the wire."""
    asked: dict[str, Any] = {"surface": surface}
    if size:
        asked["size"] = size
    if item:
        asked["context"] = {"item": item}
    if filter_:
        asked["filter"] = filter_
    return asked


def decide(
    who: str,
    asked: dict[str, Any],
    config: Path,
    data: Path | None,
    *,
    record: bool,
    as_json: bool,
) -> None:
    """What is decided, with its reasons; asks the running server when there is one.

    Without ``record`` it is a look that leaves no trace.
    """
    ids = {"anonymousId": who[2:]} if who.startswith("a:") else {"userId": who.removeprefix("u:")}
    try:
        answer = _here(ids, asked, config, data, record=record)
    except StorageBusy:
        body = {"person": ids, "surfaces": [asked], "explain": True, "record": record}
        answer = there(config, data, "/v1/decide", body)
    if as_json:
        common.print_json(answer)
    else:
        _show_decision(answer)
        if not record:
            common.console().print(LOOK)


def _here(
    ids: dict[str, str],
    asked: dict[str, Any],
    config: Path,
    data: Path | None,
    *,
    record: bool,
) -> dict[str, Any]:
    import msgspec

    from germane.api import wire

    surface = msgspec.convert(asked, wire.SurfaceAsk)
    with common.opened(config, data, mode="write") as engine:
        decisions, trust = engine.decide(
            ids.get("userId", ""),
            ids.get("anonymousId", ""),
            "",
            wire.asks([surface], None),
            record=record,
        )
        surfaces = engine.settings.surfaces
        views = [
            wire.decision_view(
                each, engine.catalogue, True, surfaces.get(each.surface), engine.shortfall(each)
            )
            for each in decisions
        ]
    return {"decisions": views, "profile": {"readiness": trust}}


def there(
    config: Path,
    data: Path | None,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    method: str = "",
    operator: str = "",
    patience_s: float = 10,
) -> dict[str, Any]:
    """Ask the server that has the data folder open; by POST where there is a body, unless told otherwise.
    ``operator``: in whose name. ``patience_s``: so long it may take.

    Raises:
        GermaneError: it said no, or there is none where the data folder says, or else the configuration.
    """
    loaded = common.load(config)
    runtime = loaded.runtime
    told = address.read(common.data_dir(loaded, config, data))
    url = told or address.of(runtime.host, runtime.port)
    key = runtime.admin_key or runtime.server_key
    request = urllib.request.Request(  # noqa: S310 - always http
        url + path,
        json.dumps(body).encode() if body is not None else None,
        {
            "Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(),
            **({"Germane-Operator": operator} if operator else {}),
        },
        method=method or ("GET" if body is None else "POST"),
    )
    try:
        with urllib.request.urlopen(request, timeout=patience_s) as answer:  # noqa: S310 - always http
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error, url) from None
    except (OSError, ValueError, HTTPException) as error:
        raise _nobody(url, f"nothing that is a Germane server answers at {url}: {error}") from None


def _refused(error: urllib.error.HTTPError, url: str) -> GermaneError:
    """What the server said; or that it is another one."""
    if error.code == HTTPStatus.UNAUTHORIZED:
        return _nobody(url, f"what answers at {url} is another server: it does not know our key")
    try:
        return said_no(error.code, json.load(error))
    except (ValueError, KeyError, TypeError):
        return _nobody(url, f"what answers at {url} is no Germane server (status {error.code})")


def said_no(status: int, said: Any) -> GermaneError:
    """The error that an answer of the API stands for.

    Raises:
        KeyError, TypeError: it is none of ours.
    """
    kind = NotFound if status == HTTPStatus.NOT_FOUND else GermaneError
    error = kind(said["message"], hint=said["hint"], **said.get("details", {}))
    error.code = said.get("code", error.code)
    return error


def _nobody(url: str, why: str) -> GermaneError:
    port = urlsplit(url).port
    return GermaneError(
        f"Another process has the data folder open, and {why}.",
        hint=f"If it is a server on another port than {port}, say so: GERMANE_SERVER__PORT=8500 "
        "germane ... If it is an import, wait for its end.",
    )


def _show_decision(answer: dict[str, Any]) -> None:
    from rich.markup import escape

    out = common.console()
    for decision in answer["decisions"]:
        out.print(
            f"[bold]{decision['surface']}[/]  {decision['arm']}  "
            f"readiness {answer['profile']['readiness']:.0%}  model {decision['modelVersion']}"
        )
        if "choice" in decision:
            show_choice(decision["choice"])
            continue
        for item in decision["items"]:
            title = item["attributes"].get("title") or item["itemId"]
            out.print(
                f"{item['position'] + 1:>3}. [bold]{escape(title)}[/]  [dim]{escape(item['itemId'])}"
                f"  {item['slot']}  score {item['score']:.2f}  p {item['propensity']:.3f}[/]"
            )
            for reason in item.get("reasons", []):
                out.print(f"       {escape(reason['text'])}")
        if note := decision.get("note"):
            out.print(f"  [yellow]{escape(note)}[/]")
