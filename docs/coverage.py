"""Writes docs/coverage.md: the floor, line by line, with the checks that put each line to the test.

The floor is in floor.toml; the checks are found in the suites by the claims that a line names. `make coverage`.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DOCS: Final = Path(__file__).parent
SUITES: Final = DOCS.parent / "suites"
TARGET: Final = DOCS / "coverage.md"

HEAD: Final = """\
# What is checked

Each line is something that one of the best suites for its part of the field checks (the *anchor* says which, and what
it calls it), and below are netassay's checks of the same. This page is made of `floor.toml` and of the suites by
`make coverage`; a test sees that it is up to date, and that no line of the floor is without a check.
"""


class Line(NamedTuple):
    """One line of the floor: what is checked, who checks it elsewhere, and the claims that put it to the test here."""

    what: str
    anchor: str
    claims: list[str]


def floor() -> Mapping[str, Sequence[Line]]:
    """The lines of the floor, by section."""
    sections = tomllib.loads((DOCS / "floor.toml").read_text())["section"]
    return {section["title"]: [Line(**line) for line in section["line"]] for section in sections}


def checks_by_claim() -> dict[str, list[str]]:
    """The checks of each claim, as in `services/test_names.py::test_…`."""
    found: dict[str, list[str]] = {}
    for file in sorted(SUITES.glob("*/test_*.py")):
        for claim, check in _claims(ast.parse(file.read_text())):
            found.setdefault(claim, []).append(f"{file.relative_to(SUITES)}::{check}")
    return found


def _claims(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim":
                yield str(ast.literal_eval(mark.args[0])), node.name


def page() -> str:
    """The text of docs/coverage.md."""
    checks = checks_by_claim()
    parts = [HEAD]
    named: set[str] = set()
    for title, lines in floor().items():
        parts.append(f"## {title}\n")
        for line in lines:
            named.update(line.claims)
            parts.append(f"**{line.what}** ({line.anchor})\n")
            parts += [f"- `{check}`" for claim in line.claims for check in checks.get(claim, [])]
            parts.append("")
    beyond = sorted(set(checks) - named)
    if beyond:
        parts.append("## Beyond the floor\n")
        parts += [f"- `{check}`" for claim in beyond for check in checks[claim]]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page())
