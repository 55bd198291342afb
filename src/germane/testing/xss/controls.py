"""A page that escapes nothing and forbids nothing: where payloads must run, else nobody looks."""

from __future__ import annotations

from germane.testing.xss.payloads import Payload

PLACES = {
    "html": "<div>PUT</div>",
    "double": '<input value="PUT">',
    "single": "<input value='PUT'>",
    "bare": "<input value=PUT>",
    "href": '<a href="PUT">x</a>',
    "title": "<title>PUT</title>",
    "textarea": "<textarea>PUT</textarea>",
    "style": "<style>b{color:PUT}</style><b>x</b>",
    "comment": "<!-- PUT -->",
    "xmp": "<xmp>PUT</xmp>",
    "iframe": "<iframe>PUT</iframe>",
    "noembed": "<noembed>PUT</noembed>",
    "noframes": "<noframes>PUT</noframes>",
    "template": "<template>PUT</template>",
    "select": "<select><option>PUT</option></select>",
    "svg": "<svg>PUT</svg>",
    "cdata": "<svg><![CDATA[PUT]]></svg>",
    "math": "<math>PUT</math>",
    "script": '<script>var x = "PUT"</script>',
    "js-double": '<script>var x = "PUT"\n;</script>',
    "js-single": "<script>var x = 'PUT'\n;</script>",
    "js-object": '<script>var x = [{"x": "PUT"}];</script>',
    "js-call": "<script>console.log({x: 'PUT'})</script>",
    "js-template": "<script>var x = `PUT`\n;</script>",
    "js-code": "<script>var x = 0;PUT</script>",
    "js-comment": "<script>/* PUT */</script>",
    "json": '<script type="application/json">{"x": "PUT"}</script>',
    "onclick": "<b onclick=\"f('PUT')\">x</b><script>function f() {}</script>",
}
"""What a careless page is made of, by the place that a payload is meant for."""


def bare(payload: Payload) -> str:
    """The payload where it is meant to act, as it is."""
    body = PLACES[payload.into].replace("PUT", payload.text)
    return f"<!doctype html><meta charset=utf-8><body>{body}"
