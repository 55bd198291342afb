"""Whether a page runs what it is only meant to show.

``payloads()`` are attempts; put each of them into every field that the page shows, load it in a browser whose
context has a ``Watch``, touch everything with ``Watch.touch``, and nothing may have run, and nothing may be
armed. ``controls`` shows that the watch does see: the same payloads, put bare into a bare page.

A browser (Playwright) is needed only by whoever makes a ``Watch``.
"""

from germane.testing.xss.controls import PLACES, bare
from germane.testing.xss.documents import SKELETON, Document, Documents, serving
from germane.testing.xss.payloads import FAMILIES, Payload, payloads
from germane.testing.xss.watching import CANARY, TOUCH, Hit, Watch

__all__ = [
    "CANARY",
    "FAMILIES",
    "PLACES",
    "SKELETON",
    "TOUCH",
    "Document",
    "Documents",
    "Hit",
    "Payload",
    "Watch",
    "bare",
    "payloads",
    "serving",
]
