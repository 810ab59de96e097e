"""The page of many runs: what is broken since when, what goes to and fro, which figures drift; network by network."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import netassay
from netassay.claims import FEATURES
from netassay.history import chronicles
from netassay.report.environment import environment
from netassay.report.page import REPORT_HTML
from netassay.report.series import SPARK, plot, spark
from netassay.report.words import count, duration, figure, moment
from netassay.results.files import write_whole
from netassay.results.naming import first_line
from netassay.results.schema import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.history import CheckStory, Chronicle, Series
    from netassay.results.shelf import Shelf, ShelvedRun

HISTORY_HTML: Final = "history.html"

BARS: Final = {
    Verdict.HOLDS: ("holds", 6, 4),
    Verdict.ABSENT_BY_DESIGN: ("absent-by-design", 7, 2),
    Verdict.BROKEN: ("broken", 0, 16),
    Verdict.INCONCLUSIVE: ("inconclusive", 3, 10),
}
"""A verdict's style, and where its bar begins and how high it is: none is told by its colour alone."""

TOLD: Final = 10
"""Bars of one check up to which each says what it is; of more, the words beside them say how many."""

PLOTTED: Final = 12
LISTED: Final = 300
"""Figures of one network that are plotted if they drift, and that are listed at all."""

OPEN: Final = 10
"""Runs up to which their list is not folded."""


@dataclass(frozen=True)
class RunRow:
    """One run of a network, and where its own page is ("" if there is none)."""

    number: int
    title: str
    link: str
    when: str
    took: str
    netassay: str
    checks: int
    broken: int
    inconclusive: int
    faults: int


@dataclass(frozen=True)
class Bar:
    """Runs in a row with one verdict: its style, its path, and its words ("" where there are too many bars)."""

    style: str
    path: str
    words: str


@dataclass(frozen=True)
class StoryView:
    """One check: its bars over all runs, what they come to in words, and since when it is broken."""

    name: str
    bars: list[Bar]
    words: str
    flips: int
    since: str
    lead: str


@dataclass(frozen=True)
class SeriesView:
    """One figure: its spark, what it was and is, what its drift is in words, and its plot."""

    name: str
    key: str
    runs: int
    spark: str
    least: str
    median: str
    greatest: str
    newest: str
    drift: str
    plot: str


@dataclass(frozen=True)
class FeatureStories:
    """The checks of one feature: those that were ever broken or could not tell, and the names of all others."""

    title: str
    eventful: list[StoryView]
    quiet: list[str]


@dataclass(frozen=True)
class NetworkView:
    """One network; `span` is the number of its runs, which is also how wide its bars are."""

    anchor: str
    name: str
    summary: str
    span: int
    since: str
    until: str
    runs: list[RunRow]
    runs_open: bool
    broken: list[StoryView]
    flaky: list[StoryView]
    drifting: list[SeriesView]
    series: list[SeriesView]
    unlisted: int
    features: list[FeatureStories]


@dataclass(frozen=True)
class HistoryView:
    """The whole page."""

    style: str
    headline: str
    networks: list[NetworkView]
    unread: list[tuple[str, str]]
    spark: tuple[float, float]
    netassay: str


def history_view(shelf: Shelf, there: Path) -> HistoryView:
    """Make the view of a shelf, for a page in the folder `there`."""
    made = chronicles(shelf)
    broken = sum(len(one.broken) for one in made)
    flaky = sum(len(one.flaky) for one in made)
    drifting = sum(len(one.drifting) for one in made)
    parts = [
        f"{count(broken, 'check')} broken now" if broken else "nothing broken now",
        f"{flaky} flaky" if flaky else "none flaky",
        f"{count(drifting, 'figure')} drifting" if drifting else "no figure drifts",
    ]
    runs = f"{count(len(shelf.runs), 'run')} of {count(len(made), 'network')}"
    return HistoryView(
        style="broken" if broken else "inconclusive" if flaky or drifting or not made else "holds",
        headline=f"{runs}: {', '.join(parts)}",
        networks=[_network(one, f"network-{number}", there) for number, one in enumerate(made, 1)],
        unread=[(str(one.path), one.why) for one in shelf.unread],
        spark=SPARK,
        netassay=netassay.__version__,
    )


def _network(one: Chronicle, anchor: str, there: Path) -> NetworkView:
    names = {check.id: check.name for check in one.checks}
    series = [
        _series(each, names.get(each.check, each.check), len(one.runs), f"{anchor}-{number}", plotted=number < PLOTTED)
        for number, each in enumerate(one.series[:LISTED])
    ]
    stories = {id(check): _story(check, one.runs) for check in one.checks}
    return NetworkView(
        anchor=anchor,
        name=one.name,
        summary=f"{len(one.broken)} broken now, {len(one.flaky)} flaky, {len(one.drifting)} drifting",
        span=len(one.runs),
        since=moment(one.runs[0].started),
        until=moment(one.runs[-1].started),
        runs=[_run(run, number, there) for number, run in enumerate(one.runs, 1)],
        runs_open=len(one.runs) <= OPEN,
        broken=[stories[id(check)] for check in one.broken],
        flaky=[stories[id(check)] for check in one.flaky],
        drifting=[each for each in series if each.drift],
        series=series,
        unlisted=max(0, len(one.series) - LISTED),
        features=_features(one.checks, stories),
    )


