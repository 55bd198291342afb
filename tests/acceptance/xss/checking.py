"""What becomes of documents that are filled with payloads: under their own headers, and without any policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from germane.testing.xss import SKELETON, Document, Documents, Hit, Watch, payloads, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ALL = tuple(each.text for each in payloads())
"""Every payload."""
SOME = tuple(ALL[n * len(ALL) // 500] for n in range(500))
"""Of every family its share."""


class Sink(NamedTuple):
    """Something that shows what others wrote."""

    name: str
    fields: tuple[str, ...]
    """What of it is filled, each with every payload."""
    made: Callable[[Sequence[str]], Iterable[Document]]
    """From the texts that go into the fields."""
    shaped: int = 10
    """How many of its documents are held against those of harmless words: they have the same elements."""
    pictures: bool = False
    """Whether who wrote it may load things from elsewhere: then only what runs counts."""


class Checked(NamedTuple):
    """What came of it."""

    sink: str
    fields: int
    texts: int
    """Payloads in each of them."""
    policy: bool
    """Whether the page's own content security policy held."""
    hits: list[Hit]
    armed: list[str]
    """Handlers and addresses in the page that would run something."""
    grown: dict[str, int]
    """Elements that are there more, or less, often than with harmless words."""

    @property
    def good(self) -> bool:
        """Nothing ran, nothing would, nothing was read as mark-up."""
        return not (self.hits or self.armed or self.grown)


@contextmanager
def watched(browser: Browser, *, policy: bool) -> Iterator[tuple[Page, Watch]]:
    """A page with a watch; without ``policy``, the browser keeps to none, by header or in the page."""
    context = browser.new_context(bypass_csp=not policy, viewport={"width": 1000, "height": 700})
    watch = Watch(context)
    yield context.new_page(), watch
    context.close()


def checked(browser: Browser, sink: Sink, texts: Sequence[str] = SOME) -> list[Checked]:
    """Load the documents of a sink, and use them: under the policy that they come with, if they do, and
    without any."""
    documents = [*sink.made(texts)]
    with serving() as served:
        for each in documents:
            served.put(each)
        expected = _expected(browser, sink, served, len(texts))
        kinds = (True, False) if any(_has_policy(each) for each in documents) else (False,)
        found = [_checked(browser, sink, documents, served, expected, policy) for policy in kinds]
    return [each._replace(texts=len(texts)) for each in found]


def _has_policy(document: Document) -> bool:
    return "Content-Security-Policy" in " ".join([*document.headers, document.html[:1_000]]).title()


def _expected(browser: Browser, sink: Sink, served: Documents, count: int) -> Counter[str]:
    """The elements of the same documents with harmless words."""
    found = Counter[str]()
    with watched(browser, policy=False) as (page, _):
        for document in islice(sink.made(harmless(count)), sink.shaped):
            page.goto(served.put(document._replace(name=f"harmless-{document.name}")))
            found.update(page.evaluate(SKELETON))
    return found


def _checked(
    browser: Browser,
    sink: Sink,
    documents: list[Document],
    served: Documents,
    expected: Counter[str],
    policy: bool,
) -> Checked:
    armed, found = [], Counter[str]()
    with watched(browser, policy=policy) as (page, watch):
        for n, document in enumerate(documents):
            page.goto(f"{served.address}/{document.name}")
            if not n:
                watch.use(page)
            armed += watch.touch(page)
            found.update(page.evaluate(SKELETON) if n < sink.shaped else ())
    found.subtract(expected)
    changed = {name: count for name, count in found.items() if count}
    hits = [each for each in watch.hits if each.how != "request" or not sink.pictures]
    return Checked(sink.name, len(sink.fields), 0, policy, hits, armed, changed)


def harmless(count: int) -> list[str]:
    """So many words."""
    return [f"word{number}" for number in range(count)]
