"""The few pages that people see who came by a link in a message: plain, accessible, without script
or picture."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape

from starlette.responses import Response

_STYLE = (
    ":root{color-scheme:light dark;font:18px/1.5 system-ui,sans-serif}"
    "body{margin:0;background:light-dark(#fbfaf8,#14161a);color:light-dark(#1c1f24,#e8e6e1)}"
    "main{max-width:34rem;margin:12vh auto;padding:0 1.5rem}"
    "fieldset{border:1px solid light-dark(#cfc9bd,#3a3f48);border-radius:.5rem;"
    "margin:1rem 0;padding:.6rem 1rem}"
    "label{display:block;padding:.35rem 0}input{width:1.1rem;height:1.1rem;margin-right:.6rem}"
    "button{font:inherit;padding:.6rem 1.2rem;border-radius:.5rem;border:0;cursor:pointer;"
    "background:light-dark(#0b5d51,#6fd3c1);color:light-dark(#fff,#0c1513)}"
    ":focus-visible{outline:3px solid light-dark(#8a4b08,#e7a95b);outline-offset:2px}"
    "h1{line-height:1.2}h2{font-size:1.05rem;line-height:1.35;margin:0}"
    "h1,h2,li,p{overflow-wrap:anywhere}"
    ".card{border:1px solid light-dark(#cfc9bd,#3a3f48);border-radius:.6rem;margin:1rem 0;padding:1rem}"
    ".card ul{margin:.6rem 0;padding-left:1.1rem}.card li{margin:.5rem 0}"
    ".quiet{color:light-dark(#5d5f63,#a9a69f);font-size:.88rem;font-weight:400}"
    ".note{border-left:4px solid light-dark(#0b5d51,#6fd3c1);padding-left:.8rem}"
    ".small{font-size:.9rem;padding:.45rem .9rem;margin-top:.4rem;border:1px solid currentColor;"
    "background:none;color:light-dark(#0b5d51,#6fd3c1)}"
    ".way{font-size:.88rem;padding:.3rem 0;border-radius:.2rem;background:none;text-decoration:underline;"
    "color:light-dark(#0b5d51,#6fd3c1)}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}
"""No script, no picture (but the empty icon), no style but our own."""


def page(title: str, body: str, status: int = 200) -> Response:
    """A page; ``body`` is HTML, ``title`` is text."""
    return Response(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<main><h1>{escape(title)}</h1>{body}</main></html>",
        status,
        HEADERS,
        "text/html",
    )


EVERYTHING = "*"
"""What the form says for *no more e-mail at all*; no purpose is called so."""
_NEEDED = "Messages that you need, such as receipts, still come."
_NO_MORE = (
    f'<form method="post"><input type="hidden" name="purpose" value="{EVERYTHING}">'
    '<button type="submit">No more e-mail at all</button></form>'
)


def worded(purpose: str) -> str:
    """A purpose that has no title, as people read it."""
    return " ".join(purpose.split("_")).strip() or purpose


def ask(purpose: str, purposes: Mapping[str, str]) -> Response:
    """Unsubscribe from what? It changes nothing until a button is pressed.

    Args:
        purpose: Of the message.
        purposes: What there is to choose from -> title; the message's own among it.
    """
    if len(purposes) > 1:
        boxes = "".join(
            f'<label><input type="checkbox" name="purpose" value="{escape(name, quote=True)}"'
            f"{' checked' if name == purpose else ''}>{escape(title)}</label>"
            for name, title in purposes.items()
        )
        inner = (
            f"<fieldset><legend>Which of these would you rather not get?</legend>{boxes}</fieldset>"
        )
    else:
        inner = '<input type="hidden" name="List-Unsubscribe" value="One-Click">'
    what = escape(purposes.get(purpose) or worded(purpose))
    return page(
        "Unsubscribe",
        f"<p>You get this from us: <b>{what}</b>.</p>"
        f'<form method="post">{inner}<button type="submit">Unsubscribe</button></form>'
        f"<p>Or:</p>{_NO_MORE}<p>{_NEEDED}</p>",
    )


def done(titles: list[str]) -> Response:
    """It is done, for these; other e-mail may come, and can be ended here as well."""
    what = ", ".join(f"<b>{escape(each)}</b>" for each in titles)
    return page(
        "You are unsubscribed",
        f'<p role="status">You will get no more of this: {what}. It holds from now on.</p>'
        "<p>Other e-mail from us may still come. So may what is meant for somebody else who has this "
        f"address.</p>{_NO_MORE}<p>{_NEEDED}</p>",
    )


def all_done() -> Response:
    """It is done, for every purpose of e-mail, and whoever has the address."""
    return page(
        "You are unsubscribed",
        '<p role="status">You will get no more e-mail from us. It holds from now on.</p>'
        f"<p>{_NEEDED}</p>",
    )


def nothing_chosen() -> Response:
    """The form came without a choice."""
    return page(
        "Nothing was chosen",
        '<p role="alert">Nothing has changed. Go back, and choose what you would rather not get.</p>',
        400,
    )


def gone() -> Response:
    """The link is none of ours, or was cut short on its way."""
    return page(
        "This link does not work",
        "<p>It may have been cut short by your mail program. Try to copy it whole, or write to the "
        "sender.</p>",
        404,
    )
