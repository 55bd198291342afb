"""The page *Why am I seeing this?*: made of text alone, so that nothing in a title or a reason can act."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.responses import Response

from germane.api import pages
from germane.app.why import Because, Shown, Told

TITLE = "Why am I seeing this?"
NOTED = {
    "less_like_this": "Noted: you will see less like this.",
    "not_this_reason": "Noted: nothing is chosen for you by this reason any more.",
    "opt_out": "Noted: nothing is personalised for you any more. It holds from now on.",
    "opt_in": "Noted: what you see is chosen for you again.",
    "undo": "Noted: all that you took out counts again.",
}
"""What is said when something was done."""
REFUSED = "That could not be done: it is not part of what was shown. Nothing has changed."
_ASK = {
    "less_like_this": "Less like this",
    "opt_out": "No personalisation for me",
    "opt_in": "Personalise for me again",
    "undo": "Take all of this back",
}


def whole(
    found: Told, *, only: int | None = None, done: str = "", refused: bool = False
) -> Response:
    """The page.

    Args:
        found: What it tells.
        only: Position that is asked about; all, if that is none of them.
        done: What was done just now.
        refused: Or could not be done.
    """
    asked = [each for each in found.shown if each.position == only] or list(found.shown)
    said = f'<p role="status" class="note">{NOTED[done]}</p>' if done else ""
    said += f'<p role="alert" class="note">{REFUSED}</p>' if refused else ""
    items = [_item(each, answers=not found.opted_out) for each in asked]
    body = [said, _intro(found), *items, _muted(found.muted), _everything(found)]
    return pages.page(TITLE, "".join(body), 400 if refused else 200)


def _intro(found: Told) -> str:
    said = []
    if found.message:
        said.append(
            "We sent you this message because of what you did here, or because it is for people like you."
        )
        said += ["What is in it was chosen for you."] if found.personal else []
    elif found.choice and not found.shown:
        said.append("Nothing is shown to you here: that was the choice, among a few other things.")
    elif not found.shown:
        said.append("We do not keep any more why this was shown to you.")
    elif found.personal:
        said.append("This was chosen for you. Here is why, and how to change it.")
    elif found.choice:
        said.append("This is one of a few things that are shown here. Here is why.")
    else:
        said.append("This is shown to everyone.")
    if found.opted_out:
        said.append("Nothing is personalised for you now.")
    return f"<p>{' '.join(said)}</p>"


def _item(each: Shown, *, answers: bool) -> str:
    """``answers``: whether what they say to it changes anything."""
    reasons = "".join(_reason(each, reason, answers=answers) for reason in each.because)
    listed = f"<ul>{reasons}</ul>" if reasons else "<p>This is shown to everyone.</p>"
    less = "" if each.muted or not answers else _form("less_like_this", each)
    state = '<p class="quiet">You do not see this any more.</p>' if each.muted else ""
    about = f' <span class="quiet">{escape(each.category)}</span>' if each.category else ""
    return (
        f'<section class="card"><h2>{escape(each.title)}{about}</h2>{listed}{state}{less}</section>'
    )


def _reason(each: Shown, reason: Because, *, answers: bool) -> str:
    rests = "".join(f'<br><span class="quiet">{escape(x)}</span>' for x in reason.rests_on)
    way = ""
    if reason.muted:
        way = '<br><span class="quiet">No reason for you any more.</span>'
    elif reason.source and answers:
        way = _form("not_this_reason", each, reason)
    return f"<li>{escape(reason.text)}{rests}{way}</li>"


def _muted(muted: dict[str, Any]) -> str:
    lines = [f"You see less of: {x['value']}" for x in muted["values"]]
    lines += [f"You do not see: {x['title'] or x['itemId']}" for x in muted["items"]]
    lines += [f"Nothing is chosen by: {x['text']}" for x in muted["reasons"]]
    if not lines:
        return ""
    listed = "".join(f"<li>{escape(each)}</li>" for each in lines)
    return f'<section class="card"><h2>What you took out</h2><ul>{listed}</ul>{_form("undo")}</section>'


def _everything(found: Told) -> str:
    if not found.known:
        return "<p>Nothing is stored of you here.</p>"
    if found.opted_out:
        return _form("opt_in") if found.may_return else ""
    return f"<p>Or do without all of it: you then see what everyone sees.</p>{_form('opt_out')}"


def _form(kind: str, about: Shown | None = None, reason: Because | None = None) -> str:
    """One button, which a browser sends by POST: only that changes anything."""
    fields = {"kind": kind}
    if about is not None:
        fields |= {"decision": about.decision_id, "item": about.item_id}
    if reason is not None:
        fields["reason"] = reason.code
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    label, named = _ASK.get(kind, "Not for this reason"), ""
    if about is not None:
        of = f"{about.title}: {reason.text}" if reason is not None else about.title
        named = f' aria-label="{escape(f"{label} ({of})")}"'
    look = {"opt_out": "", "not_this_reason": ' class="way"'}.get(kind, ' class="small"')
    button = f'<button type="submit"{look}{named}>{label}</button>'
    return f'<form method="post">{hidden}{button}</form>'
