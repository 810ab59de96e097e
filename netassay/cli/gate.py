"""`netassay gate`: may an upgrade go ahead?"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.text import Text

from netassay.bench.cells import gated
from netassay.cli.common import console
from netassay.errors import UsageError
from netassay.gate import Decision, Ruling, decide, read_evidence, read_policy, usual_policy
from netassay.gate.markdown import markdown
from netassay.gate.policy import usual_text
from netassay.report.gate import write_gate_page
from netassay.results.files import write_whole
from netassay.results.redact import redact_record

if TYPE_CHECKING:
    from rich.console import Console

    from netassay.gate import GateRecord

GATE_JSON: Final = "gate.json"
GATE_MD: Final = "gate.md"
STYLES: Final = {
    Decision.GO: "bold green",
    Decision.NO_GO: "bold red",
    Decision.CANNOT_DECIDE: "bold yellow",
}
LISTED: Final = 20
"""Items of one ruling on the terminal; the page has them all."""


def _print_policy(asked: bool) -> None:
    if asked:
        typer.echo(usual_text(), nl=False)
        raise typer.Exit


def gate(
    baseline: Annotated[Path, typer.Argument(metavar="BASELINE", help="Folder with the results from before.")],
    candidate: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="Folder with those to be judged.")],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is required and allowed (TOML).", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for gate.json, gate.html and gate.md (CANDIDATE/gate).", show_default=False
        ),
    ] = None,
    print_policy: Annotated[
        bool,
        typer.Option(
            "--print-policy", callback=_print_policy, is_eager=True, help="Print the default policy, and end."
        ),
    ] = False,
) -> None:
    """Decide between two sides: GO, NO-GO or CANNOT DECIDE, with the reason on the first line.

    Each side is the folder of a run, or a folder that holds those of a run (`run.json`), of benches (`bench.json`; more
    than one bench of the baseline shows the cluster's noise) and, for the candidate, of a watch (`watch.json`).

    GO: nothing that held is broken, what was absent by design still is, no gated figure is worse than its margin, no
    flow lost more than its limit. CANNOT DECIDE: something of that was not looked at, or could not be told.

    Exit codes: 0 go, 1 no-go, 2 wrong usage, 3 cannot decide.
    """
    rules = read_policy(policy) if policy else usual_policy()
    before, after = read_evidence(baseline), read_evidence(candidate)
    if baseline.resolve() == candidate.resolve():
        raise UsageError(f"{baseline} is given twice: name the results from before, and those to be judged")
    record = decide(
        before,
        after,
        rules,
        gated=rules.performance.gated or gated(),
        policy_name=str(policy) if policy else "the default",
    )
    folder = out or (candidate if candidate.is_dir() else candidate.parent) / "gate"
    say = console()
    say.print(Text(f"{record.decision}: {record.reason}", STYLES[record.decision]), soft_wrap=True)
    _list(say, record)
    encoded = msgspec.json.format(msgspec.json.encode(redact_record(record)), indent=1)
    write_whole(folder / GATE_JSON, encoded + b"\n")
    write_whole(folder / GATE_MD, markdown(record))
    page = write_gate_page(folder, record)
    say.print(f"page    {page}\nrecord  {folder / GATE_JSON}\nsummary {folder / GATE_MD}", markup=False, soft_wrap=True)
    raise typer.Exit(record.decision.exit_code)


def _list(say: Console, record: GateRecord) -> None:
    for area, told in record.judged.items():
        say.print(f"{area}: {told}", markup=False, soft_wrap=True)
    for ruling in (Ruling.NO_GO, Ruling.UNDECIDED, Ruling.EXCEPTED, Ruling.NOTE):
        items = record.of(ruling)
        for item in items[:LISTED]:
            accepted = f" Accepted: {item.exception}" if item.exception else ""
            say.print(f"{ruling:<17} {item.key}\n{'':18}{item.text}{accepted}", markup=False, soft_wrap=True)
        if len(items) > LISTED:
            say.print(f"{ruling:<17} and {len(items) - LISTED} more, in the page")
