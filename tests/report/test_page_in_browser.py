"""The page in a real browser: nothing asked of other hosts, no errors, readable on any screen, in light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import days
import msgspec
import pytest
import samples
import upgrades
from browsing import opened

from netassay.report import render, render_comparison
from netassay.report.gate import write_gate_page
from netassay.report.watch import write_watch_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

# For every element with text of its own: its colour against the first opaque background behind it, as WCAG 2 counts.
CONTRASTS = """
() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = samples.broken()
    wide = [f"{samples.HOSTILE}-{number}" for number in range(30)]
    cells = [[run.matrices[0].cells[0][1]] * 30] * 30
    run.matrices.append(msgspec.structs.replace(run.matrices[0], sources=wide, targets=wide, cells=cells))
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(run))
    return path


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "comparison.html"
    path.write_text(render_comparison([(samples.healthy(), "a/report.html"), (samples.broken(), "b/report.html")] * 2))
    return path


@pytest.fixture(params=["report", "comparison", "watch", "gate", "history"])
def either(request: pytest.FixtureRequest, file: Path, comparison: Path, tmp_path: Path) -> Path:
    if request.param == "watch":
        return write_watch_page(tmp_path, upgrades.watched())
    if request.param == "history":
        return days.history(tmp_path)
    if request.param == "gate":
        return write_gate_page(tmp_path, upgrades.judged())
    return file if request.param == "report" else comparison


def test_it_asks_nobody_and_shows_its_verdict(browser: Browser, file: Path) -> None:
    page, complaints = opened(browser, file)
    assert page.get_by_role("heading", level=1).inner_text() == "Broken"
    assert page.get_by_text("The network is broken: 3 of").is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.locator("script, img").count() == 0
    assert page.get_by_text(samples.HOSTILE).first.is_visible()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(browser: Browser, either: Path, scheme: str, axe: str) -> None:
    # The page forbids scripts, and so also this one, unless the browser is told to look away.
    page, _ = opened(browser, either, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(axe)
    violations = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    grave = [
        (each["id"], node["target"], node["failureSummary"])
        for each in violations
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
    assert grave == []


def test_axe_would_find_one(browser: Browser, file: Path, tmp_path: Path, axe: str) -> None:
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(file.read_text().replace('lang="en"', "", 1))
    page, _ = opened(browser, spoilt, bypass_csp=True)
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations.map(each => each.id)")
    assert "html-has-lang" in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_told_from_its_background(browser: Browser, either: Path, scheme: str) -> None:
    page, complaints = opened(browser, either, color_scheme=scheme)
    assert complaints == []
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(CONTRASTS) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_screen_is_too_narrow(browser: Browser, either: Path, width: int) -> None:
    page, _ = opened(browser, either, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_to_a_folded_check_unfolds_it(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file)
    page.locator("#claims details[open] a").first.click()
    target = page.evaluate("location.hash")
    assert page.locator(target).is_visible()


def test_without_scripts_and_on_paper_nothing_is_missing(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, java_script_enabled=False)
    page.emulate_media(media="print")
    assert page.locator("#broken summary").first.is_visible()
    assert page.get_by_text("default via 10.244.0.1 dev eth0").first.is_visible()