def _run(run: ShelvedRun, number: int, there: Path) -> RunRow:
    page = Path(run.folder, REPORT_HTML)
    verdicts = [check.verdict for check in run.checks]
    return RunRow(
        number=number,
        title=run.run_id,
        link=quote(os.path.relpath(page.absolute(), there.absolute())) if page.exists() else "",
        when=moment(run.started),
        took=duration(max(0.0, run.finished - run.started)),
        netassay=run.netassay,
        checks=len(verdicts),
        broken=verdicts.count(Verdict.BROKEN),
        inconclusive=verdicts.count(Verdict.INCONCLUSIVE),
        faults=len(run.faults),
    )


def _features(checks: Sequence[CheckStory], stories: dict[int, StoryView]) -> list[FeatureStories]:
    eventful: dict[str, list[StoryView]] = defaultdict(list)
    quiet: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        title = FEATURES.get(check.feature, "Other")
        if check.count(Verdict.BROKEN) or check.count(Verdict.INCONCLUSIVE):
            eventful[title].append(stories[id(check)])
        else:
            quiet[title].append(check.name)
    titles = [title for title in [*FEATURES.values(), "Other"] if title in eventful or title in quiet]
    return [FeatureStories(title, eventful[title], quiet[title]) for title in titles]


def _story(check: CheckStory, runs: Sequence[ShelvedRun]) -> StoryView:
    told = [f"{verdict} in {number}" for verdict in (*BARS, Verdict.NOT_APPLICABLE) if (number := check.count(verdict))]
    missing = check.verdicts.count(None)
    return StoryView(
        name=check.name,
        bars=_bars(check.verdicts, runs),
        words=", ".join(told + ([f"not made in {missing}"] if missing else [])),
        flips=check.flips,
        since=_since(check, runs),
        lead=first_line(check.message),
    )


def _since(check: CheckStory, runs: Sequence[ShelvedRun]) -> str:
    """Tell the first bad run, and what is known of the time before it."""
    if check.first_bad is None:
        return ""
    first = runs[check.first_bad]
    told = f"Broken since run {first.run_id}, {moment(first.started)}"
    if check.last_good is None:
        return f"{told}, and in every run before it that could tell"
    good = runs[check.last_good]
    between = check.first_bad - check.last_good - 1
    gap = f"; {count(between, 'run')} between them could not tell" if between else ""
    return f"{told}; last kept in run {good.run_id}, {moment(good.started)}{gap}"


def _bars(verdicts: Sequence[Verdict | None], runs: Sequence[ShelvedRun]) -> list[Bar]:
    """Draw runs in a row that have the same verdict as one bar; a run is one unit wide, one not made is left out."""
    grouped = [
        (verdict, [place for place, _ in group])
        for verdict, group in itertools.groupby(enumerate(verdicts), key=lambda each: each[1])
        if verdict in BARS
    ]
    bars = []
    for verdict, places in grouped:
        assert verdict is not None
        style, top, height = BARS[verdict]
        first, last = runs[places[0]].run_id, runs[places[-1]].run_id
        words = f"{verdict} in {first}" if first == last else f"{verdict} from {first} to {last}"
        path = f"M{places[0]} {top}h{len(places)}v{height}h-{len(places)}z"
        bars.append(Bar(style, path, words if len(grouped) <= TOLD else ""))
    return bars


def _series(series: Series, name: str, runs: int, anchor: str, *, plotted: bool) -> SeriesView:
    values = sorted(series.measured)
    told = ""
    if series.drift:
        way = "up" if series.drift.change > 0 else "down"
        how = {"step": "in a step", "creep": "little by little"}[series.drift.kind]
        size = f"by {abs(series.drift.change):.0%}" if series.drift.before else "from nothing"
        told = f"{way} {size}, {how}: from {figure(series.drift.before, series.unit)}"
        told += f" to {figure(series.drift.now, series.unit)}"
    drawn = ""
    if series.drift and plotted:
        drawn = plot(anchor, series.values, series.unit, series.drift, f"{series.key} over {runs} runs: {told}")
    return SeriesView(
        name=name,
        key=series.key,
        runs=len(values),
        spark=spark(series.values),
        least=figure(values[0], series.unit),
        median=figure(values[len(values) // 2], series.unit),
        greatest=figure(values[-1], series.unit),
        newest=figure(series.measured[-1], series.unit),
        drift=told,
        plot=drawn,
    )


def render_history(view: HistoryView) -> str:
    """Give the page: self-contained, without scripts, and with everything that came from a cluster escaped."""
    return environment().get_template("history.html.j2").render(page=view)


def write_history_page(path: Path, shelf: Shelf) -> HistoryView:
    """Write the page to `path`, and give what it shows; it links the pages of the runs.

    `HarnessFault` if it can't be written.
    """
    view = history_view(shelf, path.absolute().parent)
    write_whole(path, render_history(view))
    return view
