"""Many runs on one page: since when what is broken, what goes to and fro, which figures drift, network by network."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import days
import msgspec
import pytest
import samples
from typer.testing import CliRunner

from netassay.cli import build
from netassay.errors import UsageError
from netassay.history import CheckStory, Drift, chronicles
from netassay.history.drift import drifts
from netassay.report.history import history_view, render_history
from netassay.report.series import spark
from netassay.results.collect import write_run_json
from netassay.results.schema import Figure, Verdict
from netassay.results.shelf import Shelf, ShelvedCheck, ShelvedRun, read_shelf

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = {
    "h": Verdict.HOLDS,
    "b": Verdict.BROKEN,
    "d": Verdict.ABSENT_BY_DESIGN,
    "n": Verdict.NOT_APPLICABLE,
    "i": Verdict.INCONCLUSIVE,
    ".": None,
}


def story(verdicts: str) -> CheckStory:
    return CheckStory("a.py::test", "a check", "dns", [LETTERS[letter] for letter in verdicts])


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for run in days.fortnight():
        write_run_json(tmp_path / run.run_id, run)
    return read_shelf([tmp_path])


@pytest.mark.parametrize(
    ("verdicts", "flips", "first_bad", "last_good"),
    [
        ("hhhh", 0, None, 3),
        ("hhbb", 1, 2, 1),
        ("hbhb", 3, 3, 2),
        ("bbbb", 0, 0, None),
        ("hb.i", 1, 1, 0),
        ("hi.b", 1, 3, 0),
        ("ddbd", 2, None, 3),
        ("hdhd", 0, None, 3),
        ("nnii", 0, None, None),
    ],
)
def test_flips_and_the_first_bad_run(verdicts: str, flips: int, first_bad: int | None, last_good: int | None) -> None:
    told = story(verdicts)
    assert (told.flips, told.first_bad, told.last_good) == (flips, first_bad, last_good)
    assert told.broken == (first_bad is not None)


class Chance(random.Random):
    """Chance that is the same whenever a test is made."""

    def noise(self, count: int, centre: float = 100.0, sigma: float = 0.02) -> list[float]:
        return [centre * self.lognormvariate(0, sigma) for _ in range(count)]


@pytest.fixture
def chance() -> Chance:
    return Chance(11)


def test_a_step_is_seen_and_a_run_that_went_astray_is_not(chance: Chance) -> None:
    step = [*chance.noise(9), *chance.noise(3, 150)]
    astray = [*chance.noise(8), 300.0, *chance.noise(2), 250.0]
    found = drifts([step, astray, chance.noise(12), [5.0] * 12, chance.noise(4)])
    assert found[0] is not None
    assert (found[0].kind, round(found[0].change, 1)) == ("step", 0.5)
    assert found[1:] == [None] * 4


def test_a_creep_is_seen_and_no_small_one(chance: Chance) -> None:
    creep = [100.0 + 3 * n + chance.gauss(0, 3) for n in range(20)]
    small = [100.0 + 0.1 * n for n in range(20)]
    found = drifts([creep, small, *(chance.noise(20) for _ in range(50))])
    assert found[0] is not None
    assert found[0].kind == "creep"
    assert 0.5 < found[0].change < 0.7
    assert found[1:] == [None] * 51


def test_a_figure_that_was_zero_is_up_from_nothing() -> None:
    (found,) = drifts([[0.0] * 6 + [4.0, 5.0, 6.0]])
    assert found == Drift("step", 0.0, 5.0)


def test_noise_alone_is_seldom_taken_for_drift(chance: Chance) -> None:
    pages = [drifts([chance.noise(30, sigma=0.2) for _ in range(60)]) for _ in range(20)]
    assert sum(any(page) for page in pages) <= 3


def test_a_spark_bridges_runs_without_a_value_and_bears_a_single_one() -> None:
    assert spark([1.0, None, 3.0]) == "M3 21L157 3"
    assert spark([None, 2.0]) == "M157 12h.1"


def test_runs_are_put_together_by_cluster_lab_and_mode() -> None:
    runs = [ShelvedRun(run_id=f"r{n}", mode=mode, started=n) for n, mode in enumerate(["a", "b", "a"])]
    made = chronicles(Shelf(runs))
    assert [[run.run_id for run in one.runs] for one in made] == [["r0", "r2"], ["r1"]]


def test_a_check_that_was_made_twice_counts_by_its_worse_verdict() -> None:
    checks = [ShelvedCheck(id="a", verdict=verdict) for verdict in (Verdict.INCONCLUSIVE, Verdict.HOLDS)]
    (one,) = chronicles(Shelf([ShelvedRun(run_id="r", checks=checks)]))
    assert [check.verdicts for check in one.checks] == [[Verdict.INCONCLUSIVE]]


def test_the_page_tells_the_first_bad_run_the_flaky_check_and_the_drift(shelf: Shelf, tmp_path: Path) -> None:
    (network,) = history_view(shelf, tmp_path).networks
    broken = {one.name.partition(":")[0]: one.since for one in network.broken}
    assert broken["Named port (SRV)"] == (
        "Broken since run day009, 2026-11-29 14:03:07 UTC; last kept in run day008, 2026-11-28 14:03:07 UTC"
    )
    assert [one.name.partition(":")[0] for one in network.flaky] == ["LoadBalancer"]
    assert [one.drift for one in network.drifting] == ["up by 50%, in a step: from 907 ms to 1,357 ms"]
    assert network.drifting[0].plot.startswith("<svg ")
    (bars,) = (one.bars for one in network.broken if one.name.startswith("Named port"))
    assert [(bar.style, bar.words) for bar in bars] == [
        ("holds", "holds from day000 to day008"),
        ("broken", "broken from day009 to day013"),
    ]


def test_without_matplotlib_a_drift_is_shown_by_its_spark(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "netassay.report.plotting", None)
    (network,) = history_view(shelf, tmp_path).networks
    assert network.drifting[0].plot == ""
    assert network.drifting[0].spark.startswith("M3 ")
    assert '<svg class="spark"' in render_history(history_view(shelf, tmp_path))


def test_runs_lead_to_their_own_pages_where_there_are_any(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "day003" / "report.html").write_text("")
    links = {run.title: run.link for run in history_view(shelf, tmp_path).networks[0].runs}
    assert links["day003"] == "day003/report.html"
    assert links["day004"] == ""


def test_names_from_a_cluster_cannot_inject(shelf: Shelf, tmp_path: Path) -> None:
    for run in shelf.runs:
        run.run_id += samples.HOSTILE
        run.mode = samples.HOSTILE
        run.checks = [msgspec.structs.replace(check, id=samples.HOSTILE + check.id) for check in run.checks]
        run.figures = [msgspec.structs.replace(one, key=samples.HOSTILE, unit='">$x$') for one in run.figures]
    page = render_history(history_view(shelf, tmp_path))
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page


def test_what_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    write_run_json(tmp_path / "side-by-side" / "a", days.day(1))
    for name, content in (("old", b'{"run_id":"o","schema":"netassay.run/0"}'), ("torn", b'{"run'), ("odd", b"\xff")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes(content)
    done = CliRunner().invoke(build(), ["history", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "1 run, 0 broken now" in done.output
    assert "old/run.json: it is of schema netassay.run/0, and this netassay reads netassay.run/1" in done.output
    assert done.output.count("left out: ") == 3
    assert "What could not be read" in (tmp_path / "history.html").read_text()


def test_a_folder_without_runs_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no run.json in .*such as reports/runs"):
        read_shelf([tmp_path])


@pytest.mark.whole
def test_a_hundred_runs_of_five_hundred_checks_fit_on_the_page(chance: Chance, tmp_path: Path) -> None:
    names = [
        f"suites/dns/test_names.py::test_a_name_that_is_as_long_as_they_are[ipv4-{number}]" for number in range(500)
    ]

    def checks() -> list[ShelvedCheck]:
        weights, kinds = (90, 6, 4), (Verdict.HOLDS, Verdict.BROKEN, Verdict.INCONCLUSIVE)
        return [
            ShelvedCheck(
                id=name,
                verdict=verdict,
                claim="dns-a",
                feature="dns",
                title="A Service's name resolves to its cluster IP, from every node",
                message=f"probe-1 got no answer for {name}\nmore",
            )
            for name, verdict in zip(names, chance.choices(kinds, weights, k=len(names)), strict=True)
        ]

    def run(number: int) -> ShelvedRun:
        figures = [Figure(name, "until followed", *chance.noise(1), "s") for name in names]
        return ShelvedRun(run_id=f"r{number}", started=1e9 + number * days.DAY, checks=checks(), figures=figures)

    page = render_history(history_view(Shelf([run(number) for number in range(100)]), tmp_path))
    assert len(page.encode()) < 3_000_000
