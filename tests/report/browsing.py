"""Opening pages as a person would, and hearing of everything that they ask for or complain of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


def opened(browser: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """Open the file; the list grows by everything that the page asks for or complains of, itself apart."""
    page = browser.new_page(**options)
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("request", lambda asked: complaints.append(asked.url) if asked.url != file.as_uri() else None)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append("a dialog was shown"), dialog.dismiss())[0])
    page.goto(file.as_uri())
    return page, complaints
