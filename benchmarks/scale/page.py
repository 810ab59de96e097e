"""The figures of docs/scale.json as tables in docs/scale.md, and as a plot in docs/scale.svg."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.scale.assay import SEED
from benchmarks.scale.model import Line, Row, fit
from netassay.sampling import LOST, PER_NODE, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

SIZES: Final = (100, 200, 500, 1000, 2000, 5000)
COMPUTED: Final = (2000, 5000)
SETTINGS: Final = {"svg.fonttype": "none", "svg.hashsalt": "netassay", "font.size": 8}
COLOURS: Final = {False: "#b5502a", True: "#2a6fb5"}
WORDS: Final = {False: "all pairs", True: "sample"}


def render(results: Path) -> None:
    """Write the tables and the plot beside the results."""
    found = json.loads(results.read_text())
    page = results.with_suffix(".md")
    page.write_text(with_tables(page.read_text(), found))
    results.with_suffix(".svg").write_text(plot(found))


def with_tables(text: str, found: dict[str, Any]) -> str:
    """The page with its tables made anew: each stands between two comments that name it."""
    for name, table in {"plan": plan_table(), **measured_tables(found)}.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text, flags=re.DOTALL)
    return text


def plan_table() -> str:
    """What the plan is for some sizes; all of it follows from the seed."""
    rows = []
    for count in SIZES:
        made = plan([f"node-{number:04}" for number in range(count)], seed=SEED)
        everything = count * (count - 1)
        half = made.across(count // 2)
        rows.append(
            [
                *(f"{count:,}", f"{everything:,}", f"{made.tried:,}", f"{made.tried / everything:.1%}"),
                *(f"{made.gap:.2f}", f"{half:,.0f}", f"{made.chance(LOST):.1%}", f"{2 * PER_NODE / (count - 1):.1%}"),
            ]
        )
    heads = ["nodes", "all pairs", "sampled", "share", "gap, at least", "across halves, at least"]
    return table([*heads, "a quarter lost: seen", "one bad pair: seen"], rows)


def measured_tables(found: dict[str, Any]) -> dict[str, str]:
    """The tables of what was measured, with what is computed from it in columns and rows of its own."""
    agents, controller = good(found["agents"]), good(found["controller"])
    agent_rows = [
        [
            *(f"{row['probes']:,}", WORDS[row["sampled"]], f"{row['pairs']:,}", f"{row['wrong']:,}"),
            *(f"{row['attempt_seconds']:.2f}", f"{row['agents_cpu']:.2f}", f"{row['attempt_cpu']:.2f}"),
            *(f"{row['serving_mib']:.1f}", f"{row['driving_mib']:.1f}"),
        ]
        for row in agents
    ]
    heads = ["agents", "pairs of", "attempts", "wrong", "seconds", "agents' CPU, s", "controller's CPU, s"]
    first = table([*heads, "serving, MiB each", "driving, MiB each"], agent_rows)
    seconds, memory, start = lines(controller)
    rows = [
        [
            *(f"{row['probes']:,}", WORDS[row["sampled"]], f"{row['pairs']:,}", f"{row['wrong']:,}"),
            *(
                f"{row['start_seconds']:.1f}",
                f"{row['attempt_seconds'] + row['record_seconds']:.1f}",
                f"{row['controller_mib']:,.0f}",
            ),
            *(f"{row['record_mib']:,.1f}", f"{start.at(row['probes'], 0):.1f}"),
            *(f"{line.at(row['probes'], row['pairs']):,.1f}" for line in (seconds, memory)),
        ]
        for row in controller
    ]
    there = {(row["probes"], row["sampled"]) for row in controller}
    for sampled, count in ((sampled, count) for sampled in (False, True) for count in COMPUTED):
        if (count, sampled) not in there:
            pairs = count * (PER_NODE + 1 if sampled else count)
            computed = [f"{start.at(count, 0):.1f}", *(f"{line.at(count, pairs):,.1f}" for line in (seconds, memory))]
            rows.append([f"{count:,}", WORDS[sampled], f"{pairs:,}", *["not measured"] * 5, *computed])
    heads = ["probes", "pairs of", "attempts", "lost", "streams up, s", "check, s", "peak memory, MiB", "record, MiB"]
    second = table([*heads, "computed: streams up, s", "computed: check, s", "computed: memory, MiB"], rows)
    worst = [
        f"{line.off:.0%} of {what}" for line, what in ((start, "streams up"), (seconds, "check"), (memory, "memory"))
    ]
    says = f"Where both are there, what is computed is off by at most {', '.join(worst)}."
    third = table(
        ["probes", "streams, each a descriptor", "controller, KiB each", "stand-in, KiB each", "CPU to open, ms each"],
        [
            [
                *(f"{row['probes']:,}", f"{row['streams']:,}", f"{row['stream_kib']:.0f}"),
                *(f"{row['server_stream_kib']:.0f}", f"{row['start_cpu'] / row['probes'] * 1000:.1f}"),
            ]
            for row in controller
            if row["sampled"]
        ],
    )
    return {
        "agents": first,
        "controller": f"{second}\n\n{says}",
        "streams": third,
        "machine": _machine(found, [*agents, *controller]),
    }


def _machine(found: dict[str, Any], rows: Sequence[Row]) -> str:
    dates = sorted({row["date"] for row in rows})
    return f"Measured on {', '.join(dates)}, on {found['machine']}, with Python {found['python']}."


def good(rows: Sequence[Row]) -> list[Row]:
    """Those that could be measured."""
    return [row for row in rows if "failed" not in row]


def lines(controller: Sequence[Row]) -> tuple[Line, Line, Line]:
    """Seconds of a check, MiB of memory, and seconds until all streams are up, as lines."""
    seconds = fit(controller, lambda row: row["attempt_seconds"] + row["record_seconds"])
    memory = fit(controller, lambda row: row["controller_mib"])
    return seconds, memory, fit(controller, lambda row: row["start_seconds"], by=("probes",))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, figures to the right."""
    made = [heads, ["---:"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in made)


def plot(found: dict[str, Any]) -> str:
    """Four panels over the number of nodes: pairs, seconds, memory of the controller, CPU of an agent."""
    agents, controller = good(found["agents"]), good(found["controller"])
    seconds, memory, _ = lines(controller)
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(7.4, 5.6), layout="constrained")
        panels = figure.subplots(2, 2).flat
        pairs, check, held, each = panels
        _curves(pairs, "ordered pairs that are tried", [], lambda _, tried: float(tried))
        _curves(check, "controller: seconds of one check", controller, seconds.at)
        _points(check, controller, lambda row: row["attempt_seconds"] + row["record_seconds"])
        _curves(held, "controller: MiB at most", controller, memory.at)
        _points(held, controller, lambda row: row["controller_mib"])
        _points(each, agents, lambda row: row["agents_cpu"] / row["probes"] * 1000 or float("nan"))
        each.set_title("one agent: ms of CPU in one check")
        each.legend(fontsize=7)
        for panel in (pairs, check, held, each):
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_xlabel("nodes")
            panel.grid(alpha=0.3)
        return _svg(figure)


def _curves(panel: Axes, title: str, measured: Sequence[Row], figure: Callable[[int, int], float]) -> None:
    """Lines for all pairs and for the sample: dashed where they were fitted to what was measured."""
    panel.set_title(title)
    for sampled in (False, True):
        sizes = [*(count for count in (2, 5, 10, 20, 50) if not sampled), *SIZES]
        values = [figure(count, count * (PER_NODE + 1) if sampled else count * count) for count in sizes]
        how = "--" if measured else "-"
        panel.plot(sizes, values, how, color=COLOURS[sampled], linewidth=1, label=_label(sampled, measured))
    panel.legend(fontsize=7)


def _label(sampled: bool, measured: Sequence[Row]) -> str:
    return f"{WORDS[sampled]}, computed" if measured else WORDS[sampled]


def _points(panel: Axes, rows: Sequence[Row], figure: Callable[[Row], float]) -> None:
    for sampled in (False, True):
        mine = [row for row in rows if row["sampled"] is sampled]
        panel.plot(
            [row["probes"] for row in mine],
            [figure(row) for row in mine],
            "o",
            color=COLOURS[sampled],
            markersize=4,
            label=f"{WORDS[sampled]}, measured",
        )
    panel.legend(fontsize=7)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
