"""Headless Chromium and axe-core, for the tests of pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import FLAGS

from netassay.npm import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a dependency of this test alone

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the browser tests need Chromium on PATH: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's script, from npm into the user's cache."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core comes from npm, which is not on PATH")
    return (installed(Path(__file__).parent / "axe") / "axe-core" / "axe.min.js").read_text()
