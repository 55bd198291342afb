"""The browser snippet at ``/germane.js``, and a page that shows it at work at ``/example``.

The script is its parts, one after the other, in one function: nothing is built and nothing is fetched from
elsewhere. ``/germane.js?v=VERSION`` may be kept for a year, ``/germane.js`` for five minutes.
"""

from __future__ import annotations

import gzip
import html
import json
import re
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from germane import __version__
from germane.api.auth import Keys
from germane.domain.settings import Settings

PARTS = ("core", "outbox", "asking", "seeing", "slots", "floating", "nudges", "front")
"""In this order; each may use what stands before it."""
_YEAR, _MINUTES = "public, max-age=31536000, immutable", "public, max-age=300"
_AROUND, _AFTER = re.compile(r"\s*([{};])\s*"), re.compile(r"([:,])\s+")
_CSP = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: https: http:; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def script() -> str:
    """The whole script, without the comments and the indentation of its parts."""
    folder = files("germane").joinpath("static")
    css = json.dumps(_close(folder.joinpath("germane.css").read_text("utf-8")))
    parts = [_bare(folder.joinpath(f"{name}.js").read_text("utf-8")) for name in PARTS]
    head = f"/*! Germane {__version__}, Apache-2.0 */\n"
    top = f'"use strict";\nconst VERSION = "{__version__}", CSS = {css};\n'
    return f"{head}(() => {{\n{top}{''.join(parts)}}})();\n"


def _bare(source: str) -> str:
    """Comments left out (the parts have no texts over several lines, and none with two slashes between
    spaces), lines moved left."""
    kept, inside = [], False
    for line in map(str.strip, source.splitlines()):
        inside = inside or line.startswith("/**")
        if line and not inside and not line.startswith("//"):
            kept.append(line.partition(" // ")[0].rstrip())
        inside = inside and not line.endswith("*/")
    return "".join(f"{line}\n" for line in kept)


def _close(style: str) -> str:
    """A style sheet without the spaces that nobody needs (it has none after a colon or comma of a text)."""
    return _AFTER.sub(r"\1", _AROUND.sub(r"\1", style)).replace(";}", "}").strip()


def routes(settings: Settings, keys: Keys, *, example: bool, prefix: str = "") -> list[BaseRoute]:
    """The script; with ``example`` also the page, which shows the first grid. ``prefix``: what stands before
    every path."""
    plain = script().encode()
    packed = gzip.compress(plain, 9, mtime=0)
    tag = f'"{blake2b(plain, digest_size=12).hexdigest()}"'

    async def serve(request: Request) -> Response:
        for_ever = request.query_params.get("v") == __version__
        headers = {
            "ETag": tag,
            "Cache-Control": _YEAR if for_ever else _MINUTES,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Vary": "Accept-Encoding",
        }
        known = request.headers.get("if-none-match", "")
        if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
            return Response(status_code=304, headers=headers)
        body = plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = packed, "gzip"
        return Response(body, headers=headers, media_type="text/javascript")

    found: list[BaseRoute] = [Route("/germane.js", serve)]
    grid = first_grid(settings)
    if example and grid:
        shown = _example(grid, keys.write, prefix)

        async def page(request: Request) -> Response:
            return HTMLResponse(shown, headers={"Content-Security-Policy": _CSP})

        async def style(request: Request) -> Response:
            text = files("germane").joinpath("static/example.css").read_text("utf-8")
            return Response(text, media_type="text/css")

        found += [Route("/example", page), Route("/example.css", style)]
    return found


def first_grid(settings: Settings) -> str:
    """The surface that the page shows; empty: there is none, and no page."""
    return next((name for name, each in settings.surfaces.items() if each.kind == "grid"), "")


def _example(surface: str, write_key: str, prefix: str) -> str:
    text = files("germane").joinpath("static/example.html").read_text("utf-8")
    for name, value in (("PREFIX", prefix), ("SURFACE", surface), ("WRITE_KEY", write_key)):
        text = text.replace(name, html.escape(value))
    return text
