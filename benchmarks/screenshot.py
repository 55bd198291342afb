"""Pictures of pages: `python -m benchmarks.screenshot URL FILE [light|dark [WIDTH [HEIGHT]]]`.

Without a height: the whole page after a while, for the live page while the demo runs. With one: the top
of a page that stands still, such as a report.
"""

from __future__ import annotations

import sys

from playwright.sync_api import sync_playwright

from tests.acceptance.tools import chromium


def main() -> None:
    """Open the page, let it fill, take the picture."""
    url, file, *rest = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={
                "width": int(rest[1]) if len(rest) > 1 else 1280,
                "height": int(rest[2]) if len(rest) > 2 else 1000,
            },
            color_scheme="dark" if "dark" in rest else "light",
        )
        page.goto(url)
        if len(rest) > 2:
            page.screenshot(path=file)
        else:
            page.wait_for_timeout(25_000)
            page.screenshot(path=file, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
