"""Allure's own page, made offline of several runs: one file that asks nobody, with its history and our categories."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import days
import pytest
from browsing import opened
from typer.testing import CliRunner

from netassay.cli import build
from netassay.results.collect import write_run_json

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Allure's page of two days; a run of another network lies beside them."""
    folder = tmp_path_factory.mktemp("allure")
    yesterday = days.day(4, broken=[days.BREAKS])
    today = days.day(5, broken=[days.BREAKS, days.FLIPS, "pod-to-pod-tcp"])
    other = days.day(3)
    other.mode = "flannel-hostgw"
    for name, run in (("a", yesterday), ("b", today), ("c", other)):
        write_run_json(folder / "runs" / name, run)
    page = folder / "allure.html"
    with contextlib.chdir(folder):
        done = CliRunner().invoke(build(), ["report", "--allure", str(folder / "runs"), "--out", str(page)])
    assert done.exit_code == 0, done.output or done.exception
    assert {each.name for each in folder.iterdir()} == {"runs", "allure.html"}
    assert "run day005" in done.output
    assert "with 1 earlier run as its history" in done.output
    return page


def outside(complaints: list[str]) -> list[str]:
    """What came from elsewhere than the page itself."""
    return [said for said in complaints if not said.startswith(("data:", "blob:"))]


def at(browser: Browser, file: Path, title: str) -> tuple[Page, list[str]]:
    """Open the page at the result of that title, as who looks for it does."""
    page, complaints = opened(browser, file, viewport={"width": 1280, "height": 1000})
    page.get_by_test_id("search-input").fill(title)
    page.get_by_test_id("tree-leaf-title").get_by_text(title).first.click()
    page.get_by_test_id("test-result-info-title").wait_for()
    return page, complaints


def test_it_asks_nobody_and_shows_the_run(browser: Browser, page_file: Path) -> None:
    page, complaints = opened(browser, page_file)
    page.get_by_test_id("report-title").get_by_text("flannel-vxlan: run day005").wait_for()
    assert page.get_by_test_id("metadata-item-failed").inner_text().split() == ["Failed", "3"]
    for words in ("Names and Services lead to pods", "netassay · day005", "lab:flannel-vxlan"):
        assert page.get_by_text(words).first.is_visible(), words
    assert outside(complaints) == []
    assert "googletagmanager" not in page_file.read_text()


def test_a_check_shows_how_it_went_in_the_run_before(browser: Browser, page_file: Path) -> None:
    page, complaints = at(browser, page_file, "A LoadBalancer's endpoints")
    assert page.get_by_test_id("test-result-info-title").inner_text().startswith("The outside reaches")
    assert page.get_by_test_id("test-result-status-failed").is_visible()
    assert page.get_by_text("Category: The network broke a promise").is_visible()
    # Broken today and not yesterday: the one earlier run is told to have passed, on the day on which it was made.
    history = page.get_by_test_id("test-result-tab-history")
    assert history.inner_text().split() == ["History", "1"]
    history.click()
    page.get_by_text("11/24/2026").first.wait_for()
    assert outside(complaints) == []


def test_what_is_by_design_is_a_category_of_its_own(browser: Browser, page_file: Path) -> None:
    page, complaints = opened(browser, page_file)
    page.get_by_test_id("nav-tab-categories").click()
    for name in ("The network broke a promise", "Absent by design", "Not applicable"):
        page.get_by_text(name).first.wait_for()
    assert outside(complaints) == []


def test_grids_are_drawn_and_hostile_names_are_only_shown(browser: Browser, page_file: Path) -> None:
    page, complaints = at(browser, page_file, "Every pod reaches every pod over TCP")
    page.get_by_text("Compared with what was expected").first.click()
    page.get_by_test_id("test-result-attachment-header").get_by_text("Pod to pod, TCP").click()
    drawing = page.get_by_test_id("image-attachment-content").locator("img")
    drawing.wait_for()
    assert drawing.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 300
    page, more = at(browser, page_file, "named port has an SRV record")
    page.get_by_text("broken for <script>").first.wait_for()
    assert outside([*complaints, *more]) == []
