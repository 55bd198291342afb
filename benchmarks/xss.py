"""Payloads in every field that a page or a mail shows: `just bench xss`.

Every payload of ``germane.testing.xss`` is put into every field of every page that Germane serves or writes, of
its mails, and of what its scripts draw, and all of it is loaded in Chromium, and touched: under the content
security policy that it comes with, and without any. First the control: the same payloads, bare, in a page that
forbids nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from benchmarks.figures import record, write_result
from germane.testing.xss import Document, bare, payloads, serving
from tests.acceptance.pages import chromium
from tests.acceptance.xss import filled, mails, scripted, served
from tests.acceptance.xss.checking import ALL, Checked, checked, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COMMAND = "just bench xss"


def control(browser: Browser) -> dict[str, Any]:
    """How many run where nothing is done."""
    documents = [Document(f"{each.number}", bare(each)) for each in payloads()]
    with serving() as here, watched(browser, policy=True) as (page, watch):
        for shown in here.each_framed(page, documents):
            watch.touch(shown)
    ran = Counter(each.family for each in payloads() if each.number in watch.ran)
    return {"payloads": len(documents), "ran": ran.total(), "by_family": dict(ran)}


def everything(browser: Browser) -> Iterator[Checked]:
    """Each sink, under its policy and without."""
    for sink in (*filled.SINKS, *mails.SINKS):
        yield from checked(browser, sink, ALL)
    for name in scripted.SCRIPTED:
        yield from scripted.drawn(browser, name, ALL)
    with tempfile.TemporaryDirectory() as folder:
        server = served.a_server(Path(folder) / "shop", ALL)
        try:
            yield from served.looked_at(browser, server, ALL)
        finally:
            server.close()


def main() -> None:
    """Run, print, write."""
    with chromium() as browser, Progress() as shown:
        task = shown.add_task("sinks", total=None)
        known = control(browser)
        found = []
        for each in everything(browser):
            found.append(each)
            shown.update(task, advance=1, description=each.sink)
    sinks = {each.sink: each.fields for each in found}
    tried = sum(each.texts * each.fields for each in found)
    executed = sum(len(each.hits) for each in found)
    result = {
        "control": known,
        "sinks": sinks,
        "fields": sum(sinks.values()),
        "tried": tried,
        "executed": executed,
        "armed": sum(len(each.armed) for each in found),
        "elements_changed": sum(len(each.grown) for each in found),
    }
    print(json.dumps(result, indent=2))
    write_result("xss", {"protocol": __doc__, **result})
    record("security.xss_executed", executed, n=tried, command=COMMAND)
    assert all(each.good for each in found), [each for each in found if not each.good]


if __name__ == "__main__":
    main()
